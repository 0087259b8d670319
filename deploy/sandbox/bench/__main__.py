"""`deploy/bench`: see its --help."""

import argparse
import asyncio
import json
import math
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ari_agent.errors import AgentError
from sandbox.agent import AgentError as ProcessError
from sandbox.bench import llama, machine, report
from sandbox.bench.machine import Before
from sandbox.bench.measure import Bench
from sandbox.bench.report import Json, Report
from sandbox.bench.stage import StageError, stage
from sandbox.caller_voice import CallerVoiceError
from sandbox.lock import alone
from sandbox.phone import PhoneError

MEASURED, INCOMPLETE, ERROR = 0, 1, 2
"""Exit statuses."""
MOST_CALLS = 50
TURNS, QUICK_TURNS = 5, 2
LEAST_TURNS = 15
"""A few calls are repeated until there are so many turns."""
TRIES, QUICK_TRIES = 12, 3


def say(text: str) -> None:
    """Tell progress on standard error."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


STARTED = time.monotonic()


async def measure_model(before: Before) -> Json:
    """Measure the language model alone. Raises EngineError, OSError."""
    found = await llama.measure(say)
    facts = machine.describe(before, "not used")
    return {"machine": asdict(facts), "language_model": found, "warnings": report.warnings(facts), "not_measured": []}


async def measure(calls: list[int], before: Before, *, quick: bool) -> Report:
    """Measure everything. Raises what the parts of the stage raise."""
    began, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    turns, tries = (QUICK_TURNS, QUICK_TRIES) if quick else (TURNS, TRIES)
    say("starting Asterisk, the agent and its call log")
    async with stage(slots=max(calls)) as found:
        bench, runs = Bench(found), []
        for number in calls:
            rounds = 1 if quick else math.ceil(LEAST_TURNS / (number * turns))
            say(f"calls at the same time: {number}, questions in each: {turns}, repeated: {rounds}")
            runs.append(await bench.parallel(number, rounds, turns))
        say(f"{tries} interruptions")
        barge_in = await bench.barge_in(tries)
        facts = machine.describe(before, found.asterisk)
    return Report(quick, started_at, time.monotonic() - began, facts, runs, barge_in)


async def _measure(options: argparse.Namespace, calls: list[int]) -> Json:
    """Measure what was asked for; nobody else may use the sandbox meanwhile."""
    with alone(say, StageError):
        before = Before.look()
        if options.only == "model":
            return await measure_model(before)
        found = (await measure(calls, before, quick=options.quick)).json()
        if options.only != "calls" and not options.quick:
            found["language_model"] = await llama.measure(say)
    return found


def numbers(text: str) -> list[int]:
    """Read "1,5,10"."""
    found = [int(part) for part in text.split(",")]
    if not all(1 <= number <= MOST_CALLS for number in found):
        raise ValueError(text)
    return found


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="deploy/bench", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calls", type=numbers)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=["calls", "model"])
    options = parser.parse_args()
    calls = options.calls or ([1, 5] if options.quick else [1, 5, 10])
    # As Ctrl-C: else the agent, whose session is its own, would serve on.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options.json:
            options.json.touch()  # better now than after minutes
        found = asyncio.run(_measure(options, calls))
    except (StageError, AgentError, ProcessError, PhoneError, CallerVoiceError, OSError) as e:
        print(f"bench: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return ERROR
    if options.json:
        options.json.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if "runs" in found:
        report.show(found, Console())
    if "language_model" in found:
        llama.show(found["language_model"], Console())
    report.show_warnings(found, Console())
    return INCOMPLETE if found["not_measured"] else MEASURED


if __name__ == "__main__":
    sys.exit(main())
