"""Batches of training: the topics of one trade, passages for them, and what callers say about them."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass

from ari_agent.knowledge.features import words
from ari_agent.knowledge.mending import Mender
from train.corpus import ANY, Corpus, Topic
from train.speech import fill, spoken

Tokens = list[str]
UTTERANCES = 96
"""Callers' wordings in a batch."""
PASSAGES = 110
"""Passages in a batch."""
TURNS = 192
"""Turns of all kinds in a batch, for the head."""


@dataclass(frozen=True, slots=True)
class Document:
    """One passage as a company would write it."""

    title: Tokens
    text: Tokens
    questions: tuple[Tokens, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What is learnt from at once."""

    utterances: list[Tokens]
    answers: list[int]
    """Number of the passage that answers utterance i; -1 when none does."""
    same: list[set[int]]
    """Passages that would be right as well, because they are about nearly the same."""
    documents: list[Document]
    turns: list[Tokens]
    kinds: list[str]


class Batches:
    """Draws batches; `topics` limits which may be learnt from."""

    def __init__(self, corpus: Corpus, topics: Collection[str], seed: int) -> None:
        self._corpus, self._rng = corpus, random.Random(seed)
        self._topics = [topic for topic in corpus.topics if topic.key in topics]
        self._trades = sorted({topic.trade for topic in self._topics} - {ANY})
        self.known = vocabulary(corpus)
        self._menders = {trade: mender(corpus, self.known, trade) for trade in (ANY, *self._trades)}
        self._like = {t.key: {other.key for other in self._topics if t.resembles(other)} for t in self._topics}
        self._of_trade = {trade: [t for t in self._topics if t.trade in (trade, ANY)] for trade in (*self._trades, ANY)}

    def draw(self) -> Batch:
        """Draw one batch."""
        rng = self._rng
        trade = rng.choices(self._trades, [len(self._of_trade[t]) ** 0.5 for t in self._trades])[0]
        own = [t for t in self._of_trade[trade] if t.trade == trade]
        rest = [t for t in self._topics if t.trade != trade]
        common = [t for t in self._of_trade[trade] if t.trade == ANY]
        shown = rng.sample(own, min(len(own), PASSAGES * 6 // 10))
        shown += rng.sample(common, min(len(common), PASSAGES * 2 // 10))
        shown += rng.sample(rest, max(0, PASSAGES - len(shown)))
        shown = list({t.key: t for t in shown}.values())
        asked = [rng.randrange(len(shown)) for _ in range(UTTERANCES)]
        documents = [document(topic, self._corpus, rng) for topic in shown]
        utterances, answers, same = [], [], []
        for number in asked:
            utterances.append(self._say(rng.choice(shown[number].wordings), trade))
            answers.append(number)
            same.append({i for i, t in enumerate(shown) if t.key in self._like[shown[number].key]})
        for _ in range(UTTERANCES // 5):
            utterances.append(self._outside(trade, shown))
            answers.append(-1)
            same.append(set())
        turns, kinds = zip(*(self._turn(trade) for _ in range(TURNS)), strict=True)
        return Batch(utterances, answers, same, documents, list(turns), list(kinds))

    def _say(self, wording: str, trade: str) -> Tokens:
        return self._menders[trade].mend(words(spoken(wording, self._corpus.fillers, self._rng)))

    def _outside(self, trade: str, shown: list[Topic]) -> Tokens:
        if self._rng.random() < 0.5:
            return self._say(self._rng.choice(self._corpus.phrases["outside"]), trade)
        near = {key for t in shown for key in self._like[t.key]}
        others = [t for t in self._topics if t.key not in near]
        return self._say(self._rng.choice(self._rng.choice(others).wordings), trade)

    def _turn(self, trade: str) -> tuple[Tokens, str]:
        rng = self._rng
        if rng.random() < 0.35:
            return self._say(rng.choice(rng.choice(self._topics).wordings), trade), "question"
        phrases = self._corpus.phrases
        kind = rng.choices(sorted(phrases), [len(phrases[k]) ** 0.6 for k in sorted(phrases)])[0]
        return self._say(rng.choice(phrases[kind]), trade), kind


def vocabulary(corpus: Corpus) -> set[str]:
    """Return all words of the clean training texts."""
    texts = [text for t in corpus.topics for text in (*t.titles, *t.passages, *t.wordings)]
    texts += [text for lines in corpus.phrases.values() for text in lines]
    texts += [text for values in corpus.fillers.values() for text in values]
    return {word for text in texts for word in words(text.replace("{", " ").replace("}", " "))}


def mender(corpus: Corpus, known: set[str], trade: str) -> Mender:
    """Return the mender of a company of this trade."""
    own = {w for t in corpus.topics if t.trade == trade for text in (*t.titles, *t.passages) for w in words(text)}
    return Mender(known, own)


def document(topic: Topic, corpus: Corpus, rng: random.Random, without: str = "") -> Document:
    """Write a passage about a topic; one in three has no questions, and none has the question `without`."""
    others = [wording for wording in topic.wordings if wording != without]
    count = rng.choice((0, 1, 2)) if others else 0
    questions = rng.sample(others, min(count, len(others)))
    title, text = rng.choice(topic.titles), rng.choice(topic.passages)
    return Document(
        words(fill(title, corpus.fillers, rng)),
        words(fill(text, corpus.fillers, rng)),
        tuple(words(fill(question, corpus.fillers, rng)) for question in questions),
    )
