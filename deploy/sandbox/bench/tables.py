"""Tables of figures on the screen."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.table import Table


def figures_table(first: str, *others: str) -> Table:
    """Return an empty table: names on the left, a column of figures for each of the others."""
    table = Table(box=SIMPLE)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
