"""CSV files and Excel workbooks of questions and answers."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from xml.etree.ElementTree import ParseError

import openpyxl
from lxml.etree import LxmlError
from openpyxl.cell.cell import Cell
from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from ari_agent.documents import rows
from ari_agent.documents.archive import check
from ari_agent.documents.document import MAX_CHARACTERS, Document
from ari_agent.documents.encoding import decode
from ari_agent.errors import DocumentError
from ari_agent.knowledge.markdown import spoken
from ari_agent.knowledge.sections import Section, passages

_COLUMNS = 50
_FORMULA = re.compile(r"\s*(?:[=@]|\+(?![\d ()/.–-]+$)|-\s*[\w.]+\s*[(|!*+/])")
"""What spreadsheets take for a formula (CWE-1236), but for telephone numbers and lists."""
_DAMAGED = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    LxmlError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
)
"""What openpyxl raises for broken workbooks: its own errors, and those of the parts that it did not find."""
_REMEDY = "name the columns in the first row: Frage or Titel, and Antwort"


def read_csv(data: bytes, name: str) -> Document:
    """Return the passages of a CSV file with commas, semicolons, tabs or bars. Raises DocumentError."""
    text, assumed = decode(data, name)
    text = text.removeprefix("sep=;\n").removeprefix("sep=;\r\n")
    if not text.strip():
        raise DocumentError(f"{name} is empty; {_REMEDY}")
    try:
        found = rows.sections(_csv_rows(text, _delimiter(text, name), name))
    except csv.Error as e:
        raise DocumentError(f"{name} is no CSV file: {e}; save it again with quotes round its texts") from e
    return _document(found, name, assumed)


def read_xlsx(data: bytes, name: str) -> Document:
    """Return the passages of the sheets of a workbook that have questions or titles and answers.

    Raises DocumentError naming sheet and cell.
    """
    check(data, name)
    try:
        with warnings.catch_warnings(action="ignore"):  # of validations and styles, which nobody hears
            found = _sheets(data, name)
    except _DAMAGED as e:
        raise DocumentError(f"{name} is damaged or no Excel workbook; open it in Excel and save it again") from e
    return _document(found, name, [])


def _document(found: list[Section] | None, name: str, assumed: list[str]) -> Document:
    if not found:
        raise DocumentError(f"{name} has no questions and answers; {_REMEDY}")
    return Document(passages(found, name, spoken), tuple(assumed))


def _delimiter(text: str, name: str) -> str:
    """Return the sign under which the first line names the columns. Raises DocumentError."""
    first = next(line for line in text.splitlines() if line.strip())
    for delimiter in ";,\t|":
        if rows.columns(next(csv.reader([first], delimiter=delimiter), [])):
            return delimiter
    raise DocumentError(f"{name}:1 no known columns; {_REMEDY}")


def _csv_rows(text: str, delimiter: str, name: str) -> Iterator[tuple[list[str], str, int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for cells in reader:
        for column, cell in enumerate(cells, 1):
            if _FORMULA.match(cell):
                raise DocumentError(f"{name}:{reader.line_num} column {column} is a formula; write the text itself")
        yield cells, f"{name}:{reader.line_num}", reader.line_num


def _sheets(data: bytes, name: str) -> list[Section]:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    found: list[Section] = []
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # what the file says of its size may be wrong
            found += rows.sections(_sheet_rows(sheet.iter_rows(max_col=_COLUMNS), f"{name}, {sheet.title}!")) or []
    finally:
        book.close()
    return found


def _sheet_rows(
    sheet: Iterator[tuple[Cell | ReadOnlyCell | EmptyCell, ...]], place: str
) -> Iterator[tuple[list[str], str, int]]:
    size = 0
    for number, cells in enumerate(sheet, 1):
        texts = [_text(cell, place) for cell in cells]
        size += sum(map(len, texts))
        if size > MAX_CHARACTERS:
            raise DocumentError(f"{place}A{number} more than {MAX_CHARACTERS} characters; split the workbook")
        yield texts, f"{place}A{number}:", number


def _text(cell: Cell | ReadOnlyCell | EmptyCell, place: str) -> str:
    """Return what a German reader sees in the cell. Raises DocumentError for formulas and errors."""
    value = cell.value
    if value is None or isinstance(cell, EmptyCell):
        return ""
    where = f"{place}{cell.coordinate}"
    if cell.data_type == "f" or (isinstance(value, str) and _FORMULA.match(value)):
        raise DocumentError(f"{where} is a formula; put its result there as a value")
    if cell.data_type == "e":
        raise DocumentError(f"{where} shows an error ({value}); write the text itself")
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y}" if value.time() == time() else f"{value:%d.%m.%Y, %H:%M} Uhr"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if isinstance(value, time):
        return f"{value:%H:%M} Uhr"
    if isinstance(value, int | float):
        return _number(value, str(cell.number_format))
    return str(value)


def _number(value: float, style: str) -> str:
    if "%" in style:
        return _number(round(value * 100, 6), "") + " %"
    if "€" in style:
        return f"{value:.2f} €".replace(".", ",")
    return f"{value:.10g}".replace(".", ",") if abs(value) < 1e10 else f"{value:.0f}"
