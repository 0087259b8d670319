"""Which passage of a company explains a caller's words, and how probable it is that any does."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ari_agent.knowledge.features import MAX_WORDS, words
from ari_agent.knowledge.german import PAIRS, STOPWORDS
from ari_agent.knowledge.mending import Mender
from ari_agent.knowledge.network import Floats, Network, Vectors
from ari_agent.knowledge.passage import Passage

CANDIDATES = 100
"""Passages that are weighed in full, the nearest by the cheap views: the ranker has never seen a company of more."""
_GRAM = 4
_TELLING = 5
"""Letters from which a word tells whether the document is of a trade that was trained on; shorter ones are in all."""
_BM25_K1, _BM25_B = 1.5, 0.75
"""The usual saturation of frequent words and punishment of long passages.

S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), section 3.
"""
_FUNCTION_WORDS = frozenset(word.replace("ß", "ss") for word in STOPWORDS)

Numbers = npt.NDArray[np.int64]


class Ranking:
    """The passages of one company as numbers, made once."""

    def __init__(self, network: Network, passages: Sequence[Passage]) -> None:
        self._network = network
        own = [[words(part) for part in (p.title, p.text, *p.questions)] for p in passages]
        self._count = len(passages)
        read = [[network.vectors(network.tokens(part)) for part in parts] for parts in own]
        self._titles = np.stack([parts[0].text for parts in read])
        self._texts = np.stack([parts[1].text for parts in read])
        self._topics = np.stack([network.topics(np.stack([v.text for v in parts])).mean(axis=0) for parts in read])
        self._questions = np.concatenate([[v.text for v in (parts[0], *parts[2:])] for parts in read])
        self._first_question = _starts([len(parts) - 1 for parts in read])
        self._asked = np.array([len(parts) > 2 for parts in read], np.float32)
        said = [[word for part in parts for word in part] for parts in own]
        self._words, self._word_numbers = _distinct(said, [v.words for parts in read for v in parts])
        distinct = {word for of in said for word in of}
        self._mender = Mender(network.known, distinct)
        telling = {word for word in distinct if len(word) >= _TELLING}
        self.strangeness = len(telling - network.known) / max(len(telling), 1)
        """Share of the document's words that the network was never trained on, 0..1."""
        stems = [self._stemmed(of) for of in said]
        lengths = np.array([of.total() for of in stems])
        self._norms = _BM25_K1 * (1 - _BM25_B + _BM25_B * lengths / max(lengths.mean(), 1.0))
        self._stems = _Postings(stems)
        self._grams = _Postings([dict.fromkeys((g for word in of for g in _grams(word)), 1) for of in said])

    def mend(self, text: str) -> list[str]:
        """Return the caller's words as they were meant."""
        return self._mender.mend(words(text)[:MAX_WORDS])

    def probabilities(self, heard: Sequence[str], vectors: Vectors, kinds: Floats) -> Floats:
        """Return for each passage how probably it answers the words; what is missing to 1 says that none does."""
        w = self._network.ranker
        numbers, inputs = self.inputs(heard, vectors, kinds)
        inputs = (inputs - w["mean"]) / w["spread"]
        hidden = np.tanh(inputs @ w["hidden"].T + w["hidden_bias"])
        scores = hidden @ w["out"] + inputs @ w["direct"] + w["bias"]
        raised = np.exp(np.minimum(scores, 50.0))
        shares: Floats = np.zeros(self._count, np.float32)
        shares[numbers] = raised / (1.0 + raised.sum())
        return shares

    def inputs(self, heard: Sequence[str], vectors: Vectors, kinds: Floats) -> tuple[Numbers, Floats]:
        """Return the numbers of the passages that may answer, and what the ranker weighs of each.

        That is its views, its lead over the others in each, and what the words tell by themselves.
        """
        near = vectors.words @ self._words.T  # (heard, distinct words)
        stems = self._stemmed(heard)
        rarity = {stem: self._rarity(self._stems.passages(stem)) for stem in stems}
        weights = self._content_weights(heard, rarity)
        cheap = self._cheap(heard, vectors, rarity)
        numbers = _best(np.sum(cheap, axis=0), CANDIDATES)
        views = self._views(numbers, cheap, vectors, near, weights)
        shared = self._shared(heard, near, rarity, weights)
        common = np.concatenate((shared, np.log(np.maximum(kinds, 1e-4))))
        told = np.tile(common, (len(numbers), 1))
        inputs = (views, views - _rivals(views), self._asked[numbers, None], told)
        return numbers, np.concatenate(inputs, axis=1).astype(np.float32)

    def _cheap(self, heard: Sequence[str], vectors: Vectors, rarity: Mapping[str, float]) -> tuple[Floats, ...]:
        """Return the views that are quickly had of every passage, each (passages,):

        title, text, question, stems, letters, BM25.
        """
        grams = {g: self._rarity(self._grams.passages(g)) for w in heard if w not in _FUNCTION_WORDS for g in _grams(w)}
        return (
            self._titles @ vectors.text,
            self._texts @ vectors.text,
            np.maximum.reduceat(self._questions @ vectors.text, self._first_question),
            self._covered(self._stems, rarity),
            self._covered(self._grams, grams),
            self._bm25(rarity) / 10.0,
        )

    def _views(
        self, numbers: Numbers, cheap: tuple[Floats, ...], vectors: Vectors, near: Floats, weights: Floats
    ) -> Floats:
        """Return every view of the passages of those numbers, (passages, views)."""
        title, text, question, covered, letters, frequent = (view[numbers] for view in cheap)
        said = [self._word_numbers[number] for number in numbers]
        nearest = np.maximum.reduceat(near[:, np.concatenate(said)], _starts([len(of) for of in said]), axis=1)
        views = (
            title,
            text,
            question,
            vectors.weights @ nearest,
            covered,
            letters,
            frequent,
            weights @ np.clip((nearest - 0.35) / 0.5, 0, 1),
            self._topics[numbers] @ self._network.topics(vectors.text[None])[0],
        )
        return np.stack([np.asarray(view, np.float32) for view in views], axis=1)

    def _shared(self, heard: Sequence[str], near: Floats, rarity: Mapping[str, float], weights: Floats) -> Floats:
        """Return what tells whether anything answers: words that no passage knows or comes near to."""
        best = near.max(axis=1, initial=-1.0)
        total = sum(rarity.values()) or 1.0
        strange = sum(weight for stem, weight in rarity.items() if not self._stems.passages(stem)) / total
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

    def _covered(self, postings: _Postings, weights: Mapping[str, float]) -> Floats:
        """Return the share of the terms, weighed, that each passage holds."""
        held = np.zeros(self._count)
        for term, weight in weights.items():
            held[postings.of(term)[0]] += weight
        return held / (sum(weights.values()) or 1.0)

    def _bm25(self, rarity: Mapping[str, float]) -> Floats:
        scores = np.zeros(self._count)
        for stem, weight in rarity.items():
            numbers, counts = self._stems.of(stem)
            scores[numbers] += weight * counts * (_BM25_K1 + 1) / (counts + self._norms[numbers])
        return scores


