"""Opening hours against a scan of every minute, what callers hear about them, and who answers which number."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ari_agent.hours import BERLIN, DAY, STATES, Closure, Hours, Spans, Special
from ari_agent.modes import Ai, Mode, NumberMode, Route, Situation, Staff, mode_of, route
from ari_agent.schedule import HoursSettings
from ari_agent.spoken import opening

OFFICE_DAY: Spans = ((480, 720), (780, 1020))
OFFICE = Hours(
    weekly=(OFFICE_DAY,) * 5 + ((), ()),
    state="BY",
    special={
        date(2026, 11, 24): Special((), "Betriebsausflug"),
        date(2026, 11, 28): Special(((600, 720),), "Tag der offenen Tür"),
        date(2026, 12, 1): Special(()),
    },
    yearly={(12, 24): Special((), "Heiligabend"), (12, 31): Special(((480, 720),), "Silvester")},
    closures=(Closure(date(2026, 12, 28), date(2026, 12, 30)),),
)
MONDAYS = [date(2026, 3, 23), date(2026, 10, 19), date(2026, 12, 21), date(2027, 3, 22), date(2026, 6, 8)]
"""The weeks in which the clocks change (March, October), Christmas, and one week like any other."""


def at(text: str) -> datetime:
    """Return a moment in the company's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@st.composite
