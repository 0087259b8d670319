"""Times, dates and wished times: what callers say is understood, and what we read back means the same."""

from __future__ import annotations

import time as clocks
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ari_agent.hours import Hours
from ari_agent.spoken import dates, times, wishes
from ari_agent.spoken.calendar_words import cardinal_word, ordinal_word, year_word
from ari_agent.spoken.dates import Days
from ari_agent.spoken.feasts import easter
from ari_agent.spoken.times import DAY, WORKDAY, Minutes
from ari_agent.spoken.wishes import Due, Wish

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 23, 15, 20, 13, tzinfo=BERLIN)
"""A Monday afternoon."""

many = settings(max_examples=2000, deadline=None)
opening_hours = st.sampled_from([WORKDAY, (0, DAY), (22 * 60, DAY), (0, 6 * 60), (10 * 60, 22 * 60), (420, 1140)])
moments = st.datetimes(datetime(2026, 1, 1), datetime(2031, 12, 31)).map(lambda at: at.replace(tzinfo=BERLIN, fold=0))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("viertel nach drei", "15:15"),
        ("dreiviertel vier", "15:45"),
        ("drei viertel vier", "15:45"),
        ("viertel vier", "15:15"),
        ("halb acht", "07:30"),
        ("halb eins", "12:30"),
        ("fünf vor halb neun", "08:25"),
        ("zehn nach halb vier", "15:40"),
        ("kurz nach zwei", "14:05"),
        ("kurz vor zwölf", "11:55"),
        ("vierzehn uhr dreißig", "14:30"),
        ("Vierzehn Uhr dreissig", "14:30"),
        ("punkt zwölf", "12:00"),
        ("mittags", "12:00"),
        ("um mitternacht", "00:00"),
        ("abends um acht", "20:00"),
        ("acht uhr abends", "20:00"),
        ("morgens um acht", "08:00"),
        ("früh um sieben", "07:00"),
        ("zwölf uhr nachts", "00:00"),
        ("drei uhr nachts", "03:00"),
        ("null uhr", "00:00"),
        ("null uhr fünf", "00:05"),
        ("um eins", "13:00"),
        ("ein uhr", "13:00"),
        ("gegen neun uhr", "09:00"),
        ("so gegen halb fünf am nachmittag", "16:30"),
        ("zwanzig vor elf", "10:40"),
        ("zehn minuten nach vier", "16:10"),
        ("dreiundzwanzig uhr neunundfünfzig", "23:59"),
        ("14:30", "14:30"),
        ("9.15 Uhr", "09:15"),
        ("ich hätte gern um viertel vor zehn einen rückruf", "09:45"),
    ],
)
def test_a_time_is_understood(said: str, meant: str) -> None:
    assert times.parse(said) == time.fromisoformat(meant)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "fünfundzwanzig uhr",
        "acht uhr siebzig",
        "vierundzwanzig uhr zehn",
        "um drei wochen",
        "ich habe zwei fragen",
        "halb",
        "viertel nach",
    ],
)
def test_what_is_no_time_is_none(said: str) -> None:
    assert times.parse(said) is None


def test_the_opening_hours_decide_between_morning_and_evening() -> None:
    assert times.parse("um acht") == time(8)
    assert times.parse("um acht", (17 * 60, 23 * 60)) == time(20)
    assert times.parse("um drei", (0, 6 * 60)) == time(3)


def _ways_to_say(minute: int) -> list[str]:
    """Return colloquial spellings of a minute of the day, each with its part of the day."""
    hour, past = divmod(minute, 60)
    this, following = cardinal_word(hour % 12 or 12), cardinal_word((hour + 1) % 12 or 12)
    part = " nachts" if hour < 3 or hour > 21 else " morgens" if hour < 10 else " mittags" if 11 <= hour < 14 else ""
    part = part or (" vormittags" if hour < 11 else " nachmittags" if hour < 18 else " abends")
    ways = {0: [f"punkt {this}"], 15: [f"viertel nach {this}", f"viertel {following}"], 30: [f"halb {following}"]}
    ways[45] = [f"viertel vor {following}", f"dreiviertel {following}", f"drei viertel {following}"]
    said = ways.get(past, [])
    if 0 < past < 30:
        said.append(f"{cardinal_word(past)} nach {this}")
    if past > 30:
        said.append(f"{cardinal_word(60 - past)} minuten vor {following}")
    if 15 < past < 30 or 30 < past < 45:
        word = f"{cardinal_word(abs(past - 30))} {'vor' if past < 30 else 'nach'} halb {following}"
        said.append(word)
    exact = f"{cardinal_word(hour)} uhr {cardinal_word(past) if past else ''}"
    return [f"um {way}{part}" for way in said] + ([exact] if hour == 0 or hour > 12 else [exact + part])


