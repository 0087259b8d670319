"""Which recordings of a call there are, and the note that one was handed out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from ari_agent.calllog.database import Connection, Database
from ari_agent.calllog.reading import Row, rows
from ari_agent.config import Log

_TROUBLE = "the recordings cannot be handed out: may the account do so? ari_agent_privacy may"


class Recordings:
    """All methods raise CallLogError."""

    def __init__(self, connection: Connection, limit_s: float) -> None:
        self._connection = connection
        self._limit_s = limit_s

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[Recordings]:
        """Connect to the call log that ari-agent has made."""
        async with Database(settings, create=False) as database, await database.connect() as connection:
            yield cls(connection, database.limit_s)

    async def calls(self, prefix: str) -> list[UUID]:
        """Return the calls whose ids begin so, two at most."""
        found = await rows(self._connection, "calls", {"limit": 2, "prefix": prefix.lower()}, self._limit_s, _TROUBLE)
        return [row["id"] for row in found]

    async def of(self, call: UUID) -> list[Row]:
        """Return what was recorded of a call and not erased yet."""
        return await rows(self._connection, "call_recordings", {"call": call}, self._limit_s, _TROUBLE)

    async def hand_out(self, ident: UUID, login: str) -> None:
        """Put on record, before it is done, that this account takes a recording out; `login` of the machine."""
        await rows(self._connection, "hand_out", {"id": ident, "login": login}, self._limit_s, _TROUBLE)
