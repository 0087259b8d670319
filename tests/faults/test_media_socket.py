"""A media socket that breaks or carries garbage: the line fails at once, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import WSMsgType, web
from fakes import until
from wires import serving

from ari_agent.config import Asterisk
from ari_agent.errors import MediaError
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.incoming import WAITING_FRAMES
from ari_agent.pbx.media import MAX_MESSAGE_BYTES, MediaLine
from ari_agent.protocols import FRAME_BYTES

SECOND = bytes(32_000)
GAP_S = 60.0
"""Longer than a test but that of gaps: what comes is what was sent."""

Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def line(
    tmp_path: Path, script: Script, *, answers_pings: bool = True, heartbeat_s: float = 5.0, gap_s: float = GAP_S
) -> AsyncIterator[MediaLine]:
    """Connect to a server that plays Asterisk's part by this script; prove that nothing is left at the end."""
    before = asyncio.all_tasks()
    secret = tmp_path / "secret"
    secret.write_text("secret")

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("media",), autoping=answers_pings)
        await socket.prepare(request)
        with suppress(ConnectionError):
            await script(socket)
        return socket

    app = web.Application()
    app.router.add_get("/media/{connection}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    values = Asterisk(
        ari_url=f"http://127.0.0.1:{port}",
        ari_password_file=secret,
        ami_password_file=secret,
        node="test",
        heartbeat_s=heartbeat_s,
    )
    try:
        async with Ari.open(values, "ari_agent_test") as ari, MediaLine.open(ari, "1", 1.0, gap_s) as opened:
            yield opened
    finally:
        await runner.cleanup()
    assert asyncio.all_tasks() - before == set()


async def listen(media: MediaLine) -> int:
    """Return how many frames come until the line is closed."""
    return len([frame async for frame in media.frames()])


