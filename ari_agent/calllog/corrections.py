"""What people correct in notes, callbacks and messages: field by field, and what was written first stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import psycopg

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import Row, rows
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log

Kind = Literal["note", "task"]
Value = tuple[str, ...]
"""What a field holds: texts, for most fields one; none when nothing is known. Moments are ISO 8601 in UTC."""

FIELDS: Mapping[Kind, Value] = {
    "note": ("who", "about", "agreed", "open", "urgency"),
    "task": ("name", "number", "company", "email", "recipient", "matter", "earliest", "latest", "urgency"),
}
"""What can be corrected, in the order in which people are asked."""
LISTS = frozenset(("about", "agreed", "open"))
"""Fields of several lines."""

_TROUBLE = "the correction could not be stored: may the account correct notes? ari_agent_desk may"


@dataclass(frozen=True, slots=True)
class Correction:
    """One field, corrected once."""

    revision: int
    """1, 2, 3 … at this note or task."""
    field: str
    at: datetime
    person: str
    """Who corrected it."""
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Correctable:
    """A note or a task as it was written, and what was corrected since."""

    kind: Kind
    id: UUID
    """Of the call for a note, else of the task."""
    original: Mapping[str, Value]
    corrections: tuple[Correction, ...]

    @property
    def revision(self) -> int:
        """Number of the newest correction; 0 when there is none."""
        return self.corrections[-1].revision if self.corrections else 0

    @property
    def newest(self) -> dict[str, Correction]:
        """The correction that holds, by field."""
        return {correction.field: correction for correction in self.corrections}

    @property
    def held(self) -> dict[str, Value]:
        """What each field holds now."""
        return {**self.original, **{field: correction.new for field, correction in self.newest.items()}}


class Corrector:
    """Reads and corrects over one connection. All methods raise CallLogError, and SealingError for a task's number."""

    def __init__(self, connection: Connection, limit_s: float, numbers: Numbers) -> None:
        self._connection = connection
        self._limit_s = limit_s
        self._numbers = numbers

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[Corrector]:
        """Connect to the call log that ari-agent has made."""
        numbers = Numbers(settings.number_key)
        await numbers.refresh()
        async with Database(settings, create=False) as database, await database.connect() as connection:
            yield cls(connection, database.limit_s, numbers)

    async def beginning(self, kind: Kind, prefix: str) -> list[Correctable]:
        """Return the notes or tasks whose id begins so, at most two; none for ""."""
        if not prefix:
            return []
        found = await self._rows(f"correctable_{kind}s", {"prefix": prefix.lower()})
        return [await self._correctable(kind, row) for row in found]

    async def store(self, at: Correctable, changes: Mapping[str, Value], person: str) -> bool:
        """Store what a person wants these fields to hold, all or nothing.

        Return False when somebody else corrected the same note or task since it was read; then nothing is stored.
        """
        values: dict[str, Any] = {"note": None, "task": None, at.kind: at.id, "person": person}
        with wrapped(_TROUBLE):
            try:
                async with self._connection.transaction():
                    for revision, (field, new) in enumerate(changes.items(), at.revision + 1):
                        change = {"revision": revision, "field": field, **self._stored(at.id, field, new)}
                        await self._connection.execute(QUERIES["correct"], values | change)
            except psycopg.errors.UniqueViolation:
                return False
        return True

    async def _correctable(self, kind: Kind, row: Row) -> Correctable:
        ident = row["call" if kind == "note" else "id"]
        found = await self._rows("corrections_of", {"note": None, "task": None, kind: ident})
        original, corrections = originals(kind, row), tuple(map(correction_of, found))
        if kind == "task":
            original["number"] = self._opened(ident, original["number"])
            corrections = tuple(self._readable(ident, each) for each in corrections)
        return Correctable(kind, ident, original, corrections)

    def _readable(self, ident: UUID, stored: Correction) -> Correction:
        if stored.field != "number":
            return stored
        return replace(stored, old=self._opened(ident, stored.old), new=self._opened(ident, stored.new))

    def _opened(self, ident: UUID, sealed: Value) -> Value:
        return tuple(self._numbers.open("task", ident, bytes.fromhex(text)) for text in sealed)

    def _stored(self, ident: UUID, field: str, new: Value) -> dict[str, Any]:
        """Return what a field holds as the database has it: a number sealed, as hexadecimal text, with its digest."""
        if field != "number" or not new:
            return {"new": list(new), "digest": None}
        sealed = self._numbers.seal("task", ident, new[0])
        return {"new": [sealed.number.hex()], "digest": sealed.digest}

    async def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]:
        return await rows(self._connection, query, values, self._limit_s)


def originals(kind: Kind, row: Row) -> dict[str, Value]:
    """Return what each field of a stored note or task holds."""
    return {field: _value(row[field]) for field in FIELDS[kind]}


def correction_of(row: Row) -> Correction:
    """Return the correction of a row of the query "corrections_of"."""
    return Correction(row["revision"], row["field"], row["at"], row["person"], tuple(row["old"]), tuple(row["new"]))


def told(note: Row, corrections: tuple[Correction, ...]) -> Row:
    """Return a stored note with what its fields hold now, and for each whether a machine or a person wrote it."""
    corrected = Correctable("note", note["call"], originals("note", note), corrections)
    fields: Row = {}
    for field in FIELDS["note"]:
        if by := corrected.newest.get(field):
            original = plain(field, corrected.original[field])
            fields[field] = {
                "ai_generated": False, "corrected_by": by.person, "corrected_at": by.at, "original": original,
            }  # fmt: skip
        else:
            fields[field] = {"ai_generated": note["ai_generated"]}
    return {
        **{name: value for name, value in note.items() if name != "call"},
        **{field: plain(field, value) for field, value in corrected.held.items()},
        "ai_generated": any(field["ai_generated"] for field in fields.values()),
        "revision": corrected.revision,
        "fields": fields,
    }


def plain(field: str, value: Value) -> list[str] | str | None:
    """Return a field as JSON has it: a list where there may be several lines, else a text, None for nothing."""
    return list(value) if field in LISTS else (value[0] if value else None)


def moment(at: datetime) -> str:
    """Return a moment as corrections hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _value(stored: object) -> Value:
    match stored:
        case None:
            return ()
        case list():
            return tuple(stored)
        case datetime():
            return (moment(stored),)
        case _:
            return (str(stored),)
