"""What was said in a call so far, as far as the caller heard it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from ari_agent.decision import Exchange

_EXCHANGES = 20
"""Turns that a model may be told of; the oldest falls out."""


class History:
    """The exchanges of one call."""

    def __init__(self) -> None:
        self.said = ""
        """The caller's last words, until it is known what they heard of the reply."""
        self._exchanges: deque[Exchange] = deque(maxlen=_EXCHANGES)
        self._replying = False

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All that a model may be told, the oldest first."""
        return tuple(self._exchanges)

    def turn(self, said: str = "") -> None:
        """Begin a turn of the caller; a reply that is still being said belongs to the one before."""
        self.said, self._replying = said or self.said, False

    def replied(self, heard: str) -> None:
        """Note how much of the reply the caller heard; more of it, when a reply that was cut off is gone on with."""
        if self.said:
            self._exchanges.append(Exchange(self.said, heard))
            self.said, self._replying = "", True
        elif self._replying:
            self._exchanges[-1] = replace(self._exchanges[-1], agent=heard)
