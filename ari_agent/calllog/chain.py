"""Examines the chain of events in the database: whether every event is as it was written, and in its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import Row, rows
from ari_agent.config import Log

PAGE = 10_000
"""Events examined in one statement; each has the limit of log.connect_s."""
FAULTS = 100
"""After so many faults nothing more is learned."""
_NOT_KEPT = (
    "the anchor is in log.anchors but not in the database, which forgets old events up to an anchor: may the account "
    "add one? `ari-agent calllog roles` gives it the right"
)


@dataclass(frozen=True, slots=True)
class Head:
    """Beginning and end of a chain."""

    chain: UUID
    first: int
    """Number of its first event."""
    before: str
    """The hash that the first event follows, hexadecimal."""
    number: int
    """Number of the newest event; the one before `first` when there is none."""
    hash: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written."""

    number: int
    """Number of the event."""
    finding: str
    """German, for the auditor."""


@dataclass(slots=True)
class Examined:
    """What was found in the database."""

    head: Head
    faults: list[Fault] = field(default_factory=list)
    """Of the chain itself."""
    sealed: int = 0
    """Entries whose personal content is sealed."""
    erased: int = 0
    """Those of them whose content was erased."""
    seal_faults: list[Fault] = field(default_factory=list)
    """Personal content that is not as it was written."""


class ChainReader:
    """Reads the chain, and keeps anchors beside it. All methods raise CallLogError."""

    def __init__(self, connection: Connection, limit_s: float) -> None:
        self._connection = connection
        self._limit_s = limit_s

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[ChainReader]:
        """Connect to the call log that ari-agent has made."""
        async with Database(settings, create=False) as database, await database.connect() as connection:
            yield cls(connection, database.limit_s)

    async def head(self) -> Head:
        """Return where the chain begins and ends now."""
        (row,) = await self._rows("chain_head")
        if row["number"] is None:
            return Head(row["id"], row["first"], row["before"], row["first"] - 1, row["before"])
        return Head(row["id"], row["first"], row["before"], row["number"], row["hash"])

    async def hash_at(self, number: int) -> str | None:
        """Return the hash of an event, hexadecimal; None when there is none of that number."""
        found = await self._rows("chain_hash", number=number)
        return str(found[0]["hash"]) if found else None

    async def keep(self, anchor: Anchor) -> None:
        """Add a signed anchor to the database: old events are forgotten up to one."""
        with wrapped(_NOT_KEPT):
            await self._connection.execute(QUERIES["anchor_keep"], asdict(anchor))

    async def anchors_at(self, number: int) -> list[Anchor]:
        """Return the anchors that the database has of an event; whether they are signed is not examined."""
        chain = str((await self.head()).chain)
        found = await self._rows("anchors_at", number=number)
        times = [row["at"].astimezone(UTC).isoformat() for row in found]
        return [
            Anchor(chain, row["number"], row["hash"], at, row["key"], row["signature"])
            for row, at in zip(found, times, strict=True)
        ]

    async def forgotten_at(self, number: int) -> datetime | None:
        """Return when the chain says that it forgot its events up to this number; None when it does not."""
        found = await self._rows("chain_forgotten", number=number)
        return found[0]["recorded_at"] if found else None

    async def examine(self) -> Examined:
        """Compute every hash and every seal anew, page by page, up to the event that is the newest now."""
        examined = Examined(await self.head())
        for first in range(examined.head.first, examined.head.number + 1, PAGE):
            span = {"first": first, "last": min(first + PAGE - 1, examined.head.number)}
            examined.faults += _faults(await self._rows("chain_faults", **span))
            examined.seal_faults += _faults(await self._rows("seal_faults", **span))
            examined.seal_faults += _faults(await self._rows("correction_faults", **span))
            (counts,) = await self._rows("seal_counts", **span)
            examined.sealed += counts["sealed"]
            examined.erased += counts["erased"]
            if len(examined.faults) + len(examined.seal_faults) > FAULTS:
                break
        return examined

    async def _rows(self, query: str, **values: object) -> list[Row]:
        return await rows(self._connection, query, values, self._limit_s)


def _faults(found: list[Row]) -> list[Fault]:
    return [Fault(row["number"], row["finding"]) for row in found[:FAULTS]]
