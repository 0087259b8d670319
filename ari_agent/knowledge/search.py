"""Which passage answers a caller's words: stems and parts of compounds in common, then a gate that knows when none."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer

from ari_agent.knowledge.compounds import Splitter
from ari_agent.knowledge.features import MAX_WORDS, words
from ari_agent.knowledge.german import FILLERS, PAIRS, STOPWORDS
from ari_agent.knowledge.mending import Mender
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match, Reading
from ari_agent.knowledge.synonyms import widen
from ari_agent.knowledge.verbatim import Verbatim

ANSWER = 0.48
"""Share of the caller's weighed content words that a passage must explain to be spoken."""
DOUBT = 0.4
"""Below this share nothing fits by a single word; between the two the agent asks back."""
FAINT = 0.2
"""The same where several words fit, of which one may be chance."""
CHOICE = 0.6
"""Share of the best passage's place from which another is named beside it where the caller is asked back anyway."""
MARGIN = 0.1
"""The best passage must lead the next by this much, or the caller is asked which one is meant."""
ALONE = 0.9
"""What a single word must count in a passage to have it spoken: "suchen Sie Mechaniker" is about no answer with one."""
_TEXT = 0.85
"""What a word in the answer counts of one in title or questions: people ask for what a passage is about."""
_WITHIN = 0.8
"""What a word counts that stands within a compound of the passage, of one that stands by itself."""
_APART = 0.9
"""What a compound counts whose parts the passage has one by one."""
_FILLER = 0.3
"""What a word that callers use whatever they ask weighs of one that tells something."""
_TITLED = 0.1
"""What a title that is said in full adds to a passage's place in the order."""
_RANKS = 0.2
"""Weight of BM25 in the order of the passages; the rest is the share of the words that is explained."""

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

_FUNCTION_WORDS = frozenset(word.replace("ß", "ss") for word in STOPWORDS)
_FILLERS = frozenset(word.replace("ß", "ss") for word in FILLERS)


