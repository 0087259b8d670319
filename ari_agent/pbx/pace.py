"""Playing by the clock: one frame every 20 ms, what is to be said or silence, for a channel that paces nothing itself.

frame n at start + n · 20 ms:   │ 0 │ 1 │ 2 │   (we were held up)   │3│4│5│ 6 │ 7 │        up to LATE_S: made up for
                                │ 0 │ 1 │      (for longer)      │ 2 │ 3 │ 4 │            beyond: the clock begins anew
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from ari_agent import metrics
from ari_agent.errors import MediaError
from ari_agent.protocols import FRAME_MS

FRAME_S = FRAME_MS / 1000
LATE_S = 0.06
"""So much delay is made up for at once: a phone's jitter buffer holds three frames; a longer burst it would drop."""
AHEAD_FRAMES = 100
"""So much (2 s) is taken from who makes the audio before it is due; more would be made for callers who interrupt."""


@dataclass(slots=True)
class _Playback:
    """What is being played."""

    waiting: bytearray = field(default_factory=bytearray)
    sent: int = 0
    """Bytes."""
    complete: bool = False
    """Whether nothing more will come."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Pace:
    """Sends one frame after the other; silence between phrases keeps the connection and the phone's clock alive.

    Asterisk needs it too: it was seen to wait for ever for the first message, and to pass on nothing meanwhile
    (https://github.com/asterisk/asterisk/issues/2089).
    """

    def __init__(self, send: Callable[[bytes], None], frame_bytes: int) -> None:
        self._send = send
        self._frame_bytes = frame_bytes
        self._playback = _Playback()
        self._stopped = False

    async def run(self) -> None:
        """Send frames until cancelled. Raises what `send` raises."""
        loop = asyncio.get_running_loop()
        start, number = loop.time(), 0
        while True:
            self._send(self._frame())
            number += 1
            late_s = loop.time() - (start + number * FRAME_S)
            if late_s > LATE_S:
                metrics.HELD_UP.inc(bool(self._playback.waiting))
                start, number, late_s = loop.time(), 0, 0.0
            await asyncio.sleep(-late_s)

    def stop(self) -> None:
        """End what is being played with an error: nobody sends it any more."""
        self._stopped = True
        self._playback.room.set()
        self._playback.over.set()

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play chunks of any size; return when the last frame is over, and close `audio`.

        Cancelled, the next frame is silence. Raises MediaError when stopped.
        """
        self._playback = playback = _Playback()
        try:
            async with aclosing(audio):
                async for pcm in audio:
                    playback.waiting += pcm
                    await self._room(playback)
            playback.complete = True
            if playback.waiting:
                await playback.over.wait()
            self._check()
        finally:
            playback.waiting.clear()

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last phrase that were sent when they were due."""
        return self._playback.sent / self._frame_bytes * FRAME_MS

    async def _room(self, playback: _Playback) -> None:
        self._check()
        while len(playback.waiting) > AHEAD_FRAMES * self._frame_bytes:
            playback.room.clear()
            await playback.room.wait()
            self._check()

    def _check(self) -> None:
        if self._stopped:
            raise MediaError("the media connection closed during a playback")

    def _frame(self) -> bytes:
        playback, size = self._playback, self._frame_bytes
        if len(playback.waiting) < size and not playback.complete:
            size = 0  # a voice that is too slow for its own words: what there is waits for the rest of its frame
        elif not playback.waiting:
            playback.over.set()
        frame = bytes(playback.waiting[:size])
        del playback.waiting[:size]
        playback.sent += len(frame)
        playback.room.set()
        return frame.ljust(self._frame_bytes, b"\0")
