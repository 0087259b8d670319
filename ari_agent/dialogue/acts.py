"""What the agent can do in a turn: a closed set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Speak a passage of the company's document."""

    text: str
    source: str
    """Id of the passage."""
    reason: str = "passage"


@dataclass(frozen=True, slots=True)
class Ask:
    """Say something that leaves the turn with the caller."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """Bring a person to the phone."""

    text: str
    """Said to the caller while the phone rings."""
    whisper: str
    """Said to the receptionist who answers."""
    display: str
    """Shown as the caller's name while the receptionist's phone rings."""
    reason: str
    before: str = ""
    """Said in full before anything else, whether or not a person can be reached."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Say goodbye and end the call."""

    text: str
    reason: str


Act = Answer | Ask | Escalate | Goodbye
