"""`python -m sandbox.decisions`: see its --help."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ari_agent.documents.reading import read
from ari_agent.errors import AgentError
from sandbox.decisions import score
from sandbox.decisions.chat import ChatError, chatting
from sandbox.decisions.score import SHARES, Score
from sandbox.settings import REPO

FOLDER = REPO / "tests" / "decisions"
SCORED, ERROR, INTERRUPTED = 0, 2, 130
"""Exit statuses."""


def main() -> int:
    """Score an engine; returns the exit status."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    items = score.read_items(FOLDER / f"{options.set}.jsonl")
    companies = options.company or sorted({item["company"] for item in items})
    try:
        scores = {name: _company(name, items, options, console) for name in companies}
    except (ChatError, AgentError) as e:
        print(f"decisions: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    total = Score(decide_ms=[ms for s in scores.values() for ms in s.decide_ms])
    for each in scores.values():
        total.counts.update(each.counts)
    _show(console, {"all": total} | scores if options.set == "tune" else {"all": total})
    if options.json is not None:
        text = json.dumps({"engine": options.engine, "set": options.set, **total.fields()}, indent=2, sort_keys=True)
        options.json.write_text(text + "\n", "utf-8")
    return SCORED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.decisions",
        description="Score how well an engine decides: every utterance of tests/decisions is said to "
        "`ari-agent chat --json`, each in a new conversation. Exit status: 0 scored, 2 the command failed.",
        epilog=score.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    engines = ("search", "embedded", "llama", "remote")
    parser.add_argument("--engine", choices=engines, default="embedded", help="who decides (default %(default)s)")
    parser.add_argument(
        "--set", choices=("tune", "untouched"), default="tune", help="of untouched only totals are shown"
    )
    parser.add_argument("--company", action="append", help="only this company; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--wrong", action="store_true", help="show every wrong decision (tune only)")
    parser.add_argument("more", nargs="*", metavar="ARGUMENT", help="further arguments of ari-agent chat, after --")
    return parser


def _company(name: str, items: Sequence[score.Item], options: argparse.Namespace, console: Console) -> Score:
    path = FOLDER / "companies" / f"{name}.md"
    passages, found = read(path).passages, Score()
    with chatting(options.engine, path, options.more) as chat:
        for item in items:
            if item["company"] != name:
                continue
            turn, good = score.hear(chat, item, passages, found)
            if options.wrong and options.set == "tune" and not good:
                said = f"{item['id']} {item['kind']}: {turn.act} {turn.source or turn.reason} | {item['text']}"
                console.print(said, markup=False)
    return found


def _show(console: Console, scores: dict[str, Score]) -> None:
    table = Table(box=None)
    table.add_column("", no_wrap=True)
    for name in scores:
        table.add_column(name, no_wrap=True, justify="right")
    for line, (part, whole) in SHARES.items():
        cells = [f"{score.share(line):.1%}" for score in scores.values()]
        counts = scores["all"].counts
        table.add_row(f"{line} ({counts[part]}/{counts[whole]})", *cells)
    for number, line in enumerate(("ms p50", "ms p95")):
        table.add_row(line, *(f"{score.milliseconds()[number]:.1f}" for score in scores.values()))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
