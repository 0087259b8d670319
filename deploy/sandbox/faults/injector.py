"""Injects one fault at a time into the calls that stand."""

import asyncio
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import psycopg

from sandbox.bench.stage import WORKERS
from sandbox.bench.usage import PROC, family, runs
from sandbox.faults import database
from sandbox.faults.board import Board
from sandbox.faults.callers import Caller, keys
from sandbox.faults.clock import HOURS
from sandbox.faults.desks import Desk, staffed
from sandbox.faults.evidence import FaultSeen
from sandbox.faults.kinds import KINDS
from sandbox.faults.plan import PlannedFault
from sandbox.faults.stage import Stage, pbx
from sandbox.faults.wires import Connection

MOMENT_S = 3.0
"""So long the moment of a fault is waited for; then any call will do."""
HANG = Path(__file__).with_name("hang.py")
CALL_S = 60.0
"""So long a call is waited for at all."""
HANG_S = 12.0
"""A controller that hangs: longer than the promise, so that somebody else has to keep it."""
LOOK_S = 0.02
DESCRIPTORS = 4096
"""What the controller may open afterwards."""


class Injector:
    """Knows how to do harm."""

    def __init__(self, stage: Stage, desks: list[Desk], seed: int) -> None:
        self._stage = stage
        self._board: Board = stage.board
        self._desks = desks
        self._dice = random.Random(f"{seed} faults")
        self.playing: dict[str, Caller] = {}
        """Who plays the call with a number."""

    async def inject(self, planned: PlannedFault) -> FaultSeen:
        """Wait for the moment, do it, take the cause away again. Raises TimeoutError when no call comes."""
        kind = KINDS[planned.kind]
        number, moment = await self._moment(planned)
        seen = FaultSeen(kind.name, moment, time.monotonic())
        seen.hit = self._board.standing("any")
        try:
            struck = await self._harm(kind.name, number)
            if not kind.strikes_all:
                seen.hit = [struck]
        except (OSError, psycopg.Error, ValueError, aiohttp.ClientError) as e:
            seen.trouble = f"{type(e).__name__}: {e}"
        seen.over = time.monotonic()
        if kind.restarts:
            await self._recovered()
        return seen

    async def _moment(self, planned: PlannedFault) -> tuple[str, str]:
        """Return the call that is picked, and what it is at."""
        began = time.monotonic()
        async with asyncio.timeout(CALL_S):
            while True:
                moment = planned.moment if time.monotonic() - began < MOMENT_S else "any"
                if standing := self._board.standing(moment, waiting=moment == "any"):
                    number = standing[int(planned.pick * len(standing))]
                    return number, self._board.states[number]
                await asyncio.sleep(LOOK_S)

    async def _recovered(self) -> None:
        """Wait until controller, watchdog and Asterisk are back."""
        await self._stage.observer.ready()
        await asyncio.gather(self._stage.supervisor.ready(), self._stage.watchdog.ready())

    async def _harm(self, kind: str, number: str) -> str:
        """Do it; return the number of the call that was struck, as a rule the one that was picked."""
        stage, server = self._stage, self._stage.database
        match kind:
            case "controller-kill":
                stage.supervisor.end(signal.SIGKILL)
            case "controller-stop":
                stage.supervisor.send(signal.SIGSTOP)
                await asyncio.sleep(HANG_S)
                stage.supervisor.end(signal.SIGKILL)
            case "controller-pause":
                stage.supervisor.send(signal.SIGSTOP)
                await asyncio.sleep(3)
                stage.supervisor.send(signal.SIGCONT)
            case "controller-hang":
                await self._hang()
            case "controller-drain":
                stage.supervisor.end(signal.SIGTERM)
            case "watchdog-kill":
                stage.watchdog.end(signal.SIGKILL)
            case "vosk-kill" | "vosk-stop" | "llama-kill" | "llama-stop":
                worker, _, how = kind.partition("-")
                self._worker(worker, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
            case "postgres-kill":
                server.kill()
                await asyncio.sleep(2)
                await asyncio.to_thread(server.start)
            case "postgres-stop":
                await asyncio.to_thread(server.stop)
                await asyncio.sleep(4)
                await asyncio.to_thread(server.start)
            case "postgres-hang":
                server.signal(signal.SIGSTOP)
                await asyncio.sleep(4)
                server.signal(signal.SIGCONT)
            case "postgres-read-only":
                await asyncio.to_thread(server.execute, database.READ_ONLY, database.RELOAD, database.END_SESSIONS)
                await asyncio.sleep(4)
                await asyncio.to_thread(server.execute, database.WRITABLE, database.RELOAD, database.END_SESSIONS)
            case "postgres-sessions":
                await asyncio.to_thread(server.execute, database.END_SESSIONS)
            case "ari-cut":
                stage.http.cut()
                await self._mended(stage.http.mend, 2)
            case "ari-swallow":
                stage.http.swallows = True
                await self._mended(stage.http.mend, 4)
            case "events-cut":
                await self._events(Connection.cut)
            case "events-swallow":
                await self._events(Connection.swallow)
            case "ami-cut":
                stage.ami.cut()
                await self._mended(stage.ami.mend, 3)
            case "ami-swallow":
                stage.ami.swallows = True
                await self._mended(stage.ami.mend, 4)
            case "media-cut" | "media-swallow":
                return await self._media(number, cut=kind == "media-cut")
            case "asterisk-reload":
                await asyncio.to_thread(pbx, "cli", "core reload")
            case "asterisk-restart":
                await self._restart_asterisk()
            case "disk-full":
                stage.disk.fill()
                await self._mended(stage.disk.empty, 4)
            case "descriptors":
                await self._no_descriptors()
            case "clock-forward" | "clock-back":
                stage.clock.jump(5 * HOURS if kind == "clock-forward" else -5 * HOURS)
                await self._mended(lambda: stage.clock.jump(0), 3)
            case "caller-hangs-up":
                self._board.hang_up.get(number, lambda: None)()
            case "keys":
                if caller := self.playing.get(number):
                    await caller.press(keys(self._dice))
            case "desk-hangs-up":
                for desk in self._desks:
                    if desk.talks_with == number:
                        await desk.hang_up()
        return number

    async def _mended(self, mend: Callable[[], None], after_s: float) -> None:
        try:
            await asyncio.sleep(after_s)
        finally:
            mend()

    async def _hang(self) -> None:
        pid = self._stage.supervisor.now.pid
        hanging = await asyncio.create_subprocess_exec(
            sys.executable, str(HANG), str(pid), str(HANG_S), stderr=asyncio.subprocess.PIPE
        )
        _, complaint = await hanging.communicate()
        if hanging.returncode and self._stage.supervisor.alive:
            raise OSError(complaint.decode().strip())

    def _worker(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the workers of a kind. Raises ValueError when there is none."""
        module, ours = WORKERS[f"{name}_worker"], family(self._stage.supervisor.now.pid)
        found = [process for process in ours if runs(process, module)]
        if not found and name != "llama":  # which may just be starting again
            raise ValueError(f"no {name} worker runs")
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    async def _events(self, harm: Callable[[Connection], None]) -> None:
        """Do something to the event connection, once there is one. Raises TimeoutError."""
        async with asyncio.timeout(CALL_S):
            while True:
                if found := self._stage.http.connections("events"):
                    harm(found[-1])
                    return
                await asyncio.sleep(LOOK_S)

    async def _media(self, number: str, *, cut: bool) -> str:
        """Cut or block the media connection of this call, or of another that has one; return whose.

        Raises TimeoutError when none has.
        """
        async with asyncio.timeout(CALL_S):
            while True:
                for one in (number, *self._board.standing("agent")):
                    path = await self._stage.observer.media_of(one)
                    for connection in self._stage.http.connections("media"):
                        if connection.path == path:
                            connection.cut() if cut else connection.swallow()
                            return one
                await asyncio.sleep(LOOK_S)

    async def _restart_asterisk(self) -> None:
        self._board.asterisk_away = True
        await asyncio.to_thread(pbx, "stop")
        self._board.asterisk_died()
        await asyncio.to_thread(pbx, "start")
        await self._stage.observer.ready()
        self._board.asterisk_died()
        self._board.asterisk_away = False
        await staffed(self._desks)

    async def _no_descriptors(self) -> None:
        pid = self._stage.supervisor.now.pid
        used = len(list((PROC / str(pid) / "fd").iterdir()))
        _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, most))

        def mend() -> None:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(most, DESCRIPTORS), most))

        await self._mended(mend, 4)