async def phrase(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


async def endless() -> AsyncGenerator[bytes, None]:
    while True:
        yield SECOND


async def until_closed(socket: web.WebSocketResponse) -> list[str]:
    """Receive until the other side closes; return the commands."""
    return [m.data async for m in socket if m.type == WSMsgType.TEXT]


@pytest.mark.parametrize("size", [1, 641, FRAME_BYTES * 3 + 1])
async def test_half_a_sample_is_garbage(tmp_path: Path, size: int) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(bytes(FRAME_BYTES))
        await socket.send_bytes(bytes(size))
        await until_closed(socket)

    async with line(tmp_path, script) as media:
        with pytest.raises(MediaError, match=f"{size} bytes are no slin16 frame"):
            async with asyncio.timeout(2):
                await listen(media)


async def test_a_huge_message_is_garbage(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(bytes(MAX_MESSAGE_BYTES * 4))
        await until_closed(socket)

    async with line(tmp_path, script) as media:
        with pytest.raises(MediaError, match="garbage"):
            async with asyncio.timeout(2):
                await listen(media)


async def test_an_empty_message_is_garbage(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.send_bytes(b"")
        await until_closed(socket)

    async with line(tmp_path, script) as media:
        with pytest.raises(MediaError, match="0 bytes"):
            async with asyncio.timeout(2):
                await listen(media)


async def test_texts_nobody_knows_are_passed_over(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        for text in (
            "",
            " ",
            "MEDIA_SOMETHING new:1",
            "MEDIA_BUFFERING_COMPLETED",
            "MEDIA_BUFFERING_COMPLETED 99",
            "ü\0",
        ):
            await socket.send_str(text)
        await socket.send_bytes(bytes(FRAME_BYTES))
        await socket.close()

    async with line(tmp_path, script) as media, asyncio.timeout(2):
        assert await listen(media) == 1


async def test_a_closed_line_ends_the_frames_and_an_unfinished_phrase_is_an_error(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type == WSMsgType.TEXT and message.data.startswith("STOP"):
                break
        await socket.close()

    async with line(tmp_path, script) as media, asyncio.timeout(2):
        with pytest.raises(MediaError, match="closed during a playback"):
            await media.play(phrase(SECOND))
        assert await listen(media) == 0


async def test_a_connection_that_is_torn_down_ends_a_phrase_that_is_being_written(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        assert socket._req is not None
        assert socket._req.transport is not None
        socket._req.transport.abort()

    async with line(tmp_path, script) as media, asyncio.timeout(20):
        with pytest.raises(MediaError):
            await media.play(endless())


async def test_a_line_that_says_stop_and_then_dies_does_not_hold_its_speaker(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_str("MEDIA_XOFF")
        await socket.receive()
        await socket.close()

    async with line(tmp_path, script) as media, asyncio.timeout(5):
        with pytest.raises(MediaError):
            await media.play(endless())


async def test_an_asterisk_that_never_reports_the_end_of_a_phrase_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_agent.pbx.media.SETTLE_S", 0.2)

    async def script(socket: web.WebSocketResponse) -> None:
        await until_closed(socket)

    async with line(tmp_path, script) as media:
        started = time.monotonic()
        with pytest.raises(MediaError, match="did not report the end"):
            await media.play(phrase(SECOND[:3200]))
        assert time.monotonic() - started < 1


async def test_an_asterisk_that_says_stop_and_never_go_on_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_agent.pbx.media.SETTLE_S", 0.2)

    async def script(socket: web.WebSocketResponse) -> None:
        await socket.receive()
        await socket.send_str("MEDIA_XOFF")
        await until_closed(socket)

    async with line(tmp_path, script) as media, asyncio.timeout(5):
        with pytest.raises(MediaError, match="takes no more audio"):
            await media.play(endless())


async def test_an_interrupted_phrase_ends_its_buffering_and_then_empties_the_queue(tmp_path: Path) -> None:
    commands: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    async def script(socket: web.WebSocketResponse) -> None:
        commands.set_result(await until_closed(socket))

    async with line(tmp_path, script) as media:
        closed = asyncio.Event()

        async def speech() -> AsyncGenerator[bytes, None]:
            try:
                yield SECOND
                await asyncio.sleep(60)
            finally:
                closed.set()

        speaking = asyncio.create_task(media.play(speech()))
        await until(lambda: media.played_ms >= 20)
        speaking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await speaking
        assert closed.is_set()
        assert 20 <= media.played_ms < 500
    assert (await commands)[-2:] == ["STOP_MEDIA_BUFFERING", "FLUSH_MEDIA"]


async def test_who_does_not_listen_for_long_hears_the_latest_five_seconds(tmp_path: Path) -> None:
    async def script(socket: web.WebSocketResponse) -> None:
        for number in range(WAITING_FRAMES + 100):
            await socket.send_bytes(number.to_bytes(2, "little") * (FRAME_BYTES // 2))
        await socket.close()

    async with line(tmp_path, script) as media:
        await until(lambda: media._closed)
        frames = [frame async for frame in media.frames()]
    assert len(frames) == WAITING_FRAMES - 1  # and the end
    assert int.from_bytes(frames[-1][:2], "little") == WAITING_FRAMES + 99


async def test_a_connection_that_is_refused_or_not_answered_is_an_error_in_time(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")

    async def swallow(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(swallow) as port:
        values = Asterisk(
            ari_url=f"http://127.0.0.1:{port}", ari_password_file=secret, ami_password_file=secret, node="test"
        )
        async with Ari.open(values, "ari_agent_test") as ari:
            with pytest.raises(MediaError, match="could not be made"):
                async with MediaLine.open(ari, "1", 0.2, GAP_S):
                    pass


async def test_a_connection_on_which_all_is_lost_breaks_soon_and_one_that_is_only_quiet_does_not(
    tmp_path: Path,
) -> None:
    async def quiet(socket: web.WebSocketResponse) -> None:
        await until_closed(socket)

    async with line(tmp_path, quiet, answers_pings=False, heartbeat_s=0.2) as media:
        with pytest.raises(MediaError, match="broke"):
            async with asyncio.timeout(2):
                await listen(media)
    async with line(tmp_path, quiet, heartbeat_s=0.2) as media:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await listen(media)
