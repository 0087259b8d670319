"""An event loop whose clock jumps to the next timer, so that a call of half a minute is played in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class StoryStuckError(Exception):
    """Everything waits for something that will never happen."""


class _JumpingSelector(selectors.DefaultSelector):
    """Lets the time pass that the loop wants to wait, without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise StoryStuckError
        self.now_s += max(timeout, 0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for code that waits for timers and for its own tasks only; real sockets and processes would find no time.

    Raises StoryStuckError where another loop would wait for ever.
    """

    def __init__(self) -> None:
        self._clock = _JumpingSelector()
        super().__init__(self._clock)
        self._clock_resolution = 1e-9  # a timer due now is due, whatever was rounded

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._clock.now_s


LOOPS: Mapping[str, Any] = {"virtual-time": VirtualTimeLoop}
"""For the hook `pytest_asyncio_loop_factories` of a folder whose tests all run in virtual time."""
