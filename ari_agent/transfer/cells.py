"""Rows as CSV that spreadsheets open as it is: UTF-8 with its mark, semicolons, and no text that becomes a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

MARK = "\ufeff"
"""By which Excel knows UTF-8."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell of a formula begins with (CWE-1236)."""


def line(values: Iterable[object]) -> str:
    """Return one line of a CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerow([cell(value) for value in values])
    return text.getvalue()


def lines_of(columns: Sequence[str], row: Mapping[str, object]) -> str:
    """Return the line of a row as JSON has it."""
    return line(row[column] for column in columns)


def cell(value: object) -> str:
    """Return what stands in a cell: an apostrophe goes before what a spreadsheet would reckon with."""
    match value:
        case None:
            return ""
        case bool():
            return "ja" if value else "nein"
        case int() | float():
            return str(value)
        case list() if all(isinstance(item, str) for item in value):
            text = "\n".join(value)
        case list() | dict():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith("'") else text
