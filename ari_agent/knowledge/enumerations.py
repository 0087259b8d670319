"""Long enumerations in groups of at most three, so that a caller who cannot read along can keep them.

A semicolon is where a voice rests longer than at a comma; no word is added, moved or lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

AT_ONCE = 3
"""Items said without a rest."""
_ITEM_WORDS = 8
"""A longer piece between two commas is a clause of its own."""
_CLAUSE = re.compile(r"[^.;!?…()]+")
_COMMA = re.compile(r",(?=\s)")
_LAST = re.compile(r"\s(?:und|oder|sowie|beziehungsweise)\s")
_DIGIT = r"(?:plus|null|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun)"
_NO_ITEM = re.compile(
    rf"""\s*{_DIGIT}(?:\s{_DIGIT})*\s*$  # the pairs of a telephone number have their own rhythm
    | .*\b(?:ist|sind|war|waren|hat|haben|wird|werden|kann|können|muss|müssen|soll|sollen|darf|dürfen|will|wollen
    |möchten?|gibt|geht|kommt|wir|sie|ich|du|er|es|man|ihr|dass|wenn|weil|ob|damit|bitte)\b""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def grouped(text: str) -> str:
    """Return the text with a semicolon for the comma after at most three items of every longer enumeration."""
    return _CLAUSE.sub(lambda clause: _rested(clause[0]), text)


def _rested(clause: str) -> str:
    commas = [comma.start() for comma in _COMMA.finditer(clause)]
    if len(commas) + 1 < AT_ONCE:
        return clause
    rests: set[int] = set()
    for first, weights in _runs(clause, commas):
        end = first - 1
        for size in _groups(weights)[:-1]:
            end += size
            rests.add(commas[end])
    return "".join(";" if at in rests else sign for at, sign in enumerate(clause))


def _runs(clause: str, commas: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Yield every enumeration: its first comma, and how many items are in each of its pieces between commas."""
    first, weights = 0, [1]
    for at, (comma, end) in enumerate(zip(commas, [*commas[1:], len(clause)], strict=True)):
        piece = clause[comma + 1 : end]
        last = _LAST.search(piece)
        weights.append(1 + (last is not None and _is_item(piece[: last.start()])))
        if end == len(clause) or not _is_item(piece):
            yield first, weights
            first, weights = at + 1, [1]


def _groups(weights: list[int]) -> list[int]:
    """Return how many pieces each group has; none is left with the last item alone."""
    sizes, room = [0], AT_ONCE
    for weight in weights:
        if weight > room:
            sizes.append(0)
            room = AT_ONCE
        sizes[-1] += 1
        room -= weight
    if len(sizes) > 1 and room == AT_ONCE - 1:
        sizes[-2:] = [sizes[-2] - 1, 2]
    return sizes


def _is_item(piece: str) -> bool:
    return len(piece.split()) <= _ITEM_WORDS and not _NO_ITEM.match(piece)
