"""`deploy/bench`: see its --help."""

import argparse
import asyncio
import json
import signal
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from ari_agent.errors import AgentError
from sandbox.agent import AgentError as ProcessError
from sandbox.bench import audited, calllog, decisions, dialogues, llama, machine, report, search
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
BY_ITSELF = {
    "llama": ("language_model", llama.measure, llama.show),
    "decisions": ("decisions", decisions.measure, decisions.show),
    "search": ("search", search.measure, search.show),
    "dialogues": ("dialogues", dialogues.measure, dialogues.show),
    "log": ("log", calllog.measure, calllog.show),
    "audit": ("audit", audited.measure, audited.show),
}
"""What is measured without calls: the section, its key in the JSON, what measures and what prints it."""
SECTIONS = ("calls", *BY_ITSELF)
SLOW = frozenset({"llama", "search", "dialogues", "log", "audit"})
"""Not with --quick, unless asked for."""


def say(text: str) -> None:
    """Tell progress on standard error."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


STARTED = time.monotonic()


async def measure(options: argparse.Namespace, before: Before) -> Report:
    """Place the calls, without and with a language model. Raises what the parts of the stage raise."""
    began, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    runs: list[Parallel] = []
    say("starting Asterisk, the agent and its call log")
    async with stage(max(options.calls), transport=options.transport) as found:
        bench, tries = Bench(found), QUICK_TRIES if options.quick else TRIES
        runs += await _runs(bench, options)
        say(f"{tries} interruptions")
        barge_in = await bench.barge_in(tries)
    if options.gguf.exists():
        say(f"the same calls with {options.gguf.name}")
        async with stage(max(options.calls), options.gguf, transport=options.transport) as found:
            runs += await _runs(Bench(found), options)
    facts = machine.describe(before, found.asterisk)
    return Report(options.quick, started_at, time.monotonic() - began, found.transport, facts, runs, barge_in)


async def _runs(bench: Bench, options: argparse.Namespace) -> list[Parallel]:
    runs = []
    for number in options.calls:
        turns = QUICK_TURNS if options.quick else max(TURNS, LEAST_TURNS // number)
        say(f"calls at the same time: {number}, questions in each: {turns}")
        runs.append(await bench.parallel(number, turns))
    return runs


async def _measure(options: argparse.Namespace) -> Json:
    """Measure what was asked for; nobody else may use the sandbox meanwhile."""
    wanted = _sections(options)
    with alone(say, StageError):
        before = Before.look()
        found: Json = {}
        if "calls" in wanted:
            found |= (await measure(options, before)).json()
        for section, (key, measuring, _) in BY_ITSELF.items():
            if section in wanted:
                if section == "audit":
                    measuring = partial(audited.measure, calls=options.log_calls, database=options.log_database)
                found[key] = await measuring(say)
        if "machine" not in found:
            facts = machine.describe(before, "not used")
            found |= {"machine": asdict(facts), "warnings": report.warnings(facts), "not_measured": []}
    return found


def _sections(options: argparse.Namespace) -> set[str]:
    if options.only:
        return {options.only}
    return set(SECTIONS) - SLOW if options.quick else set(SECTIONS)


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
    parser.add_argument("--transport", choices=("websocket", "audiosocket"), default="websocket")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", choices=SECTIONS)
    parser.add_argument("--log-calls", type=int, default=audited.BATCH)
    parser.add_argument("--log-database")
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
    for key, _, show in BY_ITSELF.values():
        if key in found:
            show(found[key], Console())
    report.show_warnings(found, Console())
    return INCOMPLETE if found["not_measured"] else MEASURED


if __name__ == "__main__":
    sys.exit(main())
