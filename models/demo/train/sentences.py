"""Which sentences are spoken for training, known to the language model, or kept out for measuring."""

from __future__ import annotations

import hashlib
import random
import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from train import grammar

HERE = Path(__file__).resolve().parents[1]
"""The folder models/demo."""

DOCUMENT = HERE.parents[1] / "deploy" / "sandbox" / "lindner.md"
"""The demo company's document, whose "Frage:" lines the language model must know."""

UNKNOWN = "[unk]"
"""Vosk's word for speech outside the vocabulary; runtime grammars use the same spelling."""

_UNKNOWN_SHARE = 0.08  # without unknown words in the text the model would force every sound into its vocabulary
_JOINED_SHARE = 0.15  # callers say two sentences in one breath
_QUESTION_COPIES = 40  # each of the document's questions, among 20,000 sentences


class Part(Enum):
    """What a sentence or a voice is for; TUNING and FINAL never take part in acoustic training."""

    TRAINING = "training"
    TUNING = "tuning"
    FINAL = "final"


@dataclass(frozen=True)
class Sentences:
    """The demo's sentences: a grammar, and the questions of the company's document."""

    grammar: grammar.Grammar
    questions: tuple[str, ...]

    def part(self, sentence: str) -> Part | None:
        """Return what a sentence is for; None for the document's questions, which only the language model knows."""
        if sentence in self.questions:
            return None
        digest = int(hashlib.md5(sentence.encode(), usedforsecurity=False).hexdigest(), 16)
        # One- and two-word sentences are so few that keeping some out would keep words out.
        if len(sentence.split()) < 3 or digest % 10:
            return Part.TRAINING
        return Part.TUNING if digest % 20 else Part.FINAL

    def sample(self, rng: random.Random, part: Part) -> str:
        """Return a random sentence of a part."""
        while True:
            sentence = self.grammar.sample(rng)
            if self.part(sentence) is part:
                return sentence

    def utterance(self, rng: random.Random) -> str:
        """Return what to speak for training: a sentence, sometimes two in one breath."""
        sentence = self.sample(rng, Part.TRAINING)
        if rng.random() < _JOINED_SHARE:
            sentence += " " + self.sample(rng, Part.TRAINING)
        return sentence

    def vocabulary(self) -> list[str]:
        """Return all words in alphabetical order, without UNKNOWN."""
        return sorted(self.grammar.words() | {word for question in self.questions for word in question.split()})

    def language_model_text(self, count: int, *, strict: bool) -> list[str]:
        """Return sentences to estimate the language model from.

        strict leaves every held-out sentence and the document's questions out, so that the measured error
        is that of sentences nobody has seen; the product's model knows them all.
        """
        rng = random.Random(f"language model {count}")  # its own seed: the text does not depend on the speech
        text = [] if strict else [question for question in self.questions for _ in range(_QUESTION_COPIES)]
        while len(text) < count:
            sentence = self.utterance(rng) if strict else self._any_utterance(rng)
            text.append(_with_unknown(sentence, rng))
        return text

    def _any_utterance(self, rng: random.Random) -> str:
        sentence = self.grammar.sample(rng)
        return sentence + " " + self.grammar.sample(rng) if rng.random() < _JOINED_SHARE else sentence


def load(sentences: Path = HERE / "sentences.txt", document: Path = DOCUMENT) -> Sentences:
    """Read the grammar and the document's questions. Raises GrammarError and OSError."""
    lines = document.read_text(encoding="utf-8").splitlines()
    questions = tuple(line.removeprefix("Frage:").strip() for line in lines if line.startswith("Frage:"))
    return Sentences(grammar.read(sentences), questions)


def voices(part: Part, path: Path = HERE / "voices.toml") -> list[str]:
    """Return the espeak-ng voice names ("de+f5") of a part."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    names = table["training"] if part is Part.TRAINING else table["held_out"][part.value]
    return [f"de+{name}" for name in names]


def _with_unknown(sentence: str, rng: random.Random) -> str:
    if rng.random() >= _UNKNOWN_SHARE:
        return sentence
    if rng.random() < 0.3:
        return " ".join([UNKNOWN] * rng.randint(1, 5))
    words = sentence.split()
    words[rng.randrange(len(words))] = UNKNOWN
    return " ".join(words)
