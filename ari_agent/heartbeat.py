"""A process's sign of life for others on the machine: a small file, locked while it lives, stamped from its event loop.

The kernel releases the lock however the process ends, so death is seen at once; a stamp that grows old although the
lock is held shows a process that is stopped or an event loop that hangs. The file stays behind: a name that was never
seen alive is nobody's to judge.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import structlog

from ari_agent import systemd
from ari_agent.errors import ConfigError

log = structlog.get_logger(__name__)

SUFFIX = ".beat"
LOCK_S = 1.0
"""A predecessor that was killed may hold its lock so long, and a reader for an instant."""
_TRY_S = 0.02
_BYTES = 128
"""Of a record, padded with blanks: one write in place, which no full disk refuses."""

Phase = Literal["starting", "serving", "ended"]
"""starting: alive, but it serves no calls yet or no more."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What the file of a process tells."""

    pid: int
    phase: Phase
    at: float
    """Seconds of the machine's monotonic clock; a process that gives no sign of life keeps the old stamp."""
    locked: bool
    """Whether the process lives."""

    @property
    def serving(self) -> bool:
        """Whether it lives and calls are in its hands."""
        return self.locked and self.phase == "serving"

    def fresh(self, limit_s: float) -> bool:
        """Whether the last sign was given less than so long ago, since the machine was started."""
        return self.phase == "serving" and 0 <= time.monotonic() - self.at < limit_s


def read(path: Path) -> Beat | None:
    """Return what the file tells; None when there is none, or none that can be read at this moment."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        # First the lock: a process that ends in between has told the truth until then.
        locked = not _lock(file, fcntl.LOCK_SH)
        record = json.loads(os.pread(file, _BYTES, 0))
        return Beat(int(record["pid"]), record["phase"], float(record["at"]), locked)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    finally:
        os.close(file)


class Heartbeat:
    """Our own sign of life, given from the event loop as long as `begin`'s block lasts."""

    def __init__(self, path: Path, *, alone: bool) -> None:
        self._path = path
        self._alone = alone
        self._phase: Phase = "starting"
        self._file = -1
        self._lost = False

    @classmethod
    @asynccontextmanager
    async def begin(cls, folder: Path, name: str, every_s: float, *, alone: bool = True) -> AsyncIterator[Self]:
        """Give signs of life as `name`; unless `alone`, several processes may share the name, and hold no lock.

        Raises ConfigError when the folder cannot be written, or another process has the name.
        """
        heart = cls(folder / f"{name}{SUFFIX}", alone=alone)
        try:
            heart._file = await heart._claim()
        except OSError as e:
            raise ConfigError(
                f"{folder} cannot be written ({e.strerror}); the watchdog needs it: name another watchdog.runtime"
            ) from e
        beating = asyncio.create_task(heart._beat(every_s), name="heartbeat")
        try:
            heart._stamp()
            yield heart
        finally:
            beating.cancel()
            await asyncio.wait([beating])
            heart._phase = "ended"
            with suppress(OSError):
                heart._stamp()
            os.close(heart._file)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Tell, before the first call is taken and after the last is given up, that calls are in our hands."""
        self._phase = "serving"
        self._stamp()
        systemd.notify(systemd.READY)
        try:
            yield
        finally:
            self._phase = "starting"
            self._stamp()
            systemd.notify(systemd.STOPPING)

    async def _claim(self) -> int:
        """Return the file, locked by us. Raises OSError, and ConfigError when another process holds the lock."""
        end = time.monotonic() + LOCK_S
        while (file := _opened(self._path, alone=self._alone)) is None:
            if time.monotonic() > end:
                name = self._path.stem
                raise ConfigError(f"{name} runs already on this machine: stop it, or name another asterisk.node")
            await asyncio.sleep(_TRY_S)
        return file

    async def _beat(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await self._restore()
                self._stamp()
                self._lost = False
            except (OSError, ConfigError) as e:
                if not self._lost:
                    log.warning("no sign of life can be given; the watchdog may take our calls for lost", error=str(e))
                self._lost = True
            systemd.notify(systemd.ALIVE)

    async def _restore(self) -> None:
        """Make the file again when somebody has removed it."""
        with suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), os.fstat(self._file)):
                return
        old, self._file = self._file, await self._claim()
        os.close(old)

    def _stamp(self) -> None:
        record = json.dumps({"pid": os.getpid(), "phase": self._phase, "at": time.monotonic()})
        os.pwrite(self._file, record.ljust(_BYTES).encode(), 0)


def _opened(path: Path, *, alone: bool) -> int | None:
    """Return the file, made if need be and, if `alone`, locked; None when another has the lock. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if not alone or _lock(file, fcntl.LOCK_EX):
        return file
    os.close(file)
    return None


def _lock(file: int, kind: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