@pytest.mark.parametrize("minute", range(DAY))
def test_every_minute_is_understood_however_it_is_said(minute: int) -> None:
    meant = time(minute // 60, minute % 60)
    assert {said: times.parse(said) for said in _ways_to_say(minute)} == dict.fromkeys(_ways_to_say(minute), meant)


@many
@given(st.times(), opening_hours)
def test_a_time_that_we_say_is_understood_as_that_time(moment: time, opened: Minutes) -> None:
    moment = moment.replace(second=0, microsecond=0)
    assert times.parse(times.say(moment, opened), opened) == moment


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("heute", "2026-11-22", None),
        ("morgen", "2026-11-23", None),
        ("übermorgen", "2026-11-24", None),
        ("über morgen", "2026-11-24", None),
        ("am montag", "2026-11-23", None),
        ("am sonntag", "2026-11-29", None),
        ("nächsten dienstag", "2026-11-24", None),
        ("kommenden mittwoch", "2026-11-25", None),
        ("nächste woche freitag", "2026-11-27", None),
        ("freitag nächster woche", "2026-11-27", None),
        ("übernächste woche am montag", "2026-11-30", None),
        ("in drei tagen", "2026-11-25", None),
        ("in zwei wochen", "2026-12-06", None),
        ("in einer woche", "2026-11-29", None),
        ("in einem monat", "2026-12-22", None),
        ("heute in acht tagen", "2026-11-29", None),
        ("montag in einer woche", "2026-11-30", None),
        ("am dritten", "2026-12-03", None),
        ("am einunddreißigsten", "2026-12-31", None),
        ("am dritten fünften", "2027-05-03", None),
        ("dritter fünfter siebenundzwanzig", "2027-05-03", None),
        ("am ersten mai", "2027-05-01", None),
        ("am 3. Mai", "2027-05-03", None),
        ("24.11.2026", "2026-11-24", None),
        ("am einundzwanzigsten zwölften zweitausendsechsundzwanzig", "2026-12-21", None),
        ("am ein und zwanzigsten zwölften zwei tausend acht und zwanzig", "2028-12-21", None),
        ("montag der siebte zwölfte", "2026-12-07", None),
        ("neunundzwanzigster februar", "2028-02-29", None),
        ("kw zweiundvierzig", "2027-10-18", "2027-10-24"),
        ("kalenderwoche acht und vierzig am montag", "2026-11-23", None),
        ("kw dreiundfünfzig", "2026-12-28", "2027-01-03"),
        ("ende der woche", "2026-11-26", "2026-11-27"),
        ("anfang nächster woche", "2026-11-23", "2026-11-24"),
        ("nächste woche", "2026-11-23", "2026-11-29"),
        ("am wochenende", "2026-11-22", None),
        ("nach dem wochenende", "2026-11-23", "2026-11-29"),
        ("anfang januar", "2027-01-01", "2027-01-10"),
        ("ende januar", "2027-01-21", "2027-01-31"),
        ("mitte nächsten monats", "2026-12-11", "2026-12-20"),
        ("im januar", "2027-01-01", "2027-01-31"),
        ("nächsten monat", "2026-12-01", "2026-12-31"),
        ("zwischen den jahren", "2026-12-27", "2026-12-30"),
        ("an karneval", "2027-02-04", "2027-02-10"),
        ("an pfingsten", "2027-05-16", "2027-05-17"),
        ("anfang november", "2027-11-01", "2027-11-10"),
        ("freitag der kw neunundvierzig", "2026-12-04", None),
        ("nach ostern", "2027-03-30", "2027-04-05"),
        ("vor weihnachten", "2026-12-17", "2026-12-23"),
        ("nach den feiertagen", "2027-01-02", "2027-01-08"),
        ("an heiligabend", "2026-12-24", None),
        ("von montag bis mittwoch", "2026-11-23", "2026-11-25"),
    ],
)
def test_a_date_is_understood(said: str, first: str, last: str | None) -> None:
    assert dates.parse(said, SUNDAY) == Days(date.fromisoformat(first), date.fromisoformat(last or first))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "am einunddreißigsten februar",
        "zweiunddreißigster märz",
        "dritter dreizehnter",
        "erster mai zweitausendzwanzig",
        "diese woche freitag",
        "montag der achte zwölfte",
        "morgen dienstag",
        "kw vierundfünfzig",
        "kw null",
        "ich möchte einen termin",
        "das ist mein zweiter versuch",
        "als erstes eine frage",
    ],
)
def test_what_is_no_date_does_not_exist_or_is_over_is_none(said: str) -> None:
    assert dates.parse(said, SUNDAY) is None


