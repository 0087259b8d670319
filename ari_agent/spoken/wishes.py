"""When a caller wants to be called back: "morgen Vormittag", "zwischen zehn und zwölf", "nicht vor neun"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from ari_agent.hours import Hours
from ari_agent.spoken import dates, times
from ari_agent.spoken.calendar_words import count, words
from ari_agent.spoken.clauses import Clause, clauses_of
from ari_agent.spoken.dates import Days
from ari_agent.spoken.times import DAY, PARTS, WORKDAY, Minutes

ABOUT_MIN = 15
"""What "gegen drei" leaves on either side."""


@dataclass(frozen=True)
class Wish:
    """The moments at which the caller may be called; a `latest` of None is any time after `earliest`.

    Both are aware, in the zone of the company. Equal ones are an exact time; both now is "as soon as possible".
    """

    earliest: datetime
    latest: datetime | None


@dataclass(frozen=True)
class Due:
    """When the company calls back; `kept` is False where the wish lies outside its hours."""

    at: datetime
    kept: bool


_AT_ONCE = (
    "sofort gleich umgehend schnellstmoeglich schnellstens dringend baldmoeglichst|so bald wie moeglich|"
    "so schnell wie moeglich|so schnell es geht|moeglichst schnell|moeglichst bald|jetzt gleich"
)
_ANY_TIME = (
    "egal jederzeit immer irgendwann|ganz gleich|wann sie wollen|wann es ihnen passt|wie es ihnen passt|nicht eilig|"
    "nicht so eilig|nicht dringend|nicht so dringend|keine eile"
)
_AFTER_WORK: Minutes = (17 * 60, 20 * 60)


def parse(text: str, now: datetime, opened: Minutes = WORKDAY) -> Wish | None:
    """Return the wish in the text; None when there is none, it is over, or it says only when not to call.

    `now` is aware, in the company's zone; `opened` is the company's usual day and decides what "um drei" means. Raises
    ValueError for a naive `now`.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    said = words(text)
    clauses = clauses_of(said, now.date())
    if clauses is None:
        return None
    if any(not clause.empty for clause in clauses):
        return _meant(clauses, now, opened)
    if soon := _in_hours(said, now):
        return soon
    spoken = f" {' '.join(said)} "
    for phrases, wish in ((_ANY_TIME, Wish(now, None)), (_AT_ONCE, Wish(now, now))):
        first, *others = phrases.split("|")
        if any(f" {phrase} " in spoken for phrase in (*first.split(), *others)):
            return wish
    return None


def due(wish: Wish, hours: Hours, now: datetime) -> Due | None:
    """Return the first open moment inside the wish, else the next one after it; None when the company never opens."""
    at = hours.next_opening(max(now, wish.earliest))
    if at is None:
        return None
    return Due(at, kept=wish.latest is None or at <= wish.latest)


def say(wish: Wish, now: datetime, opened: Minutes = WORKDAY) -> str:
    """Return the wish in German, so that `parse` at the same moment gives it back."""
    first, last, today = wish.earliest, wish.latest, now.date()
    from_now = first == now
    if last is None:
        return "jederzeit" if from_now else f"ab {_moment(first, today, 'm', opened)}"
    if first == last:
        if from_now:
            return "so bald wie möglich"
        return f"{dates.say_day(first.date(), today)}, um {times.say(first.time(), opened)}"
    # midnight ends the day before
    end = last.date() if _minute(last) else last.date() - timedelta(1)
    if first.date() == end:
        return dates.say_day(end, today) + _within(first, last, opened, from_now=from_now)
    until = f"bis {_moment(last, today, 'n', opened) if _minute(last) else dates.say_day(end, today, 'n')}"
    if from_now:
        return until.replace("bis ", "bis spätestens ", 1)
    return f"von {_moment(first, today, 'm', opened)}, {until}"


def _within(first: datetime, last: datetime, opened: Minutes, *, from_now: bool) -> str:
    """Return the times of a wish inside one day, as ", ab vierzehn Uhr"."""
    start, end = 0 if from_now else _minute(first), _minute(last) or DAY
    if start == 0:
        return "" if end == DAY else f", bis {times.say(last.time(), opened)}"
    if end == DAY:
        return f", ab {times.say(first.time(), opened)}"
    if end - start == 2 * ABOUT_MIN:
        return f", gegen {times.say(times.clock_time(start + ABOUT_MIN), opened)}"
    one, two = times.say(first.time(), opened), times.say(last.time(), opened)
    return f", zwischen {one.removesuffix(' Uhr') if two.endswith(' Uhr') else one} und {two}"


def _moment(moment: datetime, today: date, case: str, opened: Minutes) -> str:
    said = dates.say_day(moment.date(), today, case)
    return f"{said}, {times.say(moment.time(), opened)}" if _minute(moment) else said


