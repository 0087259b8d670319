"""What a caller's words tell by themselves: what kind of turn they are, and which passage answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from ari_agent.knowledge.passage import Passage

Kind = Literal[
    "question",
    "outside",  # a question no company document answers
    "person",
    "emergency",
    "fault",
    "anger",
    "lawyer",
    "bereavement",
    "accident",
    "distress",
    "message",
    "goodbye",
    "smalltalk",
    "askai",
    "privacy",
    "repeat",
    "unclear",
    "injection",  # orders to the machine; data like everything else a caller says
]


@dataclass(frozen=True, slots=True)
class Match:
    """The passage that explains a caller's words best, and the one behind it."""

    passage: Passage
    confidence: float
    """0..1."""
    runner_up: Passage | None
    """Another passage that explains them nearly as well."""
    sure: bool
    """Whether the passage may be spoken without asking back."""
    possible: bool
    """Whether it is worth asking back for this passage."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one utterance tells."""

    match: Match | None
    """None when no passage has anything of it."""
    kind: Kind | None = None
    """None when nothing is sure enough to act on it."""
    intent: str = ""
    """Name from the catalogue of intents; "" when none fits."""


class Knowledge(Protocol):
    """The passages of one company, indexed once and shared by all calls. Pure: no I/O, a few milliseconds at most."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages, in the order of the document."""

    @property
    def engine(self) -> Literal["search", "encoder"]:
        """What reads, for the log."""

    def read(self, text: str, last: str = "") -> Reading:
        """Read the caller's words; `last` is what the agent said before."""
