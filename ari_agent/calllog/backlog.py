"""Entries on their way to the database: taken in memory, moved at once into the spool, given out in their order.

    take ─► memory ──keeper──► spool on disk ──oldest──► the writer to Postgres ──settle──► removed

A call only ever touches the memory. While the spool takes nothing and holds nothing, entries go from memory to the
writer directly; while it is full they wait in memory behind it. When the memory is full too, the oldest entry in it is
dropped, because what happens now matters more than what nobody could store for so long; how many a call has lost
becomes an entry of its own.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

import structlog

from ari_agent import metrics
from ari_agent.backoff import backoff
from ari_agent.calllog.spool import Spool
from ari_agent.calllog.waiting import Dropped, Record, Started, Unreadable, Waiting
from ari_agent.errors import SPOOL_TROUBLE, SpoolError

CAPACITY = 10_000
"""Entries in memory: some 700 calls, about 10 MB."""
BATCH = 200
"""Entries moved or given out at once."""
TIDY_S = 1.0
"""Without an entry for so long, nothing of those that are written stays in the spool's files."""

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class Backlog:
    """What the database has not taken yet. One task takes entries out: `oldest`, then `settle`."""

    def __init__(self, spool: Spool, limit_s: float, capacity: int) -> None:
        self._spool = spool
        self._limit_s = limit_s
        self._capacity = capacity
        self._memory: deque[Waiting] = deque()
        self._moving: list[Waiting] = []
        """Taken out of memory and not yet known to be in the spool."""
        self._direct: list[Waiting] = []
        """Given to the writer out of memory."""
        self._given: list[int] = []
        """Positions of what was given to the writer out of the spool."""
        self._lost: Counter[UUID] = Counter()
        """Entries dropped and not yet told, by call."""
        self._spooled = 0
        """Entries in the spool behind the cursor."""
        self._cursor = 0
        """Position of the last entry that the database has."""
        self._removed = 0
        """Position up to which entries are removed from the spool."""
        self._step = BATCH
        """Entries moved at once."""
        self._untidy = True
        self._is_open = False
        self._trouble: str | None = None
        self._dropped = 0
        self._arrived = asyncio.Event()
        """There is something in memory."""
        self._news = asyncio.Event()
        """`oldest` may find something."""
        self._room = asyncio.Event()
        """The spool may take something that it did not take before."""
        self._idle = asyncio.Event()
        self._safe = asyncio.Event()
        """Nothing is in memory alone."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")

    @classmethod
    @asynccontextmanager
    async def open(cls, spool: Spool, limit_s: float, capacity: int = CAPACITY) -> AsyncIterator[Backlog]:
        """Find what an earlier run has left, and keep entries; at the end of the block all that wait go to disk.

        A disk that does not answer within `limit_s` seconds is told as trouble.
        """
        backlog = cls(spool, limit_s, capacity)
        await backlog._opened()
        keeper = asyncio.create_task(backlog._keep(), name="spool")
        try:
            yield backlog
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
            await backlog._end()

    @property
    def waiting(self) -> int:
        """Entries that the database has not taken yet."""
        return len(self._memory) + len(self._moving) + len(self._direct) + self._spooled

    @property
    def dropped(self) -> int:
        """Entries lost, because nothing could hold them."""
        return self._dropped

    @property
    def trouble(self) -> str | None:
        """Why the spool takes nothing, a key of SPOOL_TROUBLE; None while it does."""
        return self._trouble

    def take(self, record: Record) -> None:
        """Take a record; never blocks and never fails."""
        self._memory.append(Waiting(uuid4(), record))
        self._drop_beyond()
        self._arrived.set()
        self._news.set()
        self._count()

    async def oldest(self, timeout: float) -> list[Waiting]:
        """Return the entries that are next, at most BATCH, [] after `timeout` seconds without any. `settle` follows."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            self._news.clear()
            if found := await self._read() or self._from_memory():
                return found
            try:
                async with asyncio.timeout_at(min(end, loop.time() + TIDY_S) if self._untidy else end):
                    await self._news.wait()
            except TimeoutError:
                await self._tidy()
                if loop.time() >= end:
                    return []

    async def settle(self, written: int) -> None:
        """Forget so many of the entries that `oldest` gave, from the first on; the others come again."""
        if self._direct:
            self._memory.extendleft(reversed(self._direct[written:]))
            self._direct = []
            self._drop_beyond()
        elif written and self._given:
            self._cursor = self._given[written - 1]
            self._spooled = max(0, self._spooled - written)
            await self._remove()
        self._given = []
        self._room.set()
        self._count()

    async def idle(self, timeout: float) -> bool:
        """Wait until the database has everything, at most `timeout` seconds; return whether it has."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        return self._idle.is_set()

    async def safe(self, timeout: float) -> bool:
        """Wait until the spool or the database has everything, at most `timeout` seconds; return whether one has."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._safe.wait()
        return self._safe.is_set()

    async def _read(self) -> list[Waiting]:
        """Return the next entries of the spool."""
        if not self._spooled:
            return []
        try:
            found = await self._run(lambda: self._spool.oldest(self._cursor, BATCH))
        except SpoolError as e:
            self._fail(e)
            return []
        if not found:  # somebody has removed them by hand
            self._spooled = 0
            self._count()
        self._given = [one.position for one in found]
        return [one.waiting for one in found]

    def _from_memory(self) -> list[Waiting]:
        """Return the next entries of the memory if no older ones are elsewhere and the spool does not take them."""
        if self._trouble is not None and not self._moving and not self._spooled:
            self._direct = self._popped(BATCH)
        return self._direct

    def _popped(self, most: int) -> list[Waiting]:
        return [self._memory.popleft() for _ in range(min(most, len(self._memory)))]

    async def _keep(self) -> None:
        """Move entries from memory to the spool for ever."""
        delays = backoff()
        while True:
            if self._trouble is None:
                await self._arrived.wait()
            if await self._opened() and await self._remove() and await self._move():
                delays = backoff()
                continue
            self._room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(next(delays)):
                    await self._room.wait()

    async def _opened(self) -> bool:
        """Open the spool if it is not; return whether it is open."""
        if self._is_open:
            return True
        try:
            last = await self._run(self._spool.open)
            if last < self._cursor:  # another file than before
                self._cursor = self._removed = 0
            self._spooled = await self._run(lambda: self._spool.left(self._cursor))
        except SpoolError as e:
            self._fail(e)
            return False
        if self._spool.damaged is not None:
            log.error(SPOOL_TROUBLE["damaged"], file=self._spool.damaged.name)
        self._is_open = True
        self._tell(None)
        self._news.set()
        self._count()
        return True

    async def _move(self) -> bool:
        """Move entries from memory into the spool; return False if it takes none now."""
        if self._direct:  # they are older, and come back to the memory if the database does not take them
            return False
        self._moving = self._popped(self._step)
        if not self._moving:
            self._arrived.clear()
            self._tell(None)
            return True
        try:
            added = await self._run(lambda: self._spool.append(self._moving))
        except BaseException as e:
            self._memory.extendleft(reversed(self._moving))
            self._moving = []
            self._drop_beyond()
            if not isinstance(e, SpoolError):
                raise
            self._fail(e)
            self._step = max(1, self._step // 2)  # fewer may still find room
            return False
        self._spooled += added
        self._moving = []
        self._step = min(BATCH, self._step * 2)
        if not self._memory:  # said once, when the jam is over
            self._tell(None)
        self._news.set()
        self._tell_lost()
        self._count()
        return True

    async def _remove(self) -> bool:
        """Remove from the spool what the database has; return False if that has to wait."""
        if self._removed >= self._cursor:
            return True
        until = self._cursor
        try:
            await self._run(lambda: self._spool.remove(until))
        except SpoolError as e:
            self._fail(e)
            return False
        self._removed = until
        self._untidy = True
        return True

    async def _tidy(self) -> None:
        if self._untidy and self._is_open:
            self._untidy = False
            with suppress(SpoolError):  # the next entry finds out
                await self._run(self._spool.tidy)

    async def _run(self, work: Callable[[], _T]) -> _T:
        """Do what blocks in the spool's thread. Raises SpoolError."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        if not (await asyncio.wait({future}, timeout=self._limit_s))[0]:
            self._tell("slow")
        return await future

    def _fail(self, e: SpoolError) -> None:
        """Note that the spool did not do what it was asked to; unless it is only full, it is opened anew."""
        if e.trouble not in ("full", "disk-full"):
            self._is_open = False
            self._spooled = 0
        self._tell(e.trouble)
        self._news.set()
        self._count()

    def _tell(self, trouble: str | None) -> None:
        metrics.LOG_SPOOL_UP.set(trouble is None)
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble is None:
            log.info("the spool of the call log takes entries again")
        else:
            log.warning(SPOOL_TROUBLE[trouble], waiting=self.waiting)

    def _drop_beyond(self) -> None:
        """Drop the oldest entries in memory beyond its capacity."""
        while len(self._memory) > self._capacity:
            record = self._memory.popleft().record
            if not isinstance(record, Started | Unreadable):
                self._lost[record.call] += record.entries if isinstance(record, Dropped) else 1
            if not isinstance(record, Dropped):
                self._dropped += 1
                metrics.LOG_ENTRIES.labels("dropped").inc()

    def _tell_lost(self) -> None:
        """Once there is room again, put down how many entries each call has lost."""
        now = datetime.now(UTC)
        for call, entries in list(self._lost.items())[: max(0, self._capacity - len(self._memory))]:
            del self._lost[call]
            self.take(Dropped(call, now, entries))

    def _count(self) -> None:
        waiting = self.waiting
        metrics.LOG_WAITING.set(waiting)
        if waiting:
            self._idle.clear()
        else:
            self._idle.set()
        if waiting > self._spooled:
            self._safe.clear()
        else:
            self._safe.set()

    async def _end(self) -> None:
        """Bring everything to disk and say what could not be brought there."""
        await self.settle(0)
        self._tell_lost()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limit_s):
                while self._memory and await self._opened() and await self._move():
                    pass
                await self._tidy()
                await self._run(self._spool.close)
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._memory:
            metrics.LOG_ENTRIES.labels("dropped").inc(len(self._memory))
            log.error("entries of the call log are lost", entries=len(self._memory), dropped=self._dropped)
        if self._spooled:
            log.warning("entries of the call log wait in the spool for the next start", entries=self._spooled)