class SearchKnowledge:
    """Implements Knowledge by words in common; needs no model."""

    engine: Literal["search"] = "search"

    def __init__(
        self,
        passages: Sequence[Passage],
        synonyms: Sequence[Sequence[str]] = (),
        known: Collection[str] = frozenset(),
        answer: float | None = None,
    ) -> None:
        """Index the passages once.

        `synonyms` are groups of words that mean the same, `known` words of the language, by which compounds are taken
        apart, and `answer` the share from which a passage is spoken, None for that of any company.
        """
        self.passages = tuple(passages)
        self._verbatim = Verbatim(self.passages)
        self.answer = ANSWER if answer is None else answer
        """Share from which a passage is spoken."""
        widened = widen(self.passages, synonyms, known)
        own = {word for p in widened for text in (p.title, p.text, *p.questions) for word in words(text)}
        self._splitter = Splitter(known, own)
        self._mender = Mender(known, own)
        self._stem = Stemmer.Stemmer("german")
        self._index(widened)

    def read(self, text: str, last: str = "") -> Reading:
        """Read the caller's words."""
        return Reading(self._verbatim.find(text) or self.match(text))

    def match(self, text: str) -> Match | None:
        """Return the passage that explains the words best, or None when no passage has any of them.

        Its confidence is the share of the content words, weighted by how rare they are, that the passage explains.
        """
        found = self._explained(text)
        if not found.shares.any():
            return None
        first, *others = _best(found.order, 2)
        close = bool(others) and found.order[first] - found.order[others[0]] < MARGIN
        share, several = float(found.shares[first]), bool(found.counts[first] > 1)
        sure = share >= self.answer and not close and (several or bool(found.most[first] >= ALONE))
        rival = close or (not sure and bool(others) and found.order[others[0]] >= CHOICE * found.order[first])
        return Match(
            self.passages[first],
            share,
            self.passages[others[0]] if rival else None,
            sure=sure,
            possible=share >= (FAINT if several else DOUBT),
        )

    def ranked(self, text: str, count: int) -> list[tuple[Passage, float]]:
        """Return the passages that explain the words best, at most `count`, each with its confidence 0..1."""
        found = self._explained(text)
        return [(self.passages[i], float(found.shares[i])) for i in _best(found.order, count)]

    def _index(self, passages: Sequence[Passage]) -> None:
        """Note for every stem which passages have it and what it counts there, and the wordings for BM25."""
        counts: dict[str, dict[int, float]] = defaultdict(dict)
        wordings: list[list[str]] = []
        owners: list[int] = []
        terms = cache(self._terms)
        for number, passage in enumerate(passages):
            for text, weight in ((passage.text, _TEXT), *((t, 1.0) for t in (passage.title, *passage.questions))):
                found = [terms(word) for word in _content(words(text))]
                for stem, within in found:
                    for one, credit in ((stem, weight), *((inner, _WITHIN * weight) for inner in within)):
                        counts[one][number] = max(counts[one].get(number, 0.0), credit)
                wordings.append([one for stem, within in found for one in (stem, *within)])
                owners.append(number)
        self._counts: Mapping[str, tuple[Ids, Floats]] = {
            stem: (np.array(list(of)), np.array(list(of.values()))) for stem, of in counts.items()
        }
        titles = [frozenset(terms(word)[0] for word in _content(words(passage.title))) for passage in passages]
        self._title_lengths = np.array([max(len(title), 1) for title in titles])
        self._in_titles: dict[str, list[int]] = defaultdict(list)
        for number, title in enumerate(titles):
            for stem in title:
                self._in_titles[stem].append(number)
        self._first_wording = np.flatnonzero(np.diff([-1, *owners]))
        self._bm25 = bm25s.BM25()
        self._bm25.index(wordings, show_progress=False)

    def _explained(self, text: str) -> _Explained:
        shares, counts, most = np.zeros((3, len(self.passages)))
        total = 0.0
        known: list[str] = []
        for word in dict.fromkeys(_content(self._mender.mend(words(text)[:MAX_WORDS]))):
            worth, told, stems = self._worth(word)
            having = np.count_nonzero(worth)
            if not having and word in _FILLERS:
                continue
            weight = math.log(1 + len(self.passages) / (1 + having))  # a word in none of them is as rare as can be
            weight *= _FILLER if word in _FILLERS else 1.0
            total += weight
            shares += weight * worth
            counts += told
            most = np.maximum(most, worth)
            known += stems
        shares /= total or 1.0
        order = (1 - _RANKS) * shares + _RANKS * self._ranks(known) + _TITLED * self._titled(known)
        return _Explained(shares, order, counts, most)

    def _worth(self, word: str) -> tuple[Floats, Floats, list[str]]:
        """Return what the word counts in each passage, 0..1, as how many words, and the stems that were looked for."""
        stem = self._stem.stemWord(word)
        worth = self._of_stem(stem)
        told = np.sign(worth)
        parts = self._stem.stemWords(list(self._splitter.parts(word)))
        if parts:
            apart = np.stack([self._of_stem(part) for part in parts])
            worth = np.maximum(worth, _APART * apart.mean(axis=0))
            told = np.maximum(told, np.count_nonzero(apart, axis=0))
        return worth, told, [stem, *parts]

    def _of_stem(self, stem: str) -> Floats:
        worth = np.zeros(len(self.passages))
        if (found := self._counts.get(stem)) is not None:
            worth[found[0]] = found[1]
        return worth

    def _ranks(self, stems: Sequence[str]) -> Floats:
        """Return BM25 of each passage's best wording, scaled to 0..1."""
        known = [stem for stem in stems if stem in self._bm25.vocab_dict]
        if not known:
            return np.zeros(len(self.passages))
        ranks: Floats = np.maximum.reduceat(self._bm25.get_scores(known), self._first_wording).astype(np.float64)
        return ranks / (ranks.max() or 1.0)

    def _titled(self, stems: Sequence[str]) -> Floats:
        """Return the share of each title that is said."""
        said = np.zeros(len(self.passages))
        for stem in dict.fromkeys(stems):
            said[self._in_titles.get(stem, [])] += 1.0
        shares: Floats = said / self._title_lengths
        return shares

    def _terms(self, word: str) -> tuple[str, tuple[str, ...]]:
        """Return the stem of a passage's word, and those of the words within it."""
        return self._stem.stemWord(word), tuple(self._stem.stemWords(sorted(self._splitter.inner(word))))


class _Explained(NamedTuple):
    """What each passage has of a caller's words, each (passages,)."""

    shares: Floats
    order: Floats
    counts: Floats
    """How many of the words it has; a compound of which it has the parts is several."""
    most: Floats
    """What the word counts there that counts most."""


def _best(order: Floats, count: int) -> list[int]:
    """Return the numbers of the best passages, the earlier one of equal ones first."""
    return [int(number) for number in np.argsort(-order, kind="stable")[:count]]


def _content(heard: Sequence[str]) -> list[str]:
    """Return the words that tell something, and what pairs of question words mean."""
    text = f" {' '.join(heard)} "
    pairs = [meaning for pair, meaning in PAIRS.items() if f" {pair} " in text]
    return [word for word in (*heard, *pairs) if word not in _FUNCTION_WORDS]
