"""Takes an engine out of service that keeps dying in calls: people answer before one caller after the other loses it.

deaths in calls   ✝  ✝    ✝│                      ✝│
service           ──────────│   out of service    ──│   out of service   ─────────▶
                  └ most ───┘                     └ back on probation: one is enough
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Quarantine:
    """Counts the deaths of one process."""

    def __init__(self, most: int, rest_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """After `most` deaths within `rest_s` the engine rests for as long; 0 means never."""
        self.most = most
        self.rest_s = rest_s
        self._clock = clock
        self._deaths: list[float] = []

    def died(self) -> bool:
        """Note a death in a call; return whether the engine has to rest now."""
        now = self._clock()
        self._deaths = [*(at for at in self._deaths if at > now - self.rest_s), now]
        if not self.most or len(self._deaths) < self.most:
            self._deaths = self._deaths[-self.most :]
            return False
        # As if it had died at the end of its rest, once less than it may: only time makes that good.
        self._deaths = [now + self.rest_s] * (self.most - 1)
        return True
