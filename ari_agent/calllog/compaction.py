"""Writes tables anew from which something personal was deleted, so that their files do not hold it any more.

A statement deletes rows, but not their bytes. VACUUM gives the room back and leaves most of the bytes in it until other
rows happen to come there; VACUUM FULL writes the table and its indexes into new files. That needs the table for itself,
a few seconds for a hundred thousand calls: what controllers write meanwhile waits in their spools. Only the owner may,
or who acts as it; on Postgres 17 and later there is a right of its own (MAINTAIN), on 15 and 16 there is none.
"""

from __future__ import annotations

from psycopg import sql

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import rows
from ari_agent.config import Log
from ari_agent.errors import CallLogUnusable

_TROUBLE = "the tables could not be written anew; what was deleted is still in their files"
_NOT_OWNED = (
    "only the owner of the tables can write them anew: name ari_agent_migrate in ARI_AGENT_DATABASE, as "
    "deploy/systemd/ari-agent-compact.service does"
)
_STATEMENT_MS = 3_600_000


async def compact(settings: Log) -> list[str]:
    """Write every table anew from which something was deleted since the last time; return their names.

    A table that others use for longer than log.connect_s is not waited for. Raises CallLogError.
    """
    async with Database(settings, create=False) as database, await database.connect() as connection:
        due = await rows(connection, "compaction_due", {}, database.limit_s)
        if not all(row["owned"] for row in due):
            raise CallLogUnusable(_NOT_OWNED)
        tables = [str(row["table"]) for row in due]
        if tables:
            # Whatever is deleted loses its seal's salt.
            tables.append("salt")
            await _rewrite(connection, tables, due[0]["deletion"])
        return tables


async def _rewrite(connection: Connection, tables: list[str], deletion: int) -> None:
    with wrapped(_TROUBLE):
        await connection.execute(sql.SQL("SET statement_timeout = {}").format(_STATEMENT_MS))
        for table in tables:
            await connection.execute(sql.SQL("VACUUM (FULL) ari_agent.{}").format(sql.Identifier(table)))
        await connection.execute(QUERIES["compaction_done"], {"deletion": deletion, "tables": tables})
