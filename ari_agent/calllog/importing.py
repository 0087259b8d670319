"""Takes an export into the database: all of it or nothing, nothing twice, and nothing over what is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.calllog.transferring import begin, opened, require, sealed, statement
from ari_agent.config import Log
from ari_agent.errors import TransferError
from ari_agent.knowledge.version import checksum, from_plain
from ari_agent.transfer.manifest import What, files_of
from ari_agent.transfer.rows import KINDS, PASSAGES, VERSIONS, Kind, as_json
from ari_agent.transfer.source import Source

Progress = Callable[[str, int], None]
"""Is told the file that is read, and how many of its rows are done."""
Numbered = tuple[int, dict[str, Any]]
"""A row and its number in the file, from 1."""

_AT_ONCE = 500
"""Rows in one statement."""
_TROUBLE = "nothing was imported: may the account write all of it? ari_agent_migrate may"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows of a file."""

    new: int
    known: int
    """Were there already, just like this."""


class _Undo(Exception):
    """Takes back everything of a transaction."""


class Importer:
    """Imports over one connection."""

    def __init__(self, connection: Connection, numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log, area_code: str = "") -> AsyncIterator[Importer]:
        """Connect, and make the tables where there are none yet. Raises CallLogError, SealingError.

        `area_code` is the company's, for calling numbers that came without one.
        """
        numbers = Numbers(settings.number_key, area_code, create=True)
        await asyncio.to_thread(numbers.require)
        async with Database(settings) as database, await database.connect() as connection:
            await migrate(connection)
            await seal_waiting(connection, numbers)
            yield cls(connection, numbers)

    async def take(
        self, source: Source, what: tuple[What, ...], person: str, progress: Progress, *, dry: bool
    ) -> dict[str, Taken]:
        """Import these parts in one transaction, put it on record, return what became of it; with `dry` undo it all.

        Raises CallLogError; TransferError naming file, row and field when a row cannot be stored, or another one is
        there under its key. Then nothing is changed.
        """
        kinds = [kind for file, kind in KINDS.items() if file in files_of(what)]
        taken: dict[str, Taken] = {}
        with wrapped(_TROUBLE), suppress(_Undo):
            async with self._connection.transaction():
                await self._connection.execute(QUERIES["transfer_whole"])
                await require(self._connection, kinds, "INSERT")
                for kind in kinds:
                    taken[kind.name] = await self._take(source, kind, progress)
                await begin(self._connection, "import", what, person, sum(each.new for each in taken.values()))
                if dry:
                    raise _Undo
        return taken

    async def _take(self, source: Source, kind: Kind, progress: Progress) -> Taken:
        rows = parsed(source, kind)
        if kind is PASSAGES:
            rows = examined(rows, source)
        new = known = 0
        while batch := list(islice(rows, _AT_ONCE)):
            added = await self._store(kind, batch)
            new, known = new + added, known + len(batch) - added
            progress(kind.file, new + known)
        return Taken(new, known)

    async def _store(self, kind: Kind, batch: list[Numbered]) -> int:
        """Store what is not there yet, and return how many that are. Raises TransferError."""
        values = {"rows": Jsonb([sealed(kind, row, self._numbers) for _, row in batch])}
        found = await (await self._connection.execute(statement("transfer_known", kind), values)).fetchall()
        known = [as_json(opened(kind, row, self._numbers)) for row in found]
        there = {tuple(row[name] for name in kind.key): row for row in known}
        missing = []
        for number, row in batch:
            other = there.get(tuple(row[name] for name in kind.key))
            if other is None:
                missing.append((number, row))
            else:
                _same(kind, number, row, other)
        if missing and not await self._put(kind, [row for _, row in missing]):
            await self._find_fault(kind, missing)
        return len(missing)

    async def _put(self, kind: Kind, rows: list[dict[str, Any]]) -> bool:
        """Store rows; False, and nothing is stored, when one of them cannot be."""
        try:
            async with self._connection.transaction():
                values = {"rows": Jsonb([sealed(kind, row, self._numbers) for row in rows])}
                await self._connection.execute(statement("transfer_put", kind), values)
        except (psycopg.DataError, psycopg.IntegrityError):
            return False
        return True

    async def _find_fault(self, kind: Kind, rows: list[Numbered]) -> None:
        """Raise TransferError naming the row that cannot be stored."""
        for number, row in rows:
            try:
                async with self._connection.transaction():
                    values = {"rows": Jsonb([sealed(kind, row, self._numbers)])}
                    await self._connection.execute(statement("transfer_put", kind), values)
            except (psycopg.DataError, psycopg.IntegrityError) as e:
                # The driver's text holds the values; the names of columns and rules do not.
                rule = e.diag.column_name or e.diag.constraint_name or type(e).__name__
                raise TransferError(f"{kind.file}, row {number}, {rule}: the database does not take it") from None


def parsed(source: Source, kind: Kind) -> Iterator[Numbered]:
    """Yield the rows of a file, checked one by one. Raises TransferError."""
    for number, line in enumerate(source.lines(kind.file), 1):
        yield number, kind.parsed(line, f"{source.place}: {kind.file}, row {number}")


def examined(rows: Iterator[Numbered], source: Source) -> Iterator[Numbered]:
    """Yield the passages if they are those of their versions, by the checksum that each version has.

    Raises TransferError.
    """
    versions = {row["number"]: row for _, row in parsed(source, VERSIONS)}
    passages: dict[int, list[dict[str, Any]]] = {number: [] for number in versions}
    kept = []
    for number, row in rows:
        if row["version"] not in versions:
            raise TransferError(f"{source.place}: {PASSAGES.file}, row {number}, version: there is no such version")
        passages[row["version"]].append(row)
        kept.append((number, row))
    for number, of_version in passages.items():
        accepted = {row["id"]: tuple(row["accepted"]) for row in of_version if row["accepted"]}
        if checksum(tuple(map(from_plain, of_version)), accepted) != versions[number]["sha256"]:
            raise TransferError(f"{source.place}: {PASSAGES.file}: version {number} is not what its checksum says")
    return iter(kept)


def _same(kind: Kind, number: int, row: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise TransferError when another row is there under the same key."""
    for name in kind.columns:
        if row[name] != other[name]:
            raise TransferError(
                f"{kind.file}, row {number}, {name}: another value is stored under the same {' and '.join(kind.key)}; "
                "import into a database without it, or leave this part out with --what"
            )
