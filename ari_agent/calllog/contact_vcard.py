"""Contacts from vCards: names, companies and numbers of versions 2.1, 3.0 and 4.0.

https://www.rfc-editor.org/rfc/rfc6350 (4.0), https://www.rfc-editor.org/rfc/rfc2426 (3.0); of 2.1 the quoted-printable
values, which phones still write.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ari_agent.calllog.contact_rows import Row
from ari_agent.errors import DocumentError

_NO_CALLERS = {"FAX", "PAGER", "MODEM"}
"""Types of numbers from which nobody calls."""
_QUOTED = re.compile(r'"[^"]*"')
_ESCAPED = re.compile(r"\\(.)")
_LINE_END = re.compile(r"\r\n|\n|\r")
"""str.splitlines knows more of them, some of which may stand in a name."""


@dataclass(frozen=True, slots=True)
class _Property:
    """One line of a card, unfolded."""

    name: str
    """In capitals, without its group."""
    parameters: frozenset[str]
    """In capitals, such as "TYPE=FAX"; of version 2.1 also "FAX" alone."""
    value: str
    place: str

    @property
    def types(self) -> set[str]:
        """What kinds of address it is, in capitals."""
        return {word for part in self.parameters for word in part.removeprefix("TYPE=").replace('"', "").split(",")}


def read_vcards(text: str, name: str) -> list[Row]:
    """Return one row for each card of the file. Raises DocumentError naming the line."""
    rows: list[Row] = []
    card: list[_Property] | None = None
    begin = ""
    for line in _properties(text, name):
        match line.name, line.value.strip().upper():
            case "BEGIN", "VCARD":
                if card is not None:
                    raise DocumentError(f"{line.place} a card begins before the one before it has ended; add END:VCARD")
                card, begin = [], line.place
            case "END", "VCARD":
                if card is None:
                    raise DocumentError(f"{line.place} a card ends that has not begun; add BEGIN:VCARD")
                rows += _row(card, begin)
                card = None
            case _ if card is not None:
                card.append(line)
            case _:
                raise DocumentError(f"{line.place} is outside of a card; export the contacts as vCard once more")
    if card is not None:
        raise DocumentError(f"{begin} the card does not end; the file is cut off, export it once more")
    if not rows:
        raise DocumentError(f"{name} has no card; export the contacts as vCard (.vcf)")
    return rows


def _row(card: list[_Property], place: str) -> list[Row]:
    """Return the row of a card; none of a group, whose members have cards of their own."""
    values = {line.name: line for line in reversed(card)}  # the first of several counts
    if "KIND" in values and values["KIND"].value.strip().lower() == "group":
        return []
    company = _parts(values["ORG"])[0] if "ORG" in values else ""
    name = _unescaped(values["FN"].value) if "FN" in values else ""
    if not name and "N" in values:
        last, first, *_ = (*_parts(values["N"]), "")
        name = f"{first} {last}"
    if name.split() == company.split():
        name = ""
    numbers = [line for line in card if line.name == "TEL" and not line.types & _NO_CALLERS]
    return [Row(place, name, company, tuple((_dialled(line.value), line.place) for line in numbers))]


def _dialled(value: str) -> str:
    """Return the number of a TEL value, which may be a URI such as "tel:+49-89-123456;ext=5" (RFC 3966)."""
    value = _unescaped(value).strip()
    return value[4:].split(";")[0] if value[:4].lower() == "tel:" else value


def _parts(line: _Property) -> list[str]:
    """Return the components of a structured value."""
    return [_unescaped(part).strip() for part in re.split(r"(?<!\\);", line.value)]


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], value)


def _properties(text: str, name: str) -> Iterator[_Property]:
    """Yield the lines of all cards, each put together from those it was folded into."""
    parts: list[str] = []
    place, quoted = "", False
    for number, line in enumerate(_LINE_END.split(text), 1):
        if parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
        elif quoted and parts[-1].endswith("="):
            parts[-1] = parts[-1][:-1]  # a soft line break
            parts.append(line)
        else:
            if any(map(str.strip, parts)):
                yield _property("".join(parts), place)
            parts, place, quoted = [line], f"{name}:{number}", "QUOTED-PRINTABLE" in line.partition(":")[0].upper()
    if any(map(str.strip, parts)):
        yield _property("".join(parts), place)


def _property(line: str, place: str) -> _Property:
    # Colons and semicolons in quotes belong to a parameter's value.
    masked = _QUOTED.sub(lambda found: "_" * len(found[0]), line)
    colon = masked.find(":")
    if colon < 0:
        raise DocumentError(f"{place} is no line of a vCard; export the contacts as vCard once more")
    cuts = [-1, *(at for at, sign in enumerate(masked[:colon]) if sign == ";"), colon]
    name, *parameters = (line[a + 1 : b].upper() for a, b in pairwise(cuts))
    value = line[colon + 1 :]
    if {"ENCODING=QUOTED-PRINTABLE", "QUOTED-PRINTABLE"} & set(parameters):
        value = _quoted_printable(value, parameters, place)
    return _Property(name.rsplit(".", 1)[-1].strip(), frozenset(parameters), value, place)


def _quoted_printable(value: str, parameters: list[str], place: str) -> str:
    charset = next((part.removeprefix("CHARSET=") for part in parameters if part.startswith("CHARSET=")), "UTF-8")
    try:
        return quopri.decodestring(value.encode()).decode(charset)
    except (LookupError, ValueError) as e:
        raise DocumentError(f"{place} is not in the encoding that it names; export the contacts in UTF-8") from e
