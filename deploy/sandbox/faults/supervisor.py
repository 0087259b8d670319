"""Controller and watchdog under supervision, as systemd does it: restarted whenever they end (Restart=always)."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.agent import START_LIMIT, Agent, AgentError, LogLine, Watchdog, exited
from sandbox.bench.usage import PROC, family

RESTART_S = 0.5
"""systemd's RestartSec, as our unit would have it."""
IDLE_S = 2.0
"""After "connected to Asterisk": its clean-up is over, and no call can have come that was not waited for."""
MARK = "SANDBOX_CAMPAIGN"
"""A variable that all processes of one campaign have: no other agent on this machine is taken for ours."""
READY_S = 2 * START_LIMIT
"""The end of one life and the start of the next, on a machine that is busy with calls."""


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a program."""

    agent: Agent
    pid: int

    def lines(self) -> list[LogLine]:
        """What it has logged."""
        return self.agent.lines()


class Supervisor:
    """Keeps one program alive."""

    def __init__(self, make: Callable[[Path], Agent], logs: Path, name: str) -> None:
        """`make` returns the program that logs to a file, of which there is one per life in the folder `logs`."""
        self._make = make
        self._logs = logs
        self._name = name
        self.runs: list[Run] = []
        self._ending: set[int] = set()
        self._stopping = False

    @classmethod
    def controller(cls, settings: Path, logs: Path) -> "Supervisor":
        """Of `ari-agent run`."""
        return cls(lambda log: Agent(settings, log=log), logs, "controller")

    @classmethod
    def watchdog(cls, settings: Path, logs: Path) -> "Supervisor":
        """Of `ari-agent watchdog`."""

        def make(log: Path) -> Watchdog:
            watchdog = Watchdog(settings)
            watchdog.log = log
            return watchdog

        return cls(make, logs, "watchdog")

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator["Supervisor"]:
        """Start it, wait until it serves, keep it alive, stop it in order. Raises AgentError."""
        watching = asyncio.create_task(self._keep_alive(), name=f"supervisor of the {self._name}")
        try:
            await self.ready()
            yield self
        finally:
            await self.stop()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    @property
    def now(self) -> Run:
        """The life it has now, or the last one."""
        return self.runs[-1]

    async def ready(self) -> None:
        """Wait until it serves, in a life in which it was not told to end. Raises AgentError."""
        async with asyncio.timeout(READY_S):
            while True:
                if self.runs and self.now.pid not in self._ending and self.now.agent.status is None:
                    with suppress(AgentError):
                        await self.now.agent.logged(self.now.agent.ready, limit=START_LIMIT)
                        return
                await asyncio.sleep(0.05)

    @property
    def alive(self) -> bool:
        """Whether it runs now, ready or not."""
        return bool(self.runs) and self.now.agent.status is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.now.pid, number)

    def end(self, number: signal.Signals) -> None:
        """Send it a signal that ends it."""
        self._ending.add(self.now.pid)
        self.send(number)

    async def stop(self) -> int:
        """Stop it for good, in order; return the exit status."""
        self._stopping = True
        return await self.now.agent.stop() if self.runs else 0

    async def _keep_alive(self) -> None:
        while not self._stopping:
            agent = self._make(self._logs / f"{self._name}-{len(self.runs) + 1}.log")
            agent.start()
            self.runs.append(Run(agent, agent.pid))
            await exited(agent.pid)
            await asyncio.sleep(RESTART_S)


def marked(mark: str) -> dict[int, str]:
    """Return the agent's processes of this campaign with their command lines; blocks for some milliseconds."""
    found = {}
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if "ari_agent" in command and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found[int(entry.name)] = command.strip()
    return found


def orphans(mark: str, *programs: int) -> list[str]:
    """Return the processes of earlier lives that are still there; blocks likewise."""
    ours = set[int]().union(*map(family, programs))
    return [command for process, command in marked(mark).items() if process not in ours]
