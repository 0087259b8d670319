"""The database's schema: numbered migrations, applied once, in order, and never edited."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import LiteralString

from ari_agent.calllog.database import Connection, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.errors import CallLogUnusable


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    """File name, such as "0001_calls.sql"."""
    sql: LiteralString

    @property
    def sha256(self) -> str:
        """Checksum of the file, in hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """Return the migrations of this version in order."""
    files = (resources.files(__package__) / "migrations").iterdir()
    steps = [
        Migration(int(f.name[:4]), f.name, f.read_text(encoding="utf-8")) for f in files if f.name.endswith(".sql")
    ]
    return sorted(steps, key=lambda step: step.number)


SHIPPED = shipped()


async def migrate(connection: Connection, steps: Sequence[Migration] = SHIPPED) -> list[str]:
    """Bring the schema up to date in one transaction and return the names of the migrations that were applied.

    Several controllers may do so at the same time: one works, the others wait and then find everything done.
    Raises CallLogUnusable when the database and this version do not belong together, else CallLogError.
    """
    with wrapped("the call log's schema could not be brought up to date: may the account create tables?"):
        async with asyncio.timeout(connection.limit_s) as limit, connection.transaction():
            await connection.execute(QUERIES["migration_lock"])
            found = await (await connection.execute(QUERIES["migration_table_exists"])).fetchone()
            if not found or not found["there"]:
                await connection.execute(QUERIES["migration_create_table"])
            rows = await (await connection.execute(QUERIES["migration_applied"])).fetchall()
            applied = {row["number"]: row["sha256"] for row in rows}
            _compare(applied, steps)
            missing = [step for step in steps if step.number not in applied]
            if missing:
                limit.reschedule(None)  # it takes what it takes
                await connection.execute(QUERIES["migration_as_owner"])
            for step in missing:
                await connection.execute(step.sql)  # a file of our own package
                record = {"number": step.number, "name": step.name, "sha256": step.sha256}
                await connection.execute(QUERIES["migration_remember"], record)
            return [step.name for step in missing]


def _compare(applied: dict[int, str], steps: Sequence[Migration]) -> None:
    known = {step.number: step for step in steps}
    for number, sha256 in applied.items():
        if number not in known:
            raise CallLogUnusable(
                f"the call log's database is newer than this ari-agent (migration {number}): update ari-agent"
            )
        if known[number].sha256 != sha256:
            raise CallLogUnusable(
                f"migration {known[number].name} is not the one that made the call log's database: "
                "install the released ari-agent again"
            )
