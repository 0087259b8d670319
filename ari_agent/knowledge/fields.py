"""What a company writes beside an answer: ways to ask for it, when it holds, and for whom."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ari_agent.knowledge.passage import EVERYBODY

_NAMES = {
    "question": ("frage", "fragen", "frage(n)", "fragevarianten", "varianten", "f", "q", "question", "questions"),
    "answer": ("antwort", "antworten", "text", "a", "answer", "answers"),
    "title": ("titel", "thema", "überschrift", "title", "topic", "heading"),
    "from": ("gültig ab", "gültig von", "gültig seit", "gueltig ab", "gueltig von", "valid from", "valid_from"),
    "until": ("gültig bis", "gueltig bis", "valid until", "valid to", "valid_until"),
    "audience": ("zielgruppe", "audience"),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}
_IN_TEXT = ("frage", "fragen", "question", "f", "q")
"""Names that begin a question in running text; a column may have the others too."""
_LINE = re.compile(
    r"^\s*(?:[-*+]\s+)?[*_]{0,2}(?P<name>[A-Za-zäöüÄÖÜ_]+(?: [a-z]+)?)[*_]{0,2}:[*_]{0,2}\s*(?P<value>.*?)\s*$"
)
_GERMAN = re.compile(r"^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})$")


@dataclass(slots=True)
class Fields:
    """What stands beside an answer, and the lines that are the answer."""

    questions: list[str] = field(default_factory=list)
    valid_from: date | None = None
    valid_until: date | None = None
    audience: str = EVERYBODY
    rest: list[str] = field(default_factory=list)

    def put(self, kind: str, value: str) -> None:
        """Take the value of a field of that kind. Raises ValueError with a sentence."""
        if kind == "question":
            self.questions += [value] if value else []
        elif kind == "from":
            self.valid_from = day(value)
        elif kind == "until":
            self.valid_until = day(value)
        elif kind == "audience":
            self.audience = " ".join(value.casefold().split()) or EVERYBODY
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise ValueError("it ends to be valid before it begins; exchange the two dates")


def kind_of(name: str) -> str | None:
    """Return what a column or line of that name holds, such as "question"; None where the name is no such."""
    return _KINDS.get(" ".join(name.casefold().replace("-", " ").split()))


def marked(line: str) -> tuple[str, str] | None:
    """Return kind and value of a line such as "Gültig bis: 31.12.2026", None where it is ordinary text."""
    found = _LINE.match(line)
    if not found or not (kind := kind_of(found["name"])):
        return None
    if kind == "title" or (kind == "question" and found["name"].casefold() not in _IN_TEXT):
        return None
    if kind == "answer" and found["name"].casefold() not in ("antwort", "a", "answer"):
        return None
    return kind, found["value"]


def read_fields(lines: Iterable[str]) -> Fields:
    """Return what the lines of one passage hold. Raises ValueError with a sentence."""
    fields = Fields()
    for line in lines:
        found = marked(line)
        if not found:
            fields.rest.append(line)
        elif found[0] == "answer":
            fields.rest.append(found[1])
        else:
            fields.put(*found)
    return fields


def day(text: str) -> date | None:
    """Return the day of "31.12.2026" or "2026-12-31", None for an empty text. Raises ValueError with a sentence."""
    if not (text := text.strip()):
        return None
    try:
        if german := _GERMAN.match(text):
            return date(int(german[3]), int(german[2]), int(german[1]))
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("a date is not written as 31.12.2026") from None
