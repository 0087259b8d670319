"""Deletes what is older than the settings allow, and puts on record that it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import none_waits
from ari_agent.config import Log

_ORDER = ("wording", "audio", "transcript", "note", "task", "open-task", "caller-number", "call", "request")
_TROUBLE = "retention could not run, nothing was deleted: may the account delete? ari_agent_privacy may"


@dataclass(frozen=True, slots=True)
class Erased:
    """Recordings that this machine has no more, keys first, and its name in the rows."""

    node: str
    idents: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """What one rule reached."""

    kind: str
    days: int
    rows: int


class _Undo(Exception):
    """Takes back everything of a transaction."""


async def run(
    settings: Log,
    periods: Mapping[str, int],
    now: datetime,
    *,
    dry: bool,
    files: Sequence[Deleted] = (),
    erased: Erased | None = None,
) -> list[Deleted]:
    """Delete by every rule in one transaction, and log it with what was deleted in `files`; with `dry` undo it all.

    `periods` has the days of each kind. Of recordings the rows go whose files are `erased`. The clock is `now`, so that
    whoever asks may look ahead. Raises CallLogError.
    """
    deleted: list[Deleted] = []
    async with Database(settings, create=False) as database, await database.connect() as connection:
        await none_waits(connection)
        with wrapped(_TROUBLE), suppress(_Undo):
            async with connection.transaction():
                deleted += await _delete(connection, periods, now, erased or Erased(""))
                await _record(connection, [*deleted, *files], now)
                if dry:
                    raise _Undo
    return deleted


async def _delete(connection: Connection, periods: Mapping[str, int], now: datetime, erased: Erased) -> list[Deleted]:
    await connection.execute(QUERIES["long_statements"])
    for kind, days in periods.items():
        await connection.execute(QUERIES["retention_rule_set"], {"kind": kind, "days": days})
    deleted = []
    values = {"moment": now, "erased": list(erased.idents), "node": erased.node}
    for kind in _ORDER:
        done = await connection.execute(QUERIES[f"retention_{kind.replace('-', '_')}"], values)
        deleted.append(Deleted(kind, periods[kind], done.rowcount))
    # Last: until the transaction ends, no entry can be written.
    forgotten = await (await connection.execute(QUERIES["retention_event"], {"moment": now})).fetchone()
    return [*deleted, Deleted("event", periods["event"], forgotten["events"] if forgotten else 0)]


async def _record(connection: Connection, deleted: Sequence[Deleted], now: datetime) -> None:
    same = {"run": uuid4(), "at": now, "cause": "retention", "request": None}
    for each in deleted:
        values = same | {"place": each.kind, "days": each.days, "rows": each.rows}
        await connection.execute(QUERIES["deletion_log"], values)
