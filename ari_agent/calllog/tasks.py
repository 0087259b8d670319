"""The callbacks and messages that callers left, for the desk that deals with them: full names and numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from ari_agent.calllog.database import Connection, Database
from ari_agent.calllog.reading import Row, rows, with_number
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log
from ari_agent.errors import SealingError

_NOT_WRITTEN = "what is done could not be stored: may the account write to the call log?"


class TaskReader:
    """What is open, and the one change there is: that it was done."""

    def __init__(self, connection: Connection, limit_s: float, numbers: Numbers) -> None:
        self._connection = connection
        self._limit_s = limit_s
        self._numbers = numbers
        self.trouble: str | None = None
        """Why a number of the tasks that were read last could not be opened."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Log) -> AsyncIterator[TaskReader]:
        """Connect to the call log that ari-agent has made. Raises CallLogError."""
        numbers = Numbers(settings.number_key)
        await numbers.refresh()
        async with Database(settings, create=False) as database, await database.connect() as connection:
            yield cls(connection, database.limit_s, numbers)

    async def tasks(self, *, done: bool = False) -> list[Row]:
        """Return what is open, the earliest deadline first; with `done` also what is done, the latest first.

        `due` is from when the company calls back, `deadline` until when, `overdue` whether that is over. A number that
        cannot be opened is None, and `trouble` says why. Raises CallLogError.
        """
        return [self._opened(row) for row in await rows(self._connection, "tasks", {"all": done}, self._limit_s)]

    async def beginning(self, prefix: str) -> list[Row]:
        """Return id and state of the tasks whose id begins so, at most two; none for "". Raises CallLogError."""
        if not prefix:
            return []
        return await rows(self._connection, "tasks_beginning", {"prefix": prefix.lower()}, self._limit_s)

    async def finish(self, task: UUID, by: str = "") -> bool:
        """Mark a task as done, by whom if told; return False when it is already. Raises CallLogError."""
        values = {"id": task, "by": by}
        return bool(await rows(self._connection, "task_done", values, self._limit_s, _NOT_WRITTEN))

    def _opened(self, row: Row) -> Row:
        try:
            number = row["number"] and self._numbers.open("task", row["id"], bytes.fromhex(row["number"]))
        except SealingError as e:
            self.trouble, number = str(e), None
        return with_number(row, number)
