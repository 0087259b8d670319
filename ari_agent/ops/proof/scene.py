"""What all parts of the proof look at: the settings, and the database as far as the account may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from ari_agent.calllog.database import Connection, Database
from ari_agent.calllog.reading import Row, rows
from ari_agent.config import Settings
from ari_agent.errors import AgentError

UNSEEN = "die Datenbank ist nicht zu erreichen, oder dieses Konto darf es nicht sehen"
"""The reason for a fact that only the database could tell."""
LONGEST_S = 60.0
"""For one question to a large database; an auditor's account has the same limit."""

Digest = Callable[[Path], str]
"""Returns the SHA-256 of a file or folder. Raises AgentError."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One look at an installation; it changes nothing."""

    settings: Settings
    digest: Digest
    now: datetime
    connection: Connection | None
    """None when the database cannot be reached."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, digest: Digest) -> AsyncIterator[Scene]:
        """Connect to the database, if it can be reached, and do without otherwise."""
        async with AsyncExitStack() as stack:
            try:
                database = await stack.enter_async_context(Database(settings.log, create=False))
                connection = await stack.enter_async_context(await database.connect())
            except AgentError:
                connection = None
            yield cls(settings, digest, datetime.now(UTC), connection)

    async def rows(self, query: str) -> list[Row] | None:
        """Return what a query of ours yields; None when the database does not tell this account."""
        if self.connection is None:
            return None
        try:
            return await rows(self.connection, query, {}, LONGEST_S)
        except AgentError:
            return None

    async def row(self, query: str) -> Row | None:
        """Return the first row; None when the database does not tell, {} when there is none."""
        found = await self.rows(query)
        return None if found is None else next(iter(found), {})


def is_this_machine(host: str) -> bool:
    """Return whether a host name or address of the settings leads no further than the loopback device."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def day(at: datetime) -> str:
    """Return a moment in the machine's time zone, as Germans write it."""
    return f"{at.astimezone():%d.%m.%Y %H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """Return a moment and how long it is past."""
    hours = (now - at).total_seconds() / 3600
    return f"{day(at)}, vor {hours:.0f} Stunden" if hours < 48 else f"{day(at)}, vor {hours / 24:.0f} Tagen"
