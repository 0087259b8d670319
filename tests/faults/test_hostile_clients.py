"""Clients and servers that mean harm, or are broken: whatever they send, the next good one is served."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_ari import asterisk_settings

from ari_agent.errors import AgentError, MediaError
from ari_agent.pbx.agi import MAX_REQUEST_BYTES, route_server
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.events import Broadcast
from ari_agent.pbx.media import MAX_MESSAGE_BYTES, MediaLine
from ari_agent.protocols import FRAME_BYTES

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LIMIT_S = 0.3
GAP_S = 60.0
"""Longer than a test."""
QUESTION = b"agi_network: yes\nagi_network_script: route\nagi_callerid: +4971112345\nagi_arg_1: 4971155501\n\n"
ANSWER = b"SET VARIABLE ARI_AGENT_ROUTE ai\n"
PIECES = st.lists(
    st.binary(max_size=300) | st.sampled_from([QUESTION[:50], QUESTION[50:], b"\n\n", b"agi_"]), max_size=5
)


# FastAGI


@asynccontextmanager
async def route_question() -> AsyncIterator[int]:
    async def route(dialled: str, caller: str | None) -> str:
        return "ai"

    async with route_server("127.0.0.1", 0, LIMIT_S, route) as server:
        yield int(server.sockets[0].getsockname()[1])


async def ask(port: int, *pieces: bytes) -> bytes:
    """Send a request in pieces, confirm what comes, and return it; the server may hang up at any time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            async with asyncio.timeout(LIMIT_S + 1):
                command = await reader.read(1000)
                writer.write(b"200 result=1\n")
                await reader.read()
            return command
        return b""
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_any_bytes_in_any_pieces_cost_nobody_else_an_answer() -> None:
    async with route_question() as port:
        loop = asyncio.get_running_loop()

        @FEW
        @given(PIECES)
        def harm(pieces: Sequence[bytes]) -> None:
            async def attack() -> None:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.writelines(pieces)
                writer.close()

            asyncio.run_coroutine_threadsafe(attack(), loop).result(10)

        await asyncio.to_thread(harm)
        assert await ask(port, QUESTION) == ANSWER


async def test_a_hundred_clients_that_never_finish_their_question_delay_no_other() -> None:
    async with route_question() as port:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in slow:
            writer.write(QUESTION[:-1])
        began = time.monotonic()
        assert await ask(port, QUESTION) == ANSWER
        assert time.monotonic() - began < LIMIT_S
        for reader, writer in slow:
            async with asyncio.timeout(LIMIT_S + 2):
                assert await reader.read() == b""  # given up
            writer.close()


async def test_a_client_that_sends_one_byte_at_a_time_is_answered_or_given_up() -> None:
    async with route_question() as port:
        assert await ask(port, *(bytes([byte]) for byte in QUESTION)) == ANSWER


async def test_a_question_without_end_is_not_kept_in_memory() -> None:
    async with route_question() as port:
        assert await ask(port, *[b"agi_x: " + b"y" * MAX_REQUEST_BYTES] * 64) == b""
        assert await ask(port, QUESTION) == ANSWER


# Events and requests of something that is not Asterisk

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KINDS = st.sampled_from(["CallBroadcast", "StasisStart", "StasisEnd", "ChannelDtmfReceived", "ChannelUserevent", "X"])
EVENTS = st.fixed_dictionaries(
    {"type": KINDS | JSON}, optional={"channel": JSON, "args": JSON, "digit": JSON, "eventname": JSON}
)
GOOD = json.dumps({"type": "CallBroadcast", "channel": {"id": "good"}})


@asynccontextmanager
async def false_asterisk(
    folder: Path, script: Callable[[web.WebSocketResponse], Any], answer: Any
) -> AsyncIterator[Ari]:
    """A server with these WebSocket connections, whose every other answer is `answer`."""

    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(protocols=("media",))
        await response.prepare(request)
        with suppress(ConnectionError):
            await script(response)
        await response.close()
        return response

    async def other(_: web.Request) -> web.Response:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/ari/events", socket)
    app.router.add_get("/media/{anything}", socket)
    app.router.add_route("*", "/{anything:.*}", other)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with Ari.open(
            asterisk_settings(f"http://127.0.0.1:{runner.addresses[0][1]}", folder), "ari_agent_test"
        ) as ari:
            yield ari
    finally:
        await runner.cleanup()


