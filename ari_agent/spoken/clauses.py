"""Cuts what callers say about a time into clauses: "ab", "bis", "zwischen ... und", each with a day, a part, a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from ari_agent.spoken import dates, times
from ari_agent.spoken.calendar_words import weekday
from ari_agent.spoken.dates import Days
from ari_agent.spoken.times import Clock

Kind = Literal["at", "from", "to", "between"]

_KINDS: dict[str, Kind] = {
    "ab": "from",
    "von": "from",
    "vom": "from",
    "fruehestens": "from",
    "erst": "from",
    "bis": "to",
    "spaetestens": "to",
    "zwischen": "between",
}
REFUSALS = frozenset({"nicht", "nie", "niemals", "kein", "keine", "keinen", "keinesfalls", "ausser"})


@dataclass(frozen=True)
class Clause:
    """What was said after "ab" (from), "bis" (to), "zwischen" (between) or none of them (at)."""

    kind: Kind
    days: Days | None = None
    part: str | None = None
    clock: Clock | None = None
    about: bool = False
    day_first: bool = False
    exclusive: bool = False
    """The day itself is not meant: "nach Montag", "vor Freitag"."""

    @property
    def empty(self) -> bool:
        """Say whether nothing but the preposition was said."""
        return self.days is None and self.part is None and self.clock is None


_UNHURRIED = frozenset({"eilig", "dringend", "so", "wichtig", "schlimm", "eile"})


def clauses_of(said: list[str], today: date) -> list[Clause] | None:
    """Cut the words into clauses; None for days that do not exist and for "am Montag nicht"."""
    done: list[Clause] = []
    clause = Clause("at")
    at = 0
    while at < len(said):
        if opening := _opening(said, at, clause, today):
            done.append(clause)
            clause, at = opening
            continue
        step = _content(said, at, clause, _from_when(said, at, clause, done, today))
        if step is None:
            return None
        clause, at = step
    done.append(clause)
    return [clause for clause in done if not clause.empty or clause.kind != "at"]


def _from_when(said: list[str], at: int, clause: Clause, done: list[Clause], today: date) -> date:
    """Return the day after which a date is looked for: the Wednesday of "Montag bis Mittwoch" is after the Monday."""
    begun = next((before.days for before in done if before.days), None)
    after_it = clause.kind == "to" and begun is not None and weekday(said[at]) is not None
    return begun.first if begun and after_it else today


def _opening(said: list[str], at: int, before: Clause, today: date) -> tuple[Clause, int] | None:
    """Return the clause that begins with this word."""
    word, following = said[at], said[at + 1] if at + 1 < len(said) else ""
    if word == "zwischen" and said[at : at + 3] == ["zwischen", "den", "jahren"]:
        return None
    if word == "nicht" and following in {"vor", "nach", "frueher", "spaeter"}:
        skip = 3 if said[at + 2 : at + 3] == ["als"] else 2
        return Clause("from" if following in {"vor", "frueher"} else "to"), at + skip
    if word == "erst" and following in {"ab", "nach"}:
        return None
    if word in {"vor", "nach"} and following != "feierabend" and not _is_feast(said, at, today):
        return Clause("from" if word == "nach" else "to", exclusive=True), at + 1
    if word in {"und", "oder"} and before.kind == "between" and not before.empty:
        return Clause("to"), at + 1
    if word == "oder" and before.kind == "at" and before.days and before.part is None and before.clock is None:
        return Clause("to"), at + 1  # "Dienstag oder Mittwoch"
    kind = _KINDS.get(word)
    return (Clause(kind), at + 1) if kind else None


def _is_feast(said: list[str], at: int, today: date) -> bool:
    found = dates.read(said, at, today)
    return found is not None and found[1] > at + 1


def _content(said: list[str], at: int, clause: Clause, today: date) -> tuple[Clause, int] | None:
    """Read what this word adds to the clause; None where it spoils the wish."""
    word = said[at]
    if word in REFUSALS:
        # "es ist nicht eilig" refuses nothing
        return (clause, at + 2) if said[at + 1 : at + 2] and said[at + 1] in _UNHURRIED else None
    if word == "morgen" and _morning(said, at, clause):
        return replace(clause, part="frueh"), at + 1
    if clause.days is None and (found := dates.read(said, at, today)):
        days, end = found
        if days is None:
            return None
        return replace(clause, days=days, day_first=clause.clock is None and clause.part is None), end
    if clause.clock is None and (time := times.read(said, at)) and times.stands_alone(said, at, time[1]):
        return replace(clause, clock=time[0]), time[1]
    if word in {"gegen", "etwa", "ungefaehr", "circa", "ca"}:
        return replace(clause, about=True), at + 1
    if word == "feierabend":
        return replace(clause, part="feierabend"), at + 1
    part = times.part_of(word)
    return (replace(clause, part=part) if part else clause), at + 1


def _morning(said: list[str], at: int, clause: Clause) -> bool:
    """Say whether "morgen" is the morning: "am Morgen", "heute Morgen", "Montag Morgen"."""
    before = said[at - 1] if at else ""
    return before in {"am", "fruehen", "jeden"} or (clause.days is not None and clause.day_first)
