"""Whom to try, and in what order, for a caller's matter: the escalation table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ari_agent.decision import Decision, Urgency


@dataclass(frozen=True, slots=True)
class Row:
    """Targets for calls of an intent and urgency, while the company is open or closed; "*" is any."""

    intent: str = "*"
    urgency: Urgency | Literal["*"] = "*"
    hours: Literal["open", "closed", "*"] = "*"
    targets: tuple[str, ...] = ()


def stations(
    table: Sequence[Row], decision: Decision, default: str, *, opened: bool | None, wanted: str | None
) -> tuple[str, ...]:
    """Return the names of whom to try in order; nobody means a callback.

    The first row that fits counts. Without one it is the person who is wanted and then the default, and while the
    company is closed that holds for urgent matters only. `opened` None is not known: perhaps somebody is there.
    """
    hours = "closed" if opened is False else "open"
    for row in table:
        fits = row.intent in ("*", decision.intent) and row.urgency in ("*", decision.urgency)
        if fits and row.hours in ("*", hours):
            return _first(wanted, row.targets) if row.targets else ()
    if opened is False and decision.urgency != "high":
        return ()
    return _first(wanted, (default,))


def _first(wanted: str | None, targets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((wanted, *targets) if wanted else targets))
