"""Writes entries to Postgres in the order in which they happen, without ever keeping a call waiting."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg
import structlog

from ari_agent.backoff import backoff
from ari_agent.calllog.database import GRACE_S, Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.schema import migrate
from ari_agent.config import Log
from ari_agent.errors import CallLogError
from ari_agent.record import (
    CallAnswered,
    CallClosed,
    CallNoted,
    CallOpened,
    DisclosurePlayed,
    Entry,
    EscalationEnded,
    NoteWritten,
    TaskTaken,
    TurnTaken,
)
from ari_agent.task import Note, Task

CAPACITY = 10_000
"""Entries that wait while the database is away: some 700 calls, about 10 MB."""
FLUSH_S = 5.0
"""Seconds to write what waits when the program ends."""
HEARTBEAT_S = 15.0
"""Seconds without an entry after which the connection is tried, so that `healthy` is true to the facts."""
COMPLAINT_S = 60.0
"""At most one error line in this many seconds, however long the database is away."""

log = structlog.get_logger(__name__)

_KIND: dict[type[Entry], str] = {
    CallOpened: "opened",
    CallAnswered: "answered",
    DisclosurePlayed: "disclosed",
    TurnTaken: "turn",
    EscalationEnded: "escalated",
    CallNoted: "noted",
    TaskTaken: "task",
    NoteWritten: "note",
    CallClosed: "closed",
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Waiting:
    """An entry on its way; its id stays the same over all attempts."""

    id: UUID
    entry: Entry


class PostgresLog:
    """The call log. Implements CallLog.

    One connection and one task, not a pool: entries are written one after the other, so a second connection would
    have nothing to do.
    """

    def __init__(self, database: Database, node: str, *, wording: bool, capacity: int = CAPACITY) -> None:
        self._database = database
        self._node = node
        self._took_over = False
        self._wording = wording
        # When full, the oldest entry is dropped and counted: what happens now matters more than what
        # nobody could store for so long.
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(capacity)
        self._current: _Waiting | None = None
        self._connected = False
        self._dropped = 0
        self._refused = 0
        self._complained = -COMPLAINT_S

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Log, node: str, *, capacity: int = CAPACITY, flush_s: float = FLUSH_S
    ) -> AsyncIterator[PostgresLog]:
        """Open the log, bring its schema up to date, and write in the background until the block ends.

        Calls that an earlier controller called `node` left open are closed: it died in the middle of them.

        A database that is away is tried again for as long as the block lasts. Raises CallLogError when the settings
        or the schema cannot work whatever we try.
        """
        async with Database(settings) as database:
            calls = cls(database, node, wording=settings.wording, capacity=capacity)
            connection: Connection | None = None
            try:
                connection = await calls._connect()
            except CallLogError as e:
                if not e.retryable:
                    raise
                calls._complain(e)
            writer = asyncio.create_task(calls._write_all(connection), name="call log")
            try:
                yield calls
            finally:
                await calls.flush(flush_s)
                writer.cancel()
                with suppress(asyncio.CancelledError):
                    await writer
                if connection is not None:
                    await connection.close()  # a log without entries ends before its writer has begun
                if calls.waiting or calls.dropped:
                    log.error("entries of the call log were lost", not_written=calls.waiting, dropped=calls.dropped)

    def write(self, entry: Entry) -> None:
        """Take an entry; never blocks and never fails a call. Words are left out unless the settings ask for them."""
        if isinstance(entry, TurnTaken) and not self._wording:
            entry = dataclasses.replace(entry, caller_text=None, agent_text=None)
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            self._dropped += 1
        self._queue.put_nowait(_Waiting(uuid4(), entry))

    async def flush(self, timeout: float) -> bool:
        """Wait until everything taken so far is written, at most `timeout` seconds; return whether it is."""
        try:
            async with asyncio.timeout(timeout):
                await self._queue.join()
        except TimeoutError:
            return False
        return True

    @property
    def healthy(self) -> bool:
        """Whether the database answered last time."""
        return self._connected

    @property
    def waiting(self) -> int:
        """Entries not yet written."""
        return self._queue.qsize() + (self._current is not None)

    @property
    def dropped(self) -> int:
        """Entries lost because the database was away for too long."""
        return self._dropped

    @property
    def refused(self) -> int:
        """Entries the database would never accept; an event "refused" stands in their place."""
        return self._refused

    async def _write_all(self, connection: Connection | None) -> None:
        """Write for ever, over as many connections as it takes."""
        delays = backoff()
        while True:
            try:
                connection = connection or await self._connect()
                async with connection:
                    while True:
                        await self._write_next(connection)
                        delays = backoff()
            except CallLogError as e:
                self._connected = False
                connection = None
                self._complain(e)
            await asyncio.sleep(next(delays))

    async def _connect(self) -> Connection:
        connection = await self._database.connect()
        try:
            await migrate(connection)
            if not self._took_over:
                await self._execute(connection, "close_cut_off", {"node": self._node})
                self._took_over = True
        except BaseException:
            await connection.close()
            raise
        self._connected = True
        return connection

    async def _write_next(self, connection: Connection) -> None:
        """Write one entry, or try the connection when there is none for a while. Raises CallLogError."""
        if self._current is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_S):
                    self._current = await self._queue.get()
        if self._current is None:
            await self._execute(connection, "heartbeat", {})
            return
        await self._record(connection, self._current)
        self._current = None
        self._queue.task_done()

    async def _record(self, connection: Connection, waiting: _Waiting) -> None:
        kind = _KIND[type(waiting.entry)]
        values = _values(waiting.entry) | {"entry": waiting.id}
        sqlstate = await self._execute(connection, f"record_{kind}", values)
        if sqlstate is not None:
            # No second attempt would fare better. The driver's text holds the values, so only its code is kept.
            self._refused += 1
            log.error("the call log refused an entry", kind=kind, sqlstate=sqlstate, call=str(waiting.entry.call))
            values = {"entry": waiting.id, "call": waiting.entry.call, "at": waiting.entry.at}
            await self._execute(connection, "record_refused", values | {"kind": kind, "sqlstate": sqlstate})

    async def _execute(self, connection: Connection, query: str, values: dict[str, Any]) -> str | None:
        """Run a query; return the SQLSTATE when the values can never be stored. Raises CallLogError otherwise."""
        with wrapped("the call log's database does not answer; entries wait"):
            try:
                async with asyncio.timeout(self._database.limit_s + GRACE_S):
                    await connection.execute(QUERIES[query], values)
            except (psycopg.DataError, psycopg.IntegrityError) as e:
                return e.sqlstate or "none"
        return None

    def _complain(self, e: CallLogError) -> None:
        now = time.monotonic()
        if now - self._complained >= COMPLAINT_S:
            self._complained = now
            log.error("the call log is not written", reason=str(e), waiting=self.waiting, dropped=self._dropped)


def _values(record: Entry | Task | Note) -> dict[str, Any]:
    """Return the parameters of an entry's statement; a task's or note's fields stand beside those of its entry."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        values |= _values(value) if isinstance(value, Task | Note) else {field.name: _clean(value)}
    return values


def _clean(value: object) -> object:
    """Make a value storable: no NUL and no half characters in texts, tenths of milliseconds are enough."""
    if isinstance(value, str):
        return value.replace("\0", "�").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, tuple):
        return [_clean(item) for item in value]
    return value
