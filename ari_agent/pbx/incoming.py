"""Frames that came from a caller and that nobody has listened to yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ari_agent.errors import MediaError

WAITING_FRAMES = 250
"""Kept while nobody listens (5 s); the oldest is dropped beyond that."""


class Incoming:
    """A caller's frames in their order, and then the end of the line."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[bytes | MediaError | None] = asyncio.Queue(WAITING_FRAMES)

    def put(self, frame: bytes) -> None:
        """Add a frame; never blocks."""
        self._put(frame)

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
