"""PDF files with a text layer: headings by the size or weight of their letters, else paragraphs."""

from __future__ import annotations

import io
import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from ari_agent.documents import plain
from ari_agent.documents.document import Document
from ari_agent.errors import DocumentError
from ari_agent.knowledge.fields import marked
from ari_agent.knowledge.markdown import spoken
from ari_agent.knowledge.sections import Section, passages

MAX_PAGES = 500
MAX_DRAWING = 1_000_000
"""Bytes and letters of a page together; a dense page has a tenth."""
MAX_SECONDS = 60.0
"""For all pages together."""
_DAMAGED = (PyPdfError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What pypdf raises for broken files: its own errors, and those of the objects that it did not find."""
_EDGE = 2  # lines at the top and bottom of a page that may be its header and footer
_REPEATED = 3  # pages that share such a line
_LARGER = 1.15  # a heading's letters, in those of the text
_PAGE = re.compile(r"\b(?:Seite|S\.|Page)\s*\d")
_DIGITS = re.compile(r"\d+")
_HYPHEN = re.compile(r"[a-zäöüß]-$")
_BREAK = re.compile(r"^(?!(?:und|oder|bzw|sowie)\b)[a-zäöüß]")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it logs what it finds in the file; we raise


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    page: int
    size: float
    """Height of its letters in points."""
    bold: bool
    gap: bool = False
    """Whether more than a line's height is above it."""


def read_pdf(data: bytes, name: str) -> Document:
    """Return the passages of a PDF. Raises DocumentError naming the page."""
    if b"%PDF-" not in data[:1024]:
        raise DocumentError(f"{name} is no PDF; export it again from the program that wrote it")
    page = 0
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise DocumentError(f"{name} is protected by a password; export it without one")
        if len(reader.pages) > MAX_PAGES:
            raise DocumentError(f"{name} has more than {MAX_PAGES} pages; split it")
        pages: list[list[_Line]] = []
        until = time.monotonic() + MAX_SECONDS
        for page, content in enumerate(reader.pages, 1):
            budget = Budget(f"{name}, page {page}:", until)
            drawing = content.get_contents()
            budget.spend(len(drawing.get_data()) if drawing is not None else 0)
            pages.append(_lines(content, page, budget))
    except _DAMAGED as e:
        where = f", page {page}" if page else ""
        raise DocumentError(f"{name}{where} is damaged; export it again from the program that wrote it") from e
    return _document(pages, name)


def _document(pages: list[list[_Line]], name: str) -> Document:
    empty = [number for number, lines in enumerate(pages, 1) if not lines]
    if len(empty) == len(pages):
        raise DocumentError(f"{name} has no text, only pictures, as scans have; run text recognition (OCR) on it first")
    lines = joined([line for lines in without_repeated(pages) for line in lines])
    warnings = [f"{name}, page {number}: no text; pictures are not read" for number in empty]
    headed = _by_headings(lines, _body(lines), name)
    if headed and headed[0]:
        sections, left_out = headed
        return Document(passages(sections, name, spoken), (*warnings, *left_out))
    return Document(passages(plain.sections(_with_blanks(lines, name), name), name, spoken), tuple(warnings))


class Budget:
    """What one page may cost; asked at every drawing operation, because a page can draw others within itself."""

    def __init__(self, place: str, until: float) -> None:
        self._place, self._until, self._letters = place, until, MAX_DRAWING

    def spend(self, letters: int = 0) -> None:
        """Take letters off. Raises DocumentError when the page or the time is used up."""
        self._letters -= letters
        if self._letters < 0 or time.monotonic() > self._until:
            raise DocumentError(f"{self._place} too much to read; split the file, or export it again")


def _lines(page: PageObject, number: int, budget: Budget) -> list[_Line]:
    """Return the page's lines from top to bottom as they were drawn."""
    found: list[list[tuple[str, float, bool]]] = [[]]
    heights: list[float] = []

    def visit(text: str, matrix: Sequence[float], letters: Sequence[float], font: Any, size: float) -> None:
        budget.spend(len(text))
        height = abs(size * (letters[3] or letters[0] or 1) * (matrix[3] or matrix[0] or 1))
        bold = "bold" in str((font or {}).get("/BaseFont", "")).casefold()
        for position, part in enumerate(text.split("\n")):
            if position:
                found.append([])
            if part.strip():
                if not found[-1]:
                    heights.append(letters[5])
                found[-1].append((part, height, bold))

    page.extract_text(visitor_text=visit, visitor_operand_before=lambda *_: budget.spend())
    lines: list[_Line] = []
    above: float | None = None
    for parts, y in zip((parts for parts in found if parts), heights, strict=True):
        size = max(height for _, height, _ in parts)
        text = " ".join("".join(part for part, _, _ in parts).split())
        gap = above is not None and abs(above - y) > 1.7 * max(size, 1.0)
        lines.append(_Line(text, number, round(size, 1), all(bold for _, _, bold in parts), gap))
        above = y
    return lines


def _unnumbered(text: str) -> str:
    """Return a page number's line without its digits; those of "Thema 3" at the top of a page are no page's."""
    numbered = _PAGE.search(text) or not any(map(str.isalpha, text))
    return _DIGITS.sub("#", text) if numbered else text


def without_repeated(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without the lines that begin or end most of them; page numbers count as one line."""

    def edge(lines: list[_Line]) -> set[str]:
        return {_unnumbered(line.text) for line in (*lines[:_EDGE], *lines[-_EDGE:])}

    seen = Counter(text for lines in pages for text in edge(lines))
    often = {text for text, count in seen.items() if count >= max(_REPEATED, len(pages) / 2)}
    kept = []
    for lines in pages:
        repeated = [_unnumbered(line.text) in often for line in lines]
        first = next((at for at in range(len(lines)) if at == _EDGE or not repeated[at]), len(lines))
        last = next((at for at in range(len(lines)) if at == _EDGE or not repeated[-1 - at]), len(lines))
        kept.append(lines[first : len(lines) - last])
    return kept


def joined(lines: Iterable[_Line]) -> list[_Line]:
    """Return the lines with words that were hyphenated at their ends put together; "Vor- und Nachname" stays."""
    made: list[_Line] = []
    for line in lines:
        if made and _HYPHEN.search(made[-1].text) and _BREAK.match(line.text):
            made[-1] = replace(made[-1], text=made[-1].text[:-1] + line.text)
        else:
            made.append(line)
    return made


def _body(lines: list[_Line]) -> float:
    """Return the size of most letters."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0]


def _by_headings(lines: list[_Line], body: float, name: str) -> tuple[list[Section], list[str]] | None:
    """Return a section per heading and what was left out; None where there are no headings."""
    marks = [(line, _is_heading(line, body)) for line in lines]
    heads = [line for line, head in marks if head]
    if not heads:
        return None
    largest = max(line.size for line in heads)
    name_of_document = [line for line in heads if line.size == largest and line.size > min(one.size for one in heads)]
    sections = [Section("", f"{name}, page 1:", page=1)]  # before the first heading
    for line, head in marks:
        if not head:
            sections[-1].lines.append(line.text)
        elif line in name_of_document and len(name_of_document) == 1:
            sections.append(Section("", f"{name}, page {line.page}:", page=line.page))
        else:
            sections.append(Section(line.text, f"{name}, page {line.page}:", page=line.page))
    left_out = [
        f"{one.place} {'nothing stands under the heading ' + repr(one.title) if one.title else 'text without heading'};"
        " it is left out"
        for one in sections
        if bool(one.title) != bool(one.lines)
    ]
    return [one for one in sections if one.title and one.lines], left_out


def _is_heading(line: _Line, body: float) -> bool:
    larger = line.size >= _LARGER * body
    return (larger or line.bold) and plain.is_title(line.text) and not marked(line.text)


def _with_blanks(lines: list[_Line], name: str) -> list[plain.Line]:
    found: list[plain.Line] = []
    for line in lines:
        place = f"{name}, page {line.page}:"
        if line.gap:
            found.append(plain.Line("", place, page=line.page))
        found.append(plain.Line(line.text, place, page=line.page))
    return found
