"""When the company can be reached: weekly hours, lunch, public holidays, exceptions, company holidays.

All times are wall-clock times of the company's time zone; a moment is an aware datetime. The clock is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

DAY = 24 * 60
HORIZON_DAYS = 400
"""How far ahead an opening is looked for: longer than any closure of a company that still takes calls."""

BERLIN = ZoneInfo("Europe/Berlin")

Spans = tuple[tuple[int, int], ...]
"""Opening spans of a day: minutes since midnight, the end excluded; an end beyond 1440 is on the next day."""

STATES = dict(sorted(holidays.country_holidays("DE").subdivisions_aliases.items()))
"""Names of the Bundesländer and their codes, as "Bayern": "BY"."""


@dataclass(frozen=True)
class Special:
    """The hours of a single day that differ from its weekday's, with the reason that callers hear ("" for none)."""

    spans: Spans
    reason: str = ""


@dataclass(frozen=True)
class Closure:
    """Company holidays, both ends included."""

    first: date
    last: date


@dataclass(frozen=True)
class Hours:
    """A schedule; every question takes an aware moment.

    `weekly` has seven days from Monday; `state` is the code of a Bundesland whose public holidays are closed, None for
    none; `catholic` adds the holidays of mostly Catholic municipalities, such as Mariä Himmelfahrt in Bavaria; `yearly`
    are days that differ every year, by (month, day), as Christmas Eve.
    """

    weekly: tuple[Spans, ...]
    state: str | None = None
    catholic: bool = False
    special: Mapping[date, Special] = field(default_factory=dict)
    yearly: Mapping[tuple[int, int], Special] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()
    zone: tzinfo = BERLIN

    def is_open(self, at: datetime) -> bool:
        """Say whether the company is reachable at this moment."""
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = self.spans_on(local.date()), self.spans_on(local.date() - timedelta(1))
        return any(a <= minute < b for a, b in today) or any(a <= minute + DAY < b for a, b in yesterday)

    def next_opening(self, at: datetime) -> datetime | None:
        """Return the first moment from `at` on in which the company is open; None when there is none in a year."""
        return self._first(at, opened=True)

    def next_closing(self, at: datetime) -> datetime | None:
        """Return the first moment from `at` on in which the company is closed; None when it never closes."""
        return self._first(at, opened=False)

    def why_closed(self, at: datetime) -> str | None:
        """Return "special:Betriebsausflug", "vacation", "holiday:Allerheiligen", "weekend", "weekday", "lunch",
        "before" or "after" today's hours; None while open.
        """
        if self.is_open(at):
            return None
        local = at.astimezone(self.zone)
        day, minute = local.date(), local.hour * 60 + local.minute
        spans = self.spans_on(day)
        if not spans:
            return self._why_no_hours(day)
        if minute < min(a for a, _ in spans):
            return "before"
        return "after" if minute >= max(b for _, b in spans) else "lunch"

    def workday(self) -> tuple[int, int]:
        """Return from and to when the company works in a usual week, in minutes since midnight; it tells three from
        fifteen o'clock. Without weekly hours: eight to eighteen.
        """
        spans = [span for day in self.weekly for span in day]
        if not spans:
            return 8 * 60, 18 * 60
        return min(first for first, _ in spans), min(max(last for _, last in spans), DAY)

    def spans_on(self, day: date) -> Spans:
        """Return the hours that begin on a date: a special date goes before vacation, vacation before holidays."""
        if day in self.special:
            return self.special[day].spans
        if any(closure.first <= day <= closure.last for closure in self.closures):
            return ()
        yearly = self.yearly.get((day.month, day.day))
        if yearly is not None:
            # a Christmas Eve on a Sunday is a Sunday
            return yearly.spans if self.weekly[day.weekday()] else ()
        return () if self.holiday(day) else self.weekly[day.weekday()]

    def holiday(self, day: date) -> str | None:
        """Return the German name of the public holiday on that date."""
        return _holidays(self.state, self.catholic, day.year).get(day) if self.state else None

    def _why_no_hours(self, day: date) -> str:
        if day in self.special:
            return f"special:{self.special[day].reason}"
        if any(closure.first <= day <= closure.last for closure in self.closures):
            return "vacation"
        if name := self.holiday(day):
            return f"holiday:{name}"
        yearly = self.yearly.get((day.month, day.day))
        if yearly is not None and self.weekly[day.weekday()]:
            return f"holiday:{yearly.reason}" if yearly.reason else "special:"
        return "weekend" if day.weekday() > 4 else "weekday"

    def _first(self, at: datetime, *, opened: bool) -> datetime | None:
        if self.is_open(at) is opened:
            return at
        at = at.astimezone(self.zone)
        for ahead in range(HORIZON_DAYS):
            for moment in self._changes(at.date() + timedelta(ahead)):
                if moment > at.astimezone(UTC) and self.is_open(moment) is opened:
                    return moment.astimezone(self.zone)
        return None

    def _changes(self, day: date) -> Iterator[datetime]:
        """Yield in order the moments (UTC) of a local day at which the company may open or close."""
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        end = start + timedelta(1)
        if start.utcoffset() != end.utcoffset():  # the clocks change: hours may begin where no wall clock shows it
            minutes = (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(minutes=1)
            yield from (start.astimezone(UTC) + timedelta(minutes=minute) for minute in range(minutes))
            return
        ends = {b - DAY for _, b in self.spans_on(day - timedelta(1))}
        for minute in sorted({0} | ends | {minute for span in self.spans_on(day) for minute in span}):
            if 0 <= minute < DAY:
                yield (start + timedelta(minutes=minute)).astimezone(UTC)


@lru_cache(maxsize=64)
def _holidays(state: str, catholic: bool, year: int) -> dict[date, str]:
    categories = ("public", "catholic") if catholic else ("public",)
    found = holidays.country_holidays("DE", subdiv=state, years=year, language="de", categories=categories)
    return {day: found.get_list(day)[0] for day in found}
