"""What a caller corrects in a telephone number that was read back: "nein, sieben drei"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ari_agent.spoken.digits import Item, readings, runs
from ari_agent.spoken.numbers import parse, parse_ordinal
from ari_agent.spoken.telephone import area_of, figures_of, groups_of, telephone
from ari_agent.spoken.tokens import words

Place = Literal["anywhere", "start", "end", "area", "figure"]

_EMPTY = frozenset(
    words(
        "nein nee nö ne äh ähm also doch bitte moment halt stopp falsch da das es der den dem war wäre muss müsste "
        "heißen heißt sein ich sagte meinte meine habe gesagt stimmt korrektur quatsch und richtig dann kommt kommen "
        "ganz an am die eine einen einem ziffer ziffern zahl zahlen stelle stellen nummer"
    )
)
_COPULA = frozenset(words("ist sind lautet lauten heißt heißen kommt kommen"))
_END = frozenset(words("ende schluss hinten letzte letzten letzter zuletzt"))
_START = frozenset(words("anfang beginn vorne vorn ersten zuerst"))
_COUNTED = frozenset(words("letzten ersten"))
_INSTEAD = frozenset(words("statt anstatt anstelle"))
_MORE = frozenset(words("noch fehlt"))
_MOST_COUNTED = 9
"""A higher number after "die letzten" is figures, "die letzten neunundvierzig"."""


@dataclass(frozen=True)
class _Change:
    new: str
    old: str = ""
    place: Place = "anywhere"
    count: int = 0
    """How many figures the caller says that change; 0 where it is not said."""
    figure: int = 0
    """Which figure, from 1; from the end where negative."""
    added: bool = False


def apply_correction(number: str, heard: str) -> str | None:
    """Return the corrected number as E.164; None when it is not clear what should change, or the result is not valid.

    A correction that names no place goes where it differs least, if there is one such place: two figures that were
    exchanged count like one wrong figure, and a place where the reading back paused comes before others.
    """
    figures = figures_of(number)
    spoken = words(heard)
    if figures is None or not spoken:
        return None
    if len(whole := _figures([word for word in spoken if word not in _EMPTY]) or "") >= 7 and (
        valid := telephone(whole)
    ):
        return valid.e164  # the whole number once more
    change = _change(spoken)
    corrected = None if change is None else _corrected(figures, groups_of(number), change, area_of(number))
    if corrected is None or corrected == figures:
        return None
    valid = telephone(corrected)
    return None if valid is None else valid.e164


def _change(spoken: list[str]) -> _Change | None:
    place, count, figure, rest = _place(spoken)
    added = any(word in _MORE for word in rest)
    rest = [word for word in rest if word not in _MORE]
    if pair := _old_and_new(rest):
        old, new = map(_figures, pair)
        return _Change(new, old, place, count, figure) if old and new else None
    new = _figures([word for word in rest if word not in _EMPTY and word not in _COPULA])
    return _Change(new, "", place, count, figure, added) if new else None


def _place(spoken: list[str]) -> tuple[Place, int, int, list[str]]:
    """Return the place, how many figures, which figure, and the words that are left."""
    for at, word in enumerate(spoken):
        before, after = spoken[:at], spoken[at + 1 :]
        if word in _COUNTED and (counted := _counted(after)):
            return ("end" if word == "letzten" else "start", counted[0], 0, before + counted[1])
        if word in _END or word in _START:
            single = word in ("letzte", "letzter")
            return ("end" if word in _END else "start", 1 if single else 0, 0, before + after)
        if word == "vorwahl":
            return "area", 0, 0, before + after
        if word.startswith("vorletzte"):
            return "figure", 1, -2, before + after
        if after and after[0] in ("ziffer", "zahl", "stelle") and (figure := parse_ordinal(word)):
            return "figure", 1, figure, before + after
    return "anywhere", 0, 0, spoken


def _counted(after: list[str]) -> tuple[int, list[str]] | None:
    """Take the count from "zwei [Ziffern] [sind] vier neun"; _corrected compares it with the figures that follow."""
    count = 2 if after[:1] == ["beiden"] else parse(after[0]) if after else None
    return (count, after[1:]) if count and 2 <= count <= _MOST_COUNTED else None


def _old_and_new(spoken: list[str]) -> tuple[list[str], list[str]] | None:
    """Return the words of what was wrong and of what is right; None when only one is said."""
    for at, word in enumerate(spoken):
        before, after = _told(spoken[:at]), _told(spoken[at + 1 :])
        if word in _INSTEAD:
            return after, before
        if word == "sondern" and "nicht" in spoken[:at]:
            return [other for other in before if other != "nicht"], after
        if word == "nicht" and "sondern" not in spoken and before and after:
            return after, before
    return None


def _told(spoken: Sequence[str]) -> list[str]:
    return [word for word in spoken if word not in _EMPTY and word not in _COPULA]


def _figures(spoken: Sequence[str]) -> str | None:
    """Return the likeliest figures; None when a word is something else."""
    said: list[list[Item]] = list(runs(spoken))
    likeliest = readings(said[0]) if len(said) == 1 else []
    return likeliest[0].figures if likeliest else None


def _corrected(figures: str, groups: list[str], change: _Change, area: str) -> str | None:
    new = change.new
    if change.count and change.place != "figure" and len(new) != change.count:
        return None
    if change.old:
        return _replaced(figures, change)
    match change.place:
        case "end" if change.added:
            return figures + new
        case "end":
            return figures[: -len(new)] + new if len(new) < len(figures) else None
        case "start":
            return new + figures[len(new) :] if len(new) < len(figures) else None
        case "area":
            abroad = new.startswith(("+", "00"))
            return new + figures[len(area) :] if abroad == area.startswith("+") else None
        case "figure":
            at = change.figure - 1 if change.figure > 0 else len(figures) + change.figure
            return figures[:at] + new + figures[at + 1 :] if len(new) == 1 and 0 <= at < len(figures) else None
        case "anywhere":
            return None if change.added else _where_least(figures, groups, new)


def _replaced(figures: str, change: _Change) -> str | None:
    """Replace what was wrong where it stands, if it stands there once."""
    old, new = change.old, change.new
    match change.place:
        case "end" if figures.endswith(old):
            return figures.removesuffix(old) + new
        case "start" if figures.startswith(old):
            return new + figures.removeprefix(old)
        case "anywhere" if _occurrences(figures, old) == 1:
            return figures.replace(old, new)
    return None


def _occurrences(figures: str, part: str) -> int:
    return sum(figures.startswith(part, at) for at in range(len(figures)))


def _where_least(figures: str, groups: list[str], new: str) -> str | None:
    if len(new) < 2 or len(new) >= len(figures):
        return None  # one figure fits anywhere
    starts = {sum(map(len, groups[:count])) for count in range(len(groups))}
    costs: list[tuple[float, int]] = []
    for at in range(len(figures) - len(new) + 1):
        cost = _difference(figures[at : at + len(new)], new)
        if not cost and at in starts:
            return None  # what was read back like that is not what the caller means
        if 0 < cost <= len(new) / 2:
            costs.append((cost + (0.0 if at in starts else 0.5), at))
    costs.sort()
    if not costs or (len(costs) > 1 and costs[1][0] == costs[0][0]):
        return None
    at = costs[0][1]
    return figures[:at] + new + figures[at + len(new) :]


def _difference(said: str, meant: str) -> int:
    """Return how many figures differ; two neighbours that were exchanged count once."""
    count = at = 0
    while at < len(said):
        if said[at] == meant[at]:
            at += 1
        elif said[at : at + 2] == meant[at : at + 2][::-1] and len(said) > at + 1:
            count, at = count + 1, at + 2
        else:
            count, at = count + 1, at + 1
    return count
