"""Days that people name instead of dates: Easter, Christmas, "zwischen den Jahren"."""

from __future__ import annotations

from datetime import date, timedelta

Span = tuple[date, date]
"""First and last day."""

_BY_EASTER = {
    "gruendonnerstag": -3,
    "karfreitag": -2,
    "karsamstag": -1,
    "ostersonntag": 0,
    "ostermontag": 1,
    "himmelfahrt": 39,
    "christi himmelfahrt": 39,
    "vatertag": 39,
    "pfingstsonntag": 49,
    "pfingstmontag": 50,
    "fronleichnam": 60,
    "rosenmontag": -48,
    "faschingsdienstag": -47,
    "aschermittwoch": -46,
}
_BY_DATE = {
    "neujahr": (1, 1),
    "dreikoenig": (1, 6),
    "heilige drei koenige": (1, 6),
    "tag der arbeit": (5, 1),
    "maifeiertag": (5, 1),
    "tag der deutschen einheit": (10, 3),
    "reformationstag": (10, 31),
    "halloween": (10, 31),
    "allerheiligen": (11, 1),
    "nikolaus": (12, 6),
    "heiligabend": (12, 24),
    "heiliger abend": (12, 24),
    "silvester": (12, 31),
}
_PERIODS = ("ostern", "pfingsten", "weihnachten", "zwischen den jahren", "feiertage", "feiertagen", "karneval")
NAMES = tuple(sorted((*_BY_EASTER, *_BY_DATE, *_PERIODS), key=len, reverse=True))
"""Folded names, longest first."""


def easter(year: int) -> date:
    """Return Easter Sunday, by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def in_year(name: str, year: int) -> Span:
    """Return the days of that name; `name` is one of NAMES."""
    sunday = easter(year)
    if name in _BY_EASTER:
        return (sunday + timedelta(_BY_EASTER[name]),) * 2
    if name in _BY_DATE:
        return (date(year, *_BY_DATE[name]),) * 2
    match name:
        case "ostern":
            return sunday - timedelta(2), sunday + timedelta(1)
        case "pfingsten":
            return sunday + timedelta(49), sunday + timedelta(50)
        case "karneval":
            return sunday - timedelta(52), sunday - timedelta(46)
        case "weihnachten":
            return date(year, 12, 24), date(year, 12, 26)
        case "zwischen den jahren":
            return date(year, 12, 27), date(year, 12, 30)
    raise ValueError(f"{name!r} is no name of days")


def coming(name: str, today: date) -> Span:
    """Return the next days of that name that are not over; "die Feiertage" are those that come first."""
    if name in {"feiertage", "feiertagen"}:
        new_year = today.year + 1 if today > date(today.year, 1, 1) else today.year
        turn = (date(new_year - 1, 12, 24), date(new_year, 1, 1))
        return min(coming("ostern", today), coming("pfingsten", today), turn)
    return next(span for year in (today.year, today.year + 1) if (span := in_year(name, year))[1] >= today)
