"""What the encoder sees of a word: numbers of table rows for its spelling, its stem, its sound and its class."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping

import Stemmer

from ari_agent.knowledge.phonetics import cologne

ROWS = 1 << 16
"""Rows of the table; a feature's row is its CRC-32 modulo this."""
MAX_WORDS = 60
"""Words of one utterance that are read; a caller who says more is understood by the first."""
MAX_LETTERS = 40
"""Letters of one word that are read."""

_WORD = re.compile(r"[a-zäöü]+")
_GRAMS = (3, 4, 5)
_SHORT = 3
"""Words up to this length are their own and only n-gram."""


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without what the recogniser did not know ("[unk]")."""
    plain = text.casefold().replace("[unk]", " ").replace("ß", "ss")
    return [word[:MAX_LETTERS] for word in _WORD.findall(plain)]


class Features:
    """Turns words into rows; `classes` names the class of words that stand for each other, such as places."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes
        self._stemmer = Stemmer.Stemmer("german")

    def stem(self, word: str) -> str:
        """Return the stem of a word."""
        stem: str = self._stemmer.stemWord(word)
        return stem

    def of_word(self, word: str) -> list[int]:
        """Return the rows of a word, at least two."""
        names = [f"w{word}", f"s{self.stem(word)}"]
        if len(code := cologne(word)) > 2:
            names.append(f"k{code}")
        if (tag := self._classes.get(word)) is not None:
            names += [f"@{tag}", f"w{tag}", f"s{self.stem(tag)}"]
        if len(word) > _SHORT:
            framed = f"^{word}$"
            names += [framed[i : i + n] for n in _GRAMS for i in range(len(framed) - n + 1)]
        return rows(names)

    def of_pair(self, first: str, second: str) -> int:
        """Return the row of two neighbours: "wie lange" tells more than its words."""
        return rows([f"{first} {second}"])[0]


def rows(names: Iterable[str]) -> list[int]:
    """Return the rows of features."""
    return [zlib.crc32(name.encode()) % ROWS for name in names]
