"""A company of which nothing may be said today: callers reach its people all the same."""

from __future__ import annotations

from typing import Literal

from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Reading


class NoKnowledge:
    """Implements Knowledge without a passage."""

    engine: Literal["search"] = "search"
    passages: tuple[Passage, ...] = ()

    def read(self, text: str, last: str = "") -> Reading:
        """Find nothing."""
        return Reading(None)

    def ranked(self, text: str, count: int) -> list[tuple[Passage, float]]:
        """Return nothing."""
        return []
