"""The bypass: people take every call at once, without the AI and without its help.

A switch in Asterisk's own database is read by the dialplan before anything else, so it works for new calls whatever
state the AI is in. Controllers are told besides, so that callers who talk to the AI go to the queue too.
"""

from __future__ import annotations

import asyncio

from ari_agent.config import APPS, Asterisk
from ari_agent.errors import AriError, ChannelGone
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari, settle
from ari_agent.pbx.events import BYPASSED

FAMILY, KEY = "ari-agent", "bypass"
"""Where the dialplan looks."""
_ROUND_S = 0.05


class Bypass:
    """The switch of one Asterisk."""

    def __init__(self, settings: Asterisk, ari: Ari, ami: Ami) -> None:
        self._settings = settings
        self._ari = ari
        self._ami = ami

    async def is_on(self) -> bool:
        """Tell whether callers are kept from the AI. Raises AmiUnavailable."""
        return await self._ami.stored(FAMILY, KEY) == "1"

    async def switch(self, *, on: bool) -> int:
        """Switch it; when on, send the callers of all controllers to the queue. Return how many controllers were told.

        Raises AmiUnavailable, and AriError, also when the dialplan does not do what it is asked.
        """
        await self._set(on=on)
        told = 0
        if on:
            for app in await self._ari.applications():
                told += app.startswith(APPS) and await self._tell(app)
        return told

    async def _set(self, *, on: bool) -> None:
        context = f"{self._settings.context}-bypass"
        word = "on" if on else "off"
        channel = f"ari-agent-bypass-{asyncio.get_running_loop().time():.6f}"
        await self._ari.originate(channel, f"Local/{word}@{context}/n", "", "", self._settings.request_s)
        try:
            async with asyncio.timeout(self._settings.request_s):
                while await self.is_on() is not on:  # noqa: ASYNC110 - Asterisk announces no change
                    await asyncio.sleep(_ROUND_S)
        except TimeoutError as e:
            raise AriError(
                f"the dialplan did not switch the bypass {word}: is asterisk/extensions.conf of this version included, "
                f"with its context [{context}]? *95 of a staff phone switches it as well"
            ) from e
        finally:
            await settle(self._ari.hang_up(channel))

    async def _tell(self, app: str) -> bool:
        try:
            await self._ari.tell(app, BYPASSED)
        except ChannelGone:  # Asterisk still lists controllers that are gone
            return False
        return True
