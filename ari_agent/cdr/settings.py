"""Where Asterisk keeps its records of calls, and which of them are calls of the company."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ari_agent.section import ExistingPath, Name, Section, beside_the_file

REQUIRED = ("uniqueid", "dcontext", "channel", "start", "disposition")
"""Columns without which a line cannot be used; beside them "end" or "duration"."""
Table = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$")]
"""A table of a database, with its schema or without."""
Column = Annotated[str, Field(pattern=r"^[a-z]{0,20}$")]


class CdrSettings(Section):
    """With what `ari-agent calllog reconcile` compares the call log."""

    source: Literal["none", "csv", "postgres"] = Field(
        "csv", description="Where Asterisk writes its CDR: csv (cdr.file), postgres (cdr.table), or none"
    )
    file: Path = Field(
        Path("/var/log/asterisk/cdr-csv/Master.csv"),
        description="File of cdr_csv or cdr_custom; its rotated forms beside it are read too",
    )
    columns: tuple[Column, ...] = Field(
        default_factory=tuple,
        description="Columns of a cdr_custom file in their order, named as CDR() names them, empty for one that is not "
        "needed; no names: those of cdr_csv",
    )
    utc: bool = Field(
        default=False, description="The CDR has UTC (usegmtime = yes) instead of the machine's local time"
    )
    database: str = Field("", description="postgresql:// address of the database with cdr.table")
    password_file: ExistingPath | None = Field(None, description="File that holds only the password for cdr.database")
    table: Table = Field("cdr", description="Table of cdr_pgsql, cdr_odbc or cdr_adaptive_odbc")
    queue_log: Path = Field(
        Path("/var/log/asterisk/queue_log"),
        description="Asterisk's queue_log, which says why the AI did not get a call; rotated forms are read too",
    )
    queue_table: Table | None = Field(
        None, description="Table of a queue_log in realtime, in cdr.database, instead of the file"
    )
    contexts: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        default_factory=lambda: ("ari-agent",),
        description="Dialplan contexts whose callers are calls of the company",
    )
    days: Annotated[int, Field(ge=1, le=365)] = Field(
        7, description="How many days back are compared, unless --from says"
    )
    settle_h: Annotated[float, Field(ge=0, le=48)] = Field(
        4.0, description="Calls that began later than so many hours ago may still go on, and are left for the next time"
    )

    @field_validator("file", "queue_log")
    @classmethod
    def _beside(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_the_file(path, info)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.columns:
            missing = [name for name in REQUIRED if name not in self.columns]
            if missing or not {"end", "duration"} & set(self.columns):
                raise ValueError(f"cdr.columns needs {', '.join(REQUIRED)}, and end or duration")
        if not self.database and (self.source == "postgres" or self.queue_table is not None):
            raise ValueError(
                "cdr.source = 'postgres' and cdr.queue_table need cdr.database, the address of the database"
            )
        return self
