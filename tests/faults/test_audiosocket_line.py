"""AudioSocket connections that are not what they should be, or stop being it: closed or failed in time, no leak."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from fakes import until
from scripted_ari import asterisk_settings, scripted_ari
from structlog.testing import capture_logs
from wires import drop_what_arrives

from ari_agent.errors import AgentError, MediaError
from ari_agent.pbx.audiosocket import HANG_UP, Audio, HangUp, Parser, audio
from ari_agent.pbx.audiosocket_line import AudioSocketLine
from ari_agent.pbx.audiosocket_server import HOST, MOST_STRANGERS, AudioSocketServer
from ari_agent.pbx.incoming import SILENCE, WAITING_FRAMES
from ari_agent.pbx.transport import AudioSocket, Transport
from ari_agent.protocols import FRAME_BYTES

LIMIT_S = 0.3
GAP_S = 60.0
"""Longer than any test but those of gaps: what comes is what was sent."""
FRAME = bytes(range(1, 161)) * 4
"""20 ms of slin16 that are no silence."""


@dataclass
class Caller:
    """The other end of a connection, where Asterisk is."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, server: AudioSocketServer) -> Caller:
        return cls(*await asyncio.open_connection(HOST, server.port))

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    def identify(self, ident: UUID) -> None:
        self.say(b"\x01\x00\x10" + ident.bytes)

    async def heard(self) -> list[object]:
        """Return what comes until the connection is closed; a reset is one way to close it."""
        parser, messages = Parser(), list[object]()
        with suppress(ConnectionError):
            while data := await self.reader.read(65_536):
                messages += parser.feed(data)
        return messages

    async def is_closed(self) -> bool:
        with suppress(ConnectionError):
            return await self.reader.read(1) == b""
        return True

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def serving(limit_s: float = LIMIT_S) -> AsyncIterator[AudioSocketServer]:
    """Serve; prove that nothing is left at the end."""
    before = asyncio.all_tasks()
    async with AudioSocketServer.open(0, limit_s) as server:
        yield server
        assert not server._expected
    await until(lambda: asyncio.all_tasks() - before == set())


@asynccontextmanager
async def line(
    rate: int = 16_000, limit_s: float = 2.0, gap_s: float = GAP_S, server: AudioSocketServer | None = None
) -> AsyncIterator[tuple[AudioSocketLine, Caller]]:
    """Yield a line and its other end."""
    if server is None:
        async with serving() as server, line(rate, limit_s, gap_s, server) as ends:
            yield ends
        return
    with server.expect() as (ident, coming):
        caller = await Caller.connect(server)
        caller.identify(ident)
        async with AudioSocketLine.open(await coming, rate, limit_s, gap_s) as opened:
            yield opened, caller
    await caller.close()


async def listen(media: AudioSocketLine) -> list[bytes]:
    """Return the frames that come until the line is closed."""
    async with asyncio.timeout(3):
        return [frame async for frame in media.frames()]


async def endless() -> AsyncGenerator[bytes, None]:
    while True:
        yield FRAME * 10


# Who connects


@pytest.mark.parametrize(
    "first",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 64,
        b"\xff" * 64,
        audio(16_000, FRAME),
        b"\x03\x00\x015" + b"\x01\x00\x10" + uuid4().bytes,
        b"\x01\x00\x10" + uuid4().bytes,
        b"\x01\x00\x11" + uuid4().bytes + b"x",
    ],
    ids=["http", "zeros", "ones", "audio", "a key", "nobody's", "too long"],
)
async def test_a_stranger_is_closed_at_once(first: bytes) -> None:
    async with serving(30) as server:
        with server.expect() as (_, coming), capture_logs() as lines:
            stranger = await Caller.connect(server)
            stranger.say(first)
            async with asyncio.timeout(2):
                assert await stranger.is_closed()
            assert not coming.done()
            await stranger.close()
    assert [line["event"] for line in lines] == ["an AudioSocket connection is not one of ours"]


