"""Invented companies: passages of one trade, near neighbours of each other, and what callers ask them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ari_agent.knowledge.passage import Passage
from train.corpus import ANY, Corpus, Topic
from train.speech import fill, spoken

PASSAGES = (12, 26)
"""Fewest and most passages."""
_OWN_SHARE = 0.75
"""Share of passages that are of the trade; the rest is what any company may have."""
_OUTSIDE_SHARE = 0.3
"""Share of questions that the document does not answer."""


@dataclass(frozen=True, slots=True)
class Company:
    """A document, and what is asked."""

    passages: tuple[Passage, ...]
    questions: tuple[tuple[str, int], ...]
    """Callers' words and the number of the passage that answers them; -1 for none."""


def invent(corpus: Corpus, asked: Collection[str], questions: int, rng: random.Random) -> Company:
    """Invent a company; its callers ask about the topics `asked` (by key), its other passages are of any topic."""
    trade = rng.choice(sorted({t.trade for t in corpus.topics} - {ANY}))
    topics = _draw(corpus, trade, rng)
    kept = [rng.sample(t.wordings, min(rng.choice((0, 1, 2)), len(t.wordings) - 1)) for t in topics]
    passages = tuple(_passage(i, t, k, corpus, rng) for i, (t, k) in enumerate(zip(topics, kept, strict=True)))
    near = list(_near(corpus, trade, topics, asked))
    said = []
    inside = [i for i, t in enumerate(topics) if t.key in asked]
    for _ in range(questions):
        if inside and rng.random() > _OUTSIDE_SHARE:
            number = rng.choice(inside)
            said.append((rng.choice([w for w in topics[number].wordings if w not in kept[number]]), number))
        elif rng.random() < 0.6 and near:
            said.append((rng.choice(rng.choice(near).wordings), -1))
        else:
            said.append((rng.choice(corpus.phrases["outside"]), -1))
    return Company(passages, tuple((spoken(wording, corpus.fillers, rng), answer) for wording, answer in said))


def _draw(corpus: Corpus, trade: str, rng: random.Random) -> list[Topic]:
    """Draw topics of which none answers the questions to another."""
    size = rng.randint(*PASSAGES)
    own = [t for t in corpus.topics if t.trade == trade]
    common = [t for t in corpus.topics if t.trade == ANY]
    drawn = rng.sample(own, min(len(own), round(size * _OWN_SHARE)))
    drawn += rng.sample(common, min(len(common), size - len(drawn)))
    topics: list[Topic] = []
    for topic in drawn:
        if len(topic.wordings) > 1 and not any(topic.resembles(other) for other in topics):
            topics.append(topic)
    return topics


def _near(corpus: Corpus, trade: str, topics: list[Topic], asked: Collection[str]) -> Iterator[Topic]:
    """Return topics that this company could have and does not."""
    for topic in corpus.topics:
        if topic.key in asked and topic.trade in (trade, ANY) and not any(map(topic.resembles, topics)):
            yield topic


def _passage(number: int, topic: Topic, questions: list[str], corpus: Corpus, rng: random.Random) -> Passage:
    title, text, *asked = (
        fill(part, corpus.fillers, rng) for part in (rng.choice(topic.titles), rng.choice(topic.passages), *questions)
    )
    return Passage(f"p{number}", title, text, tuple(asked))
