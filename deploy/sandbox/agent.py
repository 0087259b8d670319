"""`ari-agent run` and `ari-agent watchdog` as child processes: started, awaited by what they log, stopped, killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

READY = "connected to Asterisk"
"""The line of the log after which calls are served."""
START_LIMIT = 90.0
"""Seconds for a new database, a model and some sixty phrases, also on a machine that is busy with something else."""
MODEL_READY = "the language model is ready"
"""The line of the log after which a language model decides."""
MODEL_LIMIT = 120.0
"""Seconds for loading a small one and reading the company's passages."""
STOP_LIMIT = 45.0
"""Seconds from SIGTERM to the end: the drain of the settings (30 s), handing callers back, the database."""
LOOK = 0.03
"""Seconds between two looks at the log."""
LAST_LINES = 5
"""Lines of the log that are quoted when the agent does not start."""

LogLine = Mapping[str, Any]


class AgentError(Exception):
    """The agent ended, or did not do in time what was waited for."""


class Agent:
    """One agent with its settings file; as an async context manager it serves calls inside the block.

    Its log goes to a file, beside the settings unless another is named, so that the agent can outlive this program
    (`leave`) and never waits for a reader.
    """

    command: Sequence[str] = ("ari_agent.cli", "run")
    """Module and command."""
    ready = READY

    def __init__(self, settings: Path, *, log: Path | None = None, before: Sequence[str] = ()) -> None:
        """`before`: a program with its arguments that runs the agent, such as strace."""
        self.settings = settings
        self.log = log or settings.with_suffix(".log")
        self.pid = 0
        """The process; 0 before the start."""
        self._status: int | None = None
        self._left = False
        self._before = list(before)

    async def __aenter__(self) -> Self:
        self.start()
        try:
            await self.logged(self.ready, limit=START_LIMIT)
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._left:
            await self.stop()

    @property
    def status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        if self._status is None and self.pid:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if ended else None
        return self._status

    def start(self) -> None:
        """Start it, for the first time or again; its log begins anew. It may take seconds until it serves calls."""
        run = [sys.executable, "-m", *self.command, "--json", "--config", str(self.settings)]
        command = [*self._before, *run]
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        self._status = None
        # No object of `subprocess`, which would complain of a process that is left on purpose; a session of its own,
        # because Ctrl-C is for the program that started it, which then stops it in order.
        self.pid = os.posix_spawnp(command[0], command, os.environ, file_actions=files, setsid=True)

    def lines(self) -> list[LogLine]:
        """The log so far; what is no JSON, such as a traceback, is a line whose "event" is the text."""
        return [_parsed(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    async def logged(self, event: str, *, since: int = 0, limit: float = 10.0) -> LogLine:
        """Wait for a line of this event, the first from line `since` on. Raises AgentError, with what was logged."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        while True:
            over = self.status is not None or loop.time() > end
            for line in self.lines()[since:]:
                if line["event"] == event:
                    return line
            if over:
                last = "\n".join(str(line["event"]) for line in self.lines()[-LAST_LINES:])
                how = f"did not log {event!r} within {limit:g} s" if self.status is None else f"ended ({self.status})"
                raise AgentError(f"the agent {how}; the end of {self.log}:\n{last}")
            await asyncio.sleep(LOOK)

    async def model_ready(self) -> None:
        """Wait until the language model decides; there has to be one. Raises AgentError, with what was logged."""
        await self.logged(MODEL_READY, limit=MODEL_LIMIT)

    def terminate(self) -> None:
        """Ask it to end, as systemd does; see `ended`."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it without a warning (-9), as the kernel does when memory is short; see `ended`."""
        self._signal(signal.SIGKILL)

    async def ended(self, *, limit: float = STOP_LIMIT) -> int:
        """Wait for its end; returns the exit status. Raises AgentError."""
        try:
            async with asyncio.timeout(limit):
                await exited(self.pid)
        except TimeoutError as e:
            raise AgentError(f"the agent did not end within {limit:g} s") from e
        return self.status or 0

    async def stop(self) -> int:
        """End it in order, or by force when that takes too long; returns its exit status."""
        self.resume()
        self.terminate()
        try:
            return await self.ended()
        except AgentError:
            os.killpg(self.pid, signal.SIGKILL)  # and the processes it started
            return await self.ended()

    def halt(self) -> None:
        """Stop its process where it is, as a debugger or a frozen machine does; see `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a halted process go on."""
        self._signal(signal.SIGCONT)

    def leave(self) -> None:
        """Let it run on when the block and this program end."""
        self._left = True

    def _signal(self, number: signal.Signals) -> None:
        if self.pid and self.status is None:
            os.kill(self.pid, number)


class Watchdog(Agent):
    """`ari-agent watchdog` with the settings of an agent, started as the console script does."""

    command = ("ari_agent.cli.start", "watchdog")
    ready = "watching"

    def __init__(self, settings: Path, name: str = "watchdog") -> None:
        super().__init__(settings, log=settings.with_suffix(f".{name}.log"))


async def exited(process: int) -> None:
    """Wait for the end of a process, a child or not; one that is gone already has ended."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(handle, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _parsed(line: str) -> LogLine:
    try:
        parsed = json.loads(line)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) and "event" in parsed else {"event": line}
