"""Where Asterisk connects for the audio of a call (AudioSocket): every connection says first which call it is for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

import structlog

from ari_agent.errors import AgentError, MediaError
from ari_agent.pbx.audiosocket import HEADER_BYTES, IDENT_BYTES, Ident, Parser

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
"""Loopback: the audio is not encrypted, and its sender has no password but the random UUID."""
MOST_STRANGERS = 64
"""Connections that have not said yet which call they are for; one more is closed at once."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of which it is known whose it is; what comes next is audio."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class AudioSocketServer:
    """Hands each connection to the leg that waits for its UUID, and closes all others."""

    def __init__(self, limit_s: float) -> None:
        self.port = 0
        self._limit_s = limit_s
        self._expected: dict[UUID, asyncio.Future[Connection]] = {}
        self._strangers: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int, limit_s: float) -> AsyncIterator[Self]:
        """Listen on this port, 0 for any free one; a connection has `limit_s` to say whose it is.

        Raises AgentError when the port is taken.
        """
        server = cls(limit_s)
        try:
            listening = await asyncio.start_server(server._accept, HOST, port)
        except OSError as e:
            taken = f"{HOST}:{port} cannot be used for AudioSocket ({e.strerror})"
            raise AgentError(f"{taken}; set asterisk.audiosocket_port") from e
        async with listening:
            server.port = listening.sockets[0].getsockname()[1]
            try:
                yield server
            finally:
                listening.close()
                for task in server._strangers:
                    task.cancel()
                if server._strangers:
                    await asyncio.wait(server._strangers)

    @contextmanager
    def expect(self) -> Iterator[tuple[UUID, asyncio.Future[Connection]]]:
        """Yield a new UUID and the connection that will name it, the first that does; it is closed with the block."""
        ident, coming = uuid4(), asyncio.get_running_loop().create_future()
        self._expected[ident] = coming
        try:
            yield ident, coming
        finally:
            self._expected.pop(ident, None)
            if not coming.cancel() and not coming.cancelled():
                coming.result().writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, known = asyncio.current_task(), False
        assert task is not None  # noqa: S101 - the server makes a task of each connection
        self._strangers.add(task)
        try:
            async with asyncio.timeout(self._limit_s if len(self._strangers) <= MOST_STRANGERS else 0):
                coming = self._expected.pop(await _ident(reader))
            coming.set_result(Connection(reader, writer))
            known = True
        except (TimeoutError, asyncio.IncompleteReadError, OSError, MediaError, KeyError) as e:
            log.warning("an AudioSocket connection is not one of ours", error=type(e).__name__)
        finally:
            self._strangers.discard(task)
            if not known:
                writer.transport.abort()


async def _ident(reader: asyncio.StreamReader) -> UUID:
    """Read the first message and no more. Raises MediaError, as soon as the header shows that it is another."""
    parser = Parser()
    messages = list(parser.feed(await reader.readexactly(HEADER_BYTES)))
    messages += parser.feed(await reader.readexactly(IDENT_BYTES))
    match messages:
        case [Ident(ident)]:
            return ident
        case _:
            raise MediaError("the first AudioSocket message does not say whose it is")
