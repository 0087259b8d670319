"""An event connection that carries nonsense or floods: the calls go on, and nobody misses the end of a channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from ari_agent.config import Asterisk
from ari_agent.errors import AriUnavailable
from ari_agent.pbx.ari import WATCH_EVENTS, Ari
from ari_agent.pbx.events import Broadcast, Connected, Digit, Disconnected, Left


def broadcast(channel: str) -> str:
    return json.dumps({"type": "CallBroadcast", "channel": {"id": channel}})


def key(digit: int) -> str:
    return json.dumps({"type": "ChannelDtmfReceived", "channel": {"id": "caller"}, "digit": str(digit)})


@asynccontextmanager
async def asterisk(tmp_path: Path, *connections: Sequence[str | bytes]) -> AsyncIterator[Ari]:
    """A server that says these things in its first, second … event connection and then closes it."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    said = iter(connections)

    async def events(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for message in next(said, ()):
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close()
        return socket

    async def channels(_request: web.Request) -> web.Response:
        return web.json_response([{"id": "caller"}])

    async def nonsense(_request: web.Request) -> web.Response:
        return web.Response(text="{", content_type="application/json")

    app = web.Application()
    app.router.add_get("/ari/events", events)
    app.router.add_get("/ari/channels", channels)
    app.router.add_get("/ari/bridges", nonsense)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        values = Asterisk(ari_url=url, ari_password_file=secret, ami_password_file=secret, node="test")
        async with Ari.open(values, "ari_agent_test") as ari:
            yield ari
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "{",
        "[]",
        "null",
        '{"type": 7}',
        '{"type": "StasisStart"}',
        '{"type": "CallBroadcast"}',
        b"\0\1\2",
        "[" * 5000,
    ],
)
async def test_nonsense_is_passed_over_and_the_next_event_is_told(tmp_path: Path, nonsense: str | bytes) -> None:
    async with asterisk(tmp_path, [nonsense, broadcast("caller")]) as ari, asyncio.timeout(5):
        events = ari.events()
        assert [await anext(events) for _ in range(2)] == [Connected(), Broadcast("caller")]


async def test_a_connection_that_is_closed_again_and_again_is_made_again_and_again(tmp_path: Path) -> None:
    async with asterisk(tmp_path, [], [broadcast("one")], [], [broadcast("two")]) as ari, asyncio.timeout(10):
        told = []
        async for event in ari.events():
            told.append(event)
            if event == Broadcast("two"):
                break
    assert [event for event in told if isinstance(event, Broadcast)] == [Broadcast("one"), Broadcast("two")]
    assert sum(isinstance(event, Disconnected) for event in told) == 3


async def test_of_a_flood_of_keys_the_first_are_kept_and_the_end_of_the_channel_is_never_lost(tmp_path: Path) -> None:
    flood = [key(n % 10) for n in range(WATCH_EVENTS * 3)]
    left = json.dumps({"type": "ChannelDestroyed", "channel": {"id": "caller"}})
    async with asterisk(tmp_path, [*flood, left]) as ari, asyncio.timeout(5):
        with ari.watch("caller") as events:
            async for event in ari.events():
                if isinstance(event, Disconnected):
                    break
            kept = [events.get_nowait() for _ in range(events.qsize())]
    assert len(kept) == WATCH_EVENTS
    assert kept[-1] == Left("caller")
    assert kept[0] == Digit("caller", "1")  # the very first made room for the end


async def test_an_answer_that_is_no_json_is_unavailable(tmp_path: Path) -> None:
    async with asterisk(tmp_path) as ari:
        with pytest.raises(AriUnavailable):
            await ari.bridges()
