"""A question in the very words of the document: the admin wrote which passage answers it, so nothing is weighed."""

from __future__ import annotations

from collections.abc import Sequence

from ari_agent.knowledge.features import words
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match

_AROUND = frozenset(
    ("äh", "ähm", "also", "ja", "hallo", "guten", "tag", "bitte", "mal", "denn", "eigentlich", "und", "entschuldigung")
)
"""Words around a question that change nothing in it."""


class Verbatim:
    """The questions of all passages, but those that stand at several."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages: dict[tuple[str, ...], Passage | None] = {}
        for passage in passages:
            for question in set(map(_key, passage.questions)):
                self._passages[question] = None if question in self._passages else passage

    def find(self, text: str) -> Match | None:
        """Return the passage whose own question this is."""
        passage = self._passages.get(key) if (key := _key(text)) else None
        return Match(passage, 1.0, None, sure=True, possible=True) if passage else None


def _key(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in _AROUND)
