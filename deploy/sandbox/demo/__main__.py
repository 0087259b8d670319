"""`deploy/demo`: the command line of the demo.

Exit status: 0 all as expected, 1 something is not, 2 the demo could not be played, 130 interrupted.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ari_agent import errors
from sandbox.agent import AgentError
from sandbox.caller_voice import CallerVoiceError
from sandbox.demo.program import invitation, play
from sandbox.demo.result import Result
from sandbox.demo.stage import StageError, alone, clear
from sandbox.phone import PhoneError
from sandbox.settings import REPO, VOSK_MODEL

ALL_GOOD, NOT_AS_EXPECTED, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""
MODEL = "ARI_AGENT_DEMO_VOSK_MODEL"


def main() -> int:
    """Play the demo, or stop a kept one; returns the exit status."""
    options = _options()
    status = FAILED
    try:
        _check_writable(options.json)
        with alone():
            status = asyncio.run(_demo(options))
    except* (StageError, PhoneError, CallerVoiceError, AgentError, errors.AgentError) as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        print(f"demo: {error}", file=sys.stderr)
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("demo: interrupted; everything it had started is stopped", file=sys.stderr)
        status = INTERRUPTED
    return status


async def _demo(options: argparse.Namespace) -> int:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    if options.stop:
        await clear()
        return ALL_GOOD
    result = await play(Console(highlight=False), keep=options.keep, model=Path(os.environ.get(MODEL, VOSK_MODEL)))
    if options.json is not None:
        _write(options.json, result)
    if options.keep:
        print(invitation(Path(sys.executable).with_name("ari-agent"), REPO / "deploy" / "demo"))
    return NOT_AS_EXPECTED if result.unexpected else ALL_GOOD


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="deploy/demo")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop", action="store_true")
    return parser.parse_args()


def _check_writable(file: Path | None) -> None:
    """Notice now, not after the calls, that a file cannot be written. Raises StageError."""
    if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
        raise StageError(f"{file} cannot be written: name a file in a folder that exists")


def _write(file: Path, result: Result) -> None:
    """Write the file as a whole or not at all. Raises StageError."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(json.dumps(asdict(result), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        new.replace(file)
    except OSError as e:
        raise StageError(f"{file} cannot be written: {e.strerror}") from e


if __name__ == "__main__":
    sys.exit(main())
