"""German compounds taken apart: "heizungswartung" is of "heizung" and "wartung".

A compound is known words side by side, each but the last with what links it to the next (the Fugenelement: Duden, Die
Grammatik, "Kompositum"). Which words there are comes from the company's documents and the encoder's vocabulary, so a
part that nobody wrote is no part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ari_agent.knowledge.german import FILLERS, PARTICLES, STOPWORDS, UNFINISHED

LINKS = ("", "s", "n", "en", "es", "er", "e", "-")
"""Fugenelemente, with "" for none."""
_DROPPED = {"e": 4, "en": 5, "n": 5}
"""Endings that a word may lose as a first part, and the letters that must remain: "mietpreis", "waschplatz"."""
_INFLECTED = ("en", "e", "n", "s", "er", "es")
"""Endings that a last part may have or lose: "terminabsage" of "absagen", "stromzählers" of "zähler"."""
_STABLE = 6
"""Letters of a last part, with the ending that it has more, from which endings may differ: "rung" is not "runge"."""
_LONGEST = 40
"""Letters of a word that is taken apart; the time grows with their square."""
_SHORTEST = 4
"""Letters of a part; shorter ones stand in too many words by chance, but for these."""
_SHORT = frozenset(
    word
    for line in (
        "amt arm art bad bau bus eis gas gel hof hut kfz lkw not ohr öl pkw rad rat see tag tee tor typ tür uhr weg",
        "zoo zug",
    )
    for word in line.split()
)
_NUMBERS = ("zehn", "zig", "ssig", "hundert", "tausend")
_DAYS = frozenset(f"{day}{end}" for day in ("freitag", "sonntag", "mittwoch", "sonnabend") for end in ("", "s", "e"))
_NONE = STOPWORDS | UNFINISHED | FILLERS | PARTICLES


class Piece(NamedTuple):
    """One part of a word, as it is written there."""

    text: str
    link: str = ""
    """What links it to the next."""
    base: str = ""
    """The known word that it is, "" for itself: "absagen" for the "absage" in "terminabsage"."""

    @property
    def word(self) -> str:
        """The known word."""
        return self.base or self.text


class Splitter:
    """Takes words apart; `known` are words of the language, `own` those of the company, all in lower case."""

    def __init__(self, known: Collection[str], own: Iterable[str] = ()) -> None:
        self._known = known
        self._own = frozenset(own)

    def parts(self, word: str) -> tuple[str, ...]:
        """Return the known words that a compound is of; () where it is none."""
        pieces = self.split(word)
        return tuple(piece.word for piece in pieces) if len(pieces) > 1 else ()

    def inner(self, word: str) -> frozenset[str]:
        """Return every known word within a compound, those that are compounds themselves too."""
        pieces = self._divided(word)
        if len(pieces) == 1:
            return frozenset()
        return frozenset(piece.word for piece in pieces).union(*(self.inner(piece.text) for piece in pieces))

    def split(self, word: str) -> tuple[Piece, ...]:
        """Return the smallest pieces of a word, which together are the word again; itself where it is no compound."""
        pieces = self._divided(word)
        if len(pieces) == 1:
            return pieces
        smaller: list[Piece] = []
        for piece in pieces:
            *inner, last = self.split(piece.text)
            smaller += [*inner, last._replace(link=piece.link) if inner else piece]
        return tuple(smaller)

    def _divided(self, word: str) -> tuple[Piece, ...]:
        """Return the fewest pieces of a word, rather those without link and with the known word's own ending."""
        if not 2 * _SHORTEST - 2 < len(word) <= _LONGEST or word in _DAYS or word.endswith(_NUMBERS):
            return (Piece(word),)
        best: list[tuple[float, tuple[Piece, ...]] | None] = [(0.0, ()), *([None] * len(word))]
        for end in range(2, len(word) + 1):
            choices = []
            for start in range(end - 1):
                if (before := best[start]) is None or (start == 0 and end == len(word)):
                    continue
                if found := self._piece(word[start:end], last=end == len(word)):
                    choices.append((before[0] + found[0], (*before[1], found[1])))
            best[end] = min(choices, default=None)
        return best[-1][1] if best[-1] else (Piece(word),)

    def _piece(self, text: str, *, last: bool) -> tuple[float, Piece] | None:
        """Return the cheapest way in which a text is one part of a compound, and its cost."""
        for link in ("",) if last else LINKS:
            part = text.removesuffix(link)
            if (link and part == text) or not (base := self._base(part, last=last)):
                continue
            changed = base != part
            return 1.0 + 0.1 * bool(link) + 0.2 * changed, Piece(part, link, base if changed else "")
        return None

    def _base(self, part: str, *, last: bool) -> str:
        """Return the known word that a part is, "" for none."""
        if part in _NONE or len(part) < _SHORTEST:
            return part if part in _SHORT else ""
        if self._knows(part):
            return part
        if not last:
            endings = (end for end, letters in _DROPPED.items() if len(part) >= letters)
            return next((f"{part}{end}" for end in endings if self._knows(f"{part}{end}")), "")
        longer = (f"{part}{end}" for end in _INFLECTED if len(part) >= _STABLE - 1)
        shorter = (part.removesuffix(end) for end in _INFLECTED if len(part) >= _STABLE)
        return next((word for word in (*longer, *shorter) if len(word) >= _SHORTEST and self._knows(word)), "")

    def _knows(self, word: str) -> bool:
        return (word in self._own or word in self._known) and word not in _NONE
