"""The call log's Postgres: one that the campaign owns, because the agent would start its own again at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

from ari_agent.calllog.embedded import DATABASE, VERSION, EmbeddedPostgres
from sandbox.bench.usage import family

QUERY_S = 5


class Server:
    """A Postgres to be killed, stopped and started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._embedded = EmbeddedPostgres(folder)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Server"]:
        """Make a database and start its server; blocks. Raises CallLogError."""
        server = cls(folder)
        server._embedded.start()
        try:
            yield server
        finally:
            server._embedded.stop()

    @property
    def address(self) -> str:
        """What log.database is set to."""
        return f"postgresql://{DATABASE}@/{DATABASE}?host={self._folder}"

    def start(self) -> None:
        """Start it, or start it again; blocks."""
        self._embedded.start()

    def stop(self) -> None:
        """Stop it in order; blocks."""
        self._embedded.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and all its processes."""
        for process in family(self._pid()):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self.signal(signal.SIGKILL)

    def _pid(self) -> int:
        return int((self._folder / VERSION / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    def execute(self, *statements: LiteralString) -> None:
        """Run statements as its owner; blocks. Raises psycopg.Error."""
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement)

    async def rows(self, query: LiteralString) -> list[DictRow]:
        """Return what a query finds. Raises psycopg.Error."""

        def fetch() -> list[DictRow]:
            with self._connection() as connection:
                return connection.execute(query).fetchall()

        return await asyncio.to_thread(fetch)

    def _connection(self) -> psycopg.Connection[DictRow]:
        return psycopg.connect(self._embedded.dsn, row_factory=dict_row, autocommit=True, connect_timeout=QUERY_S)


CALLS: LiteralString = """
    SELECT c.id, c.caller, c.channel, c.opened_at, c.closed_at, c.outcome, c.reason,
        (SELECT count(*) FROM ari_agent.event AS e WHERE e.call = c.id AND e.kind = 'closed') AS closings
    FROM ari_agent.call AS c ORDER BY c.opened_at
"""
REFUSED: LiteralString = "SELECT count(*) AS number FROM ari_agent.event WHERE kind = 'refused'"
END_SESSIONS: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
READ_ONLY: LiteralString = "ALTER SYSTEM SET default_transaction_read_only = on"
WRITABLE: LiteralString = "ALTER SYSTEM RESET default_transaction_read_only"
RELOAD: LiteralString = "SELECT pg_reload_conf()"