@pytest.mark.parametrize("pieces", [[], [b"\x01"], [b"\x01", b"\x00", b"\x10", *[b"a"] * 10]], ids=["0", "1", "slow"])
async def test_who_does_not_say_whose_he_is_is_closed_within_the_limit(pieces: list[bytes]) -> None:
    async with serving() as server:
        stranger, began = await Caller.connect(server), time.monotonic()
        for piece in pieces:  # a slow one keeps the connection busy all the time
            stranger.say(piece)
            await asyncio.sleep(0.01)
        async with asyncio.timeout(2):
            assert await stranger.is_closed()
        assert LIMIT_S - 0.05 < time.monotonic() - began < LIMIT_S + 0.5
        await stranger.close()


async def test_a_connection_that_ends_in_its_first_message_is_none() -> None:
    async with serving(30) as server:
        stranger = await Caller.connect(server)
        stranger.say(b"\x01\x00\x10abc")
        await stranger.close()
        await until(lambda: not server._strangers)


async def test_a_name_in_small_pieces_is_a_name() -> None:
    async with serving() as server:
        with server.expect() as (ident, coming):
            caller = await Caller.connect(server)
            for byte in b"\x01\x00\x10" + ident.bytes:
                caller.say(bytes([byte]))
                await asyncio.sleep(0)
            async with asyncio.timeout(2):
                await coming
        assert await caller.is_closed()  # nobody made a line of it
        await caller.close()


async def test_a_name_counts_once() -> None:
    async with serving(30) as server:
        with server.expect() as (ident, coming):
            first, second = await Caller.connect(server), await Caller.connect(server)
            first.identify(ident)
            await coming
            second.identify(ident)
            async with asyncio.timeout(2):
                assert await second.is_closed()
        await first.close()
        await second.close()


async def test_a_name_is_forgotten_with_the_call_it_was_for() -> None:
    async with serving(30) as server:
        with server.expect() as (ident, coming):
            pass
        assert coming.cancelled()
        late = await Caller.connect(server)
        late.identify(ident)
        async with asyncio.timeout(2):
            assert await late.is_closed()
        await late.close()


async def test_many_who_say_nothing_do_not_keep_a_call_out_and_the_end_waits_for_none_of_them() -> None:
    async with serving(30) as server:
        silent = [await Caller.connect(server) for _ in range(MOST_STRANGERS)]
        await until(lambda: len(server._strangers) == MOST_STRANGERS)
        one_more = await Caller.connect(server)
        async with asyncio.timeout(2):
            assert await one_more.is_closed()
        await silent.pop().close()
        await until(lambda: len(server._strangers) < MOST_STRANGERS)
        async with line(server=server) as (_, caller):
            assert await caller.reader.readexactly(3) == b"\x12\x02\x80"
        began = time.monotonic()
    assert time.monotonic() - began < 2
    for stranger in (*silent, one_more):
        await stranger.close()


async def test_a_port_that_is_taken_is_named_with_the_setting() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AgentError, match=rf"127\.0\.0\.1:{port} .*set asterisk\.audiosocket_port"):
            async with AudioSocketServer.open(port, 1.0):
                pass


# What the line carries


async def test_frames_come_as_they_were_sent_however_they_are_divided() -> None:
    async with line() as (media, caller):
        data = audio(16_000, FRAME) * 20
        for start in range(0, len(data), 1001):
            caller.say(data[start : start + 1001])
            await asyncio.sleep(0)
        caller.say(b"\x03\x00\x015" + HANG_UP)
        assert await listen(media) == [FRAME] * 20


