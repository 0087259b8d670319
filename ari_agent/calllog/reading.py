"""Reads the call log: the newest calls, one call with its turns, and what happens now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from ari_agent.backoff import backoff
from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.sealing import Numbers, Place, shortened
from ari_agent.config import Log
from ari_agent.errors import CallLogError, SealingError

HEARTBEAT_S = 15.0
"""Seconds without news after which the connection is tried."""
PAGE = 500
"""Events fetched at once after a lost connection."""

Row = dict[str, Any]

_UNREADABLE = "the call log cannot be read: has ari-agent run once with this database, and may the account read it?"


class CallReader:
    """Read-only view of the call log; callers' numbers are shortened, or pseudonyms for who does not hold the key."""

    def __init__(self, database: Database, connection: Connection, numbers: Numbers) -> None:
        self._database = database
        self._connection = connection
        self._numbers = numbers
        self.trouble: str | None = None
        """Why a number that was read last could not be opened."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[CallReader]:
        """Connect to the call log that ari-agent has made. Raises CallLogError."""
        numbers = Numbers(settings.number_key)
        await numbers.refresh()
        async with Database(settings, create=False) as database:
            reader = cls(database, await database.connect(), numbers)
            try:
                yield reader
            finally:
                await reader._connection.close()

    async def calls(self, limit: int, prefix: str = "") -> list[Row]:
        """Return the newest calls first, only those whose id begins with `prefix`. Raises CallLogError."""
        rows = await self._rows("calls", {"limit": limit, "prefix": prefix.lower()})
        return [row | {"caller": self._shown("call", "caller", row)} for row in rows]

    async def turns(self, call: object) -> list[Row]:
        """Return the turns of a call in order. Raises CallLogError."""
        return await self._rows("turns", {"call": call})

    async def events(self, call: object) -> list[Row]:
        """Return every entry of a call in the order of writing. Raises CallLogError."""
        return await self._rows("events", {"call": call})

    async def tasks(self, call: object) -> list[Row]:
        """Return the callbacks and messages of a call, their numbers shortened. Raises CallLogError."""
        rows = await self._rows("call_tasks", {"call": call})
        return [with_number(row, self._shown("task", "number", row)) for row in rows]

    async def note(self, call: object) -> Row | None:
        """Return the note on a call as it was written; None when there is none. Raises CallLogError."""
        return next(iter(await self._rows("call_note", {"call": call})), None)

    async def corrections(self, call: object) -> list[Row]:
        """Return what people corrected in the note on a call, in order. Raises CallLogError."""
        return await self._rows("corrections_of", {"note": call, "task": None})

    async def counts(self) -> dict[str, int]:
        """Return the number of calls, turns and events. Raises CallLogError."""
        (row,) = await self._rows("row_counts", {})
        return row

    async def position(self) -> int:
        """Return the number of the newest event: where `follow` starts. Raises CallLogError."""
        (row,) = await self._rows("last_event", {})
        return int(row["seq"])

    async def follow(self, seq: int) -> AsyncGenerator[Row, None]:
        """Yield every event after number `seq`, each once, for ever.

        A lost connection is made again and nothing left out. Raises CallLogError when that cannot help.
        """
        delays = backoff()
        while True:
            try:
                async with aclosing(self._news(seq)) as news:
                    async for event in news:
                        yield event
                        seq = max(seq, event["seq"])
                        delays = backoff()
            except CallLogError as e:
                if not e.retryable:
                    raise
                await self._connection.close()
            await asyncio.sleep(next(delays))

    async def _news(self, after: int) -> AsyncGenerator[Row, None]:
        """Yield the events with higher numbers than `after`, then those that are announced. Raises CallLogError."""
        if self._connection.closed:
            self._connection = await self._database.connect()
        with wrapped("the call log's database went away"):
            await self._connection.execute(QUERIES["listen"])
        # Events written between LISTEN and the query come twice: by the query and announced.
        caught_up: set[int] = set()
        while page := await self._announced("events_after", {"seq": after, "limit": PAGE}):
            for event in page:
                caught_up.add(event["seq"])
                yield event
            after = page[-1]["seq"]
        while True:
            with wrapped("the call log's database went away"):
                announced = [
                    int(notice.payload)
                    async for notice in self._connection.notifies(timeout=HEARTBEAT_S, stop_after=1)
                    if notice.payload.isdecimal()
                ]
            if not announced:
                await self._announced("heartbeat", {})
            for seq in announced:
                if seq not in caught_up:
                    for event in await self._announced("event", {"seq": seq}):
                        yield event

    def _shown(self, place: Place, name: str, row: Row) -> str | None:
        """Return a row's number shortened; its pseudonym where the number is gone or cannot be opened."""
        sealed = row[name]
        try:
            if sealed is not None:
                sealed = sealed if isinstance(sealed, bytes) else bytes.fromhex(sealed)
                return shortened(self._numbers.open(place, row["id"], sealed))
        except SealingError as e:
            self.trouble = str(e)
        pseudonym: str | None = row[f"{name}_pseudonym"]
        return pseudonym

    async def _announced(self, query: str, values: Mapping[str, object]) -> list[Row]:
        """Run a query on the connection that listens, and on no other."""
        return await rows(self._connection, query, values, self._database.limit_s)

    async def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        if self._connection.closed:  # it is cut when nobody follows any more
            self._connection = await self._database.connect()
        return await rows(self._connection, query, values, self._database.limit_s)


async def rows(
    connection: Connection, query: str, values: Mapping[str, object], limit_s: float, trouble: str = _UNREADABLE
) -> list[Row]:
    """Run a query of ours and return what it yields. Raises CallLogError, which says `trouble`."""
    with wrapped(trouble):
        async with asyncio.timeout(limit_s * 2):
            return await (await connection.execute(QUERIES[query], values)).fetchall()


def with_number(task: Row, number: str | None) -> Row:
    """Return the row of a task with its number readable, also where it tells what people corrected."""
    corrected = task["corrected"]
    if "number" in corrected:
        corrected = corrected | {"number": corrected["number"] | {"new": number}}
    return task | {"number": number, "corrected": corrected}
