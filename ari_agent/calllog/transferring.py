"""What export and import share: who may, the record of both, and statements that serve all tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from psycopg import sql

from ari_agent.calllog.database import Connection
from ari_agent.calllog.queries import QUERIES
from ari_agent.errors import TransferError
from ari_agent.transfer.manifest import What
from ari_agent.transfer.rows import Kind

Right = Literal["SELECT", "INSERT"]


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
    return sql.SQL(QUERIES[query]).format(
        table=sql.Identifier("ari_agent", kind.table),
        columns=_listed(kind.columns, "t"),
        key=_listed(kind.key, "t"),
        key_given=_listed(kind.key, "r"),
        names=sql.SQL(", ").join(map(sql.Identifier, kind.columns)),
    )


def _listed(columns: Iterable[str], of: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(of, column) for column in columns)
