"""Training texts that are nearly texts of the evaluation set: there must be none, or its figures are worth nothing.

Only the tuning part and the companies' documents are compared; the untouched part is nobody's business here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ari_agent.documents.reading import read
from ari_agent.knowledge.features import words
from train.corpus import Corpus

ALIKE = 0.7
"""Share of the words of both texts together that they have in common; from here on two texts count as one."""
_FEWEST = 4
"""Texts of fewer words than this count only when they are equal: "auf wiederhören" belongs to nobody."""


@dataclass(frozen=True, slots=True)
class Near:
    """A pair of texts that are nearly the same."""

    trained: str
    evaluated: str


def find(corpus: Corpus, decisions: Path) -> Iterator[Near]:
    """Return such pairs. Raises OSError and DocumentError."""
    items = map(json.loads, (decisions / "tune.jsonl").read_text("utf-8").splitlines())
    evaluated = [item["text"] for item in items]
    for path in sorted((decisions / "companies").glob("*.md")):
        evaluated += [passage.text for passage in read(path).passages]
    known = [(frozenset(words(text)), text) for text in evaluated]
    trained = [text for t in corpus.topics for text in (*t.passages, *t.wordings)]
    trained += [text for lines in corpus.phrases.values() for text in lines]
    for text in dict.fromkeys(trained):
        own = frozenset(words(text))
        for others, other in known:
            if len(own) >= _FEWEST and len(own & others) >= ALIKE * len(own | others):
                yield Near(text, other)
