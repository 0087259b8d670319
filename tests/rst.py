"""Reads documents as readers of reStructuredText do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import docutils.core  # type: ignore[import-untyped]
import docutils.nodes  # type: ignore[import-untyped]
from docutils.utils import Reporter  # type: ignore[import-untyped]

REPO = Path(__file__).resolve().parents[1]

Table = list[dict[str, str]]
"""Rows by heading."""


def parsed(path: Path) -> docutils.nodes.document:
    """Read the document; any complaint is an error."""
    return parsed_text(path.read_text(encoding="utf-8"), str(path))


def parsed_text(text: str, name: str) -> docutils.nodes.document:
    """Read a text as a document; any complaint is an error."""
    strict = {"halt_level": Reporter.INFO_LEVEL, "report_level": Reporter.INFO_LEVEL, "file_insertion_enabled": False}
    return docutils.core.publish_doctree(text, name, settings_overrides=strict)


def rows(document: docutils.nodes.document) -> Iterator[list[str]]:
    """Yield the cells of every row of every table."""
    for row in document.findall(docutils.nodes.row):
        yield _cells(row)


def tables(document: docutils.nodes.document, *heads: str) -> list[Table]:
    """Return every table that has exactly these headings."""
    found = []
    for table in document.findall(docutils.nodes.table):
        for head in table.findall(docutils.nodes.thead):
            if _cells(next(head.findall(docutils.nodes.row))) == list(heads):
                body = next(table.findall(docutils.nodes.tbody)).findall(docutils.nodes.row)
                found.append([dict(zip(heads, _cells(row), strict=True)) for row in body])
    return found


def table(document: docutils.nodes.document, *heads: str) -> Table:
    """Return the only table that has exactly these headings."""
    (found,) = tables(document, *heads)
    return found


def literals(document: docutils.nodes.document) -> set[str]:
    """Return what the document quotes as code within its sentences."""
    return {" ".join(literal.astext().split()) for literal in document.findall(docutils.nodes.literal)}


def sentences(document: docutils.nodes.document) -> str:
    """Return all text of the document in one line."""
    return " ".join(document.astext().split())


def listed(cell: str) -> set[str]:
    """Return the names in a cell, which commas part."""
    return set(re.split(r",\s*", cell))


def _cells(row: docutils.nodes.row) -> list[str]:
    return [" ".join(entry.astext().split()) for entry in row.findall(docutils.nodes.entry)]
