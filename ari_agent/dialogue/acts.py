"""What the agent does in a turn: a closed set, with the words to be spoken."""

from __future__ import annotations

from dataclasses import dataclass

from ari_agent.decision import ActName, Urgency
from ari_agent.task import Task


@dataclass(frozen=True, slots=True)
class Answer:
    """Speak a passage of the company's document."""

    text: str
    source: str
    """Id of the passage."""
    reason: str = "passage"
    after: str = ""
    """Said after the passage."""
    also: tuple[str, ...] = ()
    """Ids of more passages in the text, when several things were asked."""

    @property
    def name(self) -> ActName:
        """The act as it is decided."""
        return "answer"


@dataclass(frozen=True, slots=True)
class Ask:
    """Say something that leaves the turn with the caller."""

    text: str
    reason: str
    name: ActName = "ask"
    """"smalltalk" when the caller's words were answered, not their matter."""


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
    name: ActName = "escalate"
    """"message" when the caller wants to leave one."""
    urgency: Urgency = "normal"
    target: str | None = None
    """Name of whom the caller needs; None for nobody in particular."""
    stations: tuple[str, ...] = ()
    """Names of whom to try, in order; empty for the default queue."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Say that a callback or message was taken down, and keep it; the turn is the caller's."""

    text: str
    task: Task
    reason: str

    @property
    def name(self) -> ActName:
        """The act as it is decided."""
        return "message"


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Say goodbye and end the call."""

    text: str
    reason: str

    @property
    def name(self) -> ActName:
        """The act as it is decided."""
        return "goodbye"


Act = Answer | Ask | Escalate | Noted | Goodbye
