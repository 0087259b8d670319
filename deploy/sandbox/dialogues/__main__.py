"""`python -m sandbox.dialogues`: see its --help."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ari_agent.errors import AgentError
from sandbox.dialogues.conversations import Dialogue, read
from sandbox.dialogues.holding import Companies, hold
from sandbox.dialogues.judging import Failure, judge
from sandbox.settings import REPO

FOLDER = REPO / "tests" / "dialogues"
PASSED, FAILED, ERROR, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""
Result = tuple[Dialogue, list[Failure]]


def main() -> int:
    """Hold the conversations; returns the exit status."""
    options = _parser().parse_args()
    try:
        dialogues = _chosen(options)
        results = asyncio.run(_held(dialogues, _engine(options)))
    except AgentError as e:
        print(f"dialogues: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        print(json.dumps(_figures(results, options.engine), indent=2, ensure_ascii=False))
    else:
        _show(results, verbose=options.verbose)
    return FAILED if any(failures for _, failures in results) else PASSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.dialogues",
        description="Hold the conversations of tests/dialogues with the dialogue of a call and count per topic how "
        "many come out as their authors demand. Exit status: 0 all passed, 1 some failed, 2 the command failed.",
    )
    parser.add_argument("--set", type=Path, default=FOLDER, metavar="PATH", help="file or folder (default %(default)s)")
    parser.add_argument("--topic", action="append", help="only this topic (the file's name); may be repeated")
    parser.add_argument("--id", action="append", help="only this conversation; may be repeated")
    engines = ("search", "embedded", "llama", "remote")
    parser.add_argument("--engine", choices=engines, default="embedded", help="who decides (default %(default)s)")
    parser.add_argument("--gguf", type=Path, help="model file for the engine llama")
    parser.add_argument("--url", help="server for the engine remote")
    parser.add_argument("--verbose", action="store_true", help="show the failures of each failed conversation")
    parser.add_argument("--json", action="store_true", help="write figures and failures as JSON")
    return parser


def _engine(options: argparse.Namespace) -> dict[str, Any]:
    """Return the table `model` of the settings."""
    table: dict[str, Any] = {"engine": options.engine}
    if options.gguf is not None:
        table["gguf"] = str(options.gguf.absolute())
    if options.url is not None:
        table["url"] = options.url
    return table


def _chosen(options: argparse.Namespace) -> list[Dialogue]:
    """Return the conversations that the options name. Raises ConfigError."""
    found = read(options.set)
    return [
        one
        for one in found
        if (options.topic is None or one.topic in options.topic) and (options.id is None or one.id in options.id)
    ]


async def _held(dialogues: Sequence[Dialogue], engine: dict[str, Any]) -> list[Result]:
    async with Companies(engine) as companies:
        return [(one, judge(one, await hold(one, companies))) for one in dialogues]


def _figures(results: Sequence[Result], engine: str) -> dict[str, Any]:
    topics = {topic: {"passed": passed, "failed": failed} for topic, passed, failed in _counted(results)}
    failed = {one.id: [str(failure) for failure in failures] for one, failures in results if failures}
    passed = len(results) - len(failed)
    return {"engine": engine, "passed": passed, "failed": len(failed), "topics": topics, "failures": failed}


def _show(results: Sequence[Result], *, verbose: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if verbose:
        for one, failures in results:
            if failures:
                console.print(f"{one.topic}/{one.id}: {one.about}", style="bold", markup=False)
                turn = failures[0].turn
                said = f" {one.turns[turn - 1]}" if turn is not None else ""
                console.print(f"  {failures[0]}{said}", markup=False)
                for failure in failures[1:]:
                    console.print(f"  {failure}", markup=False, style="dim")
    table = Table(box=None)
    table.add_column("topic")
    for heading in ("passed", "failed"):
        table.add_column(heading, justify="right")
    counted = _counted(results)
    for topic, passed, failed in counted:
        table.add_row(topic, str(passed), str(failed))
    table.add_row("all", str(sum(row[1] for row in counted)), str(sum(row[2] for row in counted)), style="bold")
    console.print(table)


def _counted(results: Sequence[Result]) -> list[tuple[str, int, int]]:
    """Return topic, passed and failed, in the order of the topics."""
    rows = []
    for topic in dict.fromkeys(one.topic for one, _ in results):
        failed = [bool(failures) for one, failures in results if one.topic == topic]
        rows.append((topic, failed.count(False), failed.count(True)))
    return rows


if __name__ == "__main__":
    sys.exit(main())
