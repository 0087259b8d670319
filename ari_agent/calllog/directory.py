"""The contacts in memory, kept up with the database: no call waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import structlog

from ari_agent.backoff import backoff
from ari_agent.calllog.contacts import contact_of
from ari_agent.calllog.database import GRACE_S, Connection, Database, wrapped
from ari_agent.calllog.phone_book import readings
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log
from ari_agent.errors import AgentError
from ari_agent.task import Contact

REFRESH_S = 30.0
"""Between two looks when nothing is announced: a connection pooler may swallow what the database announces."""
FIRST_LOOK_S = 5.0
"""The start waits for the contacts no longer; calls are served without them."""
_PAGE = 500
"""Contacts read in one go: a few milliseconds, in which no call is served."""

_AWAY = "the contacts cannot be read from the call log's database; the last known ones count"

log = structlog.get_logger(__name__)


class PostgresDirectory:
    """Implements Directory with the contacts as they were when the database last answered; at first there are none.

    They are found by the digests of their numbers; the numbers themselves stay sealed.
    """

    def __init__(self, database: Database, numbers: Numbers, area_code: str, refresh_s: float = REFRESH_S) -> None:
        self._database = database
        self._numbers = numbers
        self._area_code = area_code
        self._refresh_s = refresh_s
        self._book: dict[bytes, Contact] = {}
        """By digest, without their numbers."""
        self._print: object = None
        """The database's fingerprint of the contacts in the book."""
        self._away = False
        self._looked = asyncio.Event()
        """Set after the first attempt to read the contacts."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Log, area_code: str = "", refresh_s: float = REFRESH_S
    ) -> AsyncIterator[PostgresDirectory]:
        """Read the contacts and follow their changes; a database that is away is tried again and again.

        `area_code` is the company's, for calling numbers that come without one.
        """
        async with Database(settings) as database:
            directory = cls(database, Numbers(settings.number_key, create=True), area_code, refresh_s)
            following = asyncio.create_task(directory._follow(), name="contacts")
            try:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FIRST_LOOK_S):
                        await directory._looked.wait()
                yield directory
            finally:
                following.cancel()
                await asyncio.wait({following})

    def find(self, number: str) -> Contact | None:
        """Return the contact with that calling number, however it is written; None for nobody."""
        for reading in readings(number, self._area_code):
            for digest in self._numbers.digests(reading):
                if contact := self._book.get(digest):
                    return replace(contact, number=reading)
        return None

    async def _follow(self) -> None:
        delays = backoff()
        while True:
            try:
                async with await self._connect() as connection:
                    while True:
                        await self._look(connection)
                        delays = backoff()
                        await self._news(connection)
            except AgentError as e:
                if not self._away:
                    log.warning("contacts are not up to date", reason=str(e), contacts=len(self._book))
                self._away = True
            self._looked.set()
            await asyncio.sleep(next(delays))

    async def _connect(self) -> Connection:
        connection = await self._database.connect()
        try:
            await migrate(connection)
            await seal_waiting(connection, self._numbers)
            with wrapped(_AWAY):
                await connection.execute(QUERIES["contacts_listen"])
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _look(self, connection: Connection) -> None:
        """Read the contacts if any has changed, and the keys. Raises CallLogError."""
        await self._numbers.refresh()
        with wrapped(_AWAY):
            async with asyncio.timeout(self._database.limit_s + GRACE_S):
                found = await (await connection.execute(QUERIES["contacts_print"])).fetchone()
                if found != self._print:
                    self._book = await _read(connection)
                    # Older than what was read, if it changed meanwhile: then the next look reads once more.
                    self._print = found
                    log.info("contacts read", contacts=len(self._book))
        self._away = False
        self._looked.set()

    async def _news(self, connection: Connection) -> None:
        """Wait until a change is announced, and until the next refresh at most. Raises CallLogError."""
        with wrapped(_AWAY):
            async for _ in connection.notifies(timeout=self._refresh_s, stop_after=1):
                pass


async def _read(connection: Connection) -> dict[bytes, Contact]:
    contacts: dict[bytes, Contact] = {}
    cursor = await connection.execute(QUERIES["contacts"])
    while page := await cursor.fetchmany(_PAGE):
        contacts |= {row["digest"]: contact_of(row, "") for row in page if row["digest"] is not None}
        await asyncio.sleep(0)  # calls go on between two pages
    return contacts
