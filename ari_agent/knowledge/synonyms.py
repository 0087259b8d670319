"""Words that mean the same in a company, put beside its passages, so that callers may say either."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import Stemmer

from ari_agent.knowledge.compounds import Splitter
from ari_agent.knowledge.features import words
from ari_agent.knowledge.passage import Passage

_MOST = 40
"""Further ways to ask that one passage gets; more come of settings that name half the dictionary."""
_SPACE = re.compile(r"\s+")

Stems = tuple[str, ...]


def widen(
    passages: Sequence[Passage], groups: Sequence[Sequence[str]], known: Collection[str] = frozenset()
) -> tuple[Passage, ...]:
    """Return the passages with what else may be said for the words in them; for finding, not for speaking.

    `groups` are words or expressions that mean the same, such as ("Heizung", "Therme"), `known` words of the language,
    by which compounds are taken apart.
    """
    if not groups:
        return tuple(passages)
    own = {word for p in passages for text in (p.title, p.text, *p.questions) for word in words(text)}
    own |= {word for group in groups for member in group for word in words(member)}
    synonyms = Synonyms(groups, Splitter(known, own))
    return tuple(map(synonyms.widen, passages))


class Synonyms:
    """Groups of words or expressions that mean the same, in any form of theirs."""

    def __init__(self, groups: Sequence[Sequence[str]], splitter: Splitter) -> None:
        self._stemmer = Stemmer.Stemmer("german")
        self._splitter = splitter
        self._others: dict[Stems, list[str]] = {}
        """For each member what else may be said."""
        for group in groups:
            members = [_SPACE.sub(" ", " ".join(words(member))) for member in group]
            for member in filter(None, members):
                others = self._others.setdefault(self._stems(member.split()), [])
                others += [other for other in members if other and other != member and other not in others]
        self._longest = max((len(member) for member in self._others), default=0)

    def widen(self, passage: Passage) -> Passage:
        """Return a passage with further questions, and further words behind its text."""
        asked = [form for text in (passage.title, *passage.questions) for form in self._forms(words(text))]
        told = [other for _, _, others in self._found(words(passage.text)) for other in others]
        questions = dict.fromkeys((*passage.questions, *asked[:_MOST]))
        return replace(passage, questions=tuple(questions), text=" ".join((passage.text, *dict.fromkeys(told))))

    def _forms(self, heard: Sequence[str]) -> Iterator[str]:
        """Return the text once for every other member that may stand for one in it."""
        for start, end, others in self._found(heard):
            for other in others:
                yield " ".join((*heard[:start], other, *heard[end:]))

    def _found(self, heard: Sequence[str]) -> Iterator[tuple[int, int, list[str]]]:
        """Return where members stand and what else may stand there: for a part of a compound the others' compounds."""
        stems = self._stems(heard)
        for start in range(len(heard)):
            for end in range(start + 1, min(start + self._longest, len(heard)) + 1):
                if others := self._others.get(stems[start:end]):
                    yield start, end, others
            if parts := self._splitter.parts(heard[start]):
                for at, stem in enumerate(self._stems(parts)):
                    if others := self._others.get((stem,)):
                        yield start, start + 1, [" ".join((*parts[:at], one, *parts[at + 1 :])) for one in others]

    def _stems(self, heard: Sequence[str]) -> Stems:
        return tuple(self._stemmer.stemWords(list(heard)))
