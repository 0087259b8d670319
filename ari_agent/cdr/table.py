"""CDR and queue_log in a Postgres of Asterisk's own, as cdr_pgsql, cdr_odbc, cdr_adaptive_odbc and realtime fill it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from ari_agent.cdr.files import Report
from ari_agent.cdr.leg import Leg, known, leg
from ari_agent.cdr.queue_log import ENTERED, OURS, Queued
from ari_agent.cdr.settings import CdrSettings
from ari_agent.errors import CdrError
from ari_agent.settings_file import read_secret

ZONES = timedelta(days=1)
"""A clock without a zone may be so far from ours."""
FETCH = 1000
"""Rows fetched at once."""

Connection = psycopg.AsyncConnection[DictRow]


class CdrTable:
    """Reads the tables on one connection. All methods raise CdrError."""

    def __init__(self, connection: Connection, settings: CdrSettings) -> None:
        self._connection = connection
        self._settings = settings

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: CdrSettings, limit_s: float) -> AsyncIterator[CdrTable]:
        """Connect read-only; `limit_s`: for the connection, and sixty times as much for a statement."""
        try:
            target: dict[str, Any] = dict(conninfo_to_dict(settings.database))
        except psycopg.ProgrammingError:  # its text repeats the address
            raise CdrError("cdr.database is no Postgres address such as postgresql://user@host/name") from None
        if "password" in target:
            raise CdrError("cdr.database holds a password: move it into the file named by cdr.password_file")
        if settings.password_file is not None:
            target["password"] = read_secret(settings.password_file)
        target |= {"application_name": "ari-agent", "connect_timeout": max(2, math.ceil(limit_s))}
        target["options"] = f"-c default_transaction_read_only=on -c statement_timeout={int(limit_s * 60_000)}"
        try:
            connection = await Connection.connect(**target, row_factory=dict_row)
        except (psycopg.Error, OSError) as e:
            raise CdrError("the database of the CDR cannot be reached or refuses the login: check cdr.database") from e
        async with connection:
            yield cls(connection, settings)

    async def legs(self, since: datetime, report: Report) -> AsyncIterator[Leg]:
        """Yield the rows that began after a time, each with the columns there are."""
        table = self._settings.table
        start = await self._start(table)
        query = sql.SQL("SELECT * FROM {} WHERE {} >= {} ORDER BY {}").format(
            _name(table), sql.Identifier(start), sql.Literal(_naive(since)), sql.Identifier(start)
        )
        async for number, row in self._rows(query, table):
            try:
                yield leg(row, utc=self._settings.utc)
            except ValueError as e:
                report.tell(f"{table}, row {number}", str(e))

    async def queued(self, since: datetime, report: Report) -> AsyncIterator[Queued]:
        """Yield the two events that matter of a queue_log in realtime; its data is one column or five."""
        table = self._settings.queue_table or "queue_log"
        query = sql.SQL("SELECT * FROM {} WHERE event IN ({}, {}) ORDER BY time").format(
            _name(table), sql.Literal(OURS), sql.Literal(ENTERED)
        )
        async for number, row in self._rows(query, table):
            try:
                at = known(row.get("time"), utc=self._settings.utc)
            except ValueError as e:
                report.tell(f"{table}, row {number}", str(e))
                continue
            if at >= since - ZONES:
                whole = row.get("data")
                data = (
                    str(whole).split("|") if whole is not None else [str(row.get(f"data{n}") or "") for n in (1, 2, 3)]
                )
                yield Queued(at, str(row.get("callid") or ""), str(row["event"]), tuple(data))

    async def _start(self, table: str) -> str:
        """Return the name of the column with the beginning: cdr_pgsql's old tables call it calldate."""
        query = sql.SQL("SELECT * FROM {} WHERE false").format(_name(table))
        with _told(table):
            described = (await self._connection.execute(query)).description or []
        names = {column.name for column in described}
        wanted = {"uniqueid", "channel", "dcontext", "disposition"}
        start = next((name for name in ("start", "calldate") if name in names), None)
        if start is None or not wanted <= names or not {"end", "duration"} & names:
            raise CdrError(
                f"{table} is no table of CDR for us: it needs {', '.join(sorted(wanted))}, start or calldate, and end "
                "or duration"
            )
        return start

    async def _rows(self, query: sql.Composed, table: str) -> AsyncIterator[tuple[int, DictRow]]:
        number = 0
        with _told(table):
            async with self._connection.cursor(name="ari_agent") as cursor:
                cursor.itersize = FETCH
                await cursor.execute(query)
                async for row in cursor:
                    number += 1
                    yield number, row


@contextmanager
def _told(table: str) -> Iterator[None]:
    """Turn the driver's errors into CdrError; its texts may hold values and stay in the cause."""
    try:
        yield
    except (psycopg.Error, OSError) as e:
        raise CdrError(f"{table} cannot be read: does it exist, and may the account of cdr.database?") from e


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def _naive(since: datetime) -> str:
    """Return a clock that is before the time in every zone; Postgres compares it with either type of timestamp."""
    return f"{(since - ZONES):%Y-%m-%d %H:%M:%S}"
