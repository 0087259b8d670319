"""One turn of a call, for the log: what was heard, what was decided, and how much of the reply reached the caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from ari_agent.decision import Decision
from ari_agent.dialogue.acts import Act, Answer
from ari_agent.protocols import Refusal
from ari_agent.record import TurnTaken
from ari_agent.speech.ears import Heard, Key, Said
from ari_agent.speech.sentences import heard as heard_part


@dataclass(slots=True)
class Reply:
    """What is being said, and how much of it was handed to the line."""

    ended: Callable[[], None] | None = None
    """Called when the reply has ended, by itself or because it was cut off."""
    parts: list[tuple[str, float]] = field(default_factory=list)
    """Sentences with their milliseconds of audio."""
    first_audio_at: float | None = None
    """Loop time in seconds."""
    interrupted: bool = False
    """Whether the caller spoke or pressed a key before its end."""
    heard_before: str = ""
    """What was heard of it in earlier playbacks, but for the first of the parts."""
    heard_ms: float = 0.0
    """So much of the first part was heard in them."""
    skipped_ms: float = 0.0
    """The last playback began so far within the first part."""

    def heard(self, played_ms: float) -> str:
        """Return the words the caller heard when the last playback brought them so much."""
        last = heard_part(self.parts, max(self.heard_ms, self.skipped_ms + played_ms))
        return " ".join(filter(None, (self.heard_before, last)))

    def begin_anew(self, heard_before: str) -> None:
        """Prepare another playback, before which this had been heard."""
        self.heard_before, self.parts = heard_before, []
        self.heard_ms = self.skipped_ms = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What the caller said or pressed, and what was decided."""

    number: int
    heard: Heard | Refusal
    act: Act
    decision: Decision | None
    """What led to the act; None when no words did."""
    decide_ms: float
    decided_at: float
    """Loop time in seconds."""

    @property
    def words(self) -> str | None:
        """What the caller said; None when it was something else than words."""
        return self.heard.transcript.text if isinstance(self.heard, Said) else None

    def entry(self, call: UUID, reply: Reply, played_ms: float, *, wording: bool) -> TurnTaken:
        """Return the entry of the log; the words only if `wording` asks for them."""
        said = self.heard if isinstance(self.heard, Said) else None
        first = reply.first_audio_at
        return TurnTaken(
            call=call,
            at=datetime.now(UTC),
            number=self.number,
            act=self.act.name,
            source=self.act.source if isinstance(self.act, Answer) else None,
            reason=self.act.reason,
            intent=self.decision.intent or None if self.decision else None,
            urgency=self.decision.urgency if self.decision else None,
            decided_by=self.decision.by if self.decision else "rules",
            heard=_kind(self.heard),
            end_of_turn_ms=said.end_of_turn_ms if said else None,
            stt_ms=said.stt_ms if said else None,
            decide_ms=self.decide_ms,
            tts_ms=(first - self.decided_at) * 1000 if first else None,
            total_ms=(first - said.ended_at) * 1000 if first and said else None,
            interrupted=reply.interrupted,
            caller_text=self.words if wording else None,
            agent_text=reply.heard(played_ms) if wording else None,
        )


def _kind(heard: Heard | Refusal) -> str:
    match heard:
        case Said():
            return "speech"
        case Key():
            return "key"
        case Refusal():
            return "refusal"
        case _:
            return "silence"
