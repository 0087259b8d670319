"""Words as they were meant: a recogniser splits compounds it does not know, and spells others as they sound."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ari_agent.knowledge.german import STOPWORDS
from ari_agent.knowledge.phonetics import cologne

_PARTS = 4
"""Parts a compound falls into at most."""
_LETTERS = 5
"""Letters from which parts are one word, and from which a word is compared by its sound."""
_SURE_SOUND = 4
"""Digits of a sound from which the vowels may differ; shorter sounds are shared by too many words."""
_STRANGE = 1.5
"""What a word that nobody knows costs beyond its place, so that joining it is preferred to leaving it."""
_COMPOUND = 7
"""Letters of a compound whose forms are joined."""
_ENDINGS = ("n", "en", "s", "es", "e", "er", "ern")
_VOWELS = re.compile(r"[aeiouyäöü]+")


class Mender:
    """Joins and respells words; `known` are words of the language, `own` are those of the company's passages."""

    def __init__(self, known: Collection[str], own: Iterable[str]) -> None:
        self._known = known
        self._own = frozenset(own)
        self._sounds: dict[str, list[str]] = {}
        for word in sorted(self._own):
            if len(word) >= _LETTERS:
                self._sounds.setdefault(cologne(word), []).append(word)

    def mend(self, heard: Sequence[str]) -> list[str]:
        """Return the words with compounds joined and misspelt company words respelt: the fewest and the longest."""
        best: list[tuple[float, int, list[str]]] = [(0.0, 0, [])]
        for end in range(1, len(heard) + 1):
            choices = []
            for start in range(max(0, end - _PARTS), end):
                if (found := self._one(heard[start:end])) is not None:
                    cost, word = found
                    before, length, chosen = best[start]
                    choices.append((before + cost, length - len(word) ** 2, [*chosen, word]))
            best.append(min(choices))
        return best[-1][2]

    def _one(self, parts: Sequence[str]) -> tuple[float, str] | None:
        """Return the word that the parts are together, and its cost; None when they are none."""
        joined = "".join(parts)
        if len(parts) == 1:
            if self._knows(joined):
                return 1.0, joined
            alike = self._alike(joined)
            return (1.2, alike) if alike else (1.0 + _STRANGE, joined)
        if len(joined) < _LETTERS or all(part in STOPWORDS for part in parts):
            return None
        if self._knows(joined):
            return 1.0, joined
        if (base := self._base(joined)) is not None:
            return 1.0, base
        if any(not self._knows(part) for part in parts) and (alike := self._alike(joined)):
            return 1.2, alike
        return None

    def _base(self, joined: str) -> str | None:
        """Return the company's compound of which this is a form: "öl wechseln" is "ölwechsel"."""
        bases = (joined.removesuffix(ending) for ending in _ENDINGS if joined.endswith(ending))
        return next((base for base in bases if len(base) >= _COMPOUND and base in self._own), None)

    def _alike(self, word: str) -> str | None:
        """Return a word of the company that sounds like this one."""
        if len(word) < _LETTERS:
            return None
        code = cologne(word)
        vowels = _VOWELS.findall(word)
        for own in self._sounds.get(code, ()):
            others = _VOWELS.findall(own)
            if len(vowels) == len(others) and (len(code) >= _SURE_SOUND or _plain(vowels) == _plain(others)):
                return own
        return None

    def _knows(self, word: str) -> bool:
        return word in self._own or word in self._known


def _plain(vowels: Sequence[str]) -> list[str]:
    return [v.replace("ä", "e").replace("ie", "i").replace("y", "i").replace("ei", "ai") for v in vowels]
