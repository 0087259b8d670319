"""How often in a row a caller was not understood or was asked back; after a few times it comes to something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ari_agent.decision import Decision

MISSES = 2
"""The caller goes to a person when nothing was understood or known this often in a row."""
DOUBTFUL = ("confirm", "which")
"""Reasons to ask which topic is meant."""
_DOUBTS = 2
"""So often in a row the caller is asked which topic is meant; then it is none."""
_NAMING = 4
"""Letters of a word that names a passage."""


class Doubts:
    """The doubts of one call."""

    def __init__(self) -> None:
        self._misses = self._doubts = 0
        self._denied: set[str] = set()

    def weigh(self, decision: Decision, said: str, title: str) -> Decision:
        """Return what a decision comes to after those before it; `title` is that of its passage."""
        if decision.act == "ask" and decision.reason in DOUBTFUL:
            self._doubts += 1
            if self._doubts > _DOUBTS or decision.source in self._denied:
                decision = replace(decision, source=None, other=None, reason="unknown")
        elif decision.act == "answer" and decision.source in self._denied and not _names(said, title):
            decision = replace(decision, act="ask", source=None, reason="unknown")
        else:
            self._doubts = 0
        if decision.act != "ask" or decision.reason not in ("not-understood", "unknown"):
            self._misses = 0
        elif self.missed():
            decision = replace(decision, act="escalate")
        return decision

    def missed(self) -> bool:
        """Count a turn that led to nothing; tell whether it is time for something else."""
        self._misses += 1
        return self._misses >= MISSES

    def understood(self) -> None:
        """Begin again, since something led somewhere."""
        self._misses = 0

    def deny(self, sources: Iterable[str]) -> None:
        """Note that these passages were not meant: they are not asked for again."""
        self._denied.update(sources)


def _names(said: str, title: str) -> bool:
    """Tell whether the words name a passage by its title: "das kleine", after a no to one of two."""
    spoken = [word for word in said.split() if len(word) >= _NAMING]
    return any(named.startswith(word) for word in spoken for named in title.lower().split())
