"""Asterisk's own account of the calls, past every wire that is cut: who is answered, queued, or in the mailbox."""

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp

from sandbox.faults.board import Board
from sandbox.settings import SECRETS

URL = "http://127.0.0.1:18088/ari"
APP = "campaign"
CONNECTION = "MEDIA_WEBSOCKET_CONNECTION_ID"
RETRY_S = 0.2
LIMIT = aiohttp.ClientTimeout(total=5)

Json = dict[str, Any]


class Observer:
    """Watches all channels of the sandbox and asks what is there."""

    def __init__(self, http: aiohttp.ClientSession, board: Board) -> None:
        self._http = http
        self._board = board
        self.connected = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, board: Board) -> AsyncIterator["Observer"]:
        """Watch until the block ends, over as many connections as it takes."""
        login = f"ari-agent:{(SECRETS / 'ari').read_text(encoding='utf-8').strip()}"
        headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            observer = cls(http, board)
            watching = asyncio.create_task(observer._watch(), name="observer")
            try:
                yield observer
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching

    async def channels(self) -> list[Json]:
        """Return all channels. Raises aiohttp.ClientError or TimeoutError."""
        channels: list[Json] = await self._get("channels")
        return channels

    async def bridges(self) -> list[Json]:
        """Return all bridges. Raises as above."""
        bridges: list[Json] = await self._get("bridges")
        return bridges

    async def media_of(self, number: str) -> str | None:
        """Return the path of the media connection of a caller's call; None when there is none. Raises as above."""
        channels, bridges = await asyncio.gather(self.channels(), self.bridges())
        callers = {channel["id"] for channel in channels if channel["caller"]["number"] == number}
        media = {channel["id"] for channel in channels if channel["name"].startswith("WebSocket/")}
        for bridge in bridges:
            if callers.intersection(bridge["channels"]):
                for channel in media.intersection(bridge["channels"]):
                    found = await self._get(f"channels/{channel}/variable?variable={CONNECTION}")
                    return f"/media/{found['value']}"
        return None

    async def ready(self) -> None:
        """Wait until Asterisk answers and its events are watched."""
        while True:
            await self.connected.wait()
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._get("asterisk/ping")
                return
            await asyncio.sleep(RETRY_S)

    async def _get(self, path: str) -> Any:
        async with self._http.get(f"{URL}/{path}", timeout=LIMIT) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def _watch(self) -> None:
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                events = f"{URL}/events?app={APP}&subscribeAll=true"
                async with self._http.ws_connect(events, heartbeat=5.0) as socket:
                    self.connected.set()
                    async for message in socket:
                        if message.type == aiohttp.WSMsgType.TEXT:
                            self._note(message.json(), time.monotonic())
            self.connected.clear()
            await asyncio.sleep(RETRY_S)

    def _note(self, event: Json, now: float) -> None:
        channel = event.get("channel") or {}
        call = self._board.calls.get((channel.get("caller") or {}).get("number") or "")
        if call is None or not str(channel.get("name")).startswith(("PJSIP/caller-", "PJSIP/anonymous-")):
            return
        match event["type"], event.get("dialplan_app"):
            case "ChannelDialplan", "Queue":
                call.served.append((now, "person"))
            case "ChannelDialplan", "VoiceMail":
                call.mailbox = call.mailbox or now
                call.served.append((now, "mailbox"))
            case "ChannelStateChange", _ if channel.get("state") == "Up":
                call.by_agent = not call.served  # nobody else answers before the queue or the mailbox has it