def days(draw: st.DrawFn) -> Spans:
    """Return up to three spans, of which the last may end on the next day."""
    cuts = sorted(draw(st.sets(st.one_of(st.integers(0, DAY - 1), st.integers(90, 200)), max_size=6)))
    spans = [(first, last) for first, last in pairwise(cuts[: len(cuts) // 2 * 2])][::2]
    if draw(st.booleans()):
        start = max([1200, *(last for _, last in spans)])
        spans.append((start, draw(st.integers(start + 1, DAY + 400))))
    return tuple(spans)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Hours, date]:
    """Return hours and the Monday of a week to look at."""
    monday = draw(st.sampled_from(MONDAYS))
    day = st.integers(0, 9).map(lambda ahead: monday + timedelta(ahead))
    first = draw(day)
    hours = Hours(
        weekly=tuple(draw(days()) for _ in range(7)),
        state=draw(st.sampled_from([None, *STATES.values()])),
        catholic=draw(st.booleans()),
        special={draw(day): Special(draw(days())) for _ in range(draw(st.integers(0, 2)))},
        yearly={(12, 24): Special(draw(days()))},
        closures=(Closure(first, first + timedelta(draw(st.integers(0, 2)))),) if draw(st.booleans()) else (),
        zone=draw(st.sampled_from([BERLIN, ZoneInfo("Europe/Lisbon")])),
    )
    return hours, monday


def _open_minutes(hours: Hours, monday: date) -> set[tuple[date, int]]:
    """Return the wall-clock minutes of two weeks in which the company is open, listed one by one."""
    minutes: set[tuple[date, int]] = set()
    for day in (monday + timedelta(ahead) for ahead in range(-2, 15)):
        for first, last in hours.spans_on(day):
            minutes |= {(day + timedelta(minute // DAY), minute % DAY) for minute in range(first, last)}
    return minutes


@settings(max_examples=120, deadline=None)
@given(schedules(), st.randoms(use_true_random=False))
def test_every_answer_agrees_with_a_scan_of_every_minute(case: tuple[Hours, date], chance: random.Random) -> None:
    hours, monday = case
    listed = _open_minutes(hours, monday)
    start = datetime(monday.year, monday.month, monday.day, tzinfo=hours.zone).astimezone(UTC)
    scan: list[tuple[datetime, bool]] = []
    for minute in range(12 * DAY):
        moment = start + timedelta(minutes=minute)
        local = moment.astimezone(hours.zone)
        scan.append((moment, (local.date(), local.hour * 60 + local.minute) in listed))
    for _ in range(15):
        index = chance.randrange(8 * DAY)
        moment, is_open = scan[index]
        assert hours.is_open(moment) is is_open
        assert (hours.why_closed(moment) is None) is is_open
        for question, wanted in ((hours.next_opening, True), (hours.next_closing, False)):
            expected = next((when for when, state in scan[index:] if state is wanted), None)
            answer = question(moment)
            if expected is None:
                assert answer is None or answer >= scan[-1][0]
            else:  # seconds since the epoch: moments of the hour that comes twice equal none of another zone
                assert answer is not None
                assert answer.timestamp() == expected.timestamp()


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("2026-11-23 08:00", None),
        ("2026-11-23 07:59", "before"),
        ("2026-11-23 12:00", "lunch"),
        ("2026-11-23 13:00", None),
        ("2026-11-23 17:00", "after"),
        ("2026-11-22 10:00", "weekend"),
        ("2026-11-24 10:00", "special:Betriebsausflug"),
        ("2026-11-28 11:00", None),
        ("2026-12-01 11:00", "special:"),
        ("2027-11-01 20:00", "holiday:Allerheiligen"),
        ("2026-12-24 10:00", "holiday:Heiligabend"),
        ("2026-12-25 10:00", "holiday:Erster Weihnachtstag"),
        ("2026-12-29 10:00", "vacation"),
        ("2026-12-31 10:00", None),
        ("2026-12-31 13:00", "after"),
        ("2027-01-06 10:00", "holiday:Heilige Drei Könige"),
    ],
)
def test_why_the_company_is_closed(when: str, why: str | None) -> None:
    assert OFFICE.why_closed(at(when)) == why


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-11-23 10:00", "Wir sind heute bis zwölf Uhr und von dreizehn bis siebzehn Uhr da."),
        ("2026-11-23 12:30", "Wir haben gerade Mittagspause. Wir sind heute ab dreizehn Uhr wieder da."),
        ("2026-11-22 10:00", "Am Wochenende haben wir geschlossen. Wir sind morgen ab acht Uhr wieder da."),
        ("2026-11-20 17:30", "Wir haben heute schon geschlossen. Wir sind am Montag ab acht Uhr wieder da."),
        ("2026-11-23 07:30", "Wir haben jetzt noch geschlossen. Wir sind heute ab acht Uhr wieder da."),
        (
            "2024-11-01 20:00",
            "Heute ist Allerheiligen, da haben wir geschlossen. Wir sind am Montag ab acht Uhr wieder da.",
        ),
        (
            "2026-12-25 10:00",
            "Heute ist der erste Weihnachtstag, da haben wir geschlossen. Wir sind am Donnerstag ab acht Uhr wieder da.",  # noqa: E501
        ),
        ("2026-12-28 10:00", "Wir haben gerade Betriebsferien. Wir sind am Donnerstag ab acht Uhr wieder da."),
        (
            "2026-11-24 10:00",
            "Heute haben wir geschlossen, Grund: Betriebsausflug. Wir sind morgen ab acht Uhr wieder da.",
        ),
    ],
)
def test_what_a_caller_hears(when: str, said: str) -> None:
    assert opening.say(OFFICE, at(when)) == said


def test_a_caller_hears_the_date_of_an_opening_far_away() -> None:
    hours = Hours(weekly=OFFICE.weekly, closures=(Closure(date(2026, 11, 16), date(2026, 12, 6)),))
    said = "Wir haben gerade Betriebsferien. Wir sind am Montag, dem siebten Dezember, ab acht Uhr wieder da."
    assert opening.say(hours, at("2026-11-23 10:00")) == said


def test_a_company_that_never_closes_and_one_that_never_opens_say_so() -> None:
    now = at("2026-11-23 10:00")
    always, never = Hours((((0, DAY),),) * 7), Hours(((),) * 7)
    assert always.next_closing(now) is None
    assert opening.say(always, now) == "Wir sind immer für Sie da."
    assert never.next_opening(now) is None
    assert opening.say(never, now) == "Heute haben wir geschlossen."
    assert never.workday() == (480, 1080)


def test_a_night_shift_is_open_beyond_midnight_and_through_the_change_of_clocks() -> None:
    night = Hours((((22 * 60, 30 * 60),),) * 7)
    assert night.next_closing(at("2026-10-24 23:00")) == at("2026-10-25 06:00")
    assert at("2026-10-25 06:00").astimezone(UTC) - at("2026-10-24 22:00").astimezone(UTC) == timedelta(hours=9)
    assert opening.say(night, at("2026-11-23 23:00")) == "Wir sind jetzt da, bis morgen um sechs Uhr morgens."
    assert night.workday() == (22 * 60, DAY)


def test_an_opening_in_the_hour_that_does_not_exist_is_when_the_clocks_have_changed() -> None:
    hours = Hours((((150, 300),),) * 7)
    assert hours.next_opening(at("2026-03-29 01:00")) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_every_bundesland_has_its_holidays_with_german_names() -> None:
    assert len(STATES) == 16
    for name, code in STATES.items():
        hours = HoursSettings.model_validate({"schedules": [{"name": "a", "state": name}]}).schedules[0].hours()
        assert hours.state == code
        assert hours.holiday(date(2026, 10, 3)) == "Tag der Deutschen Einheit"
        assert hours.holiday(date(2026, 11, 24)) is None
    have = {name: Hours(OFFICE.weekly, state=code) for name, code in STATES.items()}
    all_saints = {name for name, hours in have.items() if hours.holiday(date(2026, 11, 1))}
    assert all_saints == {"Baden-Württemberg", "Bayern", "Nordrhein-Westfalen", "Rheinland-Pfalz", "Saarland"}
    assert {name for name, hours in have.items() if hours.holiday(date(2026, 11, 18))} == {"Sachsen"}
    assert have["Bayern"].holiday(date(2026, 8, 15)) is None
    assert Hours(OFFICE.weekly, state="BY", catholic=True).holiday(date(2026, 8, 15)) == "Mariä Himmelfahrt"


def test_the_settings_become_hours_and_modes() -> None:
    read = HoursSettings.model_validate(
        {
            "schedules": [
                {
                    "name": "buero",
                    "monday": ["08:00-12:00", "13:00-17:00"],
                    "saturday": ["22:00-06:00"],
                    "state": "Bayern",
                    "special": [{"date": "2026-11-24", "reason": "Betriebsausflug"}],
                    "yearly": [{"day": "12-31", "open": ["08:00-12:00"]}],
                    "vacation": [{"first": "2026-12-28", "last": "2026-12-30"}],
                }
            ],
            "numbers": [{"dialled": "+49 89 1234", "mode": "overflow", "schedule": "buero", "overflow_s": 15}],
        }
    )
    assert read.schedules[0].hours() == Hours(
        weekly=(OFFICE_DAY, (), (), (), (), ((1320, 1800),), ()),
        state="BY",
        special={date(2026, 11, 24): Special((), "Betriebsausflug")},
        yearly={(12, 31): Special(((480, 720),))},
        closures=(Closure(date(2026, 12, 28), date(2026, 12, 30)),),
    )
    assert read.modes() == (NumberMode("+49 89 1234", "overflow", "buero", 15),)
    assert HoursSettings().modes() == (NumberMode("*", "ai-first"),)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"schedules": [{"name": "a", "monday": ["08:00-12:00", "11:00-17:00"]}]}, "not overlap"),
        ({"schedules": [{"name": "a", "monday": ["8-12"]}]}, "pattern"),
        ({"schedules": [{"name": "a", "state": "Tirol"}]}, "no Bundesland"),
        ({"schedules": [{"name": "a", "zone": "Europe/Bayern"}]}, "no time zone"),
        ({"schedules": [{"name": "a", "vacation": [{"first": "2026-02-02", "last": "2026-02-01"}]}]}, "before"),
        ({"schedules": [{"name": "a"}, {"name": "a"}]}, "same name"),
        ({"numbers": [{"mode": "after-hours"}]}, "needs a schedule"),
        ({"numbers": [{"mode": "after-hours", "schedule": "b"}]}, "does not exist"),
        ({"numbers": [{"mode": "sometimes"}]}, "ai-first"),
    ],
)
def test_a_mistake_in_the_settings_is_named(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HoursSettings.model_validate(values)


MODES: dict[Mode, tuple[Route, Route]] = {
    "ai-first": (Ai(), Ai()),
    "overflow": (Ai(15), Ai()),
    "after-hours": (Staff(), Ai()),
    "human-first": (Staff(), Ai()),
    "off": (Staff(), Staff()),
}
"""Who answers while open and while closed."""


@pytest.mark.parametrize("mode", MODES)
def test_who_answers_is_decided_by_mode_and_hours(mode: Mode) -> None:
    number = NumberMode("*", mode, "buero", 15)
    while_open, while_closed = MODES[mode]
    for free in (True, None):
        assert route(number, Situation(opened=True, free=free, ready=True)) == while_open
    for free in (True, False, None):
        assert route(number, Situation(opened=False, free=free, ready=True)) == while_closed


def test_the_agent_helps_out_while_no_person_is_free() -> None:
    number = NumberMode("*", "human-first", "buero")
    assert route(number, Situation(opened=True, free=False, ready=True)) == Ai()


@pytest.mark.parametrize(("mode", "opened", "free"), list(product(MODES, (True, False, None), (True, False, None))))
def test_any_doubt_goes_to_people(mode: Mode, opened: bool | None, free: bool | None) -> None:
    number = NumberMode("*", mode, "buero")
    assert route(number, Situation(opened, free, ready=False)) == Staff()
    assert route(None, Situation(opened, free, ready=True)) == Staff()
    if opened is None and mode != "ai-first":
        assert route(number, Situation(opened, free, ready=True)) == Staff()


def test_a_dialled_number_is_found_however_it_is_written() -> None:
    exact, rest = NumberMode("+49 89 / 12-34", "off"), NumberMode("*", "ai-first")
    assert mode_of((rest, exact), "0049891234") is exact
    assert mode_of((rest, exact), "+49891234") is exact
    assert mode_of((rest, exact), "100") is rest
    assert mode_of((exact,), "100") is None


def test_the_answer_for_the_dialplan_is_one_word() -> None:
    assert [str(answer) for answer in (Ai(), Ai(20), Staff())] == ["ai", "ai-after-20", "staff"]