def test_easter_is_where_the_calendars_have_it() -> None:
    known = ["2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2038-04-25", "2076-04-19"]
    assert [easter(int(day[:4])).isoformat() for day in known] == known


@many
@given(
    st.dates(date(2024, 1, 1), date(2060, 12, 31)),
    st.one_of(st.integers(0, 15), st.integers(0, 3000)),
    st.one_of(st.just(0), st.integers(0, 15), st.integers(0, 900)),
)
def test_days_that_we_say_are_understood_as_those_days(today: date, ahead: int, length: int) -> None:
    first = today + timedelta(ahead)
    days = Days(first, first + timedelta(length))
    assert dates.parse(dates.say(days, today), today) == days


@many
@given(st.dates(date(2024, 1, 1), date(2060, 12, 31)), st.integers(0, 3000), st.sampled_from(["e", "en", "er"]))
def test_a_date_of_numbers_is_understood_and_never_in_the_past(today: date, ahead: int, ending: str) -> None:
    day = today + timedelta(ahead)
    numbers = f"{ordinal_word(day.day, ending)} {ordinal_word(day.month, ending)}"
    assert dates.parse(f"am {numbers} {year_word(day.year)}", today) == Days(day, day)
    unnamed = dates.parse(f"am {numbers}", today)
    assert unnamed is not None
    assert today <= unnamed.first <= day
    assert (unnamed.first.day, unnamed.first.month) == (day.day, day.month)


