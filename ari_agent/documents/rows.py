"""Tables of questions and answers, wherever they stand: the first row names the columns, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ari_agent.documents.document import MAX_ROWS
from ari_agent.errors import DocumentError
from ari_agent.knowledge.fields import kind_of
from ari_agent.knowledge.sections import Section

_FIELD = {"question": "Frage", "from": "Gültig ab", "until": "Gültig bis", "audience": "Zielgruppe"}
_SPLIT = re.compile(r"\s*[\n|]\s*")
"""Between several ways to ask in one cell."""


def columns(cells: Sequence[str]) -> list[str | None] | None:
    """Return what each column holds; None where the row does not name an answer and a question or title."""
    kinds = [kind_of(cell) for cell in cells]
    return kinds if "answer" in kinds and ("question" in kinds or "title" in kinds) else None


def sections(rows: Iterable[tuple[Sequence[str], str, int]]) -> list[Section] | None:
    """Return a section per row of (cells, place, number); None where the first row with text names no columns.

    Raises DocumentError with the place.
    """
    kinds: list[str | None] | None = None
    found: list[Section] = []
    for count, (cells, place, number) in enumerate(rows, 1):
        if count > MAX_ROWS:
            raise DocumentError(f"{place} more than {MAX_ROWS} rows; split the table")
        if not any(cell.strip() for cell in cells):
            continue
        if kinds is None:
            kinds = columns(cells)
            if kinds is None:
                return None
            _unique(kinds, place)
        else:
            found.append(_section(kinds, cells, place, number))
    return found if kinds else None


def _unique(kinds: list[str | None], place: str) -> None:
    for kind in ("answer", "title", "from", "until", "audience"):
        if kinds.count(kind) > 1:
            raise DocumentError(f"{place} two columns hold the same ({kind}); remove one or rename it")


def _section(kinds: list[str | None], cells: Sequence[str], place: str, number: int) -> Section:
    if any(cell.strip() for cell in cells[len(kinds) :]):
        raise DocumentError(f"{place} more cells than the first row has columns; put texts with separators in quotes")
    values = [(kind, cell.strip()) for kind, cell in zip(kinds, cells, strict=False) if kind]
    questions = [part for kind, cell in values if kind == "question" for part in _SPLIT.split(cell) if part]
    title = " ".join(next((cell for kind, cell in values if kind == "title"), "").split()) or next(iter(questions), "")
    if not title:
        raise DocumentError(f"{place} neither a title nor a question; fill in one")
    lines = [f"{_FIELD['question']}: {question}" for question in questions]
    lines += [f"{_FIELD[kind]}: {cell}" for kind, cell in values if kind in ("from", "until", "audience") and cell]
    answer = next((cell for kind, cell in values if kind == "answer"), "")
    lines += [f"Antwort: {line}" if line else "" for line in answer.splitlines()]
    return Section(title, place, lines, row=number)
