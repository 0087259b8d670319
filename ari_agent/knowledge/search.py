"""Which passage answers a caller's words: BM25 over stems, then a gate that knows when nothing does."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer

from ari_agent.knowledge.german import PAIRS, STOPWORDS
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match, Reading

ANSWER = 0.6
"""Share of the caller's weighed content words that a passage must explain to be spoken."""
DOUBT = 0.35
"""Below this share nothing fits; between the two the agent asks back."""
MARGIN = 0.05
"""The best passage must lead the next by this much, or the caller is asked which one is meant."""

FloatArray = npt.NDArray[np.float64]


class SearchKnowledge:
    """Implements Knowledge by words in common; needs no model."""

    engine: Literal["search"] = "search"

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = tuple(passages)
        self._stem = Stemmer.Stemmer("german")
        wordings = [(i, w) for i, p in enumerate(self.passages) for w in (p.title, *p.questions, p.text)]
        corpus = [self._terms(words) for _, words in wordings]
        self._owner = np.array([i for i, _ in wordings])
        self._bm25 = bm25s.BM25()
        self._bm25.index(corpus, show_progress=False)
        self._vocabulary: list[set[str]] = [set() for _ in self.passages]
        for (i, _), terms in zip(wordings, corpus, strict=True):
            self._vocabulary[i].update(terms)

    def read(self, text: str, last: str = "") -> Reading:
        """Read the caller's words."""
        return Reading(self.match(text))

    def match(self, text: str) -> Match | None:
        """Return the passage that explains the words best, or None when no passage has any of them.

        Its confidence is the share of the content words, weighted by how rare they are, that the passage explains.
        """
        terms = self._terms(text)
        shares = self._shares(terms)
        if not shares.any():
            return None
        scores = 0.8 * shares + 0.2 * self._ranks(terms)
        first, *others = np.argsort(-scores, kind="stable")
        close = bool(others) and scores[first] - scores[others[0]] < MARGIN
        share = float(shares[first])
        return Match(
            self.passages[first],
            share,
            self.passages[others[0]] if close else None,
            sure=share >= ANSWER and not close,
            possible=share >= DOUBT,
        )

    def _shares(self, terms: Sequence[str]) -> FloatArray:
        weights = {t: self._rarity(t) for t in dict.fromkeys(terms)}
        total = sum(weights.values()) or 1.0
        explained = [sum(w for t, w in weights.items() if t in vocabulary) for vocabulary in self._vocabulary]
        return np.array(explained) / total

    def _ranks(self, terms: Sequence[str]) -> FloatArray:
        """Return BM25 of each passage's best wording, scaled to 0..1."""
        ranks = np.zeros(len(self.passages))
        known = [t for t in terms if t in self._bm25.vocab_dict]
        if known:
            np.maximum.at(ranks, self._owner, self._bm25.get_scores(known))
        return ranks / (ranks.max() or 1.0)

    def _rarity(self, term: str) -> float:
        """Inverse document frequency over passages; a word in none of them is as rare as can be."""
        return math.log(1 + len(self.passages) / (1 + sum(term in vocabulary for vocabulary in self._vocabulary)))

    def _terms(self, text: str) -> list[str]:
        text = text.casefold().replace("[unk]", " ")
        pairs = [meaning for words, meaning in PAIRS.items() if words in text]
        words = [w for w in re.findall(r"[a-zäöüß]+", text) if w not in STOPWORDS]
        stems: list[str] = self._stem.stemWords(words + pairs)
        return stems
