"""The program's end of the pipes to one phone's process: commands with replies, and news."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sandbox.recording import RATE

T = TypeVar("T")
Facts = dict[str, Any]

DEPLOY = Path(__file__).resolve().parent.parent
REPLY_LIMIT = 5.0
"""Seconds within which the process obeys a command; it needs milliseconds."""
PIECE = 30 * RATE
"""Samples of a recording fetched in one line."""
LINE_LIMIT = 8 * PIECE
"""Bytes of the longest line: both directions of a piece in base64, with room."""


class PhoneError(Exception):
    """The phone could not do that, what was waited for did not come in time, or the phone's process ended."""


class HandsetProcess:
    """One running `sandbox.handset`."""

    def __init__(self, news: Callable[[Facts], None]) -> None:
        """`news` takes the events of the process; whoever waits in `until` looks again after each."""
        self.pid = 0
        self.gone = ""
        """Why nothing can be asked any more; empty while the process runs."""
        self._news = news
        self._keys = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Facts]] = {}  # one per command in flight, and each has a time limit
        self._something_new = asyncio.Condition()

    async def start(self, noise_floor: float, *, suppressing: bool = False) -> None:
        """Start the process; it tells when it is ready."""
        how = [str(noise_floor), *(["suppressing"] if suppressing else [])]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sandbox.handset", *how),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            env={**os.environ, "PYTHONPATH": str(DEPLOY)},
        )
        self.pid = self._process.pid
        if self._process.stdin is None or self._process.stdout is None:
            raise PhoneError("the phone's process has no pipes")
        self._commands, self._messages = self._process.stdin, self._process.stdout
        self._reader = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Let it hang up and end; kill it when it does not."""
        self._commands.close()
        try:
            await asyncio.wait_for(self._process.wait(), REPLY_LIMIT)
        except TimeoutError:
            self._process.kill()
        await self._reader

    async def do(self, name: str, **arguments: object) -> Facts:
        """Have a command obeyed; returns its reply."""
        return await self._ask(next(self._keys), {"do": name, **arguments}, f"the phone to obey {name!r}", REPLY_LIMIT)

    async def watch(self, what: str, limit: float, *, kind: str, samples: int = 0, since: int | None = None) -> int:
        """Wait on the clock of the call (`sandbox.tape.Watch`); returns the sample found."""
        key = next(self._keys)
        try:
            command = {"do": "watch", "kind": kind, "samples": samples, "since": since}
            return int((await self._ask(key, command, what, limit))["at"])
        except (PhoneError, asyncio.CancelledError):
            self._write({"id": next(self._keys), "do": "unwatch", "key": key})
            raise

    async def until(self, what: str, probe: Callable[[], T | None], limit: float) -> T:
        """Wait until `probe` finds something in the news."""
        try:
            async with asyncio.timeout(limit), self._something_new:
                while (found := probe()) is None:
                    if self.gone:
                        raise PhoneError(self.gone)
                    await self._something_new.wait()
                return found
        except TimeoutError as e:
            raise PhoneError(f"waited {limit:g} s for {what}") from e

    async def _ask(self, key: int, command: Facts, what: str, limit: float) -> Facts:
        if self.gone:
            raise PhoneError(self.gone)
        reply = self._replies[key] = asyncio.get_running_loop().create_future()
        try:
            self._write({"id": key, **command})
            async with asyncio.timeout(limit):
                facts: Facts = await reply
                return facts
        except TimeoutError as e:
            raise PhoneError(f"waited {limit:g} s for {what}") from e
        finally:
            del self._replies[key]

    def _write(self, command: Facts) -> None:
        if not self.gone:
            self._commands.write(json.dumps(command).encode() + b"\n")

    async def _read(self) -> None:
        """Take messages until the process ends; then everything that waits fails."""
        try:
            while line := await self._messages.readline():
                await self._take(json.loads(line))
            self.gone = f"the phone's process ended with status {await self._process.wait()}"
        finally:
            if self._process.returncode is None:  # the program ends without closing its phone, or cannot read it
                self._process.kill()
            self.gone = self.gone or "the phone's process is not read any more"
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(PhoneError(self.gone))
            await self._tell()

    async def _take(self, message: Facts) -> None:
        if "event" in message:
            self._news(message)
            await self._tell()
            return
        reply = self._replies.get(message["id"])
        if reply is None or reply.done():  # its time limit has passed
            return
        if "error" in message:
            reply.set_exception(PhoneError(message["error"]))
        else:
            reply.set_result(message["ok"])

    async def _tell(self) -> None:
        async with self._something_new:
            self._something_new.notify_all()
