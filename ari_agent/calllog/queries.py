"""The queries of this package's .sql files, by name."""

from __future__ import annotations

import re
from importlib import resources
from typing import LiteralString, cast


def parse(text: str) -> dict[str, LiteralString]:
    """Return the statements of a file in which a line "-- name: x" stands above each statement.

    Comments below that line stay with the statement, where the database's own tools show them.
    """
    _, *parts = re.split(r"^-- name: (\w+)$", text, flags=re.MULTILINE)
    # The text comes from our own package, never from outside: what LiteralString stands for.
    return {name: cast("LiteralString", sql.strip()) for name, sql in zip(parts[::2], parts[1::2], strict=True)}


def _all() -> dict[str, LiteralString]:
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(".sql")]
    return {name: sql for file in files for name, sql in parse(file.read_text(encoding="utf-8")).items()}


QUERIES = _all()
"""Statement by name; a name stands in one file only."""
