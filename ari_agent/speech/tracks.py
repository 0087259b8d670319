"""What both sides of a call said, side by side and in step: the caller on the left, the agent on the right.

Frames of the caller are the clock. What the agent says is made ahead of time and may be cut off, so of a playback only
that is taken which the line has really played by then.

caller   │ frame │ frame │ frame │ frame │           one every 20 ms
agent    │ 0     │ played since the last  │ 0  │     made 8 s ahead, cut where the caller interrupts
"""

from __future__ import annotations

import numpy as np

from ari_agent.protocols import FRAME_BYTES, FRAME_MS

_BYTES_PER_MS = FRAME_BYTES // FRAME_MS
_AHEAD_BYTES = 3 * FRAME_BYTES
"""So much of the agent is held back: what a line says it has played comes in steps of its own."""
_LATE_BYTES = 25 * FRAME_BYTES
"""So much of the agent may wait: a phone that suppresses silence sends no frames, and the clock stands still."""


class Tracks:
    """Both sides of one call."""

    def __init__(self) -> None:
        self._made = bytearray()
        """Handed to the line and not yet played."""
        self._played = bytearray()
        """Played and not yet in a block."""
        self._taken = 0
        """Bytes of the current playback that were played so far."""
        self._flowing = False

    def begin(self) -> None:
        """A playback begins."""
        self._made.clear()
        self._taken = 0

    def made(self, pcm: bytes) -> None:
        """More of the playback was handed to the line."""
        self._made += pcm

    def end(self, played_ms: float) -> None:
        """The playback has ended, at its end or because it was cut off after so many milliseconds."""
        self._advance(played_ms)
        self._made.clear()
        self._flowing = bool(self._played)  # nothing more comes: there is nothing to hold back

    def block(self, frame: bytes, played_ms: float) -> bytes:
        """Return the next 20 ms, or more when the clock had stood still, as slin16 with two channels."""
        self._advance(played_ms)
        if len(self._played) >= _AHEAD_BYTES:
            self._flowing = True
        late = len(self._played) - _LATE_BYTES
        size = FRAME_BYTES if late <= 0 else FRAME_BYTES + late // 2 * 2
        right = bytes(self._played[:size]) if self._flowing else b""
        del self._played[: len(right)]
        self._flowing = self._flowing and bool(self._played)
        return interleaved(frame.rjust(size, b"\0"), right.ljust(size, b"\0"))

    def _advance(self, played_ms: float) -> None:
        new = round(played_ms * _BYTES_PER_MS) // 2 * 2 - self._taken
        if new > 0:
            moved = bytes(self._made[:new])
            del self._made[:new]
            self._played += moved
            self._taken += len(moved)


def interleaved(left: bytes, right: bytes) -> bytes:
    """Return two channels of the same length as one stream."""
    both = np.empty((len(left) // 2, 2), "<i2")
    both[:, 0], both[:, 1] = np.frombuffer(left, "<i2"), np.frombuffer(right, "<i2")
    return both.tobytes()
