"""How many of the written conversations come out as they must: the scoring program of the dialogue."""

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console

from sandbox.bench import program
from sandbox.bench.tables import figures_table

METHOD = """\
Every conversation of tests/dialogues is held in writing with the dialogue of a call, engine "embedded", against
synthetic companies: what the caller says is given, every reply is compared with what its author demands (effect,
passage, words that must and must not be said, the task that is taken down, the note). One that differs in anything has
failed; "failures" names it and says in what.""".replace("\n", " ")
LIMIT_S = 180.0
"""It needs three seconds."""
MEASURED = (0, 1)
"""Exit statuses of the program: all conversations passed, or some failed."""
PROGRAM = "sandbox.dialogues"

Json = dict[str, Any]


async def measure(say: Callable[[str], None]) -> Json:
    """Hold the conversations. Raises OSError."""
    say("conversations")
    held = await program.run(PROGRAM, "--json", limit_s=LIMIT_S, accepted=MEASURED)
    return {"method": METHOD, "figures": json.loads(held)}


def show(report: Json, console: Console) -> None:
    """Print the figures as a table."""
    figures = report["figures"]
    table = figures_table(f"conversations, {figures['engine']}", "passed", "failed")
    for topic, counts in figures["topics"].items():
        table.add_row(topic.replace("_", " "), str(counts["passed"]), str(counts["failed"]))
    table.add_section()
    table.add_row("all", str(figures["passed"]), str(figures["failed"]))
    console.print(table)
    if figures["failures"]:
        console.print(f"failed: {', '.join(figures['failures'])}", soft_wrap=True, highlight=False)
