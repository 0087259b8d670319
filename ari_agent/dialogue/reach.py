"""Whether a person can be reached for one caller, and the callback that is due when none can."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ari_agent.decision import Decision
from ari_agent.dialogue.script import Script
from ari_agent.spoken import dates, opening
from ari_agent.spoken.telephone import telephone
from ari_agent.task import Contact, Task, TaskKind

_MOST_DAYS = 31
"""Days of "nächste Woche", or of a month, that are looked at."""
_NOW = re.compile(r"\b(heute?|jetzt|gerade|grad|momentan|noch|wieder|schon|wann|lange)\b")
_REFUSALS = 2
"""After so many tries to reach a person nobody is rung any more in this call: a callback is noted."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the telephone network tells."""

    number: str = ""
    """Calling number as Asterisk gave it; "" when withheld."""
    contact: Contact | None = None
    """Whom the company knows by that number; a number proves nothing, so the caller never hears what is stored."""
    dialled: str = ""


def utc() -> datetime:
    """Return the moment."""
    return datetime.now(UTC)


class Reach:
    """The people of the company, as one caller can reach them now."""

    def __init__(self, script: Script, caller: Caller, now: Callable[[], datetime]) -> None:
        self.hours = script.office.hours(caller.dialled)
        self.now = now
        self._script = script
        self._caller = caller
        self._refusals = 0

    @property
    def closed(self) -> bool:
        """Whether the company is known to be closed."""
        return self._opened() is False

    @property
    def refused(self) -> bool:
        """Whether nobody took the call before."""
        return self._refusals > 0

    def refuse(self) -> None:
        """Note that nobody took the call."""
        self._refusals += 1

    def stations(self, decision: Decision) -> tuple[str, ...]:
        """Return the names of whom to try in order; nobody means a callback."""
        if self._refusals >= _REFUSALS:
            return ()
        return self._script.stations(decision, opened=self._opened(), contact=self._caller.contact)

    def opening(self) -> str:
        """Return what a caller hears about the opening hours now; "" when they are not known."""
        return opening.say(self.hours, self.now()) if self.hours else ""

    def opening_on(self, text: str) -> str | None:
        """Return what to say to a question about the hours of a moment; None when the weekly hours answer it as well.

        The company's document tells those; only the calendar knows what is different today or on a holiday.
        """
        if self.hours is None:
            return None
        local = self.now().astimezone(self.hours.zone)
        days = dates.parse(text, local.date())
        if days is None and not _NOW.search(text):
            return None  # a day that the calendar does not know
        if days is None or days.first == local.date():
            return opening.say(self.hours, local)
        some = (days.first + timedelta(ahead) for ahead in range(min((days.last - days.first).days + 1, _MOST_DAYS)))
        unusual = next((day for day in some if self.hours.spans_on(day) != self.hours.weekly[day.weekday()]), None)
        return opening.say_on(self.hours, unusual, local) if unusual else None

    def task(self, kind: TaskKind, decision: Decision | None, reason: str) -> Task:
        """Return what a person has to do for a caller of whom nothing but the calling number is known."""
        number = telephone(self._caller.number) if self._caller.number else None
        return Task(
            kind,
            number=number.e164 if number else None,
            due=self.hours.next_opening(self.now()) if self.hours else None,
            urgency=decision.urgency if decision else "normal",
            intent=decision.intent if decision else "",
            reason=reason,
            complete=False,
        )

    def _opened(self) -> bool | None:
        return self.hours.is_open(self.now()) if self.hours else None
