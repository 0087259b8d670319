"""What became of every caller, as Asterisk itself tells it by its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

APP = "storm"
"""Our name as an ARI application; not one that takes calls."""


@dataclass
class Fate:
    """One caller; times are Asterisk's, in seconds since 1970, None for what has not happened."""

    began: float | None = None
    answered: float | None = None
    queued: float | None = None
    """The staff queue rang for the first time."""
    ended: float | None = None

    @property
    def by_agent(self) -> bool:
        """Whether the agent answered."""
        return self.answered is not None and (self.queued is None or self.answered <= self.queued)

    @property
    def by_people(self) -> bool:
        """Whether the queue rang, and no agent had answered before."""
        return self.queued is not None and not self.by_agent

    def ms_to(self, moment: float | None) -> float:
        """Milliseconds from the beginning to a moment, both of which are known."""
        return ((moment or 0.0) - (self.began or 0.0)) * 1000


class Watcher:
    """Keeps the fates of the channels it is told of."""

    def __init__(self) -> None:
        self.fates: dict[str, Fate] = {}
        """By channel, the one that runs the dialplan."""
        self.over = asyncio.Event()
        """Set, and to be cleared, whenever a caller is gone."""

    def take(self, event: Mapping[str, Any]) -> None:
        """Take an event of Asterisk."""
        channel = event.get("channel", {})
        fate = self.fates.get(channel.get("id", ""))
        if fate is None:
            return
        at = datetime.fromisoformat(event["timestamp"]).timestamp()
        match event["type"]:
            case "ChannelCreated":
                fate.began = at
            case "ChannelStateChange" if channel["state"] == "Up":
                fate.answered = fate.answered or at
            case "ChannelDialplan" if event["dialplan_app"] == "Queue":
                fate.queued = fate.queued or at
            case "ChannelDestroyed":
                fate.ended = at
                self.over.set()


@asynccontextmanager
async def watching(http: aiohttp.ClientSession, url: str) -> AsyncIterator[Watcher]:
    """Watch all channels of an Asterisk from now on. Raises ClientError."""
    watcher = Watcher()
    async with http.ws_connect(f"{url}/ari/events?app={APP}&subscribeAll=true", max_msg_size=0) as socket:

        async def read() -> None:
            async for message in socket:
                watcher.take(message.json())

        reading = asyncio.create_task(read(), name="events")
        try:
            yield watcher
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
