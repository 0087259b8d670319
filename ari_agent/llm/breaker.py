"""A circuit breaker: a server that fails again and again is left alone for a while, so that no caller waits for it.

    unknown ──probe──▶ closed ──3 failures──▶ open ──probe after a pause──▶ half-open ──a request──▶ closed
                                               ▲◀──────────────── probe or request fails, pause doubled ──┘

Pure; it knows no clock. Who owns it probes after each pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from ari_agent.backoff import backoff
from ari_agent.errors import EngineTimeout, EngineUnavailable

FAILURES = 3
"""In a row; a single one may be the network's."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

State = Literal["unknown", "closed", "open", "half-open"]


class Breaker:
    """Counts how requests to one server end."""

    def __init__(self, engine: str, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called with every new state."""
        self.state: State = "unknown"
        self.fault: str | None = None
        """Why it failed last, in words for an administrator; None before and when it is well."""
        self.pause_s = 0.0
        """How long an open circuit stays open before the next probe."""
        self._engine = engine
        self._changed = changed
        self._failures = 0
        self._trying = False  # somebody's request tells whether a half-open circuit closes
        self._pauses = backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)

    @property
    def admits(self) -> bool:
        """Whether a request may be made now."""
        return self.state == "closed" or (self.state == "half-open" and not self._trying)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count how the block ends; to be busy or cancelled says nothing.

        Raises EngineUnavailable at once when not admitted.
        """
        if not self.admits:
            raise EngineUnavailable(self._engine, "the server is left alone for a while")
        trial = self._trying = self.state == "half-open"
        try:
            yield
        except (EngineTimeout, EngineUnavailable) as e:
            self._failures += 1
            if trial or (self.state == "closed" and self._failures >= FAILURES):
                self._open(e)
            raise
        else:
            self._close()
        finally:
            if trial:
                self._trying = False

    def probed(self, error: EngineTimeout | EngineUnavailable | None) -> None:
        """Take the result of a probe."""
        if error is None:
            if self.state == "unknown":
                self._close()
            elif self.state == "open":
                self._set("half-open")  # it lives; whether it decides, a request has to tell
        elif self.state == "closed" and self._failures + 1 < FAILURES:
            self._failures += 1
        else:
            self._open(error)

    def _open(self, error: Exception) -> None:
        self.fault = str(error)
        self.pause_s = next(self._pauses)
        self._set("open")

    def _close(self) -> None:
        self._failures, self.fault = 0, None
        if self.state != "closed":
            self._pauses = backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
            self._set("closed")

    def _set(self, state: State) -> None:
        self.state = state
        self._changed()
