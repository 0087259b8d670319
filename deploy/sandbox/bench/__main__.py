"""`deploy/bench`: see its --help."""

import argparse
import asyncio
import json
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ari_agent.errors import AgentError
from sandbox.agent import AgentError as ProcessError
from sandbox.bench import decisions, llama, machine, report
from sandbox.bench.machine import Before
from sandbox.bench.measure import Bench, Parallel
from sandbox.bench.report import Json, Report
from sandbox.bench.stage import StageError, stage
from sandbox.caller_voice import CallerVoiceError
from sandbox.lock import alone
from sandbox.phone import PhoneError
from sandbox.settings import STANDIN

MEASURED, INCOMPLETE, ERROR = 0, 1, 2
"""Exit statuses."""
MOST_CALLS = 50
TURNS, QUICK_TURNS = 4, 2
LEAST_TURNS = 6
"""A few calls ask more questions, until there are so many turns."""
TRIES, QUICK_TRIES = 6, 3
SECTIONS = ("calls", "llama", "decisions")


def say(text: str) -> None:
    """Tell progress on standard error."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


STARTED = time.monotonic()


async def measure(options: argparse.Namespace, before: Before) -> Report:
    """Place the calls, without and with a language model. Raises what the parts of the stage raise."""
    began, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    runs: list[Parallel] = []
    say("starting Asterisk, the agent and its call log")
    async with stage(max(options.calls)) as found:
        bench, tries = Bench(found), QUICK_TRIES if options.quick else TRIES
        runs += await _runs(bench, options)
        say(f"{tries} interruptions")
        barge_in = await bench.barge_in(tries)
    if options.gguf.exists():
        say(f"the same calls with {options.gguf.name}")
        async with stage(max(options.calls), options.gguf) as found:
            runs += await _runs(Bench(found), options)
    facts = machine.describe(before, found.asterisk)
    return Report(options.quick, started_at, time.monotonic() - began, facts, runs, barge_in)


async def _runs(bench: Bench, options: argparse.Namespace) -> list[Parallel]:
    runs = []
    for number in options.calls:
        turns = QUICK_TURNS if options.quick else max(TURNS, LEAST_TURNS // number)
        say(f"calls at the same time: {number}, questions in each: {turns}")
        runs.append(await bench.parallel(number, turns))
    return runs


async def _measure(options: argparse.Namespace) -> Json:
    """Measure what was asked for; nobody else may use the sandbox meanwhile."""
    with alone(say, StageError):
        before = Before.look()
        found: Json = {}
        if options.only in (None, "calls"):
            found |= (await measure(options, before)).json()
        if options.only == "llama" or not (options.only or options.quick):
            found["language_model"] = await llama.measure(say)
        if options.only in (None, "decisions"):
            found["decisions"] = await decisions.measure(say)
        if "machine" not in found:
            facts = machine.describe(before, "not used")
            found |= {"machine": asdict(facts), "warnings": report.warnings(facts), "not_measured": []}
    return found


def numbers(text: str) -> list[int]:
    """Read "1,5,10"."""
    found = [int(part) for part in text.split(",")]
    if not all(1 <= number <= MOST_CALLS for number in found):
        raise ValueError(text)
    return found


def parsed() -> argparse.Namespace:
    """Return the options; exits with status 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="deploy/bench", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--calls", type=numbers)
    parser.add_argument("--gguf", type=Path, default=STANDIN)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=SECTIONS)
    options = parser.parse_args()
    options.calls = options.calls or ([1, 5] if options.quick else [1, 5, 10])
    return options


def main() -> int:
    """Run the command line; returns its exit status."""
    options = parsed()
    # As Ctrl-C: else the agent, whose session is its own, would serve on.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options.json:
            options.json.touch()  # better now than after minutes
        found = asyncio.run(_measure(options))
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
    if "decisions" in found:
        decisions.show(found["decisions"], Console())
    report.show_warnings(found, Console())
    return INCOMPLETE if found["not_measured"] else MEASURED


if __name__ == "__main__":
    sys.exit(main())
