"""How the time of a function grows with its input: told by two runs on the same machine, however slow it is."""

from __future__ import annotations

import time
from collections.abc import Callable


def growth(function: Callable[[str], object], short: str, long: str) -> float:
    """Return how many times as much processor time the long input takes; each is tried more than once for its best."""
    return min(seconds(function, long) for _ in range(2)) / min(seconds(function, short) for _ in range(5))


def seconds(function: Callable[[str], object], text: str) -> float:
    """Return the processor time that this process spends in one call."""
    began = time.process_time()
    function(text)
    return time.process_time() - began
