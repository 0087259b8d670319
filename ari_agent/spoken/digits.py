"""Figures said in any grouping, as a telephone number is: all readings of the words, the likeliest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ari_agent.spoken.numbers import Part, parts_of, read
from ari_agent.spoken.tokens import words

READINGS = 12
"""So many readings are kept at every word; an ambiguous pair doubles them."""

_MOST_DIGITS = 20
"""E.164 has 15 digits at most; an international prefix and a spoken "(0)" come on top."""

_HESITATIONS = frozenset(
    words(
        "äh ähm öh öhm hm mhm ah die der das den ne also so ja ok okay bitte mal nochmal einmal jetzt noch wieder "
        "ist sind lautet"
    )
)
_PAUSES = frozenset(
    words(
        "dann danach weiter strich bindestrich schrägstrich durchwahl pause leerzeichen klammer auf zu gefolgt von "
        "komma vorwahl"
    )
)
_SIGNS = frozenset("-,;:./()–…")
_PLURALS = {"nullen": 0, "einsen": 1, "zweien": 2, "zweier": 2, "dreien": 3, "dreier": 3, "vieren": 4, "vierer": 4}
_PLURALS |= {"fünfen": 5, "fünfer": 5, "sechsen": 6, "sechser": 6, "siebenen": 7, "siebener": 7, "achten": 8}
_PLURALS |= {"achter": 8, "neunen": 9, "neuner": 9}
_TIMES = {"ein": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5}
_TIMES_WORD = re.compile(rf"({'|'.join(_TIMES)})(?:mal|fach)")
_DOUBLE = re.compile(r"doppel(?:te|ten|t)?(.*)")

# what a reading costs that is less likely than the longest number of the words
_SHORTER = 2.0  # "drei hundert zwölf" as 3 100 12
_TENS_BEFORE_UNIT = 3.0  # "zwanzig vier" as 24
_LIKELY_ARTICLE = 0.5  # "eine sieben" is 7 rather than 17, "ein sieben" is 17 rather than 7
_UNLIKELY_ARTICLE = 1.0
_MOST_COST = 6.0  # beyond it a number is rather guessed than heard


@dataclass(frozen=True)
class Sign:
    """What stands among the parts of numbers: a plus, a pause, "zweimal", "Nullen"."""

    kind: Literal["plus", "pause", "times", "plural"]
    value: int
    word: int


Item = Part | Sign


@dataclass(frozen=True)
class Reading:
    """Figures, with a leading plus where one was said."""

    figures: str
    cost: float
    """0 for the plainest reading."""


def runs(spoken: Iterable[str]) -> Iterator[list[Item]]:
    """Yield what is said in one go: any word that belongs to no number ends a run."""
    run: list[Item] = []
    for index, word in enumerate(spoken):
        if word in ("mal", "fach") and run and isinstance(last := run[-1], Part) and last.text in _TIMES:
            run[-1] = Sign("times", last.value, index)
        elif word in _HESITATIONS:
            continue
        elif items := _items(word, index):
            run += items
        else:
            yield run
            run = []
    yield run


def _items(word: str, index: int) -> list[Item] | None:
    if word in _PAUSES or word in _SIGNS:
        return [Sign("pause", 0, index)]
    if word in ("plus", "+"):
        return [Sign("plus", 0, index)]
    if word in _PLURALS:
        return [Sign("plural", _PLURALS[word], index)]
    if match := _TIMES_WORD.fullmatch(word):
        return [Sign("times", _TIMES[match[1]], index)]
    if match := _DOUBLE.fullmatch(word):
        rest = parts_of(match[1], index) if match[1] else []
        return None if rest is None else [Sign("times", 2, index), *rest]
    parts = parts_of(word, index)
    return None if parts is None else list(parts)


def readings(run: Sequence[Item]) -> list[Reading]:
    """Return the readings of one run, the likeliest first, at most READINGS."""
    kept: list[dict[str, float]] = [{} for _ in range(len(run) + 1)]
    kept[0][""] = 0.0
    for at in range(len(run)):
        likeliest = sorted(kept[at].items(), key=lambda reading: reading[1])[:READINGS]
        for figures, end, cost in _steps(run, at) if likeliest else ():
            for before, paid in likeliest:
                after = before + figures
                if len(after) > _MOST_DIGITS or (figures == "+" and before) or paid + cost > _MOST_COST:
                    continue
                kept[end][after] = min(paid + cost, kept[end].get(after, paid + cost))
    likeliest = sorted(kept[-1].items(), key=lambda reading: reading[1])[:READINGS]
    return [Reading(figures, cost) for figures, cost in likeliest if figures.strip("+")]


_Step = tuple[str, int, float]
"""Figures, the index after them, the cost."""


def _steps(run: Sequence[Item], at: int) -> Iterator[_Step]:
    item = run[at]
    following = run[at + 1] if at + 1 < len(run) else None
    if isinstance(item, Part):
        yield from _numbers(run, at, item, following)
    elif item.kind == "plus":
        yield "+", at + 1, 0.0
    elif item.kind == "pause":
        yield "", at + 1, 0.0
    elif item.kind == "times" and isinstance(following, Part):
        yield from ((figures * item.value, end, cost) for figures, end, cost in _numbers(run, at + 1, following, None))


def _numbers(run: Sequence[Item], at: int, part: Part, following: Item | None) -> Iterator[_Step]:
    if part.kind == "figures":
        yield part.text, at + 1, 0.0
        return
    if part.kind == "und":
        yield "", at + 1, 0.0  # "und dann die"; where it joins a number, that number is the longer one
        return
    if isinstance(following, Sign) and following.kind == "plural" and part.kind == "unit":
        yield str(following.value) * part.value, at + 2, 0.0  # "drei Nullen"
    if isinstance(following, Part):
        if part.kind == "tens" and following.kind == "unit":
            yield str(part.value + following.value), at + 2, _TENS_BEFORE_UNIT
        if part.text == "ein" and following.kind in ("unit", "null"):
            yield "", at + 1, _UNLIKELY_ARTICLE
        if part.text == "eine" and following.kind in ("unit", "null", "teen", "tens"):
            yield "", at + 1, _LIKELY_ARTICLE
    yield from _lengths(run, at, part)


def _lengths(run: Sequence[Item], at: int, part: Part) -> Iterator[_Step]:
    """Yield the longest number that begins here and the shorter ones."""
    parts: list[Part] = []
    for item in run[at : at + 24]:
        if isinstance(item, Sign) or item.kind == "figures":
            break
        parts.append(item)
    longest = read(parts, 0)
    for end in range(1, longest[1] + 1 if longest else 1):
        shorter = read(parts, 0, end)
        if longest is None or shorter is None or shorter[1] != end:
            continue
        cost = 0.0
        if end < longest[1]:
            if parts[end].word == parts[end - 1].word:
                continue  # "siebenundzwanzig" in one word is not 7 20
            cost = _SHORTER
        elif end == 1 and part.text in ("ein", "eine"):
            cost = _LIKELY_ARTICLE if part.text == "ein" else _UNLIKELY_ARTICLE
        yield str(shorter[0]), at + end, cost
