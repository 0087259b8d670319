"""Writes entries to Postgres in the order in which they happen, without ever keeping a call waiting."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import structlog

from ari_agent import metrics
from ari_agent.backoff import backoff
from ari_agent.calllog.backlog import CAPACITY, Backlog
from ari_agent.calllog.database import GRACE_S, Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers, Place
from ari_agent.calllog.spool import Spool
from ari_agent.calllog.waiting import Record, Started, Waiting
from ari_agent.config import Log
from ari_agent.errors import AgentError, CallLogError
from ari_agent.record import CallOpened, Entry, TaskTaken, TurnTaken
from ari_agent.task import Note, Task

FLUSH_S = 5.0
"""Seconds to write what waits when the program ends; what is left then waits on disk for the next start."""
HEARTBEAT_S = 3.0
"""Seconds without an entry after which the connection is tried, so that `healthy` is true to the facts."""
ANSWER_S = 5.0
"""Seconds in which the database has to answer when it has nothing else to do; both together are less than 10."""

log = structlog.get_logger(__name__)


class PostgresLog:
    """The call log. Implements CallLog.

    One connection and one task, not a pool: entries are written one after the other, so a second connection would
    have nothing to do.
    """

    def __init__(self, database: Database, backlog: Backlog, numbers: Numbers, *, wording: bool) -> None:
        self._database = database
        self._backlog = backlog
        self._numbers = numbers
        self._numbers_told: str | None = None
        """What was last said to be wrong with the key of callers' numbers."""
        self._key_written: str | None = None
        """The key whose name the database has."""
        self._wording = wording
        self._key_at = 0.0
        """When the file of keys was looked at, by the loop's clock."""
        self._healthy = False
        self._trouble: str | None = None
        self._refused = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Log, node: str, area_code: str = "", *, capacity: int = CAPACITY, flush_s: float = FLUSH_S
    ) -> AsyncIterator[PostgresLog]:
        """Open the log, bring its schema up to date, and write in the background until the block ends.

        First comes what an earlier run has left on disk, then the calls are closed that an earlier controller called
        `node` left open: it died in the middle of them.

        A database that is away is tried again for as long as the block lasts, and a disk that takes no entries too.
        While there is no key for callers' numbers these are left out: nothing stores them in the clear. `area_code` is
        the company's, for calling numbers that come without one.
        Raises CallLogError when the settings or the schema cannot work whatever we try.
        """
        numbers = Numbers(settings.number_key, area_code, create=True)
        await numbers.refresh()
        spool = Spool(settings.spool, node, settings.spool_mb, settings.fsync, numbers)
        async with Database(settings) as database, Backlog.open(spool, settings.connect_s, capacity) as backlog:
            calls = cls(database, backlog, numbers, wording=settings.wording)
            calls._tell_about_key()
            backlog.take(Started(node, datetime.now(UTC)))
            connection: Connection | None = None
            try:
                connection = await calls._connect()
            except CallLogError as e:
                if not e.retryable:
                    raise
                calls._tell(str(e))
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

    def write(self, entry: Entry) -> None:
        """Take an entry; never blocks and never fails a call. Words are left out unless the settings ask for them."""
        if isinstance(entry, TurnTaken) and not self._wording:
            entry = dataclasses.replace(entry, caller_text=None, agent_text=None)
        self._backlog.take(entry if self._numbers.usable else _without_number(entry))

    async def flush(self, timeout: float) -> bool:
        """Wait until everything taken so far is written, at most `timeout` seconds; return whether it is."""
        return await self._backlog.idle(timeout)

    async def safe(self, timeout: float) -> bool:
        """Wait until everything taken so far is in the spool or written; return whether it is within the time."""
        return await self._backlog.safe(timeout)

    @property
    def healthy(self) -> bool:
        """Whether the database took what it was given last."""
        return self._healthy

    @property
    def waiting(self) -> int:
        """Entries not yet written."""
        return self._backlog.waiting

    @property
    def dropped(self) -> int:
        """Entries lost because neither database nor disk nor memory could hold them; an event stands in their place."""
        return self._backlog.dropped

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
            except AgentError as e:
                self._tell(str(e))
            except Exception as e:  # noqa: BLE001 - a mistake of ours must not end the log; its text may hold values
                self._tell(f"mistake in our program: {type(e).__name__}")
            connection = None
            await asyncio.sleep(next(delays))

    async def _connect(self) -> Connection:
        connection = await self._database.connect()
        try:
            await migrate(connection)
            await seal_waiting(connection, self._numbers)
            await self._compare_keys(connection)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _compare_keys(self, connection: Connection) -> None:
        """Say so when numbers of earlier calls cannot be opened. Raises CallLogError."""
        with wrapped("the call log's database does not answer; entries wait"):
            rows = await (await connection.execute(QUERIES["number_keys"])).fetchall()
        for name in self._numbers.missing(row["id"] for row in rows) if self._numbers.usable else ():
            log.warning("numbers of earlier calls cannot be opened", reason=self._numbers.lacks(name))
        self._key_written = None
        await self._look_at_key(connection)

    async def _look_at_key(self, connection: Connection) -> None:
        """Take what is new in the file of keys, and put its name on record. Raises CallLogError."""
        await self._numbers.refresh()
        self._tell_about_key()
        if self._numbers.usable and self._key_written != (newest := self._numbers.names[-1]):
            await self._execute(connection, "number_key_used", {"key": newest})
            self._key_written = newest
        self._key_at = asyncio.get_running_loop().time()

    def _tell_about_key(self) -> None:
        trouble = self._numbers.trouble
        if trouble != self._numbers_told:
            self._numbers_told = trouble
            metrics.LOG_KEY_UP.set(trouble is None)
            if trouble is None:
                log.info("callers' numbers are sealed again")
            elif self._numbers.usable:
                log.error("callers' numbers are sealed with the key from before", reason=trouble)
            else:
                log.error("callers' numbers are not stored", reason=trouble)

    async def _write_next(self, connection: Connection) -> None:
        """Write what is next, or try the connection when there is nothing for a while. Raises CallLogError."""
        batch = await self._backlog.oldest(HEARTBEAT_S)
        if asyncio.get_running_loop().time() - self._key_at > HEARTBEAT_S:
            await self._look_at_key(connection)
        if not batch:
            await self._execute(connection, "heartbeat", {}, ANSWER_S)
            self._tell(None)
        written = 0
        try:
            for waiting in batch:
                await self._record(connection, waiting)
                written += 1
                metrics.LOG_ENTRIES.labels("written").inc()
                self._tell(None)
        finally:
            await self._backlog.settle(written)

    async def _record(self, connection: Connection, waiting: Waiting) -> None:
        kind, record = waiting.kind, waiting.record
        values = _values(record) | self._sealed(record) | {"entry": waiting.id, "salt": secrets.token_bytes(32)}
        sqlstate = await self._execute(connection, f"record_{kind}", values)
        if sqlstate is not None and not isinstance(record, Started):
            # No second attempt would fare better. The driver's text holds the values, so only its code is kept.
            self._refused += 1
            metrics.LOG_ENTRIES.labels("refused").inc()
            log.error("the call log refused an entry", kind=kind, sqlstate=sqlstate, call=str(record.call))
            values = {"entry": waiting.id, "call": record.call, "at": record.at}
            await self._execute(connection, "record_refused", values | {"kind": kind, "sqlstate": sqlstate})

    def _sealed(self, record: Record) -> dict[str, Any]:
        """Return what the database gets instead of a number; the number itself is no parameter of any statement."""
        match record:
            case CallOpened():
                kept = self._kept("call", record.call, record.caller)
                withheld, lost = record.caller is None, record.caller is not None and kept["number"] is None
                erased_at = record.at if lost else None
                changed = {"caller": kept["number"], "digest": kept["digest"]}
                return changed | {"withheld": withheld, "erased_at": erased_at}
            case TaskTaken():
                return self._kept("task", record.ident, record.task.number)
            case _:
                return {}

    def _kept(self, place: Place, ident: UUID, number: str | None) -> dict[str, bytes | None]:
        if not number or not self._numbers.usable:
            return {"number": None, "digest": None}
        sealed = self._numbers.seal(place, ident, _text(number))
        return {"number": sealed.number, "digest": sealed.digest}

    async def _execute(
        self, connection: Connection, query: str, values: dict[str, Any], most_s: float = math.inf
    ) -> str | None:
        """Run a query; return the SQLSTATE when the values can never be stored. Raises CallLogError otherwise."""
        with wrapped("the call log's database does not answer; entries wait"):
            try:
                async with asyncio.timeout(min(most_s, self._database.limit_s + GRACE_S)):
                    await connection.execute(QUERIES[query], values)
            except (psycopg.DataError, psycopg.IntegrityError) as e:
                return e.sqlstate or "none"
        return None

    def _tell(self, trouble: str | None) -> None:
        """Note whether entries are written, or why not, and say so when that has changed."""
        self._healthy = trouble is None
        metrics.LOG_DATABASE_UP.set(self._healthy)
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble is None:
                log.info("the call log is written again", waiting=self.waiting)
            else:
                log.warning("the call log is not written", reason=trouble, waiting=self.waiting)


def _values(record: Record | Task | Note) -> dict[str, Any]:
    """Return the parameters of an entry's statement; a task's or note's fields stand beside those of its entry."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        values |= _values(value) if isinstance(value, Task | Note) else {field.name: _clean(value)}
    return values


def _clean(value: object) -> object:
    """Make a value storable: no NUL and no half characters in texts, tenths of milliseconds are enough."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, tuple):
        return [_clean(item) for item in value]
    return value


def _text(value: str) -> str:
    return value.replace("\0", "�").encode("utf-8", "replace").decode()


def _without_number(entry: Entry) -> Entry:
    """Return the entry as it is stored while there is no key; an empty number is one that could not be kept."""
    match entry:
        case CallOpened(caller=str()):
            return dataclasses.replace(entry, caller="")
        case TaskTaken():
            return dataclasses.replace(entry, task=dataclasses.replace(entry.task, number=None))
        case _:
            return entry
