"""`deploy/test --faults`: see its --help."""

import argparse
import asyncio
import json
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import aiohttp
import psycopg
from rich.console import Console

from ari_agent.errors import AgentError
from sandbox.agent import AgentError as ProcessError
from sandbox.caller_voice import CallerVoiceError
from sandbox.faults import report
from sandbox.faults.campaign import Campaign
from sandbox.faults.kinds import KINDS
from sandbox.faults.oracle import judge
from sandbox.faults.plan import plan
from sandbox.faults.report import Json
from sandbox.faults.stage import StageError, stage
from sandbox.lock import alone
from sandbox.phone import PhoneError

GOOD, VIOLATED, ERROR = 0, 1, 2
"""Exit statuses."""
ERRORS = (
    StageError, AgentError, ProcessError, PhoneError, CallerVoiceError, aiohttp.ClientError, psycopg.Error, OSError,
)  # fmt: skip
"""What a stage and its parts may raise."""
PARALLEL = 7
STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell progress on standard error."""
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


async def campaign(options: argparse.Namespace) -> Json:
    """Run a campaign; nobody else may use the sandbox meanwhile."""
    began = time.monotonic()
    with alone(say, StageError):
        say(f"seed {options.seed}: starting Asterisk, Postgres and the agent")
        async with stage() as found:
            planned = plan(options.seed, options.faults, tuple(options.only or KINDS))
            try:
                evidence = await Campaign(found, planned, options.parallel, say).run()
            finally:
                if options.logs:
                    shutil.copytree(found.disk.folder, options.logs, dirs_exist_ok=True)
    return report.as_json(options.seed, time.monotonic() - began, evidence, judge(evidence))


def parsed() -> argparse.Namespace:
    """Return the options; exits with status 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="deploy/test", add_help=False)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--faults", type=int)
    what.add_argument("--add", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--only", action="append", choices=list(KINDS))
    parser.add_argument("--parallel", type=int, default=PARALLEL)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--logs", type=Path)
    return parser.parse_args()


def main() -> int:
    """Run the command line; returns its exit status."""
    options = parsed()
    # As Ctrl-C: else the agent, whose session is its own, would serve on.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options.add:
            found = report.added([json.loads(path.read_text(encoding="utf-8")) for path in options.add])
        else:
            found = asyncio.run(campaign(options))
        if options.json:
            options.json.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except ERRORS as e:
        print(f"test: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return ERROR
    report.show(found, Console())
    return VIOLATED if found["violations"] else GOOD


if __name__ == "__main__":
    sys.exit(main())
