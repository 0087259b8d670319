"""The wires between the agent and Asterisk: each can be cut, blocked and mended, also only its event or media part."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

GULP = 65_536
Part = Literal["requests", "events", "media"]
"""What a connection is for; its first request tells."""


@dataclass(eq=False)
class Connection:
    """One connection of the agent's."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    part: Part = "requests"
    path: str = ""
    """Of the request that made it what it is, such as "/media/abc"."""
    swallows: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """End it at once, both ways."""
        for writer in self.writers:
            writer.transport.abort()

    def swallow(self) -> None:
        """Lose what travels over it from now on."""
        self.swallows = True


class Wire:
    """Passes on what comes to `port`, until told otherwise."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self.refuses = False
        """New connections are ended at once."""
        self.swallows = False
        """Everything is lost, in old connections and in new ones."""
        self.open: set[Connection] = set()

    def cut(self) -> None:
        """End every connection and refuse new ones until `mend`."""
        self.refuses = True
        for connection in list(self.open):
            connection.cut()

    def mend(self) -> None:
        """Pass on again. A connection of which a part was lost cannot be trusted any more: it is ended."""
        lost = [c for c in self.open if self.swallows or c.swallows]
        self.refuses = self.swallows = False
        for connection in lost:
            connection.cut()

    def connections(self, part: Part) -> list[Connection]:
        """Return the connections of one kind, the oldest first."""
        return [connection for connection in self.open if connection.part == part]

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if self.refuses:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection((writer, back))
        self.open.add(connection)
        try:
            await asyncio.gather(
                self._carry(connection, reader, back, asks=True), self._carry(connection, there, writer, asks=False)
            )
        finally:
            self.open.discard(connection)
            connection.cut()

    async def _carry(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(GULP):
                if asks and data.startswith((b"GET /ari/events", b"GET /media/")):
                    _classify(connection, data)
                if not (self.swallows or connection.swallows):
                    writer.write(data)
                    await writer.drain()
        if not (self.swallows or connection.swallows):
            writer.close()


def _classify(connection: Connection, request: bytes) -> None:
    connection.path = request.split(b" ", 2)[1].decode(errors="replace").partition("?")[0]
    connection.part = "events" if connection.path.startswith("/ari/events") else "media"


@asynccontextmanager
async def wire(to: int) -> AsyncIterator[Wire]:
    """Lay a wire from a free port of this machine to another port."""
    line, tasks = Wire(to), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            await line.join(reader, writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        line.port = server.sockets[0].getsockname()[1]
        try:
            yield line
        finally:
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
