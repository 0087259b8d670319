"""One person on the phone: their channel, a bridge of ours, and the media channel through which we hear and speak."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Self

from ari_agent.errors import AriError, AriUnavailable, ChannelGone, MediaError
from ari_agent.pbx.ari import Ari, settle
from ari_agent.pbx.events import Digit, Entered, Left
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Line

LEFT_S = 0.2
"""How long after a refusal the end of the channel may be reported that caused it."""


class Leg:
    """A channel that is connected to us; `line` is its audio until `silence` ends it."""

    def __init__(self, ari: Ari, transport: Transport, channel: str) -> None:
        self.ari = ari
        self.channel = channel
        self.bridge = ari.new_id("bridge")
        self.line: Line
        self._transport = transport
        self._media = AsyncExitStack()
        self._events: asyncio.Queue[Entered | Digit | Left]
        self._left_alone = False

    @classmethod
    @asynccontextmanager
    async def open(cls, ari: Ari, transport: Transport, channel: str, limit_s: float) -> AsyncIterator[Self]:
        """Answer the channel and connect its audio; take everything of ours away at the end.

        The channel itself is left alone: whoever opened the leg decides where the person goes.
        Raises ChannelGone, AriError, MediaError or NoTransport.
        """
        leg = cls(ari, transport, channel)
        with ari.watch(channel) as leg._events:
            ari.held.add(leg.bridge)
            try:
                await leg._connect(limit_s)
                yield leg
            finally:
                ari.held.discard(leg.bridge)
                await leg.silence()
                if not leg._left_alone:
                    await settle(ari.destroy_bridge(leg.bridge))

    async def _connect(self, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await self.ari.answer(self.channel)
                await self.ari.create_bridge(self.bridge)
                await self._connect_media(limit_s)
        except TimeoutError as e:
            raise AriUnavailable(f"Asterisk did not connect the audio within {limit_s} s") from e
        except (AriError, MediaError) as e:
            # Asterisk refuses what is asked for a channel that is hanging up in many ways.
            if await self._left_meanwhile():
                raise ChannelGone("hung up while being connected") from e
            raise

    async def _connect_media(self, limit_s: float) -> None:
        media = self.ari.new_id("media")
        with self.ari.watch(media) as events:
            self._media.push_async_callback(settle_hang_up, self.ari, media)
            self.line = await self._media.enter_async_context(self._transport.line(self.ari, media, limit_s))
            # Only a media channel that is connected to us enters our application and may be bridged.
            while not isinstance(event := await events.get(), Entered):
                if isinstance(event, Left):
                    raise AriUnavailable("Asterisk ended the media channel")
        await self.ari.add_to_bridge(self.bridge, self.channel, media)

    async def keys(self) -> AsyncIterator[str]:
        """Yield the keys the person presses; end when they are gone."""
        while True:
            match await self._events.get():
                case Digit(digit=digit):
                    yield digit
                case Left():
                    return

    async def gone(self) -> None:
        """Return when the person has hung up."""
        async for _ in self.keys():
            pass

    async def _left_meanwhile(self) -> bool:
        """Tell whether the person hung up; the event may come a moment after the refusal."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEFT_S):
                await self.gone()
                return True
        return False

    def leave_alone(self) -> None:
        """Keep the bridge when our block ends: two people talk in it."""
        self._left_alone = True

    async def silence(self) -> None:
        """End the audio between us and the person for good."""
        await self._media.aclose()


async def settle_hang_up(ari: Ari, channel: str) -> None:
    """Hang up a channel, whatever happens meanwhile."""
    await settle(ari.hang_up(channel))
