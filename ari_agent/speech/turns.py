"""Decides when a caller begins and ends to speak. Pure: audio is the clock, time is counted in frames.

Two pauses of a caller. In the first the words already make sense and the listener ends the turn early:

    speech   ████████████████░░░░░░░░                "wann haben sie geöffnet"
                 │           └ 240 ms ┘
               Started        Paused(20) … Paused(240) → end()

In the second they do not, the caller is only thinking and goes on; the silence starts again from nothing:

    speech   ██████████░░░░░░░░░░░░██████████████░░░░░░░░░░░░░░░░░░░░░░░
                 │     └ 500 ms ──┘                └ 800 ms ───────────┘
               Started  Paused(20…500)              Paused(20) …    Ended      "ich möchte … einen termin am"
"""

from __future__ import annotations

from dataclasses import dataclass

from ari_agent.protocols import FRAME_MS

HOLE_MS = 60
"""A shorter hole is part of speech: the closure of a plosive lasts up to this long."""
LEAD_MS = 300
"""Audio wanted from before the first frame of speech: soft first sounds come before any detector notices them."""
RESUME_MS = 60
"""Less speech than this in a pause is a click or a breath and does not break the pause."""


@dataclass(frozen=True, slots=True)
class Started:
    """The caller has begun to speak."""

    preroll_ms: int
    """The utterance begins this long before the end of the current frame."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The caller is silent within a turn."""

    silence_ms: int
    """Since the last speech, this frame included."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over."""

    silence_ms: int
    """Since the last speech; 0 when an endless utterance was cut."""


TurnEvent = Started | Paused | Ended


class TurnDetector:
    """Turns the verdicts of voice activity detection, one per 20 ms frame, into turns."""

    def __init__(self, start_ms: int, end_open_ms: int, longest_s: float) -> None:
        self._start_ms = start_ms
        self._end_open_ms = end_open_ms
        self._longest_ms = longest_s * 1000
        self._turn_ms = self._speech_ms = self._silence_ms = self._span_ms = 0

    @property
    def longest_preroll_ms(self) -> int:
        """How much past audio a listener must keep to serve any `Started`, in milliseconds."""
        # While the start is being confirmed, every FRAME_MS of speech may be followed by an almost complete hole.
        return LEAD_MS + (self._start_ms // FRAME_MS + 1) * (HOLE_MS + FRAME_MS)

    @property
    def speaking(self) -> bool:
        """Whether a turn is open."""
        return self._turn_ms > 0

    @property
    def spoken_ms(self) -> int:
        """From the first to the last speech of the turn that is open, in milliseconds."""
        return self._turn_ms - self._silence_ms

    def feed(self, is_speech: bool) -> TurnEvent | None:
        """Take the verdict on the next frame; None when nothing is to be done."""
        if not self.speaking:
            return self._await_start(is_speech)
        self._turn_ms += FRAME_MS
        self._speech_ms = self._speech_ms + FRAME_MS if is_speech else 0
        self._silence_ms = 0 if self._speech_ms >= RESUME_MS else self._silence_ms + FRAME_MS
        return self._verdict(is_speech)

    def end(self) -> None:
        """End the turn, as the listener decides, and wait for the next one."""
        self._turn_ms = 0
        self._forget_start()

    def _await_start(self, is_speech: bool) -> Started | None:
        if is_speech:
            self._span_ms += self._silence_ms + FRAME_MS
            self._speech_ms += FRAME_MS
            self._silence_ms = 0
        elif self._speech_ms:
            self._silence_ms += FRAME_MS
            if self._silence_ms > HOLE_MS:
                self._forget_start()
        if self._speech_ms < self._start_ms:
            return None
        started = Started(preroll_ms=LEAD_MS + self._span_ms)
        self._turn_ms = self._span_ms
        self._speech_ms = RESUME_MS  # confirmed speech: its next frame is no resumption that has to prove itself
        self._silence_ms = 0
        return started

    def _forget_start(self) -> None:
        self._speech_ms = self._silence_ms = self._span_ms = 0

    def _verdict(self, is_speech: bool) -> Paused | Ended | None:
        silence_ms = self._silence_ms
        if self._turn_ms >= self._longest_ms or (not is_speech and silence_ms >= self._end_open_ms):
            self.end()
            return Ended(silence_ms)
        return None if is_speech else Paused(silence_ms)
