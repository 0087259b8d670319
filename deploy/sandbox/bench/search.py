"""How well and how fast the readers find the passage that answers: the scoring program of search."""

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console

from sandbox.bench import program
from sandbox.bench.tables import figures_table

METHOD = """\
Two readers, "search" (words) and "encoder" (a small neural network), on one core. Sets: "decisions" is the tuning part
of tests/decisions, with the demo company's own questions; "stadtwerke", "sanitaetshaus" and "verleih" are imported from
the documents of tests/search (.docx, .pdf, .xlsx), where nobody has written down how callers ask, and "documents" is
those three together. shares, 0 to 1, and counts: recall@1 and recall@3, a right passage is the best one or among the
three best, of the questions that the document answers; at once and wrong, of the same, the threshold that we ship lets
the best passage be spoken without asking back, and it is right or not; false answers, the same of the questions that
the document does not answer. "5000 passages" is a large company in which only the time of a reading is measured: its
counts say nothing. ms_p50, ms_p95: one reading, without speech recognition and language model.""".replace("\n", " ")
LIMIT_S = 180.0
"""It needs ten seconds."""
SHARES = {
    "recall@1": "recall@1",
    "recall@3": "recall@3",
    "right at once": "at once",
    "wrong at once": "wrong",
    "false answers": "false answers",
}
"""Columns of the table and what the program calls them."""
PROGRAM = "sandbox.search"

Json = dict[str, Any]


async def measure(say: Callable[[str], None]) -> Json:
    """Score the readers. Raises OSError."""
    say("search, two readers")
    return {"method": METHOD, "figures": json.loads(await program.run(PROGRAM, "--json", limit_s=LIMIT_S))}


def show(report: Json, console: Console) -> None:
    """Print the figures as a table."""
    table = figures_table("search", *SHARES, "ms p50", "ms p95")
    for reader, sets in report["figures"].items():
        for name in sorted(sets, key=lambda name: not _judged(sets[name])):
            table.add_row(f"{reader}, {name}", *_shares(sets[name]), *(f"{sets[name][ms]:g}" for ms in _MS))
        table.add_section()
    console.print(table)


_MS = ("ms_p50", "ms_p95")


def _judged(scored: Json) -> bool:
    """Whether it is known which passages answer the set's questions."""
    return bool(scored["counts"].get("answered"))


def _shares(scored: Json) -> list[str]:
    return [f"{scored['shares'][share]:.1%}" if _judged(scored) else "–" for share in SHARES.values()]
