"""What a proof of measures states, and how sure it is of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something stands."""

    MET = "erfüllt"
    DEVIATES = "abweichend"
    """Not as the documents of deploy/compliance describe it."""
    STATED = "festgestellt"
    """Seen, and for a person to judge."""
    UNKNOWN = "nicht feststellbar"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was looked at. Holds no personal data."""

    key: str
    """For machines, such as "disk.log"."""
    what: str
    """German."""
    state: State
    found: str
    """German; for UNKNOWN the reason."""


@dataclass(frozen=True, slots=True)
class Part:
    """The facts about one kind of measure."""

    title: str
    """A section of deploy/compliance/tom.rst."""
    facts: Sequence[Fact]


def judged(key: str, what: str, found: str, *, met: bool) -> Fact:
    """Return a fact that is as it should be, or is not."""
    return Fact(key, what, State.MET if met else State.DEVIATES, found)


def stated(key: str, what: str, found: str) -> Fact:
    """Return a fact for a person to judge."""
    return Fact(key, what, State.STATED, found)


def unknown(key: str, what: str, reason: str) -> Fact:
    """Return that something cannot be seen."""
    return Fact(key, what, State.UNKNOWN, reason)
