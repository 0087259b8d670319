"""Conversations as they are written down: what a caller says turn by turn, and what has to come of it.

`tests/dialogues/README.rst` tells authors what each field means.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ari_agent.decision import Urgency
from ari_agent.errors import ConfigError

Effect = Literal["answer", "ask", "smalltalk", "escalate", "noted", "goodbye"]
"""What the agent does, as an author names it."""
Refusal = Literal["nobody-free", "no-answer", "declined", "no-key", "unavailable"]


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _texts(value: object) -> object:
    """Take a single text for a list of one, of every entry."""
    return {key: _several(text) for key, text in value.items()} if isinstance(value, dict) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Entry(BaseModel):
    """A table of the file; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Turn(Entry):
    """One thing that the caller or the receptionists do, and what the agent has to do then."""

    says: str | None = None
    key: Annotated[str, Field(pattern=r"^[0-9*#]$")] | None = None
    silence: bool = False
    refusal: Refusal | None = None
    answers: Annotated[dict[str, Several], BeforeValidator(_texts)] | None = None
    until: str | None = None
    act: Annotated[tuple[Effect, ...], BeforeValidator(_several)] = ()
    source: Several = ()
    also: Several = ()
    reason: Several = ()
    stations: tuple[str, ...] | None = None
    urgency: Urgency | None = None
    manner: Literal["de", "en", "slow"] | None = None
    words: Several = ()
    never: Several = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.says is not None, self.key is not None, self.silence, self.refusal is not None]
        if sum([*given, self.answers is not None]) != 1:
            raise ValueError("a turn has one of says, key, silence, refusal and answers")
        return self

    def __str__(self) -> str:
        """Return what is done, for people."""
        match self:
            case Turn(says=str(said)):
                return f"“{said}”"
            case Turn(key=str(key)):
                return f"key {key}"
            case Turn(refusal=str(refusal)):
                return f"refusal {refusal}"
            case Turn(answers=dict(answers)):
                return f"answers {', '.join(answers)}"
            case _:
                return "silence"


class Taken(Entry):
    """What the task has to hold; what is not named may be anything."""

    kind: Literal["callback", "message"] | None = None
    name: str | None = None
    number: str | None = None
    company: str | None = None
    email: str | None = None
    recipient: Several = ()
    matter: Several = ()
    earliest: datetime | None = None
    latest: datetime | None = None
    due: datetime | None = None
    urgency: Urgency | None = None
    complete: bool | None = None


class Noted(Entry):
    """Words that the note's fields have to hold."""

    who: Several = ()
    about: Several = ()
    agreed: Several = ()
    open: Several = ()
    urgency: Urgency | None = None


class Known(Entry):
    """What the company's address book has under the calling number."""

    name: str = ""
    company: str = ""
    route: Literal["ai", "vip", "blocked"] = "ai"
    target: str | None = None


class Dialogue(Entry):
    """One conversation."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{3,60}$")]
    about: str
    company: str
    now: datetime
    caller: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{4,14})?$")] = ""
    contact: Known | None = None
    settings: dict[str, Any] = {}
    never: Several = ()
    turns: Annotated[tuple[Turn, ...], Field(min_length=1)]
    ends: Literal["goodbye", "escalation", "open"] | None = None
    task: Taken | Literal[False] | None = None
    unfinished: Taken | Literal[False] | None = None
    note: Noted | None = None
    topic: str = ""

    @field_validator("now")
    @classmethod
    def _aware(cls, now: datetime) -> datetime:
        if now.tzinfo is None:
            raise ValueError("now needs its offset, as in 2026-11-03T10:00:00+01:00")
        return now


def read(path: Path) -> list[Dialogue]:
    """Return the conversations of a file, or of all files of a folder, in order. Raises ConfigError."""
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    found = [one for file in files for one in _read(file)]
    if not found:
        raise ConfigError(f"{path} holds no conversation")
    ids = [one.id for one in found]
    if twice := sorted({ident for ident in ids if ids.count(ident) > 1}):
        raise ConfigError(f"{path}: two conversations are called {twice[0]}")
    return found


def _read(file: Path) -> Iterator[Dialogue]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("conversation", [])
    except (OSError, ValueError) as e:
        raise ConfigError(f"{file} cannot be read: {e}") from e
    for number, table in enumerate(tables, 1):
        try:
            yield Dialogue.model_validate(table | {"topic": file.stem})
        except ValidationError as e:
            problem = e.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise ConfigError(f"{file}: conversation {table.get('id', number)}: {where}: {problem['msg']}") from e