async def told(ari: Ari) -> None:
    """Read events until the good one; that of a second connection counts as well."""
    async with asyncio.timeout(10):
        async for event in ari.events():
            if event == Broadcast("good"):
                return


@FEW
@given(messages=st.lists(EVENTS | JSON, max_size=5))
async def test_any_event_is_passed_over_and_the_next_is_told(tmp_path: Path, messages: Sequence[Any]) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        for message in messages:
            await socket.send_str(json.dumps(message))
        await socket.send_str(GOOD)
        await asyncio.sleep(1)

    async with false_asterisk(tmp_path, script, []) as ari:
        await told(ari)


async def test_an_event_bigger_than_any_of_asterisk_costs_a_connection_and_not_the_agent(tmp_path: Path) -> None:
    connections = 0

    async def script(socket: web.WebSocketResponse) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await socket.send_str(json.dumps({"type": "StasisStart", "args": ["x" * 1_000_000] * 20}))
        await socket.send_str(GOOD)
        await asyncio.sleep(1)

    async with false_asterisk(tmp_path, script, []) as ari:
        await told(ari)
    assert connections == 2


@FEW
@given(answer=JSON | st.binary(max_size=50))
async def test_any_answer_to_a_request_is_understood_or_an_error_of_ours(tmp_path: Path, answer: Any) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.close()

    async with false_asterisk(tmp_path, script, answer) as ari:
        for asked in (
            ari.info, ari.channels, ari.bridges, ari.applications, ari.ours,
            lambda: ari.websocket_media("x"), lambda: ari.is_free("PJSIP/x"), lambda: ari.module_status("x"),
            lambda: ari.audiosocket_media("x", "127.0.0.1:1", "x", 8_000),
        ):  # fmt: skip
            with suppress(AgentError):
                await asked()


@pytest.mark.parametrize("channel", ["../bridges/1", "1?x=y", "1#", "1/answer", "%2e%2e", "a b", "ä"])
async def test_an_id_is_a_part_of_a_path_and_nothing_else(tmp_path: Path, channel: str) -> None:
    asked: list[str] = []

    async def remember(request: web.Request) -> web.Response:
        asked.append(request.match_info.get("id", f"somewhere else: {request.raw_path}"))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_delete("/ari/channels/{id}", remember)
    app.router.add_route("*", "/{anything:.*}", remember)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with Ari.open(asterisk_settings(url, tmp_path), "ari_agent_test") as ari:
        await ari.hang_up(channel)
    await runner.cleanup()
    assert asked == [channel]


# The media socket

SOUND = st.binary(max_size=3 * FRAME_BYTES) | st.just(bytes(FRAME_BYTES)) | st.just(bytes(MAX_MESSAGE_BYTES + 1))
WORDS = st.text(max_size=40) | st.sampled_from(
    ["MEDIA_START x", "MEDIA_XOFF", "MEDIA_XON", "MEDIA_BUFFERING_COMPLETED 1", "MEDIA_BUFFERING_COMPLETED", "DTMF 9"]
)


@FEW
@given(messages=st.lists(SOUND | WORDS, max_size=8))
async def test_any_sound_is_frames_or_an_error_of_the_line(tmp_path: Path, messages: Sequence[bytes | str]) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        for message in messages:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))

    async with false_asterisk(tmp_path, script, []) as ari, asyncio.timeout(10):
        with suppress(MediaError):
            async with MediaLine.open(ari, "1", 2.0, GAP_S) as line:
                async for frame in line.frames():
                    assert len(frame) == FRAME_BYTES


async def test_after_a_line_that_carried_garbage_the_next_one_works(tmp_path: Path) -> None:
    lines = 0

    async def script(socket: web.WebSocketResponse) -> None:
        nonlocal lines
        lines += 1
        await socket.send_bytes(b"odd" if lines == 1 else bytes(FRAME_BYTES))
        while (await socket.receive()).type is not WSMsgType.CLOSE:
            pass

    async with false_asterisk(tmp_path, script, []) as ari, asyncio.timeout(10):
        async with MediaLine.open(ari, "1", 2.0, GAP_S) as line:
            with pytest.raises(MediaError):
                await anext(aiter(line.frames()))
        async with MediaLine.open(ari, "2", 2.0, GAP_S) as line:
            assert await anext(aiter(line.frames())) == bytes(FRAME_BYTES)
