"""Who answers a call: the mode of the dialled number, the opening hours, and whether people and agent are there.

                     open                                         closed
    ai-first         agent                                        agent
    overflow         people, after N seconds the agent            agent
    after-hours      people                                       agent
    human-first      people; agent while no member is free        agent
    off              people                                       people

Whenever something is not known (the hours, the number, the members) or the agent cannot take a call, it is people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, assert_never

Mode = Literal["ai-first", "overflow", "after-hours", "human-first", "off"]
ANY_NUMBER = "*"


@dataclass(frozen=True)
class NumberMode:
    """What applies to a dialled number; `schedule` names the hours, `overflow_s` is for the mode overflow."""

    dialled: str
    mode: Mode
    schedule: str | None = None
    overflow_s: int = 20


@dataclass(frozen=True)
class Situation:
    """What is known when a call comes in; None is unknown."""

    opened: bool | None
    """The company is open."""
    free: bool | None
    """The queue has a member who could take a call now."""
    ready: bool
    """An agent has ears and voice, this one or another."""


@dataclass(frozen=True)
class Ai:
    """The agent answers after people were rung for some seconds; 0: at once."""

    after_s: int = 0

    def __str__(self) -> str:
        """Return the answer that the dialplan gets."""
        return f"ai-after-{self.after_s}" if self.after_s else "ai"


@dataclass(frozen=True)
class Staff:
    """People answer; the agent does not."""

    def __str__(self) -> str:
        """Return the answer that the dialplan gets."""
        return "staff"


Route = Ai | Staff


def mode_of(numbers: Iterable[NumberMode], dialled: str) -> NumberMode | None:
    """Return the entry of the dialled number, else that of "*", else None; "+49 89/12" and "004989 12" are alike."""
    wanted = _digits(dialled)
    entries = list(numbers)
    exact = (entry for entry in entries if entry.dialled != ANY_NUMBER and _digits(entry.dialled) == wanted)
    return next(exact, next((entry for entry in entries if entry.dialled == ANY_NUMBER), None))


def route(number: NumberMode | None, situation: Situation) -> Route:
    """Return who answers, by the table above."""
    if number is None or not situation.ready:
        return Staff()
    if number.mode == "ai-first":
        return Ai()
    if number.mode == "off" or situation.opened is None:
        return Staff()
    if not situation.opened:
        return Ai()
    match number.mode:
        case "overflow":
            # 0 or less would be the agent at once: that is a mode of its own
            return Ai(number.overflow_s) if number.overflow_s > 0 else Staff()
        case "after-hours":
            return Staff()
        case "human-first":
            return Ai() if situation.free is False else Staff()
        case _ as never:
            assert_never(never)


def _digits(number: str) -> str:
    written = "".join(sign for sign in number if sign.isalnum() or sign == "+")
    return "+" + written.removeprefix("00") if written.startswith("00") else written
