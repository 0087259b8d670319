"""Frames that came from a caller and that nobody has listened to yet.

Audio is the clock of a call: turns end, and silent callers are asked, by counting frames. A phone that suppresses
silence, is put on hold or has died sends none, so silence is put in their place:

phone    │▁│▂│▆│▇│▅│                                  │▂│▇│
here     │▁│▂│▆│▇│▅│         (gap)         │0│0│0│0│0│▂│▇│

The gap itself is left out once: of a phone that is only late, or of which packets are lost, it would end sentences too
early. Between single frames of comfort noise it is made up for, or time would run slower.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ari_agent.errors import MediaError
from ari_agent.protocols import FRAME_BYTES, FRAME_MS

WAITING_FRAMES = 250
"""Kept while nobody listens (5 s); the oldest is dropped beyond that."""
FRAME_S = FRAME_MS / 1000
SILENCE = bytes(FRAME_BYTES)
SINGLE = 2
"""So few frames between two gaps are no sound of the caller."""


class Incoming:
    """A caller's frames in their order, and then the end of the line."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[bytes | MediaError | None] = asyncio.Queue(WAITING_FRAMES)
        self._came_at = asyncio.get_running_loop().time()
        """Loop time in seconds of the last frame that came; at first, of the beginning."""
        self._since_gap = 0
        """Frames that came since the last gap."""

    def put(self, frame: bytes) -> None:
        """Add a frame; never blocks."""
        self._came_at = asyncio.get_running_loop().time()
        self._since_gap += 1
        self._put(frame)

    async def keep_time(self, gap_s: float) -> None:
        """Add silence while no frame comes for longer than `gap_s`, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            came_at = self._came_at
            await asyncio.sleep(came_at + gap_s - FRAME_S - loop.time())
            await asyncio.sleep(FRAME_S)  # twice: what came while the loop was held up is read before the gap counts
            if self._came_at == came_at:
                for _ in range(round(gap_s / FRAME_S) if self._since_gap <= SINGLE else 0):
                    self._put(SILENCE)
                self._since_gap = 0
                await self._fill(gap_s)

    async def _fill(self, gap_s: float) -> None:
        """Add silence by the clock until a frame comes, or we were held up for so long that some may wait unread."""
        loop, came_at, at = asyncio.get_running_loop(), self._came_at, asyncio.get_running_loop().time()
        while True:
            at += FRAME_S
            await asyncio.sleep(at - loop.time())
            if self._came_at != came_at:
                return
            if loop.time() - at > gap_s:
                self._came_at = loop.time()
                return
            self._put(SILENCE)

    def end(self, error: MediaError | None) -> None:
        """Add the end: None when the line was closed in order."""
        self._put(error)

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield frames until the end. Raises the error with which the line ended."""
        while (item := await self._items.get()) is not None:
            if isinstance(item, MediaError):
                raise item
            yield item

    def _put(self, item: bytes | MediaError | None) -> None:
        if self._items.full():
            self._items.get_nowait()
        self._items.put_nowait(item)

    def forget(self) -> None:
        """Let go of what nobody will listen to: what is left of a call is collected hundreds of calls later."""
        while not self._items.empty():
            self._items.get_nowait()
