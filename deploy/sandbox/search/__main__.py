"""`python -m sandbox.search`: see its --help."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy is read: the figures are those of one core

from rich.console import Console  # noqa: E402 - see above
from rich.table import Table  # noqa: E402

from ari_agent.errors import AgentError  # noqa: E402
from ari_agent.knowledge import calibration  # noqa: E402
from ari_agent.knowledge.encoder import EncoderKnowledge  # noqa: E402
from ari_agent.knowledge.network import load  # noqa: E402
from ari_agent.knowledge.passage import Passage  # noqa: E402
from ari_agent.knowledge.search import SearchKnowledge  # noqa: E402
from sandbox.search import material, score  # noqa: E402
from sandbox.search.material import Case  # noqa: E402
from sandbox.search.score import SHARES, Reader, Score  # noqa: E402
from sandbox.settings import REPO  # noqa: E402

MODEL = REPO / "models" / "encoder-de"
SCORED, ERROR, INTERRUPTED = 0, 2, 130
"""Exit statuses."""
WIDTH = 110
"""Columns of the table; it is made to be copied too."""
TIMED = 400
"""Readings of the large company."""

Maker = Callable[[Sequence[Passage]], Reader]
Made = Callable[[Sequence[Passage], float | None], Reader]


def main() -> int:
    """Score the readers; returns the exit status."""
    options = _parser().parse_args()
    console = Console(highlight=False, width=WIDTH)
    try:
        makers = _makers(options)
        rows = {engine: _rows(engine, make, options, console) for engine, make in makers.items()}
    except AgentError as e:
        print(f"search: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        figures = {engine: {name: one.fields() for name, one in of.items()} for engine, of in rows.items()}
        print(json.dumps(figures, indent=2, sort_keys=True))
    else:
        _show(console, rows)
    return SCORED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.search",
        description="Measure how well and how fast the readers find the passage that answers a caller: on the tuning "
        "part of tests/decisions, on the three documents of tests/search, and in a company of many passages. Exit "
        "status: 0 scored, 2 the command failed.",
        epilog=score.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", choices=("search", "encoder"), help="only this reader")
    parser.add_argument("--passages", type=int, default=5000, metavar="N", help="of the large company; 0: leave it out")
    parser.add_argument("--held-out", action="store_true", help="score the part that nothing is tuned on, totals only")
    parser.add_argument("--wrong", action="store_true", help="show what is read wrongly (not of the held-out part)")
    parser.add_argument(
        "--calibrate", type=int, metavar="N", help="calibrate on companies with N ways to ask (shipped: 30)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def _makers(options: argparse.Namespace) -> dict[str, Maker]:
    network = load(MODEL)
    makers: dict[str, Made] = {
        "search": lambda passages, answer: SearchKnowledge(passages, known=network.known, answer=answer),
        "encoder": lambda passages, answer: EncoderKnowledge(passages, network, answer=answer),
    }
    return {
        name: partial(_calibrated, make, fewest=options.calibrate)
        for name, make in makers.items()
        if options.engine in (None, name)
    }


def _calibrated(make: Made, passages: Sequence[Passage], fewest: int | None) -> Reader:
    """Return a reader with the threshold of any company, or with the company's own."""
    return make(passages, None if fewest is None else calibration.calibrate(passages, make, fewest).answer)


def _rows(engine: str, make: Maker, options: argparse.Namespace, console: Console) -> dict[str, Score]:
    found = {"decisions": _sum(_scored(engine, make, material.decisions(), options, console).values())}
    documents = _scored(engine, make, material.imported("tune"), options, console)
    found |= documents | {"documents": _sum(documents.values())}
    if options.held_out:
        options.wrong = False
        found["held out"] = _sum(_scored(engine, make, material.imported("held_out"), options, console).values())
    if options.passages:
        large = material.large(options.passages)
        reader = make(large.passages)
        found[f"{len(large.passages)} passages"] = score.timed(reader, large.asked[:TIMED])
    return found


def _scored(
    engine: str, make: Maker, cases: Iterable[Case], options: argparse.Namespace, console: Console
) -> dict[str, Score]:
    found = {}
    for case in cases:
        found[case.name], missed = score.score(make(case.passages), case)
        for asked in missed if options.wrong else ():
            console.print(f"{engine} {case.name}: {asked.text} | {', '.join(sorted(asked.sources))}", markup=False)
    return found


def _sum(scores: Iterable[Score]) -> Score:
    total = Score()
    for one in scores:
        total += one
    return total


def _show(console: Console, rows: dict[str, dict[str, Score]]) -> None:
    table = Table(box=None)
    for column in ("", *SHARES, "ms p50", "ms p95"):
        table.add_column(column, no_wrap=True, justify="left" if not column else "right")
    for engine, scores in rows.items():
        for name, one in scores.items():
            answers = [f"{one.share(share):.1%}" if one.counts[SHARES[share][1]] else "" for share in SHARES]
            shares = answers if one.counts["answered"] else [""] * len(SHARES)
            table.add_row(f"{engine}, {name}", *shares, *(f"{ms:.2f}" for ms in one.milliseconds()))
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
