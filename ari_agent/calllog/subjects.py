"""What the database holds of one person: found, handed out, erased; every request and what was done about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import Row
from ari_agent.calllog.resealing import none_waits
from ari_agent.calllog.sealing import Numbers, Place
from ari_agent.config import Log
from ari_agent.errors import SealingError
from ari_agent.traces.spelling import Spelling

Action = Literal["find", "export", "erase"]
Identity = Literal["callback", "letter", "id-card", "in-person", "customer-account", "none"]
"""How it was checked that the request comes from the person."""

_NOTHING = "$a"
"""A pattern that is nowhere: for a request about one call."""
_TROUBLE = "the request could not be dealt with, nothing was changed: may the account do so? ari_agent_privacy may"
_ERASURES = {
    "correction": "corrections", "task": "tasks", "note": "notes", "wording": "wording", "call": "calls",
    "contact": "contacts",
}  # fmt: skip
"""By place; corrections first, because they go with what they correct."""
_REDACTIONS = ("tasks", "notes", "corrections", "numbers", "turns", "contacts")


@dataclass(frozen=True, slots=True)
class Findings:
    """Ids of what belongs to the person."""

    calls: list[UUID]
    tasks: list[UUID]
    touched: list[UUID]
    """Their calls, and those in which others left their number."""
    corrections: list[UUID]
    """Of those notes and tasks."""
    recordings: list[Row]
    """Of their calls, on whatever machine."""
    contacts: list[Row]
    mentions: list[Row]
    """Where the number stands in what belongs to others: place, key and call."""
    values: Mapping[str, Any]
    """Parameters of the statements."""

    @property
    def places(self) -> dict[str, int]:
        """How much there is, by place."""
        return {
            "call": len(self.calls),
            "task": len(self.tasks),
            "correction": len(self.corrections),
            "contact": len(self.contacts),
            "mention": len(self.mentions),
        }


class Subjects:
    """Works on one connection; each method is one transaction."""

    def __init__(self, connection: Connection, numbers: Numbers) -> None:
        self._connection = connection
        self._numbers = numbers

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log, area_code: str = "") -> AsyncIterator[Subjects]:
        """Connect to the call log that ari-agent has made. Raises CallLogError.

        `area_code` is the company's, for calling numbers that came without one. Without every key that sealed numbers,
        one might be overlooked: then it raises SealingError.
        """
        numbers = Numbers(settings.number_key, area_code)
        async with Database(settings, create=False) as database, await database.connect() as connection:
            subjects = cls(connection, numbers)
            await subjects._complete()
            yield subjects

    async def _complete(self) -> None:
        with wrapped(_TROUBLE):
            names = [row["id"] for row in await self._rows("number_keys", {})]
        await none_waits(self._connection)
        await self._numbers.refresh()
        if names and not self._numbers.usable:
            raise SealingError(self._numbers.trouble or "")
        for name in self._numbers.missing(names):
            raise SealingError(self._numbers.lacks(name))

    async def requests(self) -> list[Row]:
        """Return all requests, what is open first. Raises CallLogError."""
        with wrapped(_TROUBLE):
            return await self._rows("subject_requests", {})

    async def request(self, ticket: str, received: date) -> Row:
        """Return the request with this ticket, recorded now if it is new. Raises CallLogError."""
        with wrapped(_TROUBLE):
            await self._connection.execute(QUERIES["subject_open"], {"ticket": ticket, "received": received})
            (row,) = await self._rows("subject_request", {"ticket": ticket})
            return row

    async def find(self, spelling: Spelling | None, call: UUID | None) -> Findings:
        """Return what there is of a number, or of one call. Raises CallLogError."""
        with wrapped(_TROUBLE):
            async with self._connection.transaction():
                await self._connection.execute(QUERIES["long_statements"])
                return await self._find(spelling, call)

    async def caller(self, call: UUID) -> Row | None:
        """Return number and channel of a call. Raises CallLogError."""
        with wrapped(_TROUBLE):
            return next(iter(await self._rows("subject_export_calls", {"calls": [call]})), None)

    async def export(self, found: Findings) -> dict[str, list[Row]]:
        """Return all that belongs to the person. Raises CallLogError."""
        values = {"calls": found.calls, "tasks": found.tasks}
        with wrapped(_TROUBLE):
            names = ("calls", "turns", "tasks", "notes", "corrections")
            told = {name: await self._rows(f"subject_export_{name}", values) for name in names}
        told["calls"] = [self._opened("call", "caller", row) for row in told["calls"]]
        told["tasks"] = [self._opened("task", "number", row) for row in told["tasks"]]
        told["corrections"] = [self._readable(row) for row in told["corrections"]]
        return told | {"contacts": [self._opened("contact", "number", row) for row in found.contacts]}

    async def hand_out(self, recording: UUID, login: str) -> None:
        """Put on record that a recording is handed out. Raises CallLogError."""
        with wrapped(_TROUBLE):
            await self._rows("hand_out", {"id": recording, "login": login})

    async def erase(
        self,
        found: Findings,
        request: UUID,
        identity: Identity,
        now: datetime,
        files: dict[str, int],
        recordings: Sequence[UUID] = (),
    ) -> dict[str, int]:
        """Erase what was found, put it on record with what was erased in files, and return how much, by place.

        Of recordings the rows go that are named, because their keys are erased. The files of the tables hold the rest
        until they are written anew (compaction.py). Raises CallLogError; then nothing is changed.
        """
        with wrapped(_TROUBLE):
            async with self._connection.transaction():
                await self._connection.execute(QUERIES["long_statements"])
                values = dict(found.values) | {"moment": now}
                erased = {
                    place: (await self._connection.execute(QUERIES[f"subject_erase_{name}"], values)).rowcount
                    for place, name in _ERASURES.items()
                }
                await self._connection.execute(QUERIES["subject_erase_recordings"], {"erased": list(recordings)})
                redacted = [
                    (await self._connection.execute(QUERIES[f"subject_redact_{name}"], values)).rowcount
                    for name in _REDACTIONS
                ]
                erased |= {"mention": sum(redacted)} | files
                await self._log(erased, request, now)
                await self._act(request, "erase", identity, erased)
        return erased

    async def act(self, request: UUID, action: Action, identity: Identity, places: Mapping[str, int]) -> None:
        """Put on record what was done about a request. Raises CallLogError."""
        with wrapped(_TROUBLE):
            await self._act(request, action, identity, places)

    async def _act(self, request: UUID, action: Action, identity: Identity, places: Mapping[str, int]) -> None:
        values = {
            "request": request,
            "action": action,
            "identity": identity,
            "found": sum(places.values()),
            "places": Jsonb(dict(places)),
        }
        await self._connection.execute(QUERIES["subject_act"], values)

    async def _find(self, spelling: Spelling | None, call: UUID | None) -> Findings:
        values: dict[str, Any] = {
            "call": call,
            "pattern": spelling.pattern if spelling else _NOTHING,
            "digests": self._numbers.candidates(*spelling.stored) if spelling else [],
        }
        calls = [row["id"] for row in await self._rows("subject_calls", values)]
        tasks = await self._rows("subject_tasks", values | {"calls": calls})
        values |= {
            "calls": calls,
            "tasks": [row["id"] for row in tasks],
            "touched": sorted({*calls, *(row["call"] for row in tasks)}),
        }
        corrections = [row["entry"] for row in await self._rows("subject_corrections", values)]
        recordings = await self._rows("subject_recordings", values)
        contacts = await self._rows("subject_contacts", values)
        mentions = await self._rows("subject_mentions", values)
        touched = values["touched"]
        return Findings(calls, values["tasks"], touched, corrections, recordings, contacts, mentions, values)

    def _opened(self, place: Place, name: str, row: Row) -> Row:
        return row | {name: row[name] and self._numbers.open(place, row["id"], row[name])}

    def _readable(self, correction: Row) -> Row:
        """Return a correction with its numbers opened."""
        if correction["field"] != "number":
            return correction
        return correction | {
            side: [self._numbers.open("task", correction["task"], bytes.fromhex(text)) for text in correction[side]]
            for side in ("old", "new")
        }

    async def _log(self, erased: Mapping[str, int], request: UUID, now: datetime) -> None:
        same = {"run": uuid4(), "at": now, "cause": "request", "days": None, "request": request}
        for place, rows in erased.items():
            await self._connection.execute(QUERIES["deletion_log"], same | {"place": place, "rows": rows})

    async def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return await (await self._connection.execute(QUERIES[query], values)).fetchall()
