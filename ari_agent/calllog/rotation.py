"""A new key for callers' numbers: added to the file, put to use, and told of until the old ones are needed no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ari_agent.calllog import number_keys
from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import reseal, seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log

_TROUBLE = "callers' numbers could not be counted: may the account do so? ari_agent_migrate may"


@dataclass(frozen=True, slots=True)
class Use:
    """What one key is needed for."""

    key: str
    numbers: int
    """Numbers that it sealed. With none it still finds callers whose number was deleted in time, by their pseudonym."""
    held: bool
    """Whether the file holds it."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did, and how things stand after it."""

    sealed: int
    lost: int
    """Numbers that no key of the file opens."""
    keys: list[Use]
    """The newest last."""


async def rotate(
    settings: Log, numbers: Numbers, *, new: bool, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> Rotated:
    """Seal every number with the newest key, a new one if so asked; whatever an earlier run has left is done too.

    `progress` is told how many of how many are done. Raises CallLogError, SealingError.
    """
    await asyncio.to_thread(numbers.require)
    async with Database(settings) as database, await database.connect() as connection:
        await migrate(connection)
        await connection.execute(QUERIES["long_session"])
        if new:
            await asyncio.to_thread(number_keys.add, numbers.path)
            await asyncio.to_thread(numbers.require)
        with wrapped(_TROUBLE):
            await connection.execute(QUERIES["number_key_used"], {"key": numbers.names[-1]})
        done = await seal_waiting(connection, numbers)
        counts = await _counts(connection)
        old, told = counts.total() - counts[numbers.names[-1]], 0

        def tell(more: int) -> None:
            nonlocal told
            told += more
            progress(told, old)

        sealed, lost = await reseal(connection, numbers, tell)
        return Rotated(done + sealed, lost, await _uses(connection, numbers))


async def _counts(connection: Connection) -> Counter[str]:
    counts: Counter[str] = Counter()
    with wrapped(_TROUBLE):
        for row in await (await connection.execute(QUERIES["sealed_counts"])).fetchall():
            counts[row["key"]] += row["numbers"]
    return counts


async def _uses(connection: Connection, numbers: Numbers) -> list[Use]:
    counts = await _counts(connection)
    with wrapped(_TROUBLE):
        await connection.execute(QUERIES["number_keys_end"], {"used": list(counts)})
        names = [row["id"] for row in await (await connection.execute(QUERIES["number_keys"])).fetchall()]
    return [Use(name, counts[name], name in numbers.names) for name in names]
