"""Questions that a model proposes for a passage: which of them an administrator is asked about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import Stemmer

from ari_agent.decision import Topic
from ari_agent.dialogue.guard import numbers

MOST_LETTERS = 120
"""Of a question: what a caller says in one breath."""
LEAST_WORDS = 2

_MARKS = re.compile(r"^(?:[-*+•]|\d{1,2}[.)]|[Ff]rage(?: \d{1,2})?:)\s*")
_QUOTES = " \t\"'„“”»«‚‘*_`"
_APART = re.compile(r"(?<=\?)[\s\"“«]+|\n")
_LETTERS = re.compile(r"[A-Za-zÄÖÜäöüßéèàç ,'’-]+\?")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_stem = Stemmer.Stemmer("german").stemWord


def questions(written: Iterable[str]) -> list[str]:
    """Return the questions in what a model wrote, each once, without numbers and marks of a list; in its order."""
    found = (_MARKS.sub("", part.strip()).strip(_QUOTES) for text in written for part in _APART.split(text))
    return list(dict.fromkeys(question for question in found if question))


def objection(question: str, topic: Topic, others: Sequence[Topic], known: Collection[str]) -> str | None:
    """Return a code for why nobody should be asked about it, None when it may be proposed.

    Codes: "form" (no question of a few words in German letters), "number" and "name" (one that the passage does not
    have), "known" (the passage has this question), "elsewhere" (another passage has it). `known` are words of the
    language in lower case with ss for ß: any other word with a capital may be somebody's name.
    """
    if len(question) > MOST_LETTERS or not _LETTERS.fullmatch(question):
        return "form"
    words = _WORD.findall(question)
    if len(words) < LEAST_WORDS:
        return "form"
    written = " ".join((topic.title, topic.text, *topic.questions))
    if numbers(question) - numbers(written):
        return "number"
    own = {_stem(word.casefold()) for word in _WORD.findall(written)}
    for position, word in enumerate(words):
        plain = word.casefold()  # makes ß to ss
        if _stem(plain) not in own and plain not in known and (position == 0 or word[:1].isupper()):
            return "name"
    if _same(question) in _asked(topic):
        return "known"
    return "elsewhere" if any(_same(question) in _asked(other) for other in others) else None


def _asked(topic: Topic) -> set[str]:
    return {_same(question) for question in (topic.title, *topic.questions)}


def _same(question: str) -> str:
    """Return what two questions have in common that are the same to a caller."""
    return " ".join(_WORD.findall(question.casefold()))
