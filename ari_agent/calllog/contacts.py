"""Contacts in Postgres: taken from files, as a whole or not at all, and set by hand.

What was set by hand stays as it is: no file changes the route or the target of such a contact, and none removes it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from ari_agent.calllog.contact_rows import Listed
from ari_agent.calllog.database import GRACE_S, Connection, Database, wrapped
from ari_agent.calllog.phone_book import Treatment
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log
from ari_agent.errors import CallLogError
from ari_agent.task import Contact

BY_HAND = "von Hand"
"""Source of what no file has brought."""
_AT_ONCE = 5_000
"""Contacts in one statement, so that it stays within its time limit."""

_E164 = re.compile(r"\+[1-9][0-9]{3,14}")

_UNREACHABLE = "the contacts could not be read or changed: does Postgres answer, and may the account change them?"


@dataclass(frozen=True, slots=True)
class Stored:
    """A contact with where it comes from."""

    contact: Contact
    source: str
    """The file, or BY_HAND."""
    imported_at: datetime | None = None
    """None before it is stored."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file changes."""

    new: tuple[Contact, ...]
    changed: tuple[tuple[Contact, Contact], ...]
    """Before and after."""
    removed: tuple[Contact, ...]
    unchanged: int


def compare(stored: Mapping[str, Stored], listed: Iterable[Listed], *, replacing: bool) -> Changes:
    """Return what a file's contacts change in those stored; `replacing`: who came from files and is not in it goes."""
    new, changed, unchanged = [], [], 0
    wanted = {entry.number: entry for entry in listed}
    for number, entry in wanted.items():
        old = stored.get(number)
        contact = _merged(old, entry)
        if old is None:
            new.append(contact)
        elif old.contact == contact:
            unchanged += 1
        else:
            changed.append((old.contact, contact))
    gone = [old.contact for number, old in stored.items() if number not in wanted and old.source != BY_HAND]
    return Changes(tuple(new), tuple(changed), tuple(gone) if replacing else (), unchanged)


def _merged(old: Stored | None, entry: Listed) -> Contact:
    """Return the contact with what the file tells of it; what it does not tell stays."""
    if old is None:
        return Contact(entry.number, entry.name, entry.company, entry.route or "ai", entry.target)
    known = old.contact
    named = replace(known, name=entry.name or known.name, company=entry.company or known.company)
    if old.source == BY_HAND:
        return named
    return replace(named, route=entry.route or known.route, target=entry.target or known.target)


class ContactStore:
    """Changes contacts; controllers that hold them in memory are told by the database."""

    def __init__(self, connection: Connection, limit_s: float, numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers
        self._limit_s = limit_s + GRACE_S

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[ContactStore]:
        """Connect, and make the tables where there are none yet. Raises CallLogError, SealingError."""
        numbers = Numbers(settings.number_key, create=True)
        await asyncio.to_thread(numbers.require)
        async with Database(settings) as database:
            connection = await database.connect()
            try:
                await migrate(connection)
                await seal_waiting(connection, numbers)
                yield cls(connection, database.limit_s, numbers)
            finally:
                await connection.close()

    async def contacts(self) -> dict[str, Stored]:
        """Return all contacts by number, in its order. Raises CallLogError, SealingError."""
        stored = [self._stored(row) for row in await self._run("contacts", {})]
        return {known.contact.number: known for known in sorted(stored, key=lambda known: known.contact.number)}

    async def preview(self, listed: Iterable[Listed], *, replacing: bool = False) -> Changes:
        """Return what `take` would change. Raises CallLogError."""
        return compare(await self.contacts(), listed, replacing=replacing)

    async def take(self, listed: Iterable[Listed], source: str, *, replacing: bool = False) -> Changes:
        """Store a file's contacts, all or none, and return what changed. Raises CallLogError."""
        async with self._alone():
            stored = await self.contacts()
            changes = compare(stored, listed, replacing=replacing)
            kept = {number for number, old in stored.items() if old.source == BY_HAND}
            put = [*changes.new, *(after for _, after in changes.changed)]
            await self._put([Stored(c, BY_HAND if c.number in kept else source) for c in put])
            await self._remove([contact.number for contact in changes.removed])
        return changes

    async def treat(self, number: str, route: Treatment) -> Contact:
        """Set by hand how a number (E.164) is treated, known before or not; return the contact. Raises CallLogError.

        A number without a name that is to be treated like any other is forgotten: there is nothing to keep.
        """
        async with self._alone():
            old = (await self.contacts()).get(number)
            contact = replace(old.contact if old else Contact(number), route=route)
            if route == "ai" and contact == Contact(number) and (old is None or old.source == BY_HAND):
                await self._remove([number])
            else:
                await self._put([Stored(contact, BY_HAND)])
        return contact

    async def remove(self, number: str) -> bool:
        """Forget a number (E.164); False when it was not known. Raises CallLogError."""
        return await self._remove([number]) > 0

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """A transaction in which nobody else changes contacts."""
        with wrapped(_UNREACHABLE):
            async with self._connection.transaction():
                await self._run("contacts_lock", {})
                yield

    async def _put(self, contacts: list[Stored]) -> None:
        if not all(_E164.fullmatch(put.contact.number) for put in contacts):  # the database cannot see it
            raise CallLogError(_UNREACHABLE)
        for start in range(0, len(contacts), _AT_ONCE):
            some = contacts[start : start + _AT_ONCE]
            ids = [uuid4() for _ in some]
            sealed = [
                self._numbers.seal("contact", ident, put.contact.number) for ident, put in zip(ids, some, strict=True)
            ]
            # A digest of an older key, from before a rotation that has not come to its end.
            older = [d for put in some for d in self._numbers.digests(put.contact.number)[:-1]]
            if older:
                await self._run("contacts_remove", {"digests": older})
            values = {
                "ids": ids,
                "numbers": [each.number for each in sealed],
                "digests": [each.digest for each in sealed],
                "names": [put.contact.name for put in some],
                "companies": [put.contact.company for put in some],
                "routes": [put.contact.route for put in some],
                "targets": [put.contact.target for put in some],
                "sources": [put.source for put in some],
            }
            await self._run("contacts_put", values)

    async def _remove(self, numbers: list[str]) -> int:
        digests = self._numbers.digests(*numbers)
        return len(await self._run("contacts_remove", {"digests": digests})) if digests else 0

    async def _run(self, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
        with wrapped(_UNREACHABLE):
            async with asyncio.timeout(self._limit_s):
                cursor = await self._connection.execute(QUERIES[query], values)
                return await cursor.fetchall() if cursor.description else []

    def _stored(self, row: Mapping[str, Any]) -> Stored:
        number = self._numbers.open("contact", row["id"], row["number"])
        return Stored(contact_of(row, number), row["source"], row["imported_at"])


def contact_of(row: Mapping[str, Any], number: str) -> Contact:
    """Return the contact of a row of the query "contacts", whose number stays sealed there."""
    return Contact(number, row["name"], row["company"], row["route"], row["target"])
