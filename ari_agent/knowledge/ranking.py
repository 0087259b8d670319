"""Which passage of a company explains a caller's words, and how probable it is that any does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ari_agent.knowledge.features import MAX_WORDS, words
from ari_agent.knowledge.german import PAIRS, STOPWORDS
from ari_agent.knowledge.mending import Mender
from ari_agent.knowledge.network import Floats, Network, Vectors
from ari_agent.knowledge.passage import Passage

_GRAM = 4
_TELLING = 5
"""Letters from which a word tells whether the document is of a trade that was trained on; shorter ones are in all."""
_BM25_K1, _BM25_B = 1.5, 0.75
"""The usual saturation of frequent words and punishment of long passages.

S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3.
"""
_FUNCTION_WORDS = frozenset(word.replace("ß", "ss") for word in STOPWORDS)


class Ranking:
    """The passages of one company as numbers, made once."""

    def __init__(self, network: Network, passages: Sequence[Passage]) -> None:
        self._network = network
        own = [[words(part) for part in (p.title, p.text, *p.questions)] for p in passages]
        self._mender = Mender(network.known, (word for parts in own for part in parts for word in part))
        self._count = len(passages)
        distinct = {word for parts in own for part in parts for word in part if len(word) >= _TELLING}
        self.strangeness = len(distinct - network.known) / max(len(distinct), 1)
        """Share of the document's words that the network was never trained on, 0..1."""
        read = [[network.vectors(network.tokens(part)) for part in parts] for parts in own]
        self._titles = np.stack([parts[0].text for parts in read])
        self._texts = np.stack([parts[1].text for parts in read])
        self._topics = np.stack([network.topics(np.stack([v.text for v in parts])).mean(axis=0) for parts in read])
        self._questions = np.concatenate([[v.text for v in (parts[0], *parts[2:])] for parts in read])
        self._first_question = _starts([len(parts) - 1 for parts in read])
        self._words = np.concatenate([v.words for parts in read for v in parts])
        self._first_word = _starts([sum(len(v.words) for v in parts) for parts in read])
        self._asked = np.array([len(parts) > 2 for parts in read], np.float32)
        self._stems = [self._stemmed([word for part in parts for word in part]) for parts in own]
        self._grams = [{g for part in parts for w in part for g in _grams(w)} for parts in own]
        lengths = np.array([stems.total() for stems in self._stems])
        self._norms = (_BM25_K1 * (1 - _BM25_B + _BM25_B * lengths / max(lengths.mean(), 1.0))).tolist()
        self._frequency = Counter(stem for stems in self._stems for stem in stems)
        self._gram_frequency = Counter(gram for grams in self._grams for gram in grams)

    def mend(self, text: str) -> list[str]:
        """Return the caller's words as they were meant."""
        return self._mender.mend(words(text)[:MAX_WORDS])

    def probabilities(self, heard: Sequence[str], vectors: Vectors, kinds: Floats) -> Floats:
        """Return for each passage how probably it answers the words; what is missing to 1 says that none does."""
        w = self._network.ranker
        inputs = (self.inputs(heard, vectors, kinds) - w["mean"]) / w["spread"]
        hidden = np.tanh(inputs @ w["hidden"].T + w["hidden_bias"])
        scores = hidden @ w["out"] + inputs @ w["direct"] + w["bias"]
        raised = np.exp(np.minimum(scores, 50.0))
        shares: Floats = raised / (1.0 + raised.sum())
        return shares

    def inputs(self, heard: Sequence[str], vectors: Vectors, kinds: Floats) -> Floats:
        """Return what the ranker weighs of each passage: its views, its lead in each, and what the words tell."""
        near = np.maximum.reduceat(vectors.words @ self._words.T, self._first_word, axis=1)  # (words, passages)
        stems = self._stemmed(heard)
        rarity = {stem: self._rarity(self._frequency[stem]) for stem in stems}
        weights = self._content_weights(heard, rarity)
        views = self._views(heard, vectors, near, stems, rarity, weights)
        shared = self._shared(heard, near, rarity, weights)
        common = np.concatenate((shared, np.log(np.maximum(kinds, 1e-4))))
        inputs = (views, views - _rivals(views), self._asked[:, None], np.tile(common, (self._count, 1)))
        return np.concatenate(inputs, axis=1).astype(np.float32)

    def _views(
        self,
        heard: Sequence[str],
        vectors: Vectors,
        near: Floats,
        stems: Counter[str],
        rarity: Mapping[str, float],
        weights: Floats,
    ) -> Floats:
        total = sum(rarity.values()) or 1.0
        views = (
            self._titles @ vectors.text,
            self._texts @ vectors.text,
            np.maximum.reduceat(self._questions @ vectors.text, self._first_question),
            vectors.weights @ near,
            [sum(r for s, r in rarity.items() if s in own) / total for own in self._stems],
            self._by_letters(heard),
            [self._bm25(stems, rarity, i) / 10.0 for i in range(self._count)],
            weights @ np.clip((near - 0.35) / 0.5, 0, 1),
            self._topics @ self._network.topics(vectors.text[None])[0],
        )
        return np.stack([np.asarray(view, np.float32) for view in views], axis=1)

    def _shared(self, heard: Sequence[str], near: Floats, rarity: Mapping[str, float], weights: Floats) -> Floats:
        """Return what tells whether anything answers: words that no passage knows or comes near to."""
        best = near.max(axis=1, initial=-1.0)
        total = sum(rarity.values()) or 1.0
        strange = sum(r for s, r in rarity.items() if s not in self._frequency) / total
        unexplained = float((weights * (1 - np.clip(best, 0, 1))).sum())
        worst = float((1 - best[weights > 0]).max(initial=0.0))
        return np.array([strange, unexplained, worst, math.log1p(len(heard)), math.log1p(len(rarity))], np.float32)

    def _content_weights(self, heard: Sequence[str], rarity: Mapping[str, float]) -> Floats:
        weights = np.array([rarity.get(self._network.features.stem(w), 0.0) for w in heard], np.float32)
        shares: Floats = weights / max(float(weights.sum()), 1e-6)
        return shares

    def _stemmed(self, heard: Sequence[str]) -> Counter[str]:
        text = f" {' '.join(heard)} "
        pairs = [meaning for pair, meaning in PAIRS.items() if f" {pair} " in text]
        return Counter(self._network.features.stem(w) for w in [*heard, *pairs] if w not in _FUNCTION_WORDS)

    def _rarity(self, frequency: int) -> float:
        return math.log(1 + (self._count - frequency + 0.5) / (frequency + 0.5))

    def _bm25(self, stems: Counter[str], rarity: Mapping[str, float], number: int) -> float:
        own, norm = self._stems[number], float(self._norms[number])
        return sum(rarity[s] * own[s] * (_BM25_K1 + 1) / (own[s] + norm) for s in stems if s in own)

    def _by_letters(self, heard: Sequence[str]) -> Floats:
        """Return the share of the rare letter groups of the words that each passage holds."""
        weights = {
            gram: self._rarity(self._gram_frequency[gram])
            for word in heard
            if word not in _FUNCTION_WORDS
            for gram in _grams(word)
        }
        total = sum(weights.values()) or 1.0
        return np.array([sum(w for g, w in weights.items() if g in own) for own in self._grams], np.float32) / total


def _rivals(views: Floats) -> Floats:
    """Return for each passage and view the best of the other passages; 0 for a passage without others."""
    if len(views) < 2:
        return np.zeros_like(views)
    second, first = np.partition(views, -2, axis=0)[-2:]
    rivals: Floats = np.where(views == first, second, first)
    return rivals


def _grams(word: str) -> list[str]:
    framed = f"^{word}$"
    return [framed[i : i + _GRAM] for i in range(len(framed) - _GRAM + 1)]


def _starts(sizes: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.cumsum([0, *sizes[:-1]])
