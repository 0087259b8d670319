"""The real Asterisk of the sandbox, swept clean between tests."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import subprocess
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sandbox.lock import alone

REPO = Path(__file__).resolve().parents[2]
PBX = REPO / "deploy" / "sandbox" / "pbx"
CACHE = Path(os.environ.get("ARI_AGENT_CACHE", "/var/cache/ari-agent")) / "sandbox"
HTTP_PORT = 18088
START_SECONDS = 180
"""A root file system that has to be made first takes most of it."""
SWEEP_SECONDS = 5
STRANGERS_SECONDS = 60
"""A demo may be running against the same sandbox: it has this long to end."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where the sandbox's Asterisk is reached, and with what."""

    ari_url: str = f"http://127.0.0.1:{HTTP_PORT}/ari"
    ari_user: str = "ari-agent"
    ami_port: int = 15038
    ami_user: str = "ari-agent"
    sip_port: int = 15060
    fastagi_port: int = 14573
    root: Path = CACHE / "rootfs"

    def secret(self, name: str) -> str:
        """Return a password: "ari", "ami", "empfang1", "empfang2" or "empfang3"."""
        return (CACHE / "secrets" / name).read_text().strip()

    @property
    def credentials(self) -> dict[str, str]:
        """The HTTP header that ARI asks for."""
        token = b64encode(f"{self.ari_user}:{self.secret('ari')}".encode()).decode()
        return {"Authorization": f"Basic {token}"}

    def cli(self, command: str) -> str:
        """Run one command of Asterisk's console and return what it prints; blocks for some milliseconds."""
        done = subprocess.run([PBX, "cli", command], capture_output=True, text=True, timeout=10, check=True)
        return done.stdout

    def ari(self, method: str, path: str) -> Any:
        """Ask ARI, blocking; for preparing and cleaning. Return the decoded JSON, None where there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", HTTP_PORT, timeout=5)
        connection.request(method, f"/ari/{path}", headers=self.credentials)
        body = connection.getresponse().read()
        connection.close()
        return json.loads(body) if body else None

    def sweep(self) -> None:
        """Hang up every channel, destroy every bridge, switch the bypass off."""
        self.cli("channel request hangup all")
        until = time.monotonic() + SWEEP_SECONDS
        while self.ari("GET", "channels"):
            assert time.monotonic() < until, f"channels stay up: {self.cli('core show channels concise')}"
            time.sleep(0.02)
        for bridge in self.ari("GET", "bridges"):
            self.ari("DELETE", f"bridges/{bridge['id']}")
        self.cli("database deltree ari-agent")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Start the sandbox if it is not up; what is found running is left running."""
    # Two test runs would sweep each other's calls away: the second one waits.
    with alone(print, RuntimeError):
        was_up = subprocess.run([PBX, "status"], capture_output=True, timeout=10, check=False).returncode == 0
        if not was_up:
            subprocess.run([PBX, "start"], check=True, timeout=START_SECONDS)
        sandbox = Sandbox()
        until = time.monotonic() + STRANGERS_SECONDS
        # The list of applications would also name those that were killed.
        while strangers := re.findall(r"\bari_agent\w*", sandbox.cli("ari show websocket sessions")):
            assert time.monotonic() < until, f"stop what is connected to the sandbox, it takes our calls: {strangers}"
            time.sleep(0.2)
        yield sandbox
        if not was_up:
            subprocess.run([PBX, "stop"], check=True, timeout=30)


@pytest.fixture(autouse=True)
def _swept(sandbox: Sandbox) -> Iterator[None]:
    sandbox.sweep()
    yield
    sandbox.sweep()


class Watch:
    """What happens on the channels of the sandbox, as ARI tells it."""

    def __init__(self, http: aiohttp.ClientSession, sandbox: Sandbox, events: asyncio.Queue[Event]) -> None:
        self._http = http
        self._url = sandbox.ari_url
        self._events = events
        self.seen: list[Event] = []

    async def call(self, number: str, context: str = "from-trunk", **variables: str) -> str:
        """Place a call; return the id of the channel that runs the dialplan. It stays up when it is answered."""
        near, far = f"near-{uuid.uuid4()}", f"far-{uuid.uuid4()}"
        body = {
            "endpoint": f"Local/{number}@{context}/n",
            "app": "watcher",
            "channelId": near,
            "otherChannelId": far,
            # The underscore hands a variable on to the half that runs the dialplan.
            "variables": {f"_{name}": value for name, value in variables.items()},
        }
        await self.request("POST", "channels", body)
        return far

    async def request(self, method: str, path: str, body: Event | None = None) -> Any:
        """Ask ARI. Raises ClientResponseError when it refuses."""
        async with self._http.request(method, f"{self._url}/{path}", json=body) as response:
            text = await response.text()
            response.raise_for_status()
            return json.loads(text) if text else None

    async def until(self, wanted: Callable[[Event], bool], seconds: float = 5.0) -> Event:
        """Return the next event that is wanted. Raises TimeoutError, with what came instead."""
        since = len(self.seen)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self.seen.append(await self._events.get())
                    if wanted(self.seen[-1]):
                        return self.seen[-1]
        except TimeoutError:
            brief = [(e["type"], e.get("dialplan_app"), e.get("channel", {}).get("name")) for e in self.seen[since:]]
            raise TimeoutError(f"not within {seconds} s; instead: {brief}") from None

    async def until_runs(self, channel: str, application: str, seconds: float = 5.0) -> Event:
        """Return the event with which the channel begins to run an application of the dialplan."""
        return await self.until(
            lambda e: (
                e["type"] == "ChannelDialplan" and e["channel"]["id"] == channel and e["dialplan_app"] == application
            ),
            seconds,
        )

    async def until_gone(self, channel: str, seconds: float = 5.0) -> Event:
        """Return the event with which the channel ends."""
        return await self.until(lambda e: e["type"] == "ChannelDestroyed" and e["channel"]["id"] == channel, seconds)


@asynccontextmanager
async def connected(sandbox: Sandbox, app: str, *, everything: bool) -> AsyncIterator[Watch]:
    """Connect an ARI application; `everything`: it is told of channels that are not its own too."""
    # Bounded by what a test can cause; a full queue fails the test.
    events: asyncio.Queue[Event] = asyncio.Queue(10_000)
    url = f"{sandbox.ari_url}/events?app={app}&subscribeAll={str(everything).lower()}"
    async with aiohttp.ClientSession(headers=sandbox.credentials) as http, http.ws_connect(url) as socket:

        async def read() -> None:
            async for message in socket:
                events.put_nowait(message.json())

        # No task group: a fixture is torn down in another task than the one that set it up.
        reader = asyncio.create_task(read())
        yield Watch(http, sandbox, events)
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader


@pytest_asyncio.fixture
async def watch(sandbox: Sandbox) -> AsyncIterator[Watch]:
    """Watch all channels of the sandbox."""
    async with connected(sandbox, "watcher", everything=True) as watch:
        yield watch
