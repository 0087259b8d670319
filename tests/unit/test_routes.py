"""Who gets a call: by contact, dialled number, hours and free people; in doubt it is people."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from calls.switchboard import SETTINGS

from ari_agent.calllog.phone_book import PhoneBook
from ari_agent.errors import AmiUnavailable, AriUnavailable
from ari_agent.pbx.ami import QueueState
from ari_agent.routing import ROUTE_S, Routing
from ari_agent.schedule import HoursSettings
from ari_agent.task import Contact

DAY = ["08:00-12:00", "13:00-17:00"]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
SCHEDULES = [{"name": "buero", "state": "Bayern"} | dict.fromkeys(WEEK, DAY)]
NUMBERS: list[dict[str, Any]] = [
    {"dialled": "+49 711 1550-1", "mode": "overflow", "schedule": "buero", "overflow_s": 15},
    {"dialled": "2", "mode": "human-first", "schedule": "buero"},
    {"dialled": "3", "mode": "after-hours", "schedule": "buero"},
    {"dialled": "4", "mode": "off"},
    {"dialled": "5"},
]
OVERFLOW, HUMAN_FIRST, AFTER_HOURS, OFF, AI_FIRST, UNKNOWN = "+4971115501", "2", "3", "4", "5", "6"
WORKING, EVENING = "2026-10-30 10:00", "2026-10-30 20:00"
LUNCH, HOLIDAY = "2026-10-30 12:30", "2026-01-06 10:00"  # Epiphany, on a Tuesday
FREE, BUSY = QueueState(exists=True, members=2, free=1), QueueState(exists=True, members=2, free=0)
GONE = QueueState(exists=False, members=0, free=0)
CALLER = "+4971112345"


class Desk:
    """Implements Queues: one state, an error, or no answer ever."""

    def __init__(self, state: QueueState | AmiUnavailable | None) -> None:
        self._state = state
        self.asked: list[str] = []

    async def queue(self, name: str) -> QueueState:
        """Return the state scripted."""
        self.asked.append(name)
        if self._state is None:
            await asyncio.Event().wait()
        if isinstance(self._state, AmiUnavailable):
            raise self._state
        assert self._state is not None
        return self._state


def clock(local: str) -> Callable[[], datetime]:
    return lambda: datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"))


async def answer(
    dialled: str,
    at: str = WORKING,
    *,
    desk: Desk | None = None,
    ready: bool | AriUnavailable = True,
    contacts: tuple[Contact, ...] = (),
    caller: str | None = CALLER,
    numbers: list[dict[str, Any]] = NUMBERS,
    refused: bool | AriUnavailable = False,
) -> str:
    hours = HoursSettings.model_validate({"schedules": SCHEDULES, "numbers": numbers})
    settings = SETTINGS.model_copy(update={"hours": hours})

    async def certainly_refused() -> bool:
        if isinstance(refused, AriUnavailable):
            raise refused
        return refused

    book = PhoneBook(contacts, "0711")

    async def served() -> bool:
        if isinstance(ready, AriUnavailable):
            raise ready
        return ready

    routing = Routing(settings, desk or Desk(FREE), book, served, clock(at), certainly_refused)
    return await routing.answer(dialled, caller)


@pytest.mark.parametrize(
    ("dialled", "at", "expected"),
    [
        (OVERFLOW, WORKING, "ai-after-15"),
        ("0049 711 15501", WORKING, "ai-after-15"),
        (OVERFLOW, EVENING, "ai"),
        (OVERFLOW, LUNCH, "ai"),
        (OVERFLOW, HOLIDAY, "ai"),
        (AFTER_HOURS, WORKING, "staff"),
        (AFTER_HOURS, LUNCH, "ai"),
        (AFTER_HOURS, HOLIDAY, "ai"),
        (HUMAN_FIRST, EVENING, "ai"),
        (OFF, EVENING, "staff"),
        (AI_FIRST, WORKING, "ai"),
        (UNKNOWN, WORKING, "staff"),
    ],
)
async def test_the_mode_of_the_number_and_the_hours_say_who_answers(dialled: str, at: str, expected: str) -> None:
    assert await answer(dialled, at) == expected


async def test_a_call_that_nobody_would_claim_rings_people_at_once() -> None:
    for numbers in (NUMBERS, []):
        assert await answer(AI_FIRST, numbers=numbers) == "ai"
        assert await answer(AI_FIRST, numbers=numbers, refused=True) == "staff-full"
        assert await answer(AI_FIRST, numbers=numbers, refused=AriUnavailable("away")) == "staff-unknown"


async def test_who_is_offered_later_may_find_a_free_slot_then() -> None:
    assert await answer(OVERFLOW, refused=True) == "ai-after-15"


async def test_people_first_means_the_ai_only_when_it_is_known_that_nobody_is_free() -> None:
    desk = Desk(FREE)
    assert await answer(HUMAN_FIRST, desk=desk) == "staff"
    assert desk.asked == ["empfang"]
    assert await answer(HUMAN_FIRST, desk=Desk(BUSY)) == "ai"
    assert await answer(HUMAN_FIRST, desk=Desk(GONE)) == "staff"
    assert await answer(HUMAN_FIRST, desk=Desk(AmiUnavailable("away"))) == "staff-unknown"


async def test_nobody_asks_for_free_people_when_the_answer_does_not_need_them() -> None:
    desk = Desk(BUSY)
    for dialled in (OVERFLOW, AFTER_HOURS, OFF, AI_FIRST, UNKNOWN):
        await answer(dialled, desk=desk)
    await answer(HUMAN_FIRST, EVENING, desk=desk)
    assert desk.asked == []


async def test_a_manager_interface_that_hangs_costs_the_caller_a_second_and_leaves_the_call_to_people() -> None:
    began = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        assert await answer(HUMAN_FIRST, desk=Desk(None)) == "staff-unknown"
    assert ROUTE_S * 0.9 < time.monotonic() - began < 1.5
    assert [line["event"] for line in lines] == ["the route is not known; people answer"]
    assert CALLER not in repr(lines)


@pytest.mark.parametrize("dialled", [OVERFLOW, HUMAN_FIRST, AFTER_HOURS, OFF, AI_FIRST])
async def test_where_no_agent_serves_every_call_is_left_to_people(dialled: str) -> None:
    for ready, why in ((False, "staff-not-ready"), (AriUnavailable("away"), "staff-unknown")):
        expected = "staff" if dialled == OFF and not ready else why
        assert await answer(dialled, EVENING, ready=ready, desk=Desk(BUSY)) == expected


async def test_without_settings_of_hours_every_call_is_offered_to_whichever_controller_claims_it() -> None:
    assert await answer(UNKNOWN, numbers=[]) == "ai"
    assert await answer(UNKNOWN, numbers=[], ready=False) == "ai"


@pytest.mark.parametrize("number", ["+4971112345", "004971112345", "071112345", "4971112345", "0711 / 123 45", "12345"])
async def test_a_blocked_caller_is_turned_away_and_an_important_one_gets_people_whatever_the_hours(number: str) -> None:
    for dialled, at in ((AI_FIRST, EVENING), (OVERFLOW, WORKING), (OFF, WORKING), (UNKNOWN, EVENING)):
        assert await answer(dialled, at, contacts=(Contact(CALLER, route="blocked"),), caller=number) == "blocked"
        assert await answer(dialled, at, contacts=(Contact(CALLER, route="vip"),), caller=number) == "staff"
    blocked = (Contact(CALLER, route="blocked"),)
    assert await answer(UNKNOWN, numbers=[], contacts=blocked, caller=number) == "blocked"


@pytest.mark.parametrize("number", [None, "", "anonymous", "unknown", "+4971112346", "112345", "x" * 5000])
async def test_a_caller_who_is_not_in_the_book_or_withholds_the_number_is_anybody(number: str | None) -> None:
    known = (Contact(CALLER, route="blocked"), Contact("+4971112347", route="vip"))
    assert await answer(AI_FIRST, contacts=known, caller=number) == "ai"


async def test_a_contact_without_a_route_of_their_own_is_answered_like_anybody() -> None:
    assert await answer(OVERFLOW, contacts=(Contact(CALLER, "Ada Beispiel"),)) == "ai-after-15"
