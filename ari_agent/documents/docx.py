"""Word documents: headings, paragraphs, lists and tables in their order."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import InvalidXmlError
from docx.table import Table, _Cell, _Row
from docx.text.paragraph import Paragraph
from lxml.etree import LxmlError

from ari_agent.documents import plain, rows
from ari_agent.documents.archive import check
from ari_agent.documents.document import MAX_CHARACTERS, Document
from ari_agent.errors import DocumentError
from ari_agent.knowledge.markdown import spoken, table_lines
from ari_agent.knowledge.sections import Section, passages, titled

_DAMAGED = (
    OpcError,
    InvalidXmlError,
    LxmlError,
    zipfile.BadZipFile,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)
"""What python-docx raises for broken files: its own errors, and those of the parts that it did not find."""
_HEADING = re.compile(r"^(?:heading|überschrift) (?P<level>[1-9])$", re.IGNORECASE)


def read_docx(data: bytes, name: str) -> Document:
    """Return the passages of a DOCX file: one per heading, or per row of a table of questions. Raises DocumentError."""
    check(data, name)
    try:
        sections = _sections(docx.Document(io.BytesIO(data)), name)
    except _DAMAGED as e:
        raise DocumentError(f"{name} is damaged or no Word document; open it in Word and save it again") from e
    return Document(passages(sections, name, spoken))


def _sections(document: WordDocument, name: str) -> list[Section]:
    headings: list[tuple[int, Section]] = []
    asked: list[Section] = []
    loose: list[plain.Line] = []
    size = 0
    for number, block in enumerate(document.iter_inner_content(), 1):
        place = f"{name}, paragraph {number}:"
        if isinstance(block, Table):
            cells = [_cells(row) for row in block.rows]
            size += sum(len(cell) for row in cells for cell in row)
            questions = rows.sections(((cells_of, f"{place} row {row}:", row) for row, cells_of in enumerate(cells, 1)))
            asked += questions or []
            lines = [] if questions else table_lines([[" ".join(cell.split()) for cell in row] for row in cells])
        else:
            size += len(block.text)
            if level := _level(block):
                headings.append((level, Section(" ".join(block.text.split()), place, row=number)))
                continue
            lines = list(_lines(block))
        loose += [plain.Line(line, place, row=number) for line in lines]
        if headings:
            headings[-1][1].lines += lines
        if size > MAX_CHARACTERS:
            raise DocumentError(f"{place} more than {MAX_CHARACTERS} characters; split the document")
    if headings:
        return _named(headings) + asked
    return (plain.sections(loose, name) if any(line.text for line in loose) or not asked else []) + asked


def _named(headings: list[tuple[int, Section]]) -> list[Section]:
    """Give every section the titles above it; a single heading of level 1 over others is the document's name."""
    levels = [level for level, _ in headings]
    if levels.count(1) == 1 and len(levels) > 1:
        headings = [heading for heading in headings if heading[0] > 1]
    titles = titled([(level, section.title) for level, section in headings])
    kept = []
    for position, ((level, section), title) in enumerate(zip(headings, titles, strict=True)):
        section.title = title
        parent = position + 1 < len(headings) and headings[position + 1][0] > level
        if not parent or any(line.strip() for line in section.lines):
            kept.append(section)
    return kept


def _level(paragraph: Paragraph) -> int:
    """Return 1 to 9 for a heading, by its style or because it is short and all bold; 0 for anything else."""
    text = paragraph.text.strip()
    if not text:
        return 0
    if heading := _HEADING.match(_style(paragraph)):
        return int(heading["level"])
    bold = all(run.bold for run in paragraph.runs if run.text.strip())
    return 2 if bold and paragraph.runs and plain.is_title(text) and not _listed(paragraph) else 0


def _lines(paragraph: Paragraph) -> Iterator[str]:
    if _style(paragraph).casefold() in ("title", "titel", "subtitle", "untertitel"):
        return
    mark = "- " if _listed(paragraph) else ""
    for line in paragraph.text.splitlines() or [""]:
        yield f"{mark}{line}" if line.strip() else ""
    if not mark:
        yield ""


def _cells(row: _Row) -> list[str]:
    """Return the texts of a row; `row.cells` would repeat one as often as the file says that it spans columns."""
    return [_Cell(cell, row.table).text for cell in row._tr.tc_lst]  # noqa: SLF001 - see above


def _listed(paragraph: Paragraph) -> bool:
    properties = paragraph._p.pPr  # noqa: SLF001 - the library has no public way to tell a list
    return _style(paragraph).startswith("List") or (properties is not None and properties.numPr is not None)


def _style(paragraph: Paragraph) -> str:
    return (paragraph.style.name if paragraph.style else None) or ""
