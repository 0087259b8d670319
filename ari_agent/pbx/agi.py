"""Answers the dialplan's question where a call shall go (FastAGI), with panoramisk's request.

Its own server loop is not used: it reads until a blank line without looking for the end of the connection, so that one
client that connects and closes would keep the event loop busy for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from panoramisk.fast_agi import Request

from ari_agent.errors import AgentError

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 16_384
"""Asterisk sends about 700 bytes of variables; more is no question of a dialplan."""
WITHHELD = "unknown"
"""What Asterisk sends in place of a calling number that it was not told."""

Route = Callable[[str, str | None], Awaitable[str]]
"""Gets the dialled and the calling number, None for one withheld; returns one word for the dialplan."""


@asynccontextmanager
async def route_server(host: str, port: int, limit_s: float, route: Route) -> AsyncIterator[asyncio.Server]:
    """Serve the question with what `route` answers; what it raises costs the question its answer.

    The port is shared: several controllers on one machine may answer on it. Raises AgentError when it is taken.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await _answer(reader, writer, route)
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError) as e:
            log.warning("a FastAGI request was not one", error=type(e).__name__)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    try:
        server = await asyncio.start_server(answer, host, port, limit=MAX_REQUEST_BYTES, reuse_port=True)
    except OSError as e:
        raise AgentError(f"{host}:{port} cannot be used for FastAGI ({e.strerror}); set asterisk.agi_port") from e
    async with server:
        yield server


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Route) -> None:
    # A caller's display name may be in any encoding, and nothing of it matters here.
    lines = (await reader.readuntil(b"\n\n")).decode(errors="replace").splitlines()
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    if headers.get("agi_network_script") != "route":
        raise ValueError("no route")
    request = Request(app=None, headers=headers, reader=reader, writer=writer)
    caller = headers.get("agi_callerid", WITHHELD)
    answer = await route(headers.get("agi_arg_1", ""), None if caller == WITHHELD else caller)
    await request.send_command(f"SET VARIABLE ARI_AGENT_ROUTE {answer}")
