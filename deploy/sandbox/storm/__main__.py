"""`python -m sandbox.storm`, run in deploy/: far more callers than slots, and what became of each.

Exit status: 0 all reached the agent or the queue, and nothing was lost or left; 1 not so; 2 an error.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from ari_agent.config import Calls
from ari_agent.errors import AgentError
from sandbox.agent import AgentError as ProcessError
from sandbox.bench.stage import StageError, stage
from sandbox.caller_voice import CallerVoiceError
from sandbox.lock import alone
from sandbox.storm.callers import storm
from sandbox.storm.result import Result

GOOD, BAD, ERROR = 0, 1, 2


def say(text: str) -> None:
    """Tell progress on standard error."""
    print(text, file=sys.stderr, flush=True)


async def _measure(options: argparse.Namespace) -> Result:
    with alone(say, StageError):
        say("starting Asterisk, the agent and its call log")
        async with stage(options.slots, lag_close_ms=Calls().lag_close_ms) as found:
            say(f"{options.calls} calls, {options.rate:g} per second, {options.slots} slots")
            return await storm(found.settings, found.log, options.calls, options.rate)


def shown(result: Result) -> str:
    """Return the figures as lines."""
    figures = asdict(result)
    width = max(map(len, figures))
    return "\n".join(f"{name:{width}}  {_shown(value)}" for name, value in figures.items())


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {number}" for name, number in value.items())
    return "–" if value is None else str(value)


def parsed() -> argparse.Namespace:
    """Return the options; exits with status 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.storm", description=__doc__)
    parser.add_argument("--calls", type=int, default=200, help="how many calls (200)")
    parser.add_argument("--rate", type=float, default=20.0, help="calls per second (20)")
    parser.add_argument("--slots", type=int, default=20, help="calls that the agent takes at the same time (20)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file too")
    options = parser.parse_args()
    if min(options.calls, options.rate, options.slots) <= 0:
        parser.error("calls, rate and slots must be above 0")
    return options


def main() -> int:
    """Run the command line; returns its exit status."""
    options = parsed()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        result = asyncio.run(_measure(options))
        if options.json:
            options.json.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    except (StageError, AgentError, ProcessError, CallerVoiceError, aiohttp.ClientError, OSError) as e:
        print(f"storm: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return ERROR
    print(shown(result))
    for complaint in result.complaints:
        print(f"storm: {complaint}", file=sys.stderr)
    return BAD if result.complaints else GOOD


if __name__ == "__main__":
    sys.exit(main())
