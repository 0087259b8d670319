"""Seals what an older version wrote in the clear, and all numbers anew for a new key; goes on where it ended."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import structlog

from ari_agent.calllog.database import Connection, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import Row
from ari_agent.calllog.sealing import Numbers, Place
from ari_agent.errors import CallLogUnusable, SealingError

PLACES: dict[str, Place] = {
    "call": "call", "task": "task", "contact": "contact", "correction-old": "task", "correction-new": "task",
}  # fmt: skip
"""Where numbers stand, and the table of the row that each is sealed for: a corrected number is one of its task."""
_TABLES = ("call", "task", "contact", "correction")
AT_ONCE = 200
"""Numbers in one transaction, which holds the chain's end for so long: some 50 ms."""
_FIRST = UUID(int=0)
_TROUBLE = "callers' numbers could not be sealed: may the account do so? ari_agent_migrate may"
_WAITING = "numbers of an older version wait to be sealed: run `ari-agent calllog migrate` first, as ari_agent_migrate"

log = structlog.get_logger(__name__)


async def seal_waiting(connection: Connection, numbers: Numbers) -> int:
    """Seal what an older version wrote, if the account may and there is a key; return how many it were.

    Several may do so at the same time. Raises CallLogError.
    """
    with wrapped(_TROUBLE):
        state = await _row(connection, "unsealed_count")
        if not state["waiting"] or not state["may"] or not await numbers.refresh():
            return 0
        done = 0
        while sealed := await _seal_some(connection, numbers):
            done += sealed
        if not (await _row(connection, "unsealed_count"))["waiting"]:
            async with connection.transaction():
                await connection.execute(QUERIES["migration_as_owner"])
                await connection.execute(QUERIES["unsealed_end"])
    log.info("callers' numbers of an older version are sealed", numbers=done)
    return done


async def none_waits(connection: Connection) -> None:
    """Raise CallLogUnusable while numbers of an older version wait: they are found and deleted by their sealed form."""
    with wrapped(_TROUBLE):
        if (await _row(connection, "unsealed_count"))["waiting"]:
            raise CallLogUnusable(_WAITING)


async def reseal(
    connection: Connection, numbers: Numbers, progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Seal every number with the newest key; return how many were sealed anew and how many no key of the file opens.

    `progress` is told how many more are done, again and again. Raises CallLogError, SealingError.
    """
    sealed = lost = 0
    for table in _TABLES:
        after = _FIRST
        while page := await _page(connection, numbers, table, after):
            done = 0
            with wrapped(_TROUBLE):
                async with connection.transaction():
                    await connection.execute(QUERIES["migration_as_owner"])
                    for row in page:
                        opened = _opened(numbers, row)
                        lost += opened is None
                        done += opened is not None and await _put(connection, numbers, row, opened)
            after, sealed = page[-1]["id"], sealed + done
            progress(len(page))
    return sealed, lost


async def _page(connection: Connection, numbers: Numbers, table: str, after: UUID) -> list[Row]:
    values = {"after": after, "key": bytes.fromhex(numbers.names[-1]), "limit": AT_ONCE}
    with wrapped(_TROUBLE):
        return await (await connection.execute(QUERIES[f"sealed_{table}"], values)).fetchall()


def _opened(numbers: Numbers, row: Row) -> str | None:
    try:
        return numbers.open(PLACES[row["place"]], row["owner"], row["number"])
    except SealingError:
        return None


async def _put(connection: Connection, numbers: Numbers, row: Row, number: str) -> bool:
    new = numbers.seal(PLACES[row["place"]], row["owner"], number)
    same = {name: row[name] for name in ("place", "id")}
    values = same | {"was": row["number"], "number": new.number, "digest": new.digest}
    found = await (await connection.execute(QUERIES["seal_number"], values)).fetchone()
    return bool(found and found["done"])


async def _seal_some(connection: Connection, numbers: Numbers) -> int:
    async with connection.transaction():
        await connection.execute(QUERIES["migration_as_owner"])
        rows = await (await connection.execute(QUERIES["unsealed_next"], {"limit": AT_ONCE})).fetchall()
        for row in rows:
            await _put(connection, numbers, row | {"number": None}, row["number"])
    return len(rows)


async def _row(connection: Connection, query: str) -> Row:
    found = await (await connection.execute(QUERIES[query])).fetchone()
    assert found is not None  # noqa: S101 - an aggregate always has a row
    return found
