"""Contacts from a CSV file: the first row names the columns, in German or English, in any order."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from ari_agent.calllog.contact_rows import Row
from ari_agent.calllog.phone_book import Treatment
from ari_agent.errors import DocumentError

Kind = Literal["name", "first", "last", "company", "number", "route", "vip", "blocked", "target"]

_KINDS: dict[str, Kind] = {
    "name": "name", "vollständiger name": "name", "anzeigename": "name", "full name": "name", "display name": "name",
    "kontakt": "name", "vorname": "first", "first name": "first", "given name": "first", "nachname": "last",
    "familienname": "last", "last name": "last", "family name": "last", "surname": "last", "firma": "company",
    "unternehmen": "company", "organisation": "company", "company": "company", "company name": "company",
    "organization": "company", "organization name": "company", "route": "route", "behandlung": "route", "vip": "vip",
    "gesperrt": "blocked", "blocked": "blocked", "ziel": "target", "target": "target",
}  # fmt: skip
_NUMBER = re.compile(
    r"(?:(?:mobil|auto)?telefon|(?:telefon|ruf|mobil|handy)nummer|tel|fon|mobil|handy|nummer"
    r"|(?:business |home |work |primary |other |company main )?phone|(?:phone |mobile )?number|telephone|mobile|cell)\b"
)
_NO_NUMBER = re.compile(r"fax|pager|type\b|typ\b|label")
"""Columns that stand beside those with numbers and hold none, or none from which anybody calls."""
_ROUTES: dict[str, Treatment] = {
    "": "ai", "ai": "ai", "ki": "ai", "vip": "vip", "blocked": "blocked", "gesperrt": "blocked",
}  # fmt: skip
_YES = {"ja", "j", "yes", "y", "x", "1", "true", "wahr"}
_NO = {"", "nein", "n", "no", "0", "false", "falsch", "-"}
_REMEDY = "name the columns in the first row, such as Name;Firma;Telefon;Mobil;Route;Ziel"


def read_csv(text: str, name: str) -> tuple[list[Row], list[str]]:
    """Return the rows of a CSV file with semicolons, commas, tabs or bars, and what was left out.

    Raises DocumentError naming the row.
    """
    text = re.sub(r"\Asep=.\r?\n", "", text)
    if not text.strip():
        raise DocumentError(f"{name} is empty; {_REMEDY}")
    lines = _cells(text, _delimiter(text, name), name)
    header, place = next(lines)
    kinds = [_kind(cell) for cell in header]
    _unique(kinds, place)
    ignored = [cell.strip() for cell, kind in zip(header, kinds, strict=True) if not kind and cell.strip()]
    rows = [_row(kinds, cells, place) for cells, place in lines]
    return rows, [f"{place} columns left out: {', '.join(ignored)}"] if ignored else []


def _kind(header: str) -> Kind | None:
    words = " ".join(re.sub(r"[^\w ]", " ", header.casefold()).split())
    if words in _KINDS:
        return _KINDS[words]
    return "number" if _NUMBER.match(words) and not _NO_NUMBER.search(words) else None


def _delimiter(text: str, name: str) -> str:
    """Return the sign under which the first line names a column with numbers. Raises DocumentError."""
    first = next(line for line in text.splitlines() if line.strip())
    for delimiter in ";,\t|":
        if "number" in map(_kind, next(csv.reader([first], delimiter=delimiter), [])):
            return delimiter
    raise DocumentError(f"{name}:1 no column with telephone numbers; {_REMEDY}")


def _unique(kinds: Sequence[Kind | None], place: str) -> None:
    for kind in kinds:
        if kind not in (None, "number") and kinds.count(kind) > 1:
            raise DocumentError(f"{place} two columns hold the same ({kind}); remove one or rename it")
    if "route" in kinds and ("vip" in kinds or "blocked" in kinds):
        raise DocumentError(f"{place} a column Route and one for VIP or gesperrt; keep one way to say it")


def _cells(text: str, delimiter: str, name: str) -> Iterator[tuple[list[str], str]]:
    """Yield rows that are not empty with their places; a row over several lines has the first of them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield cells, f"{name}:{line}"
            line = reader.line_num + 1
    except csv.Error as e:
        raise DocumentError(f"{name}:{line} is no CSV ({e}); save it again with quotes round its texts") from e


def _row(kinds: Sequence[Kind | None], cells: Sequence[str], place: str) -> Row:
    if any(cell.strip() for cell in cells[len(kinds) :]):
        raise DocumentError(f"{place} more cells than the first row has columns; put texts with separators in quotes")
    by_kind: dict[Kind, str] = {}
    numbers = []
    for kind, cell in zip(kinds, cells, strict=False):
        if kind == "number" and cell.strip():
            numbers.append((cell, place))
        elif kind:
            by_kind[kind] = cell.strip()
    full = by_kind.get("name") or f"{by_kind.get('first', '')} {by_kind.get('last', '')}"
    return Row(
        place, full, by_kind.get("company", ""), tuple(numbers), _route(by_kind, kinds, place), by_kind.get("target")
    )


def _route(by_kind: dict[Kind, str], kinds: Sequence[Kind | None], place: str) -> Treatment | None:
    if "route" in kinds:
        route = _ROUTES.get(by_kind.get("route", "").casefold())
        if route is None:
            raise DocumentError(f"{place} unknown route; write ai, vip or gesperrt, or nothing")
        return route
    if "vip" not in kinds and "blocked" not in kinds:
        return None
    vip, blocked = (_ticked(by_kind.get(kind, ""), place) for kind in ("vip", "blocked"))
    if vip and blocked:
        raise DocumentError(f"{place} both VIP and blocked; keep one of them")
    return "vip" if vip else "blocked" if blocked else "ai"


def _ticked(cell: str, place: str) -> bool:
    if (word := cell.casefold()) not in _YES | _NO:
        raise DocumentError(f"{place} VIP or gesperrt is neither yes nor no; write ja or nein, or nothing")
    return word in _YES
