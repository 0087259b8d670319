"""The seams of a call: what it needs from media, engines, Asterisk and the log.

Audio is everywhere 16 kHz, mono, signed 16-bit little-endian PCM ("slin16"); one frame is 20 ms = 640 bytes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from ari_agent.decision import Decision, Situation, Topic
from ari_agent.record import Entry
from ari_agent.sealing import Sealed
from ari_agent.task import Contact

SAMPLE_RATE = 16_000
"""Hertz."""
FRAME_MS = 20
"""Milliseconds of audio in one frame."""
FRAME_BYTES = SAMPLE_RATE * FRAME_MS // 1000 * 2
"""Bytes of one frame of slin16."""


class Line(Protocol):
    """The audio of one person on the phone."""

    def frames(self) -> AsyncIterator[bytes]:
        """Yield the person's audio, 20 ms at a time; end when the line is closed.

        Raises MediaError when the connection breaks or carries garbage.
        """

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play PCM chunks of any size and return when the last sample was played into the channel; close `audio`.

        Cancellation silences the line at once. Raises MediaError when the line is gone.
        """

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last `play` that were really played into the channel."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser understood of one utterance."""

    text: str
    """Lower-case words separated by blanks; "" when nothing was understood; "[unk]" stands for an unknown word."""
    confidence: float
    """0..1, the mean over the words."""


class Utterance(Protocol):
    """One utterance on its way through a recogniser."""

    def feed(self, pcm: bytes) -> None:
        """Hand over audio; never blocks. Raises EngineUnavailable when the engine is gone or too far behind."""

    @property
    def partial(self) -> str:
        """The words understood so far."""

    async def finish(self) -> Transcript:
        """Return the final transcript. Raises EngineUnavailable or EngineTimeout."""


class Recogniser(Protocol):
    """Speech recognition shared by all calls."""

    @property
    def ready(self) -> bool:
        """Whether the model is loaded and the engine alive."""

    def utterance(self) -> AbstractAsyncContextManager[Utterance]:
        """Open a recogniser for one utterance and free it at the end. Raises EngineUnavailable."""


class VoiceActivity(Protocol):
    """Tells speech from other sound; one per line, because it keeps state."""

    def is_speech(self, frame: bytes) -> bool:
        """Judge the next frame (20 ms)."""

    def reset(self) -> None:
        """Forget the past: a new line begins."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a caller wants to be spoken to."""

    language: Literal["de", "en"] = "de"
    slow: bool = False


PLAIN = Manner()


class Voice(Protocol):
    """Speaks text."""

    def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield PCM of the text in chunks, the first as early as possible.

        Raises EngineUnavailable or EngineTimeout.
        """


class CallLog(Protocol):
    """Where calls are recorded as they happen."""

    def write(self, entry: Entry) -> None:
        """Take an entry; never blocks and never fails a call."""


class SafeLog(CallLog, Protocol):
    """A call log that tells when what it was given would outlive the program."""

    async def safe(self, timeout: float) -> bool:
        """Wait until all it was given so far is on a disk, at most so many seconds; return whether it is."""


class Vault(Protocol):
    """Where recordings of calls are kept."""

    @property
    def usable(self) -> bool:
        """Whether a recording could be kept now, as far as is known."""

    def keep(self, sealed: Sealed) -> None:
        """Take a whole recording; never blocks and never fails a call."""


class Directory(Protocol):
    """Whom the company knows; held in memory, so that no call waits for a database."""

    def find(self, number: str) -> Contact | None:
        """Return the contact with that calling number, however it is written; None for nobody."""


class StaffLeg(Protocol):
    """A receptionist who took the call and waits to be connected."""

    @property
    def target(self) -> str:
        """Queue or phone of the settings."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody took the call."""

    reason: str
    """"nobody-free", "no-answer", "declined", "no-key" or "unavailable"."""


class Escalation(Protocol):
    """Rings a receptionist while the caller waits."""

    async def available(self, target: str) -> bool:
        """Tell whether ringing the queue or phone makes sense: False when it is known that nobody is free."""

    async def ring(self, target: str, whisper: str, display: str) -> StaffLeg | Refusal:
        """Ring the queue or phone showing `display` as caller name, whisper to whoever answers and wait for key 1 or 2.

        Cancellation hangs up whatever was ringing. Never raises for reasons on the receptionists' side.
        """


class Deliberation(Protocol):
    """One call's share of a decider. Used by one task at a time; cancelling a request frees its place at once."""

    def ahead(self, situation: Situation) -> None:
        """Begin to read a turn that is still being spoken; never blocks, never raises. Later words revise it."""

    async def decide(self, situation: Situation) -> Decision:
        """Return what shall happen: an act of `situation.acts`, with ids of the brief only.

        Raises EngineBusy at once when too many wait, EngineTimeout after the limit of the settings, EngineUnavailable.
        """

    def phrase(self, situation: Situation, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield the passage as an answer to the caller's words, sentence by sentence; unguarded.

        Raises as `decide`.
        """


class Decider(Protocol):
    """A language model shared by all calls."""

    @property
    def ready(self) -> bool:
        """Whether it can decide now; calls are served all the same when it cannot."""

    @property
    def fault(self) -> str | None:
        """Why it cannot, in words for an administrator; None while it can or nothing is known yet."""

    async def settled(self) -> None:
        """Return when it is ready or has failed to become so once; it goes on trying. Never raises."""

    def deliberation(self) -> AbstractAsyncContextManager[Deliberation]:
        """Take part for the length of a call. Never fails: a decider that is gone fails in each request."""
