"""Phones and their numbers: each of espeak-ng's phones stands four times, by its place in the word.

    1 SIL, 2 x_B (begin), 3 x_I (internal), 4 x_E (end), 5 x_S (alone), 6 y_B, …

A phone of number p has the transition ids 2p - 1 (self-loop) and 2p (forward).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from train.speech import SILENCE

SILENCE_ID = 1
"""Number of SILENCE."""

_PLACES = {"B": "begin", "I": "internal", "E": "end", "S": "singleton"}


@dataclass(frozen=True)
class PhoneTable:
    """The phones of a model; names[0] is SILENCE."""

    names: tuple[str, ...]

    def ids(self) -> range:
        """Return the numbers of all phones."""
        return range(SILENCE_ID, SILENCE_ID + 1 + len(_PLACES) * (len(self.names) - 1))

    def base(self, phone: int) -> int:
        """Return the index in names of a phone number."""
        return (phone + len(_PLACES) - 2) // len(_PLACES)

    def placed(self, name: str, place: str) -> int:
        """Return the number of a phone at a place: B, I, E or S. Raises KeyError for a phone that was not trained."""
        if name not in self.names:
            raise KeyError(f"the acoustic model knows no phone {name!r}: train it anew with this word")
        return 2 + len(_PLACES) * (self.names.index(name) - 1) + "BIES".index(place)

    def pronunciation(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of a word's phones. Raises KeyError like placed()."""
        if len(names) == 1:
            return (self.placed(names[0], "S"),)
        inner = [self.placed(name, "I") for name in names[1:-1]]
        return (self.placed(names[0], "B"), *inner, self.placed(names[-1], "E"))

    def write(self, graph: Path) -> None:
        """Write phones.txt, and phones/word_boundary.int, from which Vosk knows where words begin and end."""
        rows = [f"{SILENCE} {SILENCE_ID}"]
        bounds = [f"{SILENCE_ID} nonword"]
        for name in self.names[1:]:
            for place, word in _PLACES.items():
                rows.append(f"{name}_{place} {self.placed(name, place)}")
                bounds.append(f"{self.placed(name, place)} {word}")
        (graph / "phones").mkdir(parents=True, exist_ok=True)
        (graph / "phones.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        (graph / "phones" / "word_boundary.int").write_text("\n".join(bounds) + "\n", encoding="utf-8")


def read(graph: Path) -> PhoneTable:
    """Read back the phones.txt of a model's graph folder."""
    rows = (graph / "phones.txt").read_text(encoding="utf-8").splitlines()
    names = [row.rsplit(" ", 1)[0] for row in rows]
    return PhoneTable((SILENCE, *(name.removesuffix("_B") for name in names[1 :: len(_PLACES)])))


def table(used: set[str]) -> PhoneTable:
    """Return the table of the phones that occur in the training speech and in the lexicon."""
    return PhoneTable((SILENCE, *sorted(used - {SILENCE})))
