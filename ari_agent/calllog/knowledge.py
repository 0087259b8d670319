"""Versions of the company's knowledge in the database: append-only, the newest in force."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.schema import migrate
from ari_agent.config import Log
from ari_agent.errors import CallLogUnusable
from ari_agent.knowledge.version import Draft, Gate, Version, compare, from_plain, plain

MOST_VERSIONS = 1000
"""Listed at once; a company that imports daily has them after three years."""

Row = dict[str, Any]

_UNREADABLE = "the versions of the knowledge cannot be read: may the account read the call log's database?"
_UNWRITABLE = "nothing was stored: may the account write into the call log's database?"


class KnowledgeStore:
    """Reads and adds versions over one connection."""

    def __init__(self, connection: Connection, limit_s: float) -> None:
        """`limit_s`: seconds for a statement."""
        self._connection = connection
        self._limit_s = limit_s

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[KnowledgeStore]:
        """Connect, and bring the schema up to date. Raises CallLogError."""
        async with Database(settings) as database, connected(database) as store:
            yield store

    async def newest(self) -> int:
        """Return the number of the version in force, 0 when nothing was ever stored. Raises CallLogError."""
        (row,) = await self._rows("knowledge_newest", {})
        return int(row["number"])

    async def versions(self) -> list[Row]:
        """Return the newest versions first, with who, when, why and how much, without passages. Raises CallLogError."""
        return await self._rows("knowledge_versions", {"number": None, "limit": MOST_VERSIONS})

    async def version(self, number: int | None = None) -> Version | None:
        """Return a version, by default the one in force; None when there is none. Raises CallLogError.

        CallLogUnusable: it is not what was stored.
        """
        found = await self._rows("knowledge_versions", {"number": number, "limit": 1})
        if not found:
            return None
        (head,) = found
        rows = await self._rows("knowledge_passages", {"number": head["number"]})
        draft = Draft(
            head["action"],
            head["author"],
            head["note"],
            tuple(map(from_plain, rows)),
            tuple((source["name"], source["sha256"]) for source in head["sources"]),
            {row["id"]: tuple(row["accepted"]) for row in rows if row["accepted"]},
            head["restores"],
            Gate(**head["gate"]) if head["gate"] else None,
        )
        if draft.sha256 != head["sha256"]:
            raise CallLogUnusable(
                f"version {head['number']} of the knowledge was altered in the database: import the documents again"
            )
        return Version(head["number"], head["at"], draft)

    async def store(self, draft: Draft, base: Version | None) -> int:
        """Add a version after `base`, the one that was in force when it was made; return its number.

        Raises CallLogError; CallLogUnusable when another was stored meanwhile.
        """
        changes = compare(base.passages if base else (), draft.passages)
        number = base.number + 1 if base else 1
        values = {
            "number": number,
            "action": draft.action,
            "author": draft.author,
            "note": draft.note,
            "restores": draft.restores,
            "sources": Jsonb([{"name": name, "sha256": sha256} for name, sha256 in draft.sources]),
            "sha256": draft.sha256,
            "gate": Jsonb(asdict(draft.gate)) if draft.gate else None,
            "passages": Jsonb(_numbered(draft)),
            "added": len(changes.new),
            "changed": len(changes.changed),
            "removed": len(changes.removed),
        }
        with wrapped(_UNWRITABLE):
            try:
                async with asyncio.timeout(self._limit_s * 2):
                    await self._connection.execute(QUERIES["knowledge_store"], values)
            except psycopg.errors.UniqueViolation as e:
                raise CallLogUnusable(
                    f"nothing was stored: version {number} was stored meanwhile; look at the changes again"
                ) from e
        return number

    async def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        with wrapped(_UNREADABLE):
            async with asyncio.timeout(self._limit_s * 2):
                return await (await self._connection.execute(QUERIES[query], values)).fetchall()


@asynccontextmanager
async def connected(database: Database) -> AsyncIterator[KnowledgeStore]:
    """Connect to a database that stays open, and bring its schema up to date. Raises CallLogError."""
    async with await database.connect() as connection:
        await migrate(connection)
        yield KnowledgeStore(connection, database.limit_s)


def _numbered(draft: Draft) -> list[dict[str, Any]]:
    return [
        {**plain(passage), "position": position, "accepted": list(draft.accepted.get(passage.id, ()))}
        for position, passage in enumerate(draft.passages, 1)
    ]
