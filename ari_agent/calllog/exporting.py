"""Takes the rows out of the database: as they were at one moment, and put on record before the first of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import none_waits
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.calllog.transferring import begin, opened, require, statement
from ari_agent.config import Log
from ari_agent.transfer.cells import MARK, line, lines_of
from ari_agent.transfer.manifest import What, files_of
from ari_agent.transfer.package import Package
from ari_agent.transfer.rows import CALLS, CONTACTS, KINDS, VERSIONS, Kind, as_json

Progress = Callable[[str, int], None]
"""Is told the file that is written, and how many rows have gone into it."""

_AT_ONCE = 1_000
"""Rows fetched in one go."""
_TROUBLE = "the export could not be made: may the account read all of it? ari_agent_migrate may"


class Exporter:
    """Reads one moment of the database over one connection."""

    def __init__(self, connection: Connection, what: tuple[What, ...], numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers
        self._what = what
        self._newest_version = 0

    async def write(self, package: Package, progress: Progress) -> None:
        """Write the files of rows. Raises CallLogError, SealingError, TransferError."""
        for file, kind in KINDS.items():
            if file not in files_of(self._what):
                continue
            with package.member(file) as member:
                member.rows = 0
                async for row in self._rows(kind):
                    member.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
                    member.rows += 1
                    progress(file, member.rows)
                    if kind is VERSIONS:
                        self._newest_version = row["number"]
            if kind.is_spread:
                await self._spread(package, kind, progress)

    async def _spread(self, package: Package, kind: Kind, progress: Progress) -> None:
        """Write the same as a table for people; of the knowledge only what holds now."""
        name = f"{kind.name}.csv"
        with package.member(name) as member:
            member.rows = 0
            member.write(MARK + line(kind.columns))
            async for row in self._rows(kind):
                if row.get("version", self._newest_version) == self._newest_version:
                    member.write(lines_of(kind.columns, row))
                    member.rows += 1
                    progress(name, member.rows)

    async def _rows(self, kind: Kind) -> AsyncIterator[dict[str, Any]]:
        """Yield the rows in the order of their key; contacts all at once, as sealed numbers have no order."""
        if kind is CONTACTS:
            for row in sorted([row async for row in self._read(kind)], key=lambda row: str(row["number"])):
                yield row
            return
        async for row in self._read(kind):
            yield row

    async def _read(self, kind: Kind) -> AsyncIterator[dict[str, Any]]:
        values = {"notes": "notes" in self._what, "turns": "turns" in self._what} if kind is CALLS else None
        query = statement("transfer_calls" if kind is CALLS else "transfer_rows", kind)
        with wrapped(_TROUBLE):
            async with self._connection.cursor(name="export", row_factory=dict_row) as cursor:
                await cursor.execute(query, values)
                while page := await cursor.fetchmany(_AT_ONCE):
                    for row in page:
                        yield as_json(opened(kind, row, self._numbers))


@asynccontextmanager
async def exporter(settings: Log, what: tuple[What, ...], person: str) -> AsyncIterator[Exporter]:
    """Put on record that this person exports these parts, then hold the database's moment until the block ends.

    An older schema is brought up to date first, because the record needs it. Raises CallLogError; TransferError when
    the account may not read all rows of them.
    """
    numbers = Numbers(settings.number_key)
    await numbers.refresh()
    async with Database(settings, create=False) as database, await database.connect() as connection:
        await migrate(connection)
        await none_waits(connection)
        with wrapped(_TROUBLE):
            kinds = [kind for file, kind in KINDS.items() if file in files_of(what)]
            await require(connection, kinds, "SELECT")
            await begin(connection, "export", what, person, None)
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            async with connection.transaction():
                await connection.execute(QUERIES["transfer_whole"])
                yield Exporter(connection, what, numbers)
