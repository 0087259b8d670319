"""The caller's audio over Asterisk's WebSocket channel (chan_websocket), as slin16.

https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket/ describes the commands and events used here.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

import aiohttp

from ari_agent.errors import MediaError
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.incoming import Incoming
from ari_agent.protocols import FRAME_BYTES, FRAME_MS, SAMPLE_RATE

CHUNK_BYTES = SAMPLE_RATE  # half a second
"""Written at once. Asterisk cuts it into frames and paces them."""
AHEAD_MS = 8_000
"""How much audio may wait in Asterisk: its queue pauses at 900 frames (18 s) and drops beyond 1,000."""
MAX_MESSAGE_BYTES = 65_536
"""Asterisk's frames have 640 bytes; anything near this is no audio."""
SETTLE_S = 5.0
"""How much later than its duration the end of a playback may be reported; and how long Asterisk may take no audio."""


def parse_control(text: str) -> tuple[str, str]:
    """Return name and argument of a control message such as "MEDIA_BUFFERING_COMPLETED 7"."""
    name, _, argument = text.strip().partition(" ")
    return name, argument.removeprefix("correlation_id:")


class MediaLine:
    """One WebSocket media connection; implements `ari_agent.protocols.Line`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._incoming = Incoming()
        self._writable = asyncio.Event()
        self._writable.set()
        self._playbacks: dict[str, asyncio.Event] = {}
        self._tags = itertools.count(1)
        self._started_at = 0.0
        self._sent_ms = 0.0
        self._flushed_after_ms: float | None = None
        self._closed = False

    @classmethod
    @asynccontextmanager
    async def open(cls, ari: Ari, connection_id: str, limit_s: float, gap_s: float) -> AsyncIterator[Self]:
        """Connect to the media channel; a phone is silent that sends nothing for `gap_s`. Raises MediaError."""
        try:
            async with asyncio.timeout(limit_s):
                socket = await ari.http.ws_connect(
                    f"{ari.url}/media/{connection_id}",
                    protocols=("media",),
                    max_msg_size=MAX_MESSAGE_BYTES,
                    # Twice as impatient as the events: the caller hears nothing meanwhile.
                    heartbeat=ari.heartbeat_s / 2,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as e:
            raise MediaError(f"the media connection could not be made ({type(e).__name__})") from e
        line = cls(socket)
        reader = asyncio.create_task(line._read(), name="media")
        clock = asyncio.create_task(line._incoming.keep_time(gap_s), name="clock")
        reader.add_done_callback(lambda _: clock.cancel())
        try:
            yield line
        finally:
            reader.cancel()
            await asyncio.wait({reader, clock})
            line._incoming.forget()
            await socket.close()

    def frames(self) -> AsyncIterator[bytes]:
        """Yield 640-byte frames until the line is closed. Raises MediaError for garbage or a broken connection."""
        return self._incoming.frames()

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play chunks of slin16; return when Asterisk has played the last. Silent at once when cancelled."""
        tag = str(next(self._tags))
        done = self._playbacks[tag] = asyncio.Event()
        self._sent_ms, self._flushed_after_ms = 0.0, None
        self._started_at = asyncio.get_running_loop().time()
        finished = False
        try:
            await self._send("START_MEDIA_BUFFERING")
            async for pcm in audio:
                await self._write(pcm)
            await self._send(f"STOP_MEDIA_BUFFERING {tag}")
            async with asyncio.timeout((self._sent_ms - self._elapsed_ms) / 1000 + SETTLE_S):
                await done.wait()
            if self._closed:
                raise MediaError("the media connection closed during a playback")
            finished = True
        except TimeoutError as e:
            raise MediaError("Asterisk did not report the end of a playback") from e
        finally:
            del self._playbacks[tag]
            if not finished:
                self._flushed_after_ms = min(self._elapsed_ms, self._sent_ms)
                await self._flush()
            else:
                self._flushed_after_ms = self._sent_ms
            await audio.aclose()

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last playback that the channel has played."""
        if self._flushed_after_ms is not None:
            return self._flushed_after_ms
        return min(self._elapsed_ms, self._sent_ms)

    @property
    def _elapsed_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._started_at) * 1000

    async def _write(self, pcm: bytes) -> None:
        for start in range(0, len(pcm), CHUNK_BYTES):
            await self._may_write()
            ahead_ms = self._sent_ms - self._elapsed_ms
            if ahead_ms > AHEAD_MS:
                await asyncio.sleep((ahead_ms - AHEAD_MS) / 1000)
            chunk = pcm[start : start + CHUNK_BYTES]
            if not self._sent_ms:  # a slow voice must not count as time the caller has heard
                self._started_at = asyncio.get_running_loop().time()
            await self._send(chunk)
            self._sent_ms += len(chunk) / FRAME_BYTES * FRAME_MS

    async def _may_write(self) -> None:
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._writable.wait()
        except TimeoutError as e:
            raise MediaError("Asterisk takes no more audio") from e

    async def _send(self, message: str | bytes) -> None:
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except (aiohttp.ClientError, OSError) as e:
            raise MediaError("the media connection is closed") from e

    async def _flush(self) -> None:
        # The end of buffering comes first: Asterisk would otherwise keep the rest of a frame for the next phrase.
        with suppress(MediaError):
            await self._send("STOP_MEDIA_BUFFERING")
            await self._send("FLUSH_MEDIA")

    async def _read(self) -> None:
        end: MediaError | None = None
        try:
            async for message in self._socket:
                if message.type == aiohttp.WSMsgType.BINARY:
                    self._audio(message.data)
                elif message.type == aiohttp.WSMsgType.TEXT:
                    self._control(message.data)
                elif message.type == aiohttp.WSMsgType.ERROR:
                    garbage = isinstance(message.data, aiohttp.WebSocketError)  # else nobody answered our ping
                    how = "carries garbage" if garbage else "broke"
                    end = MediaError(f"the media connection {how} ({type(message.data).__name__})")
            if end is None and (error := self._socket.exception()) is not None:
                end = MediaError(f"the media connection broke ({type(error).__name__})")
        except MediaError as e:
            end = e
        self._closed = True
        self._writable.set()
        for done in self._playbacks.values():
            done.set()
        self._incoming.end(end)

    def _audio(self, data: bytes) -> None:
        if len(data) % 2 or not data:
            raise MediaError(f"{len(data)} bytes are no slin16 frame")
        for start in range(0, len(data), FRAME_BYTES):
            self._incoming.put(data[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))

    def _control(self, text: str) -> None:
        match parse_control(text):
            case "MEDIA_XOFF", _:
                self._writable.clear()
            case "MEDIA_XON", _:
                self._writable.set()
            case "MEDIA_BUFFERING_COMPLETED", tag if tag in self._playbacks:
                self._playbacks[tag].set()
