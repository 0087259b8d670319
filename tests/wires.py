"""Connections that a test can break: servers that end with the test, and a wire that can be cut, blocked and mended."""

from __future__ import annotations

import asyncio
import asyncio.trsock
import ctypes
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

GULP = 65_536
SO_ATTACH_FILTER = 26
"""socket(7): a filter for what arrives; what it drops is not acknowledged."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handle: Handler, port: int = 0) -> AsyncIterator[int]:
    """Serve TCP connections on a port of this machine (0: a free one); what is open at the end is broken off."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handle(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            still_open = list(tasks)
            for task in still_open:
                task.cancel()
            await asyncio.gather(*still_open)


class Wire:
    """Passes on what comes to `port`, until told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        """Made so far."""
        self._ends: set[asyncio.StreamWriter] = set()
        self._blocked = False

    def drop(self) -> None:
        """Lose every packet of the connections that are open, acknowledgements too; new ones are not touched."""
        for writer in self._ends:
            drop_what_arrives(writer.get_extra_info("socket"))

    def block(self) -> None:
        """Swallow what comes from now on; connections stay open, as when a cable is pulled."""
        self._blocked = True

    def cut(self) -> None:
        """End every connection; what comes over new ones is swallowed until `mend`."""
        self.block()
        for writer in self._ends:
            writer.transport.abort()

    def mend(self) -> None:
        """Pass on what comes over new connections; in those that are still open a part may be missing."""
        self._blocked = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy one direction to its end."""
        self._ends.add(writer)
        try:
            while data := await reader.read(GULP):
                if not self._blocked:
                    writer.write(data)
        finally:
            self._ends.discard(writer)
            writer.close()


@asynccontextmanager
async def wire(to: int, port: int = 0) -> AsyncIterator[Wire]:
    """Lay a wire from a port of this machine (0: a free one) to another."""
    line = Wire()

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(line.carry(reader, back), line.carry(there, writer), return_exceptions=True)

    async with serving(join, port) as line.port:
        yield line


def drop_what_arrives(end: asyncio.trsock.TransportSocket) -> None:
    """Lose every packet to this end from now on, acknowledgements too, as behind a cable that is pulled."""
    nothing = struct.pack("HBBI", 0x06, 0, 0, 0)  # "return 0 bytes", https://docs.kernel.org/networking/filter.html
    program = ctypes.create_string_buffer(nothing)
    end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
