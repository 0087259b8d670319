"""What export and import share: who may, the record of both, and statements that serve all tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg import sql

from ari_agent.calllog.database import Connection
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.sealing import Numbers, Place
from ari_agent.errors import TransferError
from ari_agent.transfer.manifest import What
from ari_agent.transfer.rows import CALLBACKS, CALLS, CONTACTS, CORRECTIONS, Kind

Right = Literal["SELECT", "INSERT"]


SEALED: Mapping[str, tuple[str, ...]] = {
    "call": ("caller_digest",),
    "task": ("number_digest",),
    "contact": ("id", "digest"),
    "correction": ("old_digest", "new_digest"),
}
"""Columns that go with a sealed number, by table; they are in no file: another key makes others."""


def opened(kind: Kind, row: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    """Return a row of the database as a file has it: with its numbers readable. Raises SealingError."""
    told = {name: value for name, value in row.items() if name in kind.columns}

    def number(name: str, place: Place, ident: UUID) -> dict[str, Any]:
        return told | {name: row[name] and numbers.open(place, ident, row[name])}

    if kind is CALLS:
        return number("caller", "call", row["id"])
    if kind is CALLBACKS:
        return number("number", "task", row["id"])
    if kind is CONTACTS:
        return number("number", "contact", row["id"])
    if kind is CORRECTIONS and row["field"] == "number":
        return told | {
            side: [numbers.open("task", row["task"], bytes.fromhex(text)) for text in row[side]]
            for side in ("old", "new")
        }
    return told


def sealed(kind: Kind, row: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    """Return a row of a file as the database has it, in JSON: with its numbers sealed. Raises SealingError."""

    def number(name: str, place: Place, ident: UUID, digest: str) -> dict[str, Any]:
        if row[name] is None:
            return {**row, digest: None}
        kept = numbers.seal(place, ident, row[name])
        return {**row, name: f"\\x{kept.number.hex()}", digest: f"\\x{kept.digest.hex()}"}

    if kind is CALLS:
        return number("caller", "call", UUID(row["id"]), "caller_digest")
    if kind is CALLBACKS:
        return number("number", "task", UUID(row["id"]), "number_digest")
    if kind is CONTACTS:
        ident = uuid4()
        return number("number", "contact", ident, "digest") | {"id": str(ident)}
    if kind is CORRECTIONS:
        return {**row, **_sealed_sides(row, numbers)}
    return dict(row)


def _sealed_sides(row: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    """Return what was corrected, and to what, with numbers sealed for their task."""
    sides: dict[str, Any] = {"old_digest": None, "new_digest": None}
    if row["field"] == "number" and row["task"] is not None:
        for side in ("old", "new"):
            kept = [numbers.seal("task", UUID(row["task"]), number) for number in row[side]]
            sides[side] = [each.number.hex() for each in kept]
            sides[f"{side}_digest"] = f"\\x{kept[0].digest.hex()}" if kept else None
    return sides


async def require(connection: Connection, kinds: Iterable[Kind], right: Right) -> None:
    """Raise TransferError when the account may not do so with all rows of these kinds."""
    values = {"tables": [kind.table for kind in kinds], "right": right}
    refused = await (await connection.execute(QUERIES["transfer_refused"], values)).fetchall()
    if refused:
        names = ", ".join(row["name"] for row in refused)
        raise TransferError(
            f"this account may not do so with all of it ({names}): name ari_agent_migrate in ARI_AGENT_DATABASE"
        )


async def begin(
    connection: Connection, action: Literal["export", "import"], what: Sequence[What], person: str, rows: int | None
) -> None:
    """Put on record who does what; the chain has it too."""
    values = {"action": action, "what": list(what), "rows": rows, "person": person[:80]}
    await connection.execute(QUERIES["transfer_begun"], values)


def statement(query: str, kind: Kind) -> sql.Composed:
    """Return a statement of transfer.sql for a kind of rows."""
    columns = (*kind.columns, *SEALED.get(kind.table, ()))
    key = ("digest",) if kind is CONTACTS else kind.key
    return sql.SQL(QUERIES[query]).format(
        table=sql.Identifier("ari_agent", kind.table),
        columns=_listed(columns, "t"),
        key=_listed(key, "t"),
        key_given=_listed(key, "r"),
        names=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )


def _listed(columns: Iterable[str], of: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, column) for column in columns)
