"""Dates as people say them: "übermorgen", "nächsten Dienstag", "am dritten Fünften", "KW zweiundvierzig".

Everything is in the future of a given day. "nächsten Dienstag" is the one that comes next, as "kommenden Dienstag"; the
read-back names the date, so that a caller who means the week after can say so.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from ari_agent.spoken import feasts
from ari_agent.spoken.calendar_words import (
    MONTHS,
    WEEKDAYS,
    cardinal,
    count,
    month,
    ordinal,
    ordinal_word,
    weekday,
    words,
    year,
    year_word,
)


@dataclass(frozen=True)
class Days:
    """One or more days, both ends included."""

    first: date
    last: date


Read = tuple[Days | None, int]
"""What was said, None where the words are a date that does not exist or is over, and the position after it."""

A_FEW = 3
"""Days that "in den nächsten Tagen" is taken for; the read-back names the last."""

_COMING = frozenset({"kommende", "naechste", "kommenden", "naechsten", "kommender", "naechster", "folgende"})
_THIS = frozenset({"diese", "dieser", "diesen", "der", "dieses"})
_AFTER_NEXT = frozenset({"uebernaechste", "uebernaechsten", "uebernaechster"})
_SMALL_WORDS = frozenset({"am", "den", "dem", "der", "die", "das", "des", "im", "in", "an", "diesen"})
_BEFORE_A_DAY = frozenset({"am", "den", "dem", "der", "vom", "zum", "ab", "bis", "von", "und", "zwischen"})


def read(said: list[str], at: int, today: date) -> Read | None:
    """Read the date that begins at this word; None when none begins here."""
    for reader in (
        _relative,
        _edge,
        _week,
        _calendar_week,
        _distance,
        _coming_days,
        _feast,
        _weekday,
        _day_of_month,
        _month,
    ):
        found = reader(said, at, today)
        if found is not None:
            return found
    return None


def parse(text: str, today: date) -> Days | None:
    """Return the first days named in the text; None when there are none, they are over or they do not exist."""
    said = words(text)
    at = 0
    while at < len(said):
        if found := read(said, at, today):
            days, end = found
            return _through(said, end, days, today) if days else None
        at += 1
    return None


def say(days: Days, today: date) -> str:
    """Return the days in German, so that `parse` on the same day gives them back."""
    if days.first == days.last:
        return say_day(days.first, today)
    return f"von {say_day(days.first, today, 'm')} bis {say_day(days.last, today, 'n')}"


def say_day(day: date, today: date, case: str = "r") -> str:
    """Return "morgen, Dienstag, der vierundzwanzigste November"; `case`: r (nominative), m (dative), n (accusative)."""
    near = {0: "heute, ", 1: "morgen, ", 2: "übermorgen, "}.get((day - today).days, "")
    number = ordinal_word(day.day, "e" if case == "r" else "en")
    said = f"{near}{WEEKDAYS[day.weekday()]}, de{case} {number} {MONTHS[day.month - 1]}"
    if _coming_day(day.month, day.day, today) != day:
        said += f" {year_word(day.year)}"
    return said


def week_of(day: date) -> Days:
    """Return Monday to Sunday."""
    monday = day - timedelta(day.weekday())
    return Days(monday, monday + timedelta(6))


def _through(said: list[str], end: int, days: Days, today: date) -> Days | None:
    """Follow "von Montag" to "bis Mittwoch"."""
    if end < len(said) and said[end] == "bis":
        for at in range(end + 1, min(end + 4, len(said))):
            # the Wednesday of "Montag bis Mittwoch" is after the Monday
            if found := read(said, at, today if weekday(said[at]) is None else days.first):
                return Days(days.first, found[0].last) if found[0] and found[0].last >= days.first else None
    return days


def _one(day: date) -> Days:
    return Days(day, day)


def _word(said: list[str], at: int) -> str:
    return said[at] if 0 <= at < len(said) else ""


def _relative(said: list[str], at: int, today: date) -> Read | None:
    """Read "heute", "morgen", "heute in zwei wochen", "morgen, Dienstag, der vierundzwanzigste November"."""
    ahead = {"heute": 0, "morgen": 1, "uebermorgen": 2}.get(said[at])
    if ahead is None:
        return None
    day = today + timedelta(ahead)
    end = at + 1
    if later := _distance(said, end, day, idiom=True):
        return later
    after = end + 1 if _word(said, end) in _SMALL_WORDS else end
    for reader in (_weekday, _numbered):
        if more := reader(said, after, today):
            # "heute Sonntag" and "morgen, der dritte": both must mean the same day
            return _one(day) if _fits(said, after, day) or more[0] == _one(day) else None, more[1]
    return _one(day), end


def _fits(said: list[str], at: int, day: date) -> bool:
    """Say whether a weekday, and the number after it if there is one, are those of the day."""
    if weekday(_word(said, at)) != day.weekday():
        return False
    following = _numbered(said, _skip(said, at + 1), day)
    return following is None or following[0] == _one(day)


def _skip(said: list[str], at: int) -> int:
    while _word(said, at) in {"der", "den", "dem", "am"}:
        at += 1
    return at


def _distance(said: list[str], at: int, today: date, *, idiom: bool = False) -> Read | None:
    """Read "in drei tagen"; after a day, "in acht Tagen" is a week in German."""
    number = count(_word(said, at + 1)) if _word(said, at) == "in" else None
    if number is None:
        return None
    match _word(said, at + 2):
        case "tag" | "tage" | "tagen":
            return _one(today + timedelta(7 if idiom and number == 8 else number)), at + 3
        case "woche" | "wochen":
            return _one(today + timedelta(weeks=number)), at + 3
        case "monat" | "monate" | "monaten":
            index = today.month - 1 + number
            where = today.year + index // 12, index % 12 + 1
            return _one(date(*where, min(today.day, calendar.monthrange(*where)[1]))), at + 3
    return None


def _coming_days(said: list[str], at: int, today: date) -> Read | None:
    """Read "in den nächsten drei tagen"; "in den nächsten Tagen" are three as well."""
    if said[at] not in {"naechsten", "kommenden"}:
        return None
    number = cardinal(_word(said, at + 1))
    end = at + 1 if number is None else at + 2
    if _word(said, end) not in {"tage", "tagen"}:
        return None
    return Days(today, today + timedelta(number or A_FEW)), end + 1


def _week_ahead(said: list[str], at: int, today: date) -> tuple[Days, int] | None:
    """Read "diese woche" and its fellows, whole."""
    word = _word(said, at)
    ahead = 0 if word in _THIS else 1 if word in _COMING else 2 if word in _AFTER_NEXT else None
    if ahead is None or _word(said, at + 1) != "woche":
        return None
    return week_of(today + timedelta(weeks=ahead)), at + 2


def _coming_part(days: Days, end: int, today: date) -> Read:
    """Cut what is over already."""
    if days.last < today:
        return None, end
    return Days(max(days.first, today), days.last), end


def _week(said: list[str], at: int, today: date) -> Read | None:
    """Read "nächste woche [am freitag]" and "am wochenende"."""
    if _word(said, at) == "wochenende":
        return _coming_part(Days(week_of(today).first + timedelta(5), week_of(today).last), at + 1, today)
    found = _week_ahead(said, at, today)
    if found is None:
        return None
    days, end = found
    day = weekday(_word(said, _skip(said, end)))
    if day is not None:
        chosen = days.first + timedelta(day)
        return _coming_part(_one(chosen), _skip(said, end) + 1, today)
    return _coming_part(days, end, today)


def _edge(said: list[str], at: int, today: date) -> Read | None:
    """Read "ende der woche", "anfang januar", "mitte nächsten monats"."""
    edge = _word(said, at)
    if edge not in {"anfang", "mitte", "ende"}:
        return None
    if found := _week_ahead(said, at + 1, today):
        days, end = found
        first, last = {"anfang": (0, 1), "mitte": (2, 2), "ende": (3, 4)}[edge]
        if days.first + timedelta(last) < today:
            days = week_of(days.first + timedelta(7))
        return _coming_part(Days(days.first + timedelta(first), days.first + timedelta(last)), end, today)
    whole = _month(said, at + 1, today, whole=True)
    if whole is None or whole[0] is None:
        return None
    start = whole[0].first
    final = calendar.monthrange(start.year, start.month)[1]
    low, high = {"anfang": (1, 10), "mitte": (11, 20), "ende": (21, final)}[edge]
    days = Days(start.replace(day=low), start.replace(day=high))
    if days.last < today:  # a month without a year comes round again
        length = calendar.monthrange(start.year + 1, start.month)[1]
        days = Days(date(start.year + 1, start.month, low), date(start.year + 1, start.month, min(high, length)))
    return _coming_part(days, whole[1], today)


def _month(said: list[str], at: int, today: date, *, whole: bool = False) -> Read | None:
    """Read "im januar [zweitausendsiebenundzwanzig]", "nächsten monat", "des monats"."""
    word, following = _word(said, at), _word(said, at + 1)
    number = month(word)
    end = at + 1
    if number is not None:
        where = today.year if number >= today.month else today.year + 1
        if named := year(said, end):
            where, end = named
    elif following in {"monat", "monats"} and word in _COMING | _THIS | {"des"}:
        ahead = 1 if word in _COMING else 0
        where, number = (today.year + (today.month - 1 + ahead) // 12, (today.month - 1 + ahead) % 12 + 1)
        end = at + 2
    else:
        return None
    days = Days(date(where, number, 1), date(where, number, calendar.monthrange(where, number)[1]))
    return (days, end) if whole else _coming_part(days, end, today)


def _calendar_week(said: list[str], at: int, today: date) -> Read | None:
    """Read "kw zweiundvierzig", an ISO 8601 week, with a year or a weekday after it."""
    if _word(said, at) not in {"kw", "kalenderwoche"}:
        return None
    number = cardinal(_word(said, at + 1))
    if number is None:
        return None
    end = at + 2
    where, fixed = today.isocalendar().year, False
    if named := year(said, end):
        (where, end), fixed = named, True
    days = _iso_week(where, number)
    if not fixed and (days is None or days.last < today):
        days = _iso_week(where + 1, number)
    if days is None:
        return None, end
    day = weekday(_word(said, _skip(said, end)))
    if day is not None:
        days, end = _one(days.first + timedelta(day)), _skip(said, end) + 1
    return _coming_part(days, end, today)


def _iso_week(where: int, number: int) -> Days | None:
    try:
        monday = date.fromisocalendar(where, number, 1)
    except ValueError:  # week 0, or 53 in a year that has 52
        return None
    return Days(monday, monday + timedelta(6))


def _feast(said: list[str], at: int, today: date) -> Read | None:
    """Read "nach ostern", "vor weihnachten", "zwischen den jahren", "am ostermontag"."""
    way = said[at] if said[at] in {"nach", "vor"} else ""
    start = at + 1 if way else at
    while way and _word(said, start) in {"den", "dem", "der"}:
        start += 1
    if way and _word(said, start) == "wochenende":
        sunday = week_of(today).last
        return (Days(sunday + timedelta(1), sunday + timedelta(7)) if way == "nach" else None), start + 1
    text = " ".join(said[start : start + 4]) + " "
    name = next((name for name in feasts.NAMES if text.startswith(name + " ")), None)
    if name is None:
        return None
    first, last = feasts.coming(name, today)
    end = start + len(name.split())
    if way == "nach":  # a week in which to call, beginning when the feast is over
        return Days(last + timedelta(1), last + timedelta(7)), end
    if way == "vor":
        return (Days(max(today, first - timedelta(7)), first - timedelta(1)) if first > today else None), end
    return _coming_part(Days(first, last), end, today)


def _weekday(said: list[str], at: int, today: date) -> Read | None:
    """Read "[nächsten] dienstag", "freitag in einer woche", "montag nächster woche", "dienstag, der dritte mai"."""
    start = at + 1 if _word(said, at) in _COMING | _THIS | _AFTER_NEXT else at
    day = weekday(_word(said, start))
    if day is None:
        return None
    coming = today + timedelta((day - today.weekday() - 1) % 7 + 1)
    if _word(said, at) in _AFTER_NEXT:
        return _one(coming + timedelta(7)), start + 1
    end = start + 1
    if numbered := _numbered(said, _skip(said, end), today):
        found, end = numbered
        return (found if found and found.first.weekday() == day else None), end
    if found_week := _week_ahead(said, _skip(said, end) if _word(said, end) != "der" else end, today):
        return _coming_part(_one(found_week[0].first + timedelta(day)), found_week[1], today)
    if _word(said, end) in {"kw", "kalenderwoche"} or _word(said, end + 1) in {"kw", "kalenderwoche"}:
        week = _calendar_week(said, end if _word(said, end) in {"kw", "kalenderwoche"} else end + 1, today)
        if week and week[0]:
            return _coming_part(_one(week[0].last - timedelta(6 - day)), week[1], today)
    return _distance(said, end, coming, idiom=True) or (_one(coming), end)


def _day_of_month(said: list[str], at: int, today: date) -> Read | None:
    """Read a numbered day; without a month only after a word such as "am", because "zweiter Versuch" is no day."""
    found = _numbered(said, at, today)
    if found and found[1] == at + 1 and at and said[at - 1] not in _BEFORE_A_DAY:
        return None
    return found


def _numbered(said: list[str], at: int, today: date) -> Read | None:
    """Read "dritten", "dritten fünften", "dritten mai" and a year after them."""
    day = ordinal(_word(said, at))
    if day is None or _word(said, at + 1) in {"mal", "stock", "person", "versuch"}:
        return None
    number = month(_word(said, at + 1)) or ordinal(_word(said, at + 1))
    if number is None:
        return _named_day(day, today), at + 1
    end = at + 2
    named = year(said, end) or _short_year(said, end, today)
    if named:
        where, end = named
        found = _date(where, number, day)
    else:
        found = _coming_day(number, day, today)
    return (_one(found) if found and found >= today else None), end


def _short_year(said: list[str], at: int, today: date) -> tuple[int, int] | None:
    """Read "sechsundzwanzig" after a month as a year, unless it may be an hour."""
    number = cardinal(_word(said, at))
    if number is None or not today.year <= 2000 + number <= today.year + 10 or at + 1 < len(said):
        return None
    return 2000 + number, at + 1


def _named_day(day: int, today: date) -> Days | None:
    """Return the next month's day of that number, today included."""
    for ahead in range(3):  # of two months in a row one has 31 days
        index = today.month - 1 + ahead
        found = _date(today.year + index // 12, index % 12 + 1, day)
        if found and found >= today:
            return _one(found)
    return None


def _coming_day(number: int, day: int, today: date) -> date | None:
    """Return the next such date, today included; a 29 February may be eight years away."""
    for where in range(today.year, today.year + 9):
        found = _date(where, number, day)
        if found and found >= today:
            return found
    return None


def _date(where: int, number: int, day: int) -> date | None:
    try:
        return date(where, number, day)
    except ValueError:
        return None
