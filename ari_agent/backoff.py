"""Delays between attempts to reach something that is away."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_S = 0.2
LONGEST_S = 10.0


def backoff(first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> Iterator[float]:
    """Yield seconds to wait, doubling up to `longest_s`, each with jitter so that many clients do not come at once."""
    delay = first_s
    while True:
        yield delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreading load needs no secrets
        delay = min(delay * 2, longest_s)