def at(text: str) -> datetime:
    """Return a moment in the company's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("said", "earliest", "latest"),
    [
        ("morgen vormittag", "2026-11-24 08:00", "2026-11-24 12:00"),
        ("übermorgen ab vierzehn uhr", "2026-11-25 14:00", "2026-11-26 00:00"),
        ("zwischen zehn und zwölf", "2026-11-24 10:00", "2026-11-24 12:00"),
        ("morgen zwischen elf und eins", "2026-11-24 11:00", "2026-11-24 13:00"),
        ("zwischen elf und eins am dienstag", "2026-11-24 11:00", "2026-11-24 13:00"),
        ("morgen zwischen acht und zehn abends", "2026-11-24 20:00", "2026-11-24 22:00"),
        ("von zehn bis zwölf am mittwoch", "2026-11-25 10:00", "2026-11-25 12:00"),
        ("nicht vor neun", "now", "2026-11-24 00:00"),
        ("morgen nicht vor neun", "2026-11-24 09:00", "2026-11-25 00:00"),
        ("morgen nicht nach siebzehn uhr", "2026-11-24 00:00", "2026-11-24 17:00"),
        ("bis spätestens freitag", "now", "2026-11-28 00:00"),
        ("spätestens morgen um zwölf", "now", "2026-11-24 12:00"),
        ("nach feierabend", "2026-11-23 17:00", "2026-11-23 20:00"),
        ("sofort", "now", "now"),
        ("so schnell wie möglich", "now", "now"),
        ("egal wann", "now", None),
        ("wann sie wollen", "now", None),
        ("am nachmittag", "now", "2026-11-23 18:00"),
        ("heute noch", "now", "2026-11-24 00:00"),
        ("heute abend", "2026-11-23 17:00", "2026-11-23 21:00"),
        ("morgen früh", "2026-11-24 06:00", "2026-11-24 10:00"),
        ("morgen früh um acht", "2026-11-24 08:00", "2026-11-24 08:00"),
        ("am morgen", "2026-11-24 06:00", "2026-11-24 10:00"),
        ("am dienstagvormittag", "2026-11-24 08:00", "2026-11-24 12:00"),
        ("dienstag morgen um neun", "2026-11-24 09:00", "2026-11-24 09:00"),
        ("freitag um drei", "2026-11-27 15:00", "2026-11-27 15:00"),
        ("um zehn", "2026-11-24 10:00", "2026-11-24 10:00"),
        ("morgen gegen halb fünf", "2026-11-24 16:15", "2026-11-24 16:45"),
        ("fünf nach acht", "2026-11-24 08:05", "2026-11-24 08:05"),
        ("ab montag", "2026-11-30 00:00", None),
        ("ab montag vierzehn uhr", "2026-11-30 14:00", None),
        ("nach mittwoch", "2026-11-26 00:00", None),
        ("vor freitag", "now", "2026-11-27 00:00"),
        ("montag bis mittwoch", "2026-11-30 00:00", "2026-12-03 00:00"),
        ("dienstag oder mittwoch", "2026-11-24 00:00", "2026-11-26 00:00"),
        ("nächste woche", "2026-11-30 00:00", "2026-12-07 00:00"),
        ("kw neunundvierzig", "2026-11-30 00:00", "2026-12-07 00:00"),
        ("zwischen den jahren", "2026-12-27 00:00", "2026-12-31 00:00"),
        ("montags bis freitags zwischen acht und zehn", "2026-11-30 08:00", "2026-12-04 10:00"),
        ("acht bis zwölf", "2026-11-24 08:00", "2026-11-24 12:00"),
        ("dienstag von acht bis zwölf uhr", "2026-11-24 08:00", "2026-11-24 12:00"),
        ("in den nächsten drei tagen", "now", "2026-11-27 00:00"),
        ("in den nächsten tagen", "now", "2026-11-27 00:00"),
        ("es ist nicht eilig egal wann", "now", None),
        ("es ist nicht dringend", "now", None),
        ("das ist dringend", "now", "now"),
        ("morgen es ist nicht eilig", "2026-11-24 00:00", "2026-11-25 00:00"),
        ("ab nächster woche", "2026-11-30 00:00", None),
        ("morgen nach dem mittag", "2026-11-24 14:00", "2026-11-25 00:00"),
        ("morgen vor dem mittag", "2026-11-24 00:00", "2026-11-24 12:00"),
        ("in einer viertelstunde", "2026-11-23 15:36", "2026-11-23 15:36"),
        ("in anderthalb stunden", "2026-11-23 16:51", "2026-11-23 16:51"),
        ("in zwei stunden", "2026-11-23 17:21", "2026-11-23 17:21"),
        ("in einer halben stunde", "2026-11-23 15:51", "2026-11-23 15:51"),
        ("heute um neun", "2026-11-23 21:00", "2026-11-23 21:00"),
        ("am dritten zwölften um vierzehn uhr dreißig", "2026-12-03 14:30", "2026-12-03 14:30"),
        ("bitte übermorgen zwischen viertel nach neun und halb elf", "2026-11-25 09:15", "2026-11-25 10:30"),
    ],
)
def test_a_wish_is_understood(said: str, earliest: str, latest: str | None) -> None:
    ends = [NOW if end == "now" else at(end) if end else None for end in (earliest, latest)]
    wish = wishes.parse(said, NOW)
    assert wish is not None
    assert [wish.earliest, wish.latest] == ends
    assert wishes.parse(wishes.say(wish, NOW), NOW) == wish


@pytest.mark.parametrize(
    "said",
    [
        "",
        "ich habe eine frage",
        "guten tag",
        "das dauert acht bis zwölf tage",
        "nie",
        "morgen nicht",
        "am montag passt es nicht",
        "nicht sofort",
        "heute vormittag",
        "am einunddreißigsten februar",
    ],
)
def test_what_is_no_wish_or_is_over_is_none(said: str) -> None:
    assert wishes.parse(said, NOW) is None


def test_a_wish_is_read_back_in_full() -> None:
    wish = wishes.parse("morgen zwischen zehn und zwölf", NOW)
    assert wish is not None
    said = "morgen, Dienstag, der vierundzwanzigste November, zwischen zehn und zwölf Uhr"
    assert wishes.say(wish, NOW) == said


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        wishes.parse("morgen", NOW.replace(tzinfo=None))


@st.composite
def wished(draw: st.DrawFn) -> tuple[Wish, datetime]:
    """Return a wish and the moment at which it is uttered."""
    now = draw(moments).replace(microsecond=0)
    midnight = now.replace(hour=0, minute=0, second=0)
    minute = st.one_of(st.sampled_from([0, DAY]), st.integers(0, DAY), st.integers(0, 23).map(lambda hour: hour * 60))

    def later(start: datetime) -> datetime:
        ahead = draw(st.one_of(st.just(0), st.integers(0, 8), st.integers(0, 700)))
        return start + timedelta(days=ahead, minutes=draw(minute))

    earliest = draw(st.sampled_from([now, later(midnight)]))
    latest = draw(
        st.sampled_from(
            [None, earliest, later(midnight), earliest + timedelta(minutes=draw(st.sampled_from([15, 30])))]
        )
    )
    assume(earliest >= now and (latest is None or latest >= earliest))
    assume(latest is None or latest == now or latest.second == 0)
    return Wish(earliest, latest), now


@many
@given(wished(), opening_hours)
def test_a_wish_that_we_say_is_understood_as_that_wish(case: tuple[Wish, datetime], opened: Minutes) -> None:
    wish, now = case
    assert wishes.parse(wishes.say(wish, now, opened), now, opened) == wish


VOCABULARY = (
    "heute morgen übermorgen montag dienstag freitag sonntag am um ab bis von zwischen und oder nicht vor nach "
    "den der dritten fünften zwölfter ersten mai februar januar zwei drei acht zwanzig halb viertel "
    "dreiviertel uhr kw ende anfang woche nächste diese monat ostern weihnachten feiertagen jahren früh abends "
    "nachmittag mittag nacht gegen spätestens frühestens in tagen wochen stunden sofort egal feierabend "
    "zweitausend zweitausendsechsundzwanzig 24. 2026 14:30 einunddreißigsten neunundzwanzigsten wochenende "
    "kurz minuten null vierundzwanzig "
)


@many
@given(st.lists(st.sampled_from(VOCABULARY.split()), max_size=9).map(" ".join), moments, opening_hours)
def test_whatever_is_understood_lies_ahead_and_survives_the_read_back(
    said: str, now: datetime, opened: Minutes
) -> None:
    now = now.replace(microsecond=0)
    wish = wishes.parse(said, now, opened)
    if wish is not None:
        assert now <= wish.earliest
        assert wish.latest is None or wish.earliest <= wish.latest
        assert wishes.parse(wishes.say(wish, now, opened), now, opened) == wish
    days = dates.parse(said, now.date())
    if days is not None:
        assert now.date() <= days.first <= days.last
        assert dates.parse(dates.say(days, now.date()), now.date()) == days
    moment = times.parse(said, opened)
    if moment is not None:
        assert times.parse(times.say(moment, opened), opened) == moment


@many
@given(st.text(), moments)
def test_any_text_returns(said: str, now: datetime) -> None:
    times.parse(said)
    dates.parse(said, now.date())
    wishes.parse(said, now)


@pytest.mark.parametrize("word", ["zwischen ", "am dritten ", "viertel nach ", "und ", "1.", "in ", "e", "9"])
def test_a_very_long_text_returns_soon(word: str) -> None:
    started = clocks.perf_counter()
    wishes.parse(word * 100_000, NOW)
    dates.parse(word * 100_000, SUNDAY)
    times.parse(word * 100_000)
    assert clocks.perf_counter() - started < 1


OFFICE = Hours((((480, 720), (780, 1020)),) * 5 + ((), ()), state="BY")


@pytest.mark.parametrize(
    ("said", "now", "due", "kept"),
    [
        ("sofort", "2026-11-23 15:20", "2026-11-23 15:20", True),
        ("sofort", "2026-11-23 18:00", "2026-11-24 08:00", False),
        ("morgen vormittag", "2026-11-23 15:20", "2026-11-24 08:00", True),
        ("morgen um halb eins", "2026-11-23 15:20", "2026-11-24 13:00", False),
        ("am samstag", "2026-11-23 15:20", "2026-11-30 08:00", False),
        ("egal wann", "2026-11-01 20:00", "2026-11-02 08:00", True),
        ("morgen", "2027-10-31 20:00", "2027-11-02 08:00", False),
        ("nicht vor neun", "2026-11-23 19:00", "2026-11-24 09:00", True),
        ("bis spätestens freitag", "2026-11-23 12:10", "2026-11-23 13:00", True),
        ("zwischen den jahren", "2026-12-23 10:00", "2026-12-28 08:00", True),
        ("nach feierabend", "2026-11-23 10:00", "2026-11-24 08:00", False),
    ],
)
def test_a_callback_is_due_when_somebody_is_there(said: str, now: str, due: str, *, kept: bool) -> None:
    wish = wishes.parse(said, at(now), OFFICE.workday())
    assert wish is not None
    assert wishes.due(wish, OFFICE, at(now)) == Due(at(due), kept)


def test_nothing_is_due_in_a_company_that_never_opens() -> None:
    assert wishes.due(Wish(NOW, None), Hours(((),) * 7), NOW) is None
