"""The settings of opening hours, and of who answers which number."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from ari_agent.hours import DAY, STATES, Closure, Hours, Spans, Special
from ari_agent.modes import ANY_NUMBER, Mode, NumberMode
from ari_agent.section import Name, Section

SpanText = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
"""Such as "08:00-12:00"; "22:00-06:00" ends on the next day."""


def _spans(texts: tuple[str, ...]) -> Spans:
    result = []
    for text in texts:
        first, last = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
        result.append((first, last if last > first else last + DAY))
    return tuple(result)


def _in_order(texts: tuple[str, ...]) -> tuple[str, ...]:
    spans = _spans(texts)
    if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
        raise ValueError(f"{', '.join(texts)}: hours of a day must follow each other and not overlap")
    return texts


DayHours = Annotated[tuple[SpanText, ...], AfterValidator(_in_order)]


class SpecialDay(Section):
    """One date on which other hours apply."""

    date: date
    open: DayHours = ()
    reason: Annotated[str, Field(max_length=80)] = ""


class YearlyDay(Section):
    """A day that is different every year, such as Christmas Eve."""

    day: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
    open: DayHours = ()
    reason: Annotated[str, Field(max_length=80)] = ""


class CompanyHolidays(Section):
    """Dates from which to which nobody works, both included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"company holidays end on {self.last}, before they begin on {self.first}")
        return self


def _state_code(state: str) -> str:
    code = STATES.get(state, state)
    if code and code not in STATES.values():
        raise ValueError(f"{state!r} is no Bundesland; use one of {', '.join(STATES.values())} or its name")
    return code


class ScheduleSettings(Section):
    """Opening hours that numbers may use."""

    name: Name
    monday: DayHours = ()
    tuesday: DayHours = ()
    wednesday: DayHours = ()
    thursday: DayHours = ()
    friday: DayHours = ()
    saturday: DayHours = ()
    sunday: DayHours = ()
    state: Annotated[str, AfterValidator(_state_code)] = ""
    catholic: bool = False
    special: tuple[SpecialDay, ...] = ()
    yearly: tuple[YearlyDay, ...] = ()
    vacation: tuple[CompanyHolidays, ...] = ()
    zone: str = "Europe/Berlin"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as e:  # what an unknown name raises depends on its spelling
            raise ValueError(f"{zone!r} is no time zone; use one such as Europe/Berlin") from e
        return zone

    def hours(self) -> Hours:
        """Return the schedule as hours that answer questions."""
        week = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)
        return Hours(
            weekly=tuple(map(_spans, week)),
            state=self.state or None,
            catholic=self.catholic,
            special={day.date: Special(_spans(day.open), day.reason) for day in self.special},
            yearly={(int(day.day[:2]), int(day.day[3:])): Special(_spans(day.open), day.reason) for day in self.yearly},
            closures=tuple(Closure(span.first, span.last) for span in self.vacation),
            zone=ZoneInfo(self.zone),
        )


class NumberSettings(Section):
    """Who answers a dialled number."""

    dialled: Annotated[str, Field(pattern=r"^(\*|[+0-9][0-9 /-]{0,30}|[A-Za-z0-9_-]{1,40})$")] = ANY_NUMBER
    mode: Mode = "ai-first"
    schedule: Name | None = None
    overflow_s: Annotated[int, Field(ge=5, le=120)] = 20


class HoursSettings(Section):
    """When the company is open, and who answers which number then."""

    schedules: tuple[ScheduleSettings, ...] = Field(
        default_factory=tuple,
        description='[[hours.schedules]] tables with name, monday to sunday (such as ["08:00-12:00", "13:00-17:00"]), '
        "state (Bundesland), catholic, special, yearly, vacation, zone",
    )
    numbers: tuple[NumberSettings, ...] = Field(
        default_factory=tuple,
        description="[[hours.numbers]] tables with dialled (* for any other), mode (ai-first, overflow, after-hours, "
        "human-first, off), schedule and overflow_s; none: the agent answers every number",
    )

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [schedule.name for schedule in self.schedules]
        if len(set(names)) < len(names):
            raise ValueError("two schedules have the same name")
        for number in self.numbers:
            if number.schedule is not None and number.schedule not in names:
                raise ValueError(f"schedule {number.schedule!r} of number {number.dialled} does not exist; add it")
            if number.schedule is None and number.mode not in {"ai-first", "off"}:
                raise ValueError(f"mode {number.mode!r} of number {number.dialled} needs a schedule; name one")
        return self

    def modes(self) -> tuple[NumberMode, ...]:
        """Return who answers which number; without settings the agent answers all."""
        if not self.numbers:
            return (NumberMode(ANY_NUMBER, "ai-first"),)
        return tuple(NumberMode(n.dialled, n.mode, n.schedule, n.overflow_s) for n in self.numbers)
