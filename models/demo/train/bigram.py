"""A word-pair language model with absolute discounting, as arcs of an acceptor."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BACK_OFF = ""
"""Label of an arc that reads no word."""

_DISCOUNT = 0.6  # taken from each count and given to the pairs that did not occur
_BEGIN, _END = "<s>", "</s>"
_START_STATE, _BACK_OFF_STATE = 0, 1


@dataclass(frozen=True)
class Arc:
    """From a state to a state, reading a word, at a cost in natural logarithms."""

    source: int
    target: int
    word: str
    cost: float


@dataclass(frozen=True)
class Acceptor:
    """Arcs and the cost of ending in a state; state 0 is the start."""

    arcs: tuple[Arc, ...]
    final: dict[int, float]


def estimate(text: Iterable[str], vocabulary: Sequence[str]) -> Acceptor:
    """Estimate the model; every word of the vocabulary can occur anywhere, if only at a price."""
    pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in text:
        before = _BEGIN
        for word in (*sentence.split(), _END):
            pairs[before][word] += 1
            before = word
    single = _single_words(pairs, vocabulary)
    states = {_BEGIN: _START_STATE} | {word: number for number, word in enumerate(vocabulary, _BACK_OFF_STATE + 1)}
    arcs: list[Arc] = []
    final: dict[int, float] = {}
    for before, state in states.items():
        counts = pairs.get(before, Counter())
        total = counts.total()
        back_off = _DISCOUNT * len(counts) / total if total else 1.0
        for word, count in counts.items():
            cost = -math.log((count - _DISCOUNT) / total + back_off * single[word])
            if word == _END:
                final[state] = cost
            else:
                arcs.append(Arc(state, states[word], word, cost))
        arcs.append(Arc(state, _BACK_OFF_STATE, BACK_OFF, -math.log(back_off)))
    final[_BACK_OFF_STATE] = -math.log(single[_END])
    arcs += [Arc(_BACK_OFF_STATE, states[word], word, -math.log(single[word])) for word in vocabulary]
    return Acceptor(tuple(arcs), final)


def _single_words(pairs: dict[str, Counter[str]], vocabulary: Sequence[str]) -> dict[str, float]:
    """Return each word's probability where the pair is unknown: by how many words it follows (Kneser-Ney)."""
    followed = Counter(word for counts in pairs.values() for word in counts)
    for word in vocabulary:
        followed[word] += 1  # a word that no sentence uses stays possible
    total = followed.total()
    return {word: count / total for word, count in followed.items()}