def _minute(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def _in_hours(said: list[str], now: datetime) -> Wish | None:
    """Read "in zwei stunden", "in einer halben stunde", "in zehn minuten"."""
    for at, word in enumerate(said):
        if word != "in":
            continue
        rest = said[at + 1 : at + 4]
        number = count(rest[0]) if rest else None
        minutes: int | None = None
        if rest[1:3] in (["halben", "stunde"], ["viertel", "stunde"]):
            minutes = 30 if rest[1] == "halben" else 15
        elif rest[1:2] == ["viertelstunde"]:
            minutes = 15
        elif number is not None and rest[1:2] and rest[1] in {"stunde", "stunden", "minute", "minuten"}:
            minutes = number * (60 if rest[1].startswith("stunde") else 1)
        elif rest[:1] == ["anderthalb"] or rest[:1] == ["eineinhalb"]:
            minutes = 90
        if minutes is not None:
            whole = now.replace(second=0, microsecond=0)
            moment = whole + timedelta(minutes=minutes + (whole < now))
            return Wish(moment, moment)
    return None


def _meant(clauses: list[Clause], now: datetime, opened: Minutes) -> Wish | None:
    """Return the wish of the clauses, in the future; a wish without a day is for today, else for tomorrow."""
    wish = _span(clauses, now, now.date(), opened)
    if not any(clause.days for clause in clauses) and _too_late(wish, now, opened):
        wish = _span(clauses, now, now.date() + timedelta(1), opened)
    if wish.latest is not None and wish.latest < max(now, wish.earliest):
        return None
    return Wish(max(now, wish.earliest), wish.latest)


def _too_late(wish: Wish, now: datetime, opened: Minutes) -> bool:
    """Say whether nothing of today's working day is left for the wish."""
    if wish.latest is None:
        return False
    closing = _at(now.date(), opened[1], now)
    return now > (wish.latest if wish.earliest >= closing else min(wish.latest, closing))


def _span(clauses: list[Clause], now: datetime, today: date, opened: Minutes) -> Wish:
    """Return the wish, perhaps in the past; `today` is the day of a wish that names none."""
    filled = [clause for clause in clauses if not clause.empty]
    plain = next((clause for clause in filled if clause.kind == "at"), Clause("at"))
    start = next((clause for clause in filled if clause.kind in {"from", "between"}), None)
    ends = [clause for clause in filled if clause.kind == "to"]
    until = ends[0].days if len(ends) > 1 and start else None
    if plain.days and until:  # "Montag bis Freitag zwischen acht und zehn"
        plain, ends = replace(plain, days=Days(plain.days.first, until.last)), ends[1:]
    end = ends[0] if ends else None
    if start is None and end and plain.clock:  # "morgen acht bis zwölf"
        start = replace(plain, kind="from", days=None)
    if start is None and end is None:
        return _plain(plain, now, today, opened)
    if start and end and end.days and not (start.days or plain.days) and not end.day_first:
        plain, end = replace(plain, days=end.days), replace(end, days=None)  # "zwischen zehn und zwölf am Montag"
    return _between(plain, start, end, now, today, opened)


def _plain(plain: Clause, now: datetime, today: date, opened: Minutes) -> Wish:
    """Return the wish of "morgen", "morgen Vormittag", "morgen gegen drei"."""
    days = plain.days or Days(today, today)
    if plain.clock is None:
        start, end = _part(plain.part)
        return Wish(_at(days.first, start, now), _at(days.last, end, now))
    minute = times.resolve(plain.clock, plain.part, opened)
    later = minute + DAY // 2
    if plain.days and not plain.part and not plain.clock.exact and later < DAY:
        # "heute um neun", said at three in the afternoon
        minute = later if _at(days.first, minute, now) < now <= _at(days.first, later, now) else minute
    about = timedelta(minutes=ABOUT_MIN if plain.about else 0)
    return Wish(_at(days.first, minute, now) - about, _at(days.last, minute, now) + about)


def _between(
    plain: Clause, start: Clause | None, end: Clause | None, now: datetime, today: date, opened: Minutes
) -> Wish:
    days = plain.days or (start and start.days) or None
    if start is None:
        first = _at(days.first, _part(plain.part)[0], now) if days else now
    else:
        first = _first(start, end, plain, days or Days(today, today), now, opened)
    if end is not None:
        return Wish(first, _last(end, start, plain, days or Days(today, today), first, opened))
    if start and start.days and (start.day_first or start.clock is None):
        return Wish(first, None)  # "ab Montag"
    ending = _part(plain.part)[1]
    minute = ending if ending > _minute(first) else DAY
    return Wish(first, _at(days.last if days else first.date(), minute, now))


def _first(start: Clause, end: Clause | None, plain: Clause, days: Days, now: datetime, opened: Minutes) -> datetime:
    day = (start.days or days).first
    if start.clock is not None:
        part = start.part or plain.part or (end.part if end and end.clock and not end.days else None)
        return _at(day, times.resolve(start.clock, part, opened), now)
    if start.exclusive and start.days:
        return _at(start.days.last + timedelta(1), 0, now)
    span = _part(start.part or plain.part)
    return _at(day, span[1] if start.exclusive and start.part not in {None, "feierabend"} else span[0], now)


def _last(end: Clause, start: Clause | None, plain: Clause, days: Days, first: datetime, opened: Minutes) -> datetime:
    day = (end.days or days).last
    if end.clock is not None:
        minute = times.resolve(end.clock, end.part or plain.part, opened)
        last = _at(day, minute, first)
        if start and last <= first and not end.clock.exact and not end.part and minute < DAY // 2:
            last = _at(day, minute + DAY // 2, first)  # "zwischen elf und eins"
        return last if minute or day > first.date() or not start else _at(day, DAY, first)
    if end.exclusive and end.days:
        return _at(end.days.first, 0, first)
    span = _part(end.part)
    return _at(day, span[0] if end.exclusive and end.part else span[1], first)


def _part(part: str | None) -> Minutes:
    if part == "feierabend":
        return _AFTER_WORK
    return PARTS[part] if part else (0, DAY)


def _at(day: date, minute: int, like: datetime) -> datetime:
    """Return the minute of a day in the zone of another moment."""
    return datetime(day.year, day.month, day.day, tzinfo=like.tzinfo) + timedelta(minutes=minute)
