"""Asterisk's REST interface: the requests we use, typed, and the event connection that comes back by itself.

Every request has a time limit and every failure is one of our errors.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Literal, Self
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import structlog
from yarl import URL

from ari_agent.asterisk import Asterisk
from ari_agent.backoff import backoff
from ari_agent.errors import AriError, AriRejected, AriUnavailable, ChannelGone
from ari_agent.pbx.endpoints import (
    ADD_CHANNEL,
    ANSWER,
    APPLICATION,
    APPLICATIONS,
    BRIDGES,
    CHANNEL,
    CHANNELS,
    CLAIM,
    CONTINUE,
    CREATE_BRIDGE,
    DESTROY_BRIDGE,
    EXTERNAL_MEDIA,
    HANGUP,
    INFO,
    MODULE,
    ORIGINATE,
    PHONE,
    TELL,
    Endpoint,
    remedy,
)
from ari_agent.pbx.events import Connected, Digit, Disconnected, Entered, Event, Left, Replaced, parse, understood
from ari_agent.settings_file import read_secret

log = structlog.get_logger(__name__)

WATCH_EVENTS = 64
"""Events kept for a channel nobody reads at the moment; a flood of keys beyond that is dropped, its end never."""
PREFIX = "ari-agent-"
"""The ids of all that we make begin so."""
Kind = Literal["bridge", "media", "staff"]
STANDBY_S, IMPATIENT_S = 10.0, 300.0
"""Who was replaced looks so often whether its name is free, and takes it back after so long: who has it may be dead."""
_STASIS = {"Stasis", "StasisBroadcast"}
"""Dialplan applications in which a channel waits for what a controller tells it."""


class Ari:
    """A connection to one Asterisk on behalf of one application."""

    def __init__(self, settings: Asterisk, app: str, http: aiohttp.ClientSession) -> None:
        self.app = app
        self.http = http
        self.url = settings.ari_url.rstrip("/")
        self._limit = aiohttp.ClientTimeout(total=settings.request_s)
        self.heartbeat_s = settings.heartbeat_s
        """So long nothing comes before a connection is asked whether it lives; half as long for the answer."""
        self._watched: dict[str, list[asyncio.Queue[Entered | Digit | Left]]] = {}
        self.held: set[str] = set()
        """The ids of the bridges of calls that go on."""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Asterisk, app: str) -> AsyncIterator[Self]:
        """Prepare the client; the first request connects. Raises ConfigError when the password cannot be read."""
        login = f"{settings.ari_user}:{read_secret(settings.ari_password_file)}"
        headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            yield cls(settings, app, http)

    async def info(self) -> dict[str, Any]:
        """Return what Asterisk tells of itself; `["system"]["version"]` is its version."""
        with understood():
            return dict(await self._request(INFO))

    async def module_status(self, name: str) -> str:
        """Return "Running", or "missing" for a module that is not loaded."""
        try:
            module = await self._request(MODULE, {"moduleName": name})
        except (ChannelGone, AriRejected):
            return "missing"
        with understood():
            return str(module["status"])

    async def applications(self) -> list[str]:
        """Return the names of the connected applications."""
        with understood():
            return [str(app["name"]) for app in await self._request(APPLICATIONS)]

    async def ours(self) -> set[str]:
        """Return the ids of the channels that are in our application's hands."""
        held, channels = await self.held_channels(), await self.channels()
        with understood():
            return {channel["id"] for channel in channels if channel["id"] in held and is_in_stasis(channel)}

    async def held_channels(self) -> set[str]:
        """Return the ids of the channels that our application is told of, in its hands or no more."""
        try:
            application = await self._request(APPLICATION, {"applicationName": self.app})
        except ChannelGone:
            return set()  # Asterisk has forgotten an application that is not connected and has no channel
        with understood():
            return set(application["channel_ids"])

    def new_id(self, kind: Kind) -> str:
        """Return a new id that tells whose it is, so that what is left behind can be told from what others use."""
        return f"{self.id_prefix(kind)}{uuid4()}"

    def id_prefix(self, kind: Kind) -> str:
        """Return how the ids of our application's bridges or channels of this kind begin."""
        return f"{PREFIX}{kind}-{self.app}."

    async def tell(self, app: str, name: str) -> None:
        """Send an event without a channel to an application. Raises ChannelGone when it is not connected."""
        await self._request(TELL, {"eventName": name}, application=app)

    async def claim(self, channel: str) -> bool:
        """Claim a broadcast call; False when another controller was quicker or the caller is gone."""
        try:
            await self._request(CLAIM, channelId=channel, application=self.app)
        except ChannelGone:
            return False
        return True

    async def is_free(self, phone: str) -> bool:
        """Tell whether ringing a phone such as "PJSIP/werkstatt" or "PJSIP/100@trunk" makes sense.

        False when it is not registered or has a call; a trunk may have many. What Asterisk is not sure of is rung.
        Raises ChannelGone for one that Asterisk does not know.
        """
        tech, _, dialled = phone.partition("/")
        _, at, trunk = dialled.partition("@")
        endpoint = await self._request(PHONE, {"tech": tech, "resource": trunk or dialled})
        with understood():
            if endpoint.get("state") == "unknown":
                return True
            return endpoint.get("state") == "online" and (bool(at) or not endpoint["channel_ids"])

    async def channels(self) -> list[dict[str, Any]]:
        """Return all channels of this Asterisk as it describes them."""
        with understood():
            return [{**channel, "id": str(channel["id"])} for channel in await self._request(CHANNELS)]

    async def goes_on(self, channel: str) -> bool:
        """Tell whether a channel that is no longer ours runs the dialplan: somebody has taken it away from us."""
        try:
            described = await self._request(CHANNEL, {"channelId": channel})
            with understood():
                return not is_in_stasis(described)
        except AriError:
            return False

    async def answer(self, channel: str) -> None:
        """Answer a ringing channel."""
        await self._request(ANSWER, {"channelId": channel})

    async def continue_in(self, channel: str, context: str, extension: str) -> None:
        """Hand the channel back to the dialplan."""
        await self._request(CONTINUE, {"channelId": channel}, context=context, extension=extension, priority="1")

    async def hang_up(self, channel: str) -> None:
        """End a channel."""
        await self._request(HANGUP, {"channelId": channel}, reason="normal")

    async def originate(self, channel: str, endpoint: str, args: str, caller_id: str, timeout_s: float) -> None:
        """Ring an endpoint; when somebody answers, the channel enters our application with `args`."""
        await self._request(
            ORIGINATE,
            {"channelId": channel},
            endpoint=endpoint,
            app=self.app,
            appArgs=args,
            callerId=caller_id,
            timeout=str(round(timeout_s)),
        )

    async def websocket_media(self, channel: str) -> str:
        """Create a media channel that waits for our WebSocket; return its connection id."""
        answer = await self._request(
            EXTERNAL_MEDIA,
            channelId=channel,
            app=self.app,
            external_host="INCOMING",
            encapsulation="none",
            transport="websocket",
            connection_type="server",
            format="slin16",
        )
        with understood():
            return str(answer["channelvars"]["MEDIA_WEBSOCKET_CONNECTION_ID"])

    async def audiosocket_media(self, channel: str, address: str, ident: str, rate: int) -> None:
        """Create a media channel for which Asterisk connects to our address ("host:port") and says `ident`, a UUID."""
        await self._request(
            EXTERNAL_MEDIA,
            channelId=channel,
            app=self.app,
            external_host=address,
            encapsulation="audiosocket",
            transport="tcp",
            format="slin" if rate == 8_000 else f"slin{rate // 1000}",
            data=ident,
        )

    async def bridges(self) -> list[dict[str, Any]]:
        """Return all bridges of this Asterisk as it describes them."""
        bridges = await self._request(BRIDGES)
        with understood():
            return [
                {**b, "id": str(b["id"]), "name": b["name"], "channels": [*map(str, b["channels"])]} for b in bridges
            ]

    async def create_bridge(self, bridge: str) -> None:
        """Create a mixing bridge that reports keys; its name says whose it is."""
        await self._request(CREATE_BRIDGE, {"bridgeId": bridge}, type="mixing,dtmf_events", name=self.app)

    async def destroy_bridge(self, bridge: str) -> None:
        """Destroy a bridge; its channels stay in our application."""
        await self._request(DESTROY_BRIDGE, {"bridgeId": bridge})

    async def add_to_bridge(self, bridge: str, *channels: str) -> None:
        """Connect channels."""
        await self._request(ADD_CHANNEL, {"bridgeId": bridge}, channel=",".join(channels))

    @property
    def watched(self) -> set[str]:
        """The ids of the channels that somebody watches."""
        return set(self._watched)

    @contextmanager
    def watch(self, channel: str) -> Iterator[asyncio.Queue[Entered | Digit | Left]]:
        """Collect the events of one channel instead of yielding them from `events`."""
        queue: asyncio.Queue[Entered | Digit | Left] = asyncio.Queue(WATCH_EVENTS)
        queues = self._watched.setdefault(channel, [])
        queues.append(queue)
        try:
            yield queue
        finally:
            queues.remove(queue)
            if not queues:
                del self._watched[channel]

    async def events(self) -> AsyncIterator[Event]:
        """Yield what happens, for ever; a lost connection is made again with growing delays.

        Events of watched channels go to their watchers. Channels that ended while the connection was lost are
        reported as Left after it is back. When another program takes our name we wait until it has gone.
        """
        delays = backoff()
        while True:
            event: Event | None = None
            try:
                async for event in self._connection():
                    if isinstance(event, Connected):
                        delays = backoff()
                        await self._report_missed()
                    if not self._deliver(event):
                        yield event
                reason = "Asterisk closed the event connection"
            except AriError as e:
                reason = str(e)
            yield Disconnected(reason)
            if isinstance(event, Replaced):
                await self._name_free()
            await asyncio.sleep(next(delays))

    async def _name_free(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(IMPATIENT_S):
                while True:
                    await asyncio.sleep(STANDBY_S)
                    with suppress(AriError):
                        if self.app not in await self.applications():
                            return

    async def _connection(self) -> AsyncIterator[Event]:
        params = {"app": self.app, "subscribeAll": "false"}
        try:
            async with (
                asyncio.timeout(self._limit.total) as handshake,
                self.http.ws_connect(
                    f"{self.url}/ari/events",
                    params=params,
                    heartbeat=self.heartbeat_s,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                ) as socket,
            ):
                handshake.reschedule(None)
                yield Connected()
                async for message in socket:
                    if message.type == aiohttp.WSMsgType.TEXT and (event := self._parse(message.data)):
                        yield event
                        if isinstance(event, Replaced):
                            raise AriUnavailable("another program has our name")
                if socket.exception() is not None:
                    raise AriUnavailable("the event connection broke")
        except aiohttp.WSServerHandshakeError as e:
            raise AriRejected(e.status, "the event connection", remedy(e.status)) from e
        except (aiohttp.ClientError, OSError, TimeoutError) as e:
            raise AriUnavailable(f"{self.url} cannot be reached ({type(e).__name__})") from e

    def _parse(self, text: str) -> Event | None:
        try:
            return parse(text)
        except AriError:
            log.warning("unreadable event from Asterisk", bytes=len(text))
            return None

    def _deliver(self, event: Event) -> bool:
        if not isinstance(event, (Entered, Digit, Left)) or event.channel not in self._watched:
            return False
        for queue in self._watched[event.channel]:
            if queue.full() and not isinstance(event, Digit):
                queue.get_nowait()
            if not queue.full():
                queue.put_nowait(event)
        return True

    async def _report_missed(self) -> None:
        if self._watched:
            alive = {channel["id"] for channel in await self.channels()}
            for channel in set(self._watched) - alive:
                self._deliver(Left(channel))

    async def _request(self, request: Endpoint, path: dict[str, str] | None = None, /, **params: str) -> Any:
        name = f"{request.method} {request.path}"
        parts = {name: quote(value, safe="") for name, value in (path or {}).items()}
        try:
            url = URL(f"{self.url}/ari{request.path.format(**parts)}", encoded=True)
            async with self.http.request(request.method, url, params=params, timeout=self._limit) as response:
                if response.status in request.gone:
                    raise ChannelGone(f"{name}: {response.status}")
                if response.status >= 400:
                    raise AriRejected(response.status, name, remedy(response.status))
                if response.content_type == "application/json":
                    return await response.json()
                if request.method == "GET":
                    raise AriUnavailable(f"{self.url} does not answer as Asterisk does; check ari_url")
                return None
        except TimeoutError as e:
            raise AriUnavailable(f"{name} took longer than {self._limit.total} s") from e
        except (aiohttp.ClientError, OSError, ValueError) as e:
            raise AriUnavailable(f"{self.url} cannot be reached ({type(e).__name__})") from e


def is_in_stasis(channel: dict[str, Any]) -> bool:
    """Whether a channel waits for what a controller tells it, and does not run the dialplan."""
    return channel["dialplan"]["app_name"] in _STASIS


async def settle(*cleanups: Awaitable[None]) -> None:
    """Run all cleanups to their end even when the caller of this is cancelled; what is already gone is fine.

    Each is one request, so its limit is that of requests.
    """
    task = asyncio.ensure_future(asyncio.gather(*cleanups, return_exceptions=True))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as e:
            cancelled = e
    for result in task.result():
        if isinstance(result, ChannelGone) or not isinstance(result, BaseException):
            continue
        if not isinstance(result, AriError):
            raise result
        log.warning("clean-up failed", error=str(result))
    if cancelled is not None:
        raise cancelled


def version(info: dict[str, Any]) -> tuple[int, int]:
    """Return major and minor version from `Ari.info`; (0, 0) when it cannot be told."""
    found = re.match(r"(\d+)\.(\d+)", str(info.get("system", {}).get("version", "")))
    return (int(found[1]), int(found[2])) if found else (0, 0)