class _Postings:
    """In which passages terms are, and how often."""

    _NOWHERE = (np.zeros(0, np.int64), np.zeros(0))

    def __init__(self, passages: Iterable[Mapping[str, int]]) -> None:
        found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for number, counts in enumerate(passages):
            for term, count in counts.items():
                numbers, often = found[term]
                numbers.append(number)
                often.append(count)
        self._found = {term: (np.array(numbers), np.array(often, float)) for term, (numbers, often) in found.items()}

    def of(self, term: str) -> tuple[Numbers, Floats]:
        """Return the numbers of the passages that have it, and how often each has."""
        return self._found.get(term, self._NOWHERE)

    def passages(self, term: str) -> int:
        """Return how many passages have it."""
        return len(self.of(term)[0])


def _distinct(said: Sequence[Sequence[str]], vectors: Sequence[Floats]) -> tuple[Floats, list[Numbers]]:
    """Return the vectors of the distinct words, and for each passage the numbers of its own among them.

    The last vector is of no word; it is the only one of a passage without words.
    """
    every = np.concatenate(vectors)
    numbers = {word: number for number, word in enumerate(dict.fromkeys(word for of in said for word in of))}
    first = {word: at for at, word in reversed(list(enumerate(word for of in said for word in of)))}
    of_passages = [np.array([numbers[word] for word in dict.fromkeys(of)] or [len(numbers)]) for of in said]
    return np.vstack(
        (every[[first[word] for word in numbers]], np.zeros((1, every.shape[1]), every.dtype))
    ), of_passages


def _best(scores: Floats, count: int) -> Numbers:
    """Return the numbers of the best scores in ascending order, all where there are no more than `count`."""
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.sort(np.argpartition(-scores, count)[:count])


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


def _starts(sizes: Sequence[int]) -> Numbers:
    return np.cumsum([0, *sizes[:-1]])
