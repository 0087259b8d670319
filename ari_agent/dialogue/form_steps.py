"""What a form answers to the caller's words."""

from __future__ import annotations

from dataclasses import dataclass

from ari_agent.task import Task


@dataclass(frozen=True, slots=True)
class Say:
    """Say something; the turn is the caller's. "" where nothing is to be said, while a number is typed."""

    text: str
    field: str
    """What was asked, a code such as "name", "number" or "number-check"; safe for a log line."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The form is through and confirmed."""

    text: str
    task: Task


@dataclass(frozen=True, slots=True)
class Aborted:
    """The caller wants no form after all; nothing is kept."""

    text: str


Step = Say | Finished | Aborted