async def test_narrow_sound_comes_as_wide_frames_and_goes_out_narrow() -> None:
    clock = np.arange(8_000) / 8_000
    wave = np.rint(8000 * np.sin(2 * np.pi * 440 * clock)).astype("<i2").tobytes()
    async with line(8_000) as (media, caller):
        for start in range(0, len(wave), 320):
            caller.say(audio(8_000, wave[start : start + 320]))
        caller.say(HANG_UP)
        frames = await listen(media)
        assert {len(frame) for frame in frames} == {FRAME_BYTES}
        assert 48 <= len(frames) <= 50  # the filter holds up to 30 ms
        wide = np.frombuffer(b"".join(frames), "<i2")[3200:12_800].astype(np.float64)
        assert np.sqrt(np.mean(wide**2)) == pytest.approx(8000 / 2**0.5, rel=0.02)
        crossings = np.count_nonzero(np.diff(np.signbit(wide)))
        assert crossings == pytest.approx(2 * 440 * 0.6, abs=2)
        assert (await caller.reader.readexactly(323))[:3] == b"\x10\x01\x40"


async def test_who_does_not_listen_for_long_hears_the_latest_five_seconds() -> None:
    async with line() as (media, caller):
        for number in range(WAITING_FRAMES + 100):
            caller.say(audio(16_000, number.to_bytes(2, "little") * (FRAME_BYTES // 2)))
        caller.say(HANG_UP)
        await until(lambda: media._pace._stopped)
        frames = await listen(media)
    assert len(frames) == WAITING_FRAMES - 1  # and the end
    assert int.from_bytes(frames[-1][:2], "little") == WAITING_FRAMES + 99


async def test_a_line_that_is_given_up_hangs_up() -> None:
    async with serving() as server:
        with server.expect() as (ident, coming):
            caller = await Caller.connect(server)
            caller.identify(ident)
            async with AudioSocketLine.open(await coming, 16_000, 2.0, GAP_S) as media, asyncio.timeout(2):
                await media.play(phrase(FRAME * 3))
        messages = await caller.heard()
        await caller.close()
    sound = [message for message in messages if isinstance(message, Audio) and any(message.pcm)]
    assert b"".join(message.pcm for message in sound) == FRAME * 3
    assert messages[-1] == HangUp()


async def phrase(*chunks: bytes) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        yield chunk


# How a line breaks


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x10\x02\x80" + FRAME, "8000 Hz come where 16000 were asked for"),
        (b"\x12\x02\x81" + FRAME, "641 bytes of type 0x12 are no AudioSocket message"),
        (b"\x12\x00\x00", "0 bytes of type 0x12"),
        (b"\x47ET", "no AudioSocket message"),
        (b"\xff\x00\x01\x02", "error 2"),
        (b"\x01\x00\x10" + uuid4().bytes, "says twice whose it is"),
    ],
    ids=["another rate", "half a sample", "nothing", "garbage", "failure", "second name"],
)
async def test_garbage_ends_the_line_with_an_error_after_the_sound_before_it(data: bytes, complaint: str) -> None:
    async with line() as (media, caller):
        caller.say(audio(16_000, FRAME) + data)
        frames = media.frames()
        async with asyncio.timeout(2):
            assert await anext(frames) == FRAME
            with pytest.raises(MediaError, match=complaint):
                await anext(frames)
        with pytest.raises(MediaError, match="closed during a playback"):
            await media.play(endless())


@pytest.mark.parametrize("end", [b"", b"\x12", b"\x12\x02\x80", b"\x12\x02\x80" + FRAME[:-1]])
async def test_half_a_message_at_the_end_is_an_error_and_a_whole_one_is_not(end: bytes) -> None:
    async with line() as (media, caller):
        caller.say(audio(16_000, FRAME) + end)
        caller.writer.write_eof()
        if not end:
            assert await listen(media) == [FRAME]
            return
        with pytest.raises(MediaError, match="in the middle of a message"):
            await listen(media)


async def test_a_connection_cut_in_a_phrase_ends_phrase_and_frames_at_once() -> None:
    async with line() as (media, caller):
        speaking = asyncio.create_task(media.play(endless()))
        await until(lambda: media.played_ms >= 60)
        caller.writer.transport.abort()
        async with asyncio.timeout(1):
            with pytest.raises(MediaError, match="closed during a playback"):
                await speaking
            with suppress(MediaError):  # or an end in order: that depends on what was still on its way
                await listen(media)


@pytest.mark.parametrize("whose", ["theirs", "ours"])
async def test_a_connection_that_loses_every_packet_is_noticed_within_the_limit(whose: str) -> None:
    async with line(limit_s=0.6) as (media, caller):
        await caller.reader.readexactly(643 * 3)
        end = caller.writer if whose == "theirs" else media._writer
        drop_what_arrives(end.get_extra_info("socket"))
        began = time.monotonic()
        with pytest.raises(MediaError, match="broke"):
            await listen(media)
        assert 0.4 < time.monotonic() - began < 2


async def test_a_caller_of_whom_nothing_comes_for_longer_than_the_limit_is_not_given_up() -> None:
    """A phone that suppresses silence sends nothing while its owner listens."""
    async with line(limit_s=0.2) as (media, caller):
        hearing = asyncio.create_task(caller.heard())
        await asyncio.sleep(0.8)  # this is what is tested
        caller.say(audio(16_000, FRAME) + HANG_UP)
        assert await listen(media) == [FRAME]
    await hearing


async def test_a_phone_from_which_nothing_comes_is_silent() -> None:
    async with line(gap_s=0.1) as (media, caller):
        caller.say(audio(16_000, FRAME) * 3)
        async with asyncio.timeout(5):
            frames = [frame async for _, frame in azip(range(20), media.frames())]
        caller.say(HANG_UP)
    assert frames == [FRAME] * 3 + [SILENCE] * 17


async def test_what_came_while_we_were_held_up_is_no_gap() -> None:
    async with line(gap_s=0.1) as (media, caller):
        caller.say(audio(16_000, FRAME))
        frames = media.frames()
        assert await anext(frames) == FRAME
        caller.say(audio(16_000, FRAME) * 20 + HANG_UP)
        await asyncio.sleep(0)  # it is written
        time.sleep(0.4)  # noqa: ASYNC251 - what is tested
        assert [frame async for frame in frames] == [FRAME] * 20


async def test_being_held_up_in_a_phrase_costs_no_sound_in_either_direction() -> None:
    """Both ends, as the caller lives in our loop too: frames come in bursts, and the clock begins anew each time."""
    words = [bytes([number, 1]) * (FRAME_BYTES // 2) for number in range(1, 51)]
    async with line() as (media, caller):
        hearing = asyncio.create_task(caller.heard())
        speaking = asyncio.create_task(media.play(phrase(*words)))
        for number in range(1, 4):
            await until(lambda: media.played_ms >= number * 200)  # noqa: B023 - awaited within the turn of the loop
            caller.say(audio(16_000, FRAME) * 10)
            time.sleep(0.2)  # noqa: ASYNC251 - what is tested
        await speaking
        assert media.played_ms == 1000
        caller.say(HANG_UP)
        assert await listen(media) == [FRAME] * 30
    sound = [message.pcm for message in await hearing if isinstance(message, Audio) and any(message.pcm)]
    assert sound == words


async def azip(numbers: range, frames: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, bytes]]:
    """Yield as many frames as there are numbers."""
    for number in numbers:
        yield number, await anext(frames)


async def test_an_asterisk_that_never_connects_is_an_error_in_time(tmp_path: Path) -> None:
    async with scripted_ari(tmp_path) as asterisk:
        values = asterisk_settings(asterisk.ari.url, tmp_path, transport="audiosocket")
        async with Transport.open(values) as transport:
            transport._choice = AudioSocket(16_000)
            with pytest.raises(MediaError, match="did not connect the audio within"):
                async with transport.line(asterisk.ari, "media-1", 0.1):
                    pass
            assert transport._server is not None
            assert not transport._server._expected
            asked = asterisk.params["POST /channels/externalMedia"]
            assert asked["external_host"] == f"127.0.0.1:{transport._server.port}"
            assert (asked["encapsulation"], asked["transport"], asked["format"]) == ("audiosocket", "tcp", "slin16")
            assert UUID(asked["data"]).version == 4
