"""The embedded default: a small trained encoder reads the caller's words, and a gate knows when it is not sure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from ari_agent.decision import Intent
from ari_agent.knowledge.features import words
from ari_agent.knowledge.german import tells
from ari_agent.knowledge.network import KINDS, Floats, Network, Vectors, load
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.ranking import Ranking
from ari_agent.knowledge.reading import Kind, Match, Reading
from ari_agent.knowledge.synonyms import widen
from ari_agent.knowledge.verbatim import Verbatim

SURE = 0.55
"""Probability from which a passage is spoken without asking back, in a document of which every word was trained on."""
STRANGE = 0.25
"""What is added, times the share of words that were not: likeness to words that were never seen is a guess."""
POSSIBLE = 0.08
"""Probability from which it is worth asking back for a passage."""
RIVAL = 0.5
"""Share of the best passage's probability from which another keeps it from being spoken."""
CHOICE = 0.25
"""Share from which another is named beside it where the caller is asked back anyway."""
INTENT = 0.6
"""Likeness to an example from which an intent is named."""

_OUTSIDE = 0.15
"""Probability of an outside question from which what sounds like small talk is one: "wie wird das Wetter"."""

_URGENT: tuple[Kind, ...] = ("emergency", "fault", "accident", "distress")
_PERSONAL: tuple[Kind, ...] = ("person", "anger", "lawyer", "bereavement")
_PEOPLE: tuple[tuple[tuple[Kind, ...], float], ...] = (
    (_URGENT, 0.25),
    (_PERSONAL, 0.25),
    ((*_URGENT, *_PERSONAL), 0.4),
)
"""Kinds that need a person, and the probability of them together from which one is fetched: a false alarm costs a
minute, a miss may cost more."""
_ANSWERED = 0.95
"""Probability of a passage from which a question is rather answered than taken for distress."""
_PERHAPS_ASKED = 0.2
_RATHER_PEOPLE = 0.6
"""What is asked of people then."""
_THRESHOLDS: dict[Kind, float] = {**dict.fromkeys(KINDS, 0.6), "smalltalk": 0.85}
"""Probability from which any other kind of turn is acted on."""


class EncoderKnowledge:
    """Implements Knowledge by a trained encoder; needs its model file and numpy, nothing else."""

    engine: Literal["encoder"] = "encoder"

    def __init__(
        self,
        passages: Sequence[Passage],
        model: Path | Network,
        intents: Sequence[Intent] = (),
        synonyms: Sequence[Sequence[str]] = (),
        answer: float | None = None,
    ) -> None:
        """Read the passages once.

        `synonyms` are groups of words that mean the same, and `answer` the probability from which a passage is spoken,
        None for that of any company. Raises DocumentError when the folder `model` holds no usable encoder.
        """
        self.passages = tuple(passages)
        self._network = load(model) if isinstance(model, Path) else model
        self._verbatim = Verbatim(self.passages)
        widened = widen(self.passages, synonyms, self._network.known)
        self._ranking = Ranking(self._network, widened)
        self.answer = SURE + STRANGE * self._ranking.strangeness if answer is None else answer
        """Probability from which a passage is spoken."""
        examples = [(intent.name, example) for intent in intents for example in intent.examples]
        self._intents = [name for name, _ in examples]
        self._examples = np.array(
            [self._network.vectors(self._network.tokens(words(example))).text for _, example in examples]
        )

    # OpenBLAS computes in blocks beyond the end of short vectors and may flag as invalid what is no part of the result
    @np.errstate(invalid="ignore")
    def read(self, text: str, last: str = "") -> Reading:
        """Read the caller's words."""
        heard = self._ranking.mend(text)
        if not heard:
            return Reading(None)
        tokens = self._network.tokens(heard)
        vectors, kinds = self._network.vectors(tokens), self._network.kinds(tokens)
        match = self._verbatim.find(text) or self._match(self._ranking.probabilities(heard, vectors, kinds))
        kind = _kind(kinds, match)
        if kind in (*_URGENT, *_PERSONAL) and not tells(text.split()):
            kind = None  # "ich hab", "mir ist": half a sentence is no reason to fetch somebody
        return Reading(match, kind, self._intent(vectors))

    def ranked(self, text: str, count: int) -> list[tuple[Passage, float]]:
        """Return the passages that most probably answer the words, at most `count`, each with its probability."""
        heard = self._ranking.mend(text)
        if not heard:
            return []
        tokens = self._network.tokens(heard)
        found = self._ranking.probabilities(heard, self._network.vectors(tokens), self._network.kinds(tokens))
        return [(self.passages[i], float(found[i])) for i in np.argsort(-found, kind="stable")[:count]]

    def _match(self, probabilities: Floats) -> Match:
        first, *others = np.argsort(-probabilities, kind="stable")
        best = float(probabilities[first])
        sure = best >= self.answer
        needed = RIVAL if sure else CHOICE
        rival = bool(others) and float(probabilities[others[0]]) >= needed * best
        return Match(
            self.passages[first],
            best,
            self.passages[others[0]] if rival else None,
            sure=sure and not rival,
            possible=best >= POSSIBLE,
        )

    def _intent(self, vectors: Vectors) -> str:
        if not self._intents:
            return ""
        alike = self._examples @ vectors.text
        nearest = int(alike.argmax())
        return self._intents[nearest] if alike[nearest] >= INTENT else ""


def _kind(kinds: Floats, match: Match) -> Kind | None:
    """Return the kind of turn to act on; None when none is sure enough, or when a passage may answer after all."""
    by_kind = dict(zip(KINDS, kinds.tolist(), strict=True))
    best = max(by_kind, key=by_kind.__getitem__)
    answered = by_kind["question"] >= _PERHAPS_ASKED and match.sure and match.confidence >= _ANSWERED
    for group, needed in _PEOPLE:
        if sum(by_kind[kind] for kind in group) >= (_RATHER_PEOPLE if answered else needed):
            return max(group, key=by_kind.__getitem__)
    if by_kind[best] < _THRESHOLDS[best]:
        return None
    if best == "smalltalk" and by_kind["outside"] >= _OUTSIDE:
        best = "outside"
    return None if match.possible and best in ("outside", "unclear", "smalltalk") else best
