"""What a request does with a model, one step after the other: each step says what it wants to have read next.

A request is a generator. It yields `Read` and is sent the logits behind its last token, or yields `Said` and is sent
nothing; what it returns is the answer. So it does not know with whom it shares the model.
"""

from __future__ import annotations

import codecs
from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ari_agent.llm.choices import Alternative, Choices, Value
from ari_agent.speech.sentences import split

Logits = NDArray[np.float32]
"""One number per token of the vocabulary; valid until the model is fed again."""

RECORD_TOKENS = 96
"""Room for a record: the longest of usual names, and every letter a token, as in the smallest vocabularies."""
PHRASE_TOKENS = 160
"""A phrased answer ends here at the latest: about four sentences."""
_KEPT = 4096  # texts of alternatives whose tokens are kept


class Vocabulary(Protocol):
    """A model's tokens."""

    def tokenise(self, text: str, *, control: bool) -> list[int]:
        """Return the tokens of the text; without `control` nothing in it becomes a control token."""

    def piece(self, token: int) -> bytes:
        """Return what the token adds to a text; b"" for control tokens."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends what a model says."""


class Read(NamedTuple):
    """Wants to have exactly these tokens behind the fixed part."""

    tokens: Sequence[int]


class Said(NamedTuple):
    """A piece of the answer is ready."""

    text: str


Steps = Generator[Read | Said, Logits, dict[str, Any]]


class Requests:
    """Makes the requests to one model."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tokens = lru_cache(_KEPT)(lambda text: tuple(vocabulary.tokenise(text, control=False)))

    def decide(self, begun: Sequence[int], choices: Choices) -> Steps:
        """Choose a record behind these tokens; returns what was chosen and the probability of act and source."""
        chosen: dict[str, Value] = {}
        confidence = 1.0
        while question := choices.question(chosen):
            value, probability = yield from self._choose(begun, question.alternatives)
            chosen = {**choices.complete(chosen), question.field: value}
            if question.field in ("act", "source"):
                confidence *= probability
        return {"chosen": choices.complete(chosen), "confidence": confidence}

    def phrase(self, begun: Sequence[int]) -> Steps:
        """Write the likeliest answer behind these tokens; each sentence is said when it is finished."""
        tokens = list(begun)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text, said, ended = "", 0, False
        while not ended and len(tokens) < len(begun) + PHRASE_TOKENS:
            logits = yield Read(tokens)
            token = int(logits.argmax())
            ended = self._vocabulary.is_end(token)
            tokens.append(token)
            text += "" if ended else decoder.decode(self._vocabulary.piece(token))
            sentences = split(text)
            for sentence in sentences[said : None if ended else -1]:
                said += 1
                yield Said(sentence)
        return {}

    def _choose(
        self, begun: Sequence[int], alternatives: Iterable[Alternative]
    ) -> Generator[Read, Logits, tuple[Value, float]]:
        """Walk down the tree of the alternatives' tokens; only where it branches a choice is made."""
        left = [(alternative.value, self._tokens(alternative.text)) for alternative in alternatives]
        probability = 1.0
        while len(left) > 1:
            depth = _agreed([tokens for _, tokens in left])
            logits = yield Read([*begun, *left[0][1][:depth]])
            branches = list(dict.fromkeys(tokens[depth] for _, tokens in left))
            odds = _softmax(logits[branches])
            best = int(odds.argmax())
            probability *= float(odds[best])
            left = [(value, tokens) for value, tokens in left if tokens[depth] == branches[best]]
        return left[0][0], probability


def _agreed(texts: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all begin with."""
    depth = 0
    while len({text[depth] for text in texts}) == 1:
        depth += 1
    return depth


def _softmax(logits: Logits) -> Logits:
    """Return probabilities among these alone."""
    odds = np.exp(logits - logits.max())
    return np.asarray(odds / odds.sum())
