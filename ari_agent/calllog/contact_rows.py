"""What files of contacts say, checked: every row or none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ari_agent.calllog.phone_book import Treatment, e164, is_written
from ari_agent.errors import DocumentError

MAX_CONTACTS = 50_000
LONGEST_TEXT = 120
"""Characters of a name."""
_ROWS_NAMED = 5
"""Rows that a warning names."""
_SEVERAL = re.compile(r"\s*(?:;|,|\||\n|:::)\s*")
"""Between several numbers in one cell."""
_FORMULA = re.compile(r"[=+@\t-].")
"""What spreadsheets take for a formula (CWE-1236); no name begins so."""


@dataclass(frozen=True, slots=True)
class Row:
    """A person or company as a file has it; None is what the file does not tell at all."""

    place: str
    """File and line, such as "kunden.csv:7"."""
    name: str = ""
    company: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    """Cells with numbers, each with its place."""
    route: Treatment | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact as a file lists it."""

    number: str
    """As E.164."""
    name: str
    company: str
    route: Treatment | None
    """None where the file does not tell."""
    target: str | None
    place: str


@dataclass(frozen=True, slots=True)
class ContactFile:
    """The contacts of a file, each number once, and what its author should know."""

    name: str
    contacts: tuple[Listed, ...]
    warnings: tuple[str, ...] = ()


def contact_file(
    name: str, rows: Iterable[Row], area_code: str, targets: Collection[str], warnings: Iterable[str]
) -> ContactFile:
    """Return the contacts of a file's rows; `targets` are the names that a row may give as its target.

    Several people under one number become one contact without a name. Raises DocumentError naming file and row, but
    neither a name nor a number.
    """
    found: dict[str, Listed] = {}
    without, shared = [], []
    for row in rows:
        numbers = _numbers(row, area_code)
        if not numbers:
            without.append(row.place)
        for number in numbers:
            listed = _listed(row, number, targets)
            if (first := found.setdefault(number, listed)) is not listed:
                found[number] = _one_of(first, listed)
                if first.name != listed.name:
                    shared.append(row.place)
        if len(found) > MAX_CONTACTS:
            raise DocumentError(f"{row.place} more than {MAX_CONTACTS} numbers; leave out whom nobody needs to know")
    if not found:
        raise DocumentError(f"{name} has no telephone number; export the contacts with their numbers")
    told = _told("no number, left out", without) + _told("a number of several people, kept without their names", shared)
    return ContactFile(name, tuple(found.values()), (*warnings, *told))


def text_of(written: str, place: str) -> str:
    """Return a name in one line without signs that a terminal would obey. Raises DocumentError."""
    text = "".join(sign for sign in " ".join(written.split()) if sign.isprintable())
    if is_written(text) or text in {"-", "–", "?"}:
        return ""  # some programs export the number, or a dash, where no name is known
    if _FORMULA.match(text):
        raise DocumentError(f"{place} a formula stands where a name should; write the name itself")
    if len(text) > LONGEST_TEXT:
        raise DocumentError(f"{place} a name is longer than {LONGEST_TEXT} characters; shorten it")
    return text


def _numbers(row: Row, area_code: str) -> tuple[str, ...]:
    numbers: dict[str, None] = {}
    for cell, place in row.numbers:
        for written in filter(None, _SEVERAL.split(cell.strip())):
            number = e164(written.removeprefix("'"), area_code)
            if number is None:
                remedy = "or set company.area_code" if not area_code else "or leave it out"
                raise DocumentError(f"{place} a number is not valid; write it in full, such as +49 89 123456, {remedy}")
            numbers[number] = None
    return tuple(numbers)


def _listed(row: Row, number: str, targets: Collection[str]) -> Listed:
    if row.target and row.target not in targets:
        known = ", ".join(sorted(targets)) or "none yet"
        raise DocumentError(f"{row.place} the target is not in escalation.targets ({known}); add it there")
    return Listed(
        number,
        text_of(row.name, row.place),
        text_of(row.company, row.place),
        row.route,
        row.target or None,
        row.place,
    )


def _one_of(first: Listed, other: Listed) -> Listed:
    """Return the contact for a number that stands in two rows. Raises DocumentError when they contradict each other."""
    for what, one, two in (("route", first.route, other.route), ("target", first.target, other.target)):
        if one != two:
            raise DocumentError(f"{other.place} the same number as {first.place} with another {what}; remove one")
    return replace(
        first,
        name=first.name if first.name == other.name else "",
        company=first.company if first.company == other.company else "",
    )


def _told(what: str, places: list[str]) -> list[str]:
    if not places:
        return []
    more = f" and {len(places) - _ROWS_NAMED} more" if len(places) > _ROWS_NAMED else ""
    return [f"{', '.join(places[:_ROWS_NAMED])}{more}: {what}"]
