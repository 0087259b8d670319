"""The database behind the call log: the company's own Postgres or the embedded one."""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row

from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.queries import QUERIES
from ari_agent.config import Log, read_secret
from ari_agent.errors import CallLogError, CallLogUnusable

UNREACHABLE = (
    "the call log's database cannot be reached or refuses the login: check that Postgres runs, log.database and "
    "log.password_file"
)

TROUBLE = {
    "25006": "the call log's database is read-only; entries wait",
    "42501": "the account of the call log may not do this in its database: compare its rights",
    "53100": "the disk of the call log's database is full; entries wait",
    "53300": "the call log's database has no connection left; entries wait",
    "55P03": "the call log's database is blocked by somebody's lock, longer than log.connect_s; entries wait",
    "57014": "the call log's database is slower than log.connect_s; entries wait",
}
"""What an administrator should know, by SQLSTATE."""

EMBEDDED = "embedded:"
GRACE_S = 1.0
"""We wait this much longer than the server's own limit, so that the server's answer comes first."""
KEEPALIVE = {"keepalives_idle": 3, "keepalives_interval": 2, "keepalives_count": 2}
"""Seconds, and tries: the kernel gives up an idle TCP connection whose other end has been gone for 7 s."""


class Connection(psycopg.AsyncConnection[DictRow]):
    """A connection that is cut when somebody no longer waits for the server's answer.

    psycopg would rather cancel the statement: over a second connection, and then wait for the first to say so, each for
    5 s. Where packets vanish without a word there is nobody to say it. A connection that is cut fails at once.
    """

    limit_s: float | None = None
    """Seconds for one statement of ours, as the settings have it."""

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server as psycopg does; cancelled, cut the connection and wait for nothing more."""
        waiting = asyncio.create_task(super().wait(gen, interval, timeout))
        try:
            await asyncio.wait({waiting})
        except asyncio.CancelledError:
            self._cut()
            await asyncio.wait({waiting})  # it reads the end of the connection, or was just done
            if not waiting.cancelled():
                waiting.exception()  # seen; nobody else would look at it
            raise
        return waiting.result()

    def _cut(self) -> None:
        """End both directions of the socket, whatever the other end does; psycopg then closes it itself."""
        with suppress(OSError, psycopg.OperationalError), socket.socket(fileno=os.dup(self.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)


class Database:
    """Opens connections to the call log's database; as a context manager it lets go of the embedded one at the end."""

    def __init__(self, settings: Log, *, create: bool = True) -> None:
        """Connect to nothing yet. `create`: make the embedded Postgres' files at the first time."""
        self._settings = settings
        self._create = create
        self._embedded = EmbeddedPostgres(settings.data) if settings.database == EMBEDDED else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._embedded is not None:
            await asyncio.to_thread(self._embedded.stop)

    @property
    def limit_s(self) -> float:
        """Seconds for a connection or a statement."""
        return self._settings.connect_s

    async def connect(self) -> Connection:
        """Open a connection: rows are dictionaries, every statement is a transaction.

        The embedded Postgres is started first if it does not run. Raises CallLogError or ConfigError.
        """
        target = await asyncio.to_thread(self._target)
        with wrapped(UNREACHABLE):
            async with asyncio.timeout(self.limit_s + GRACE_S):
                connection = await Connection.connect(**target, row_factory=dict_row, autocommit=True)
                connection.limit_s = self.limit_s + GRACE_S
                try:
                    await connection.execute(QUERIES["limits"], {"ms": str(int(self.limit_s * 1000))})
                except BaseException:
                    await connection.close()
                    raise
        return connection

    def _target(self) -> dict[str, Any]:
        if self._embedded is not None:
            self._embedded.start(create=self._create)
        try:
            target = conninfo_to_dict(self._embedded.dsn if self._embedded is not None else self._settings.database)
        except psycopg.ProgrammingError:  # its text repeats the address
            raise CallLogUnusable("log.database is no Postgres address such as postgresql://user@host/name") from None
        if "password" in target:
            raise CallLogUnusable("log.database holds a password: move it into the file named by log.password_file")
        if self._settings.password_file is not None and self._embedded is None:
            target["password"] = read_secret(self._settings.password_file)
        limit_s = max(2, math.ceil(self.limit_s))  # psycopg takes whole seconds and at least 2
        return {
            **target,
            "application_name": "ari-agent",
            "connect_timeout": limit_s,
            # A peer that vanished without a word is noticed within the limit instead of after hours.
            "tcp_user_timeout": limit_s * 1000,
            **KEEPALIVE,
        }


@contextmanager
def wrapped(sentence: str) -> Iterator[None]:
    """Turn errors and time-outs of the driver into CallLogError; its texts may hold values and stay in the cause.

    The error says `sentence` unless its SQLSTATE tells more.
    """
    try:
        yield
    except psycopg.Error as e:
        raise CallLogError(TROUBLE.get(e.sqlstate or "", sentence)) from e
    except (TimeoutError, OSError) as e:
        raise CallLogError(sentence) from e
