"""Whether new calls are taken, judged by how late everything is: a late machine lets people answer instead.

    lag    late for       ┌──────┐
     │     CLOSE_AFTER_S  │      │
   close ─────────┌───────┘      └─┐──────────────────────
     │         ┌──┘                └──┐   in time for
   open  ──────┘──────────────────────└──┐ OPEN_AFTER_S ──
     │                                   └────────────────
        takes calls     │ refuses them               │ takes calls

Between the two nothing changes, so that the door does not flutter. Pure; it knows no clock.
"""

from __future__ import annotations

CLOSE_AFTER_S = 0.5
"""A single hiccup refuses nobody."""
OPEN_AFTER_S = 3.0
"""What was refused took its load along; whether the rest can be carried shows only after some turns."""


class Admission:
    """The door for new calls."""

    def __init__(self, close_ms: float, open_ms: float) -> None:
        """`open_ms` must be below `close_ms`, both milliseconds of lag."""
        self.open = True
        """Whether new calls are taken."""
        self._close_ms = close_ms
        self._open_ms = open_ms
        self._since: float | None = None  # when the lag went over the threshold that matters now

    def judge(self, lag_ms: float, at_s: float) -> bool:
        """Take the lag at a time in seconds, later than the last one; return whether new calls are taken."""
        crossed = lag_ms >= self._close_ms if self.open else lag_ms <= self._open_ms
        if not crossed:
            self._since = None
        elif self._since is None:
            self._since = at_s
        if self._since is not None and at_s - self._since >= (CLOSE_AFTER_S if self.open else OPEN_AFTER_S):
            self.open, self._since = not self.open, None
        return self.open
