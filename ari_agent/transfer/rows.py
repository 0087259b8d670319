"""The rows of an export: one class for each kind, whose fields are the columns, in their order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ari_agent.decision import Urgency
from ari_agent.errors import TransferError

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/+-]{1,80}$")]
Intent = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[float, Field(ge=0)]
_NUL = r"\u0000"
"""As JSON has it."""
_MOST = 2**31 - 1
"""What a column of numbers holds."""
Count = Annotated[int, Field(ge=0, le=_MOST)]
Ordinal = Annotated[int, Field(ge=1, le=_MOST)]


class _Row(BaseModel):
    """Types as JSON has them; a field that is missing or unknown is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Call(_Row):
    """A call that a note, a callback or a turn belongs to."""

    id: UUID
    opened_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    node: str | None
    channel: str | None
    dialled: str | None
    caller: str | None
    caller_erased_at: AwareDatetime | None
    test: bool
    setup_ms: Milliseconds | None
    disclosure_played_ms: Milliseconds | None
    disclosure_sha256: Sha256 | None
    outcome: Code | None
    reason: Code | None
    escalated_to: Code | None
    turns: Count | None
    filed_at: AwareDatetime | None


class Turn(_Row):
    """A labelled turn; its words are there if they were stored."""

    call: UUID
    number: Ordinal
    at: AwareDatetime
    heard: Code
    act: Code
    intent: Intent | None
    urgency: Urgency | None
    decided_by: Annotated[str, Field(pattern="^[a-z]{1,20}$")] | None
    source: str | None
    reason: Code | None
    end_of_turn_ms: Milliseconds | None
    stt_ms: Milliseconds | None
    decide_ms: Milliseconds
    tts_ms: Milliseconds | None
    total_ms: Milliseconds | None
    interrupted: bool
    caller_text: str | None
    agent_text: str | None


class Callback(_Row):
    """A callback or a message, as it was taken down."""

    id: UUID
    call: UUID
    taken_at: AwareDatetime
    kind: Literal["callback", "message"]
    caller_name: str | None
    number: str | None
    company: str | None
    email: str | None
    recipient: str | None
    matter: str | None
    earliest: AwareDatetime | None
    latest: AwareDatetime | None
    due: AwareDatetime | None
    urgency: Urgency
    intent: Intent | None
    reason: Code | None
    complete: bool
    state: Literal["open", "done"]
    done_at: AwareDatetime | None
    done_by: str | None


class Note(_Row):
    """The note on a call, as it was written."""

    call: UUID
    written_at: AwareDatetime
    who: str
    about: list[str]
    agreed: list[str]
    open: list[str]
    urgency: Urgency
    ai_generated: bool
    made_by: str


class Correction(_Row):
    """What a person corrected in one field of a note or of a callback."""

    entry: UUID
    call: UUID
    note: UUID | None
    task: UUID | None
    revision: Ordinal
    field: Annotated[str, Field(pattern="^[a-z]{1,20}$")]
    at: AwareDatetime
    person: Annotated[str, Field(min_length=1, max_length=80)]
    account: Annotated[str, Field(min_length=1, max_length=63)]
    old: list[str]
    new: list[str]


class Contact(_Row):
    """A contact, by number."""

    number: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{3,14}$")]
    name: str
    company: str
    route: Literal["ai", "vip", "blocked"]
    target: Intent | None
    imported_at: AwareDatetime
    source: str


class KnowledgeVersion(_Row):
    """A version of what callers may hear."""

    number: Ordinal
    at: AwareDatetime
    action: Literal["import", "suggest", "rollback"]
    author: str
    note: str
    restores: Ordinal | None
    sources: list[dict[str, str]]
    sha256: Sha256
    gate: dict[str, Any] | None
    passages: Ordinal
    added: Count
    changed: Count
    removed: Count


class KnowledgePassage(_Row):
    """A passage of a version, with the variants of its question."""

    version: Ordinal
    position: Ordinal
    id: Annotated[str, Field(pattern="^[a-z0-9-]+$")]
    title: str
    text: Annotated[str, Field(min_length=1)]
    questions: list[str]
    accepted: list[str]
    valid_from: date | None
    valid_until: date | None
    audience: str
    source: str
    page: Ordinal | None
    row: Ordinal | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of rows."""

    name: str
    """Of its files, without ".jsonl"."""
    table: str
    """Of the call log."""
    row: type[_Row]
    key: tuple[str, ...]
    """Columns that tell one row from another, and give the order."""
    is_spread: bool = True
    """Whether there is a CSV file of all of them."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(self.row.model_fields)

    @property
    def file(self) -> str:
        """Name of the file that is read."""
        return f"{self.name}.jsonl"

    def parsed(self, line: bytes, place: str) -> dict[str, Any]:
        """Return a row as JSON has it, checked. Raises TransferError, which repeats nothing of it.

        `place` is the file and the row.
        """
        try:
            row = as_json(self.row.model_validate_json(line).model_dump())
        except ValidationError as e:
            problem = e.errors(include_input=False, include_context=False, include_url=False)[0]
            field = ".".join(map(str, problem["loc"])) or "the whole row"
            raise TransferError(f"{place}, {field}: {problem['msg']}") from None
        for name, value in row.items():
            if _NUL in json.dumps(value).replace(r"\\", ""):
                raise TransferError(f"{place}, {name}: a character 0, which no database keeps")
        return row


CALLS = Kind("calls", "call", Call, ("id",))
TURNS = Kind("turns", "turn", Turn, ("call", "number"))
CALLBACKS = Kind("callbacks", "task", Callback, ("id",))
NOTES = Kind("notes", "note", Note, ("call",))
CORRECTIONS = Kind("corrections", "correction", Correction, ("entry",))
CONTACTS = Kind("contacts", "contact", Contact, ("number",))
VERSIONS = Kind("knowledge_versions", "knowledge_version", KnowledgeVersion, ("number",), is_spread=False)
PASSAGES = Kind("knowledge_passages", "knowledge_passage", KnowledgePassage, ("version", "position"))

KINDS: Mapping[str, Kind] = {
    kind.file: kind for kind in (VERSIONS, PASSAGES, CONTACTS, CALLS, TURNS, CALLBACKS, NOTES, CORRECTIONS)
}
"""By the name of the file, each after what it refers to."""


def as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: moments in UTC, so that the same row is always the same text."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
