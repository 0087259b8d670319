"""How well engines decide: the scoring program on the part of the evaluation set that is there to tune on."""

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from sandbox.bench import program

METHOD = """\
Every utterance of the set, each in a new conversation of `ari-agent chat`; shares as `python -m sandbox.decisions
--help` defines them; milliseconds of a decision.""".replace("\n", " ")
ENGINES = ("search", "embedded")
LIMIT_S = 120.0
"""For one engine; it needs seconds."""

Json = dict[str, Any]


async def measure(say: Callable[[str], None]) -> Json:
    """Score the engines that come with us. Raises OSError."""
    found = []
    with tempfile.TemporaryDirectory(prefix="ari-agent-bench-") as folder:
        for engine in ENGINES:
            say(f"decisions, engine {engine}")
            found.append(await _score(engine, Path(folder) / f"{engine}.json"))
    return {"method": METHOD, "figures": found}


async def _score(engine: str, file: Path) -> Json:
    await program.run("sandbox.decisions", "--engine", engine, "--json", str(file), limit_s=LIMIT_S)
    scored: Json = json.loads(await asyncio.to_thread(file.read_text, "utf-8"))
    return scored


def show(report: Json, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("decisions", box=SIMPLE)
    for each in report["figures"]:
        table.add_column(f"{each['engine']}, {each['set']}", justify="right")
    for line in report["figures"][0]["shares"]:
        table.add_row(line, *(f"{each['shares'][line]:.1%}" for each in report["figures"]))
    for line in ("ms_p50", "ms_p95"):
        table.add_row(line.replace("_", " "), *(f"{each[line]:g}" for each in report["figures"]))
    console.print(table)
