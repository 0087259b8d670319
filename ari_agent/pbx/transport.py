"""How the audio of calls comes to us: what this Asterisk does safely, chosen whenever Asterisk is reached.

=============================  ==========================  ========================
Asterisk                       chan_websocket              AudioSocket
=============================  ==========================  ========================
20.18, 22.8, 23.2 and newer    yes                         16 kHz
20.17, 21.12, 22.7, 23.1       loses frames, or crashes    16 kHz
18 and newer                   not there, or not safe      8 kHz
=============================  ==========================  ========================
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Self

import structlog

from ari_agent.asterisk import Asterisk, TransportName
from ari_agent.errors import MediaError, NoTransport
from ari_agent.pbx.ari import Ari, version
from ari_agent.pbx.audiosocket_line import AudioSocketLine
from ari_agent.pbx.audiosocket_server import HOST, AudioSocketServer
from ari_agent.pbx.media import MediaLine
from ari_agent.protocols import Line

log = structlog.get_logger(__name__)

Version = tuple[int, int]
"""Major and minor version of Asterisk."""

SAFE_WEBSOCKET = {20: 18, 22: 8, 23: 2}
"""By major version of Asterisk the first minor version whose chan_websocket does not lose frames or crash."""
WIDE_AUDIOSOCKET = {20: 17, 21: 12, 22: 7, 23: 1}
"""By major version the first minor version whose AudioSocket carries more than 8 kHz.

https://github.com/asterisk/asterisk/pull/1492; older ones call 16 kHz 8 kHz."""
OLDEST = 18
"""The first major version whose REST interface makes AudioSocket channels."""
WEBSOCKET_MODULE = "chan_websocket.so"
AUDIOSOCKET_MODULE = "chan_audiosocket.so"
MODULES = (WEBSOCKET_MODULE, AUDIOSOCKET_MODULE)


@dataclass(frozen=True, slots=True)
class WebSocket:
    """We connect to Asterisk, which paces what we say."""

    def __str__(self) -> str:
        return "WebSocket, 16 kHz"


@dataclass(frozen=True, slots=True)
class AudioSocket:
    """Asterisk connects to us, and we pace."""

    rate: int
    """Hertz: 8,000 or 16,000."""

    def __str__(self) -> str:
        return f"AudioSocket, {self.rate // 1000} kHz"


Choice = WebSocket | AudioSocket


def choose(wanted: TransportName, found: Version, running: Container[str]) -> Choice:
    """Return what to use, given the version of Asterisk and which of `MODULES` run. Raises NoTransport."""
    websocket = WEBSOCKET_MODULE in running and (wanted == "websocket" or websocket_is_safe(found))
    audiosocket = AUDIOSOCKET_MODULE in running and found >= (OLDEST, 0)
    if wanted != "audiosocket" and websocket:
        return WebSocket()
    if wanted != "websocket" and audiosocket:
        return AudioSocket(16_000 if _reached(WIDE_AUDIOSOCKET, found) else 8_000)
    raise NoTransport(f"Asterisk {found[0]}.{found[1]} has no transport for audio: {_remedy(wanted, found)}")


def websocket_is_safe(found: Version) -> bool:
    """Tell whether chan_websocket can be relied on in this version of Asterisk."""
    return _reached(SAFE_WEBSOCKET, found)


class Transport:
    """Opens the audio of calls in the way that was chosen."""

    def __init__(self, settings: Asterisk, server: AudioSocketServer | None) -> None:
        """`server` is None when the settings rule AudioSocket out."""
        self._settings = settings
        self._server = server
        self._gap_s = settings.gap_ms / 1000
        self._choice: Choice | None = None
        self.usable = True
        """Whether calls can have audio; False once Asterisk was found to have no way for it."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Asterisk) -> AsyncIterator[Self]:
        """Listen for AudioSocket connections unless that is ruled out. Raises AgentError when the port is taken."""
        async with AsyncExitStack() as stack:
            server = None
            if settings.transport != "websocket":
                opening = AudioSocketServer.open(settings.audiosocket_port, settings.request_s)
                server = await stack.enter_async_context(opening)
            yield cls(settings, server)

    async def choose(self, ari: Ari) -> Choice:
        """Look at Asterisk, which may be another one than last time, and choose. Raises AriError or NoTransport."""
        self._choice, self.usable = None, True
        try:
            self._choice = choose(self._settings.transport, version(await ari.info()), await running(ari))
        except NoTransport:
            self.usable = False
            raise
        log.info("the audio of calls comes by", transport=str(self._choice))
        return self._choice

    @asynccontextmanager
    async def line(self, ari: Ari, channel: str, limit_s: float) -> AsyncIterator[Line]:
        """Make a media channel with this id and connect its audio; the channel is not hung up at the end.

        Raises AriError, MediaError or NoTransport.
        """
        match self._choice or await self.choose(ari):
            case WebSocket():
                connection_id = await ari.websocket_media(channel)
                async with MediaLine.open(ari, connection_id, limit_s, self._gap_s) as media:
                    yield media
            case AudioSocket(rate):
                async with self._audiosocket(ari, channel, rate, limit_s) as line:
                    yield line

    @asynccontextmanager
    async def _audiosocket(self, ari: Ari, channel: str, rate: int, limit_s: float) -> AsyncIterator[AudioSocketLine]:
        assert self._server is not None  # noqa: S101 - what rules the server out rules the choice out
        with self._server.expect() as (ident, coming):
            await ari.audiosocket_media(channel, f"{HOST}:{self._server.port}", str(ident), rate)
            try:
                async with asyncio.timeout(limit_s):
                    connection = await coming
            except TimeoutError as e:
                raise MediaError(f"Asterisk did not connect the audio within {limit_s} s") from e
            async with AudioSocketLine.open(connection, rate, self._settings.audio_s, self._gap_s) as line:
                yield line


async def running(ari: Ari) -> set[str]:
    """Return which of `MODULES` run. Raises AriUnavailable."""
    return {name for name in MODULES if await ari.module_status(name) == "Running"}


def _reached(first: dict[int, int], found: Version) -> bool:
    """Tell whether a version is not older than the first minor version of its major one; later ones have it all."""
    major, minor = found
    return major > max(first) or minor >= first.get(major, minor + 1)


def _remedy(wanted: TransportName, found: Version) -> str:
    if found < (OLDEST, 0):
        return f"update to {OLDEST} or newer"
    modules = {"websocket": WEBSOCKET_MODULE, "audiosocket": AUDIOSOCKET_MODULE}
    return f"load {modules.get(wanted, AUDIOSOCKET_MODULE)} in modules.conf or install the package that has it"
