"""What waits for the database: an entry with an id that stays the same over all attempts, and its form on disk."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from ari_agent.record import (
    CallAnswered,
    CallClosed,
    CallFiled,
    CallNoted,
    CallOpened,
    ConsentTaken,
    DisclosurePlayed,
    Entry,
    EscalationEnded,
    NoteWritten,
    RecordingKept,
    TaskTaken,
    TurnTaken,
)


@dataclass(frozen=True, slots=True)
class Started:
    """A controller began: calls that its predecessor of the same name left open before that are to be closed."""

    node: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """Entries of a call were lost, because neither database nor disk nor memory could hold them."""

    call: UUID
    at: datetime
    entries: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stood on disk is no entry that this version knows."""

    call: UUID
    """All zeros when not even that can be read."""
    at: datetime
    """When it was found."""
    was: str
    """The kind it had."""


Record = Entry | Started | Dropped | Unreadable


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record on its way to the database."""

    id: UUID
    record: Record

    @property
    def kind(self) -> str:
        """Short name of the kind of record, as in ari_agent.event."""
        return KINDS[type(self.record)]


KINDS: dict[type[Record], str] = {
    CallOpened: "opened",
    CallAnswered: "answered",
    DisclosurePlayed: "disclosed",
    ConsentTaken: "consent",
    RecordingKept: "recording",
    TurnTaken: "turn",
    EscalationEnded: "escalated",
    CallNoted: "noted",
    TaskTaken: "task",
    NoteWritten: "note",
    CallClosed: "closed",
    CallFiled: "filed",
    Started: "started",
    Dropped: "dropped",
    Unreadable: "unreadable",
}

_READERS: dict[str, TypeAdapter[Record]] = {kind: TypeAdapter(record) for record, kind in KINDS.items()}


def encoded(record: Record) -> str:
    """Return a record as ASCII text; whatever texts of callers hold, such as half characters, comes back as it was."""
    return json.dumps(dataclasses.asdict(record), default=_plain)


def decoded(kind: str, text: str) -> Record:
    """Return the record of an `encoded` text; Unreadable when this version does not know it."""
    try:
        return _READERS[kind].validate_python(json.loads(text))
    except (KeyError, ValueError, ValidationError):
        return Unreadable(_call_in(text), datetime.now(UTC), kind)


def _call_in(text: str) -> UUID:
    try:
        return UUID(json.loads(text)["call"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return UUID(int=0)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
