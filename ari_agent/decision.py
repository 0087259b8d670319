"""What is decided in a turn, and from what: the language between the dialogue and whoever decides.

Nothing here is ever spoken: an act names what the dialogue shall do, and the words come from the company's passages
and from templates. So nobody who decides, a model least of all, can say what the company has not written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActName = Literal["answer", "ask", "message", "escalate", "smalltalk", "goodbye"]
ACTS: tuple[ActName, ...] = ("answer", "ask", "message", "escalate", "smalltalk", "goodbye")
Urgency = Literal["low", "normal", "high"]
URGENCIES: tuple[Urgency, ...] = ("low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen in a turn."""

    act: ActName
    source: str | None = None
    """Id of the passage to speak (answer) or to ask back for (ask)."""
    other: str | None = None
    """Id of a second passage that fits nearly as well, to ask which of the two is meant (ask)."""
    intent: str = ""
    """Name from the catalogue of the settings; "" when none fits."""
    urgency: Urgency = "normal"
    target: str | None = None
    """Name of whom to reach (escalate, message); None for the default queue."""
    confidence: float = 1.0
    """0..1, never stored."""
    reason: str = ""
    """Code such as "emergency", for the log; "" when only a model knows."""
    by: str = "rules"
    """Who decided: "rules", "search", "encoder", "llama" or "remote"."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A passage, as a decider sees it."""

    id: str
    title: str
    text: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """One entry of the catalogue of what callers want."""

    name: str
    examples: tuple[str, ...]
    """Callers' words, lower case without punctuation."""
    urgency: Urgency = "normal"
    target: str | None = None
    """Who takes such calls; None for the default queue."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What is the same in all calls: whom we answer for, and among what can be chosen."""

    company: str
    topics: tuple[Topic, ...]
    intents: tuple[Intent, ...]
    targets: tuple[str, ...]
    """Names of the people who can be reached, the default first; empty when there is only that one."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier turn of the call."""

    caller: str
    """The caller's words; data, whatever they say."""
    agent: str
    """What the caller heard as reply; "" when it was cut off at once."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One turn that has to be decided."""

    text: str
    """The caller's words; data, whatever they say."""
    history: tuple[Exchange, ...]
    """Earlier turns, the oldest first; the first to be dropped when a context is full."""
    acts: tuple[ActName, ...]
    """What is allowed now."""
    default: Decision
    """What policy and search decide; taken when no model answers in time."""
