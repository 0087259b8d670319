"""The list of an export's files: of which schema they are, and the sum of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ari_agent.errors import TransferError

What = Literal["knowledge", "settings", "notes", "turns", "contacts", "escalation"]
"""A part of an export."""
PARTS: tuple[What, ...] = get_args(What)

MANIFEST = "manifest.json"
FORM: Final = "ari-agent-export"
SCHEMA: Final = 1
"""Of files and rows; another is not read."""
LEFT_OUT = (
    "passwords and keys: secrets.json names their files, which have to be written anew",
    "recordings and transcripts: they are sealed for the machine that made them",
    "the chain of events, its salts and its anchors: they prove the database that they belong to",
    "requests of data subjects, deletions, proofs of backups, monthly figures: records of the old installation",
)
"""What an export never holds, told in each."""

_CALLS = ("calls.jsonl", "calls.csv")
FILES: Mapping[What, tuple[str, ...]] = {
    "knowledge": ("knowledge_versions.jsonl", "knowledge_passages.jsonl", "knowledge_passages.csv", "synonyms.json"),
    "settings": ("settings.toml", "secrets.json"),
    "notes": (
        *_CALLS, "callbacks.jsonl", "callbacks.csv", "notes.jsonl", "notes.csv", "corrections.jsonl", "corrections.csv",
    ),
    "turns": (*_CALLS, "turns.jsonl", "turns.csv"),
    "contacts": ("contacts.jsonl", "contacts.csv"),
    "escalation": ("escalation.toml", "escalation.csv"),
}  # fmt: skip
"""The files of each part; those of calls are there for notes as well as for turns."""


class Sum(BaseModel):
    """One file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    rows: Annotated[int, Field(ge=0)] | None = None
    """None for a file that has none."""


class Manifest(BaseModel):
    """All files of an export but this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["ari-agent-export"] = FORM
    schema_version: Literal[1] = SCHEMA
    program: str
    made_at: str
    """Begin of the export, ISO 8601 in UTC."""
    what: tuple[What, ...]
    left_out: tuple[str, ...] = LEFT_OUT
    files: dict[str, Sum]

    @property
    def rows(self) -> dict[str, int]:
        """Number of rows of each file that has some."""
        return {name: each.rows for name, each in self.files.items() if each.rows is not None}


def files_of(what: tuple[What, ...]) -> tuple[str, ...]:
    """Return the names of the files of these parts, each once."""
    return tuple(dict.fromkeys(name for part in PARTS if part in what for name in FILES[part]))


def written(manifest: Manifest) -> str:
    """Return the text of the file."""
    return manifest.model_dump_json(indent=2) + "\n"


def read(text: bytes, place: str) -> Manifest:
    """Return the manifest of such a text; `place` names the export. Raises TransferError."""
    try:
        given = json.loads(text)
        schema = given.get("schema_version") if given.get("form") == FORM else None
    except (ValueError, AttributeError, RecursionError):
        schema = None
    if not isinstance(schema, int):
        raise TransferError(f"{place} is no export of ari-agent: {MANIFEST} is of another kind or damaged")
    if schema != SCHEMA:
        remedy = (
            "update ari-agent" if schema > SCHEMA else "import it with the ari-agent that wrote it, and export again"
        )
        raise TransferError(f"{place} has schema {schema}, and this ari-agent reads schema {SCHEMA}: {remedy}")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as e:
        field = ".".join(map(str, e.errors(include_input=False)[0]["loc"]))
        raise TransferError(f"{place}: {MANIFEST} is damaged at {field}; take the export again") from e
    if list(manifest.files) != list(files_of(manifest.what)):
        raise TransferError(f"{place}: {MANIFEST} does not name exactly the files of its parts; take the export again")
    return manifest
