"""The caller's audio over a connection that Asterisk made to us (AudioSocket), paced by us."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Self

from ari_agent.errors import MediaError
from ari_agent.pbx.audiosocket import HANG_UP, Audio, Failure, HangUp, Ident, Key, Parser, audio
from ari_agent.pbx.audiosocket_server import Connection
from ari_agent.pbx.incoming import Incoming
from ari_agent.pbx.pace import Pace
from ari_agent.protocols import FRAME_BYTES, SAMPLE_RATE
from ari_agent.speech.audio import Resampler

GULP = 16_384
"""Read at once: half a second."""


class AudioSocketLine:
    """One AudioSocket connection; implements `ari_agent.protocols.Line`."""

    def __init__(self, connection: Connection, rate: int) -> None:
        self._reader = connection.reader
        self._writer = connection.writer
        self._rate = rate
        self._incoming = Incoming()
        self._frame = bytearray()
        """What does not fill a frame yet."""
        self._resampler = None if rate == SAMPLE_RATE else Resampler(rate, SAMPLE_RATE, live=True)
        self._pace = Pace(self._send, FRAME_BYTES * rate // SAMPLE_RATE)

    @classmethod
    @asynccontextmanager
    async def open(cls, connection: Connection, rate: int, limit_s: float, gap_s: float) -> AsyncIterator[Self]:
        """Speak and listen over the connection at this rate in Hertz, 8,000 or 16,000; hang up at the end.

        A connection over which nothing gets through any more, without being closed, breaks after `limit_s`: a frame
        goes out every 20 ms, so there is always one whose receipt the other side has to acknowledge. That nothing
        comes in says less: a phone that suppresses silence sends none. It is silent when none comes for `gap_s`.
        """
        line = cls(connection, rate)
        wire = connection.writer.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(limit_s * 1000))  # tcp(7)
        reader = asyncio.create_task(line._read(), name="media")
        clocks = [
            asyncio.create_task(line._pace.run(), name="pace"),
            asyncio.create_task(line._incoming.keep_time(gap_s), name="clock"),
        ]
        reader.add_done_callback(lambda _: [clock.cancel() for clock in clocks])
        try:
            yield line
        finally:
            reader.cancel()
            await asyncio.wait([reader, *clocks])
            line._incoming.forget()
            line._writer.write(HANG_UP)
            line._writer.close()

    def frames(self) -> AsyncIterator[bytes]:
        """Yield 640-byte frames until the line is closed. Raises MediaError for garbage or a broken connection."""
        return self._incoming.frames()

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play chunks of slin16; return when the last frame is over. Silent from the next frame on when cancelled."""
        await self._pace.play(audio if self._rate == SAMPLE_RATE else _converted(audio, self._rate))

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last playback that the channel got when they were due."""
        return self._pace.played_ms

    def _send(self, frame: bytes) -> None:
        # One write for header and sound: Asterisk 18 takes a message that comes in two parts for the end.
        self._writer.write(audio(self._rate, frame))

    async def _read(self) -> None:
        parser, end = Parser(), None
        try:
            while (data := await self._reader.read(GULP)) and self._understand(parser, data):
                pass
            if not parser.complete:
                end = MediaError("the media connection ended in the middle of a message")
        except MediaError as e:
            end = e
        except OSError as e:
            end = MediaError(f"the media connection broke ({type(e).__name__})")
        self._pace.stop()
        self._incoming.end(end)

    def _understand(self, parser: Parser, data: bytes) -> bool:
        """Act on what has come; return whether more may come. Raises MediaError."""
        for message in parser.feed(data):
            match message:
                case Audio(rate, pcm) if rate == self._rate:
                    self._hear(pcm)
                case Key():
                    pass  # keys are events of Asterisk's REST interface
                case HangUp():
                    return False
                case Failure(code):
                    raise MediaError(f"Asterisk ended the media connection with error {code}")
                case Audio(rate):
                    raise MediaError(f"{rate} Hz come where {self._rate} were asked for")
                case Ident():
                    raise MediaError("the media connection says twice whose it is")
        return True

    def _hear(self, pcm: bytes) -> None:
        self._frame += self._resampler.feed(pcm) if self._resampler else pcm
        while len(self._frame) >= FRAME_BYTES:
            self._incoming.put(bytes(self._frame[:FRAME_BYTES]))
            del self._frame[:FRAME_BYTES]


async def _converted(audio: AsyncGenerator[bytes, None], rate: int) -> AsyncGenerator[bytes, None]:
    """Yield slin16 at another rate."""
    resampler = Resampler(SAMPLE_RATE, rate, live=True)
    async with aclosing(audio):
        async for pcm in audio:
            yield resampler.feed(pcm)
    yield resampler.flush()
