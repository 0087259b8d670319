"""`deploy/demo`: the command line of the demo.

Exit status: 0 all as expected, 1 something is not, 2 the demo could not be played, 130 interrupted.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ari_agent import errors
from sandbox.agent import AgentError
from sandbox.caller_voice import CallerVoiceError
from sandbox.demo.program import how_to_use, play
from sandbox.demo.result import Result
from sandbox.demo.scenes import SCENES, Scene
from sandbox.demo.stage import Models, StageError, clear
from sandbox.lock import alone
from sandbox.phone import PhoneError
from sandbox.settings import REPO, STANDIN, VOSK_MODEL

ALL_GOOD, NOT_AS_EXPECTED, FAILED, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""
MODEL = "ARI_AGENT_DEMO_VOSK_MODEL"
GGUF = "ARI_AGENT_DEMO_GGUF"


def main() -> int:
    """Play the demo, or stop a kept one; returns the exit status."""
    options = parsed()
    status = FAILED
    try:
        _check_writable(options.json)
        with alone(lambda text: print(text, flush=True), StageError):
            status = asyncio.run(show(options, Console(highlight=False)))
    except* (StageError, PhoneError, CallerVoiceError, AgentError, errors.AgentError) as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        print(f"demo: {error}", file=sys.stderr)
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("demo: interrupted; everything it had started is stopped", file=sys.stderr)
        status = INTERRUPTED
    return status


async def show(options: argparse.Namespace, console: Console, scenes: Sequence[Scene] = SCENES) -> int:
    """Do what the command line says, with the sandbox to ourselves; returns the exit status."""
    if options.stop:
        await clear()
        return ALL_GOOD
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    models = Models(Path(os.environ.get(MODEL, VOSK_MODEL)), Path(os.environ.get(GGUF, STANDIN)))
    result = await play(console, keep=options.keep, models=models, scenes=scenes)
    if options.json is not None:
        _write(options.json, result)
    if options.keep:
        invitation = how_to_use(Path(sys.executable).with_name("ari-agent"), REPO / "deploy" / "demo")
        console.print(invitation, markup=False, soft_wrap=True)
    return NOT_AS_EXPECTED if result.unexpected else ALL_GOOD


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with status 2 when they are wrong."""
    parser = argparse.ArgumentParser(prog="deploy/demo")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stop", action="store_true")
    return parser.parse_args(arguments)


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
