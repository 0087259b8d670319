"""The client of Asterisk's REST interface against the live server, over connections that break."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from wires import wire

from ari_agent.config import Asterisk
from ari_agent.errors import AriRejected, AriUnavailable, ChannelGone
from ari_agent.pbx import ari as client
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.endpoints import ADD_CHANNEL, ENDPOINTS, Endpoint
from ari_agent.pbx.events import Connected, Disconnected, Entered, Event, Left, Replaced
from sandbox.settings import SECRETS

from .conftest import Sandbox

APP = "ari_agent_client"
CALL = f"channels?endpoint=Local/answers@sandbox-desk/n&app={APP}&channelId="
"""Rings somebody who answers at once; the caller's half enters our application."""


def settings(sandbox: Sandbox, **changes: Any) -> Asterisk:
    """Return how the sandbox is reached."""
    secrets = {"ari_password_file": SECRETS / "ari", "ami_password_file": SECRETS / "ami"}
    return Asterisk(**{"ari_url": sandbox.ari_url.removesuffix("/ari"), "node": "client", **secrets, **changes})


@asynccontextmanager
async def listening(values: Asterisk) -> AsyncIterator[tuple[Ari, asyncio.Queue[Event]]]:
    """Connect; yield the client and what it tells, from Connected on."""
    events: asyncio.Queue[Event] = asyncio.Queue()  # unbounded: the test is the only cause of what comes

    async def listen(ari: Ari) -> None:
        async with aclosing(ari.events()) as stream:  # type: ignore[type-var]
            async for event in stream:
                events.put_nowait(event)

    async with Ari.open(values, APP) as ari:
        task = asyncio.create_task(listen(ari))
        try:
            assert await soon(events) == Connected()
            yield ari, events
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def soon(queue: asyncio.Queue[Any], seconds: float = 5.0) -> Any:
    """Return the next item."""
    async with asyncio.timeout(seconds):
        return await queue.get()


async def test_every_request_we_make_is_in_the_servers_own_documents(sandbox: Sandbox) -> None:
    listed = await asyncio.to_thread(sandbox.ari, "GET", "api-docs/resources.json")
    known: dict[tuple[str, str], set[str]] = {}
    statuses: dict[tuple[str, str], set[int]] = {}
    for resource in listed["apis"]:
        document = await asyncio.to_thread(sandbox.ari, "GET", resource["path"][1:].format(format="json"))
        for api in document["apis"]:
            for operation in api["operations"]:
                names = {p["name"] for p in operation.get("parameters", []) if p["paramType"] == "query"}
                known[operation["httpMethod"], api["path"]] = names
                codes = {int(error["code"]) for error in operation.get("errorResponses", [])}
                statuses[operation["httpMethod"], api["path"]] = codes
    for endpoint in ENDPOINTS:
        assert (endpoint.method, endpoint.path) in known, endpoint
        assert set(endpoint.params) <= known[endpoint.method, endpoint.path], endpoint
    assert {400, 404, 409, 422} <= statuses["POST", ADD_CHANNEL.path]


def test_every_request_of_the_client_is_in_the_list_that_is_checked() -> None:
    named = {name: value for name, value in vars(client).items() if isinstance(value, Endpoint)}
    used = re.findall(r"_request\(\s*([A-Z_]+)", inspect.getsource(client))
    assert {named[name] for name in used} == set(ENDPOINTS)


async def test_a_wrong_password_is_told_with_its_remedy(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    async with Ari.open(settings(sandbox, ari_password_file=wrong), APP) as ari:
        with pytest.raises(AriRejected, match=r"compare ari_user and ari_password_file with ari\.conf") as refused:
            await ari.info()
        event = await anext(ari.events())
    assert refused.value.status == 401
    assert isinstance(event, Disconnected)
    assert "compare ari_user and ari_password_file with ari.conf" in event.reason


async def test_an_asterisk_that_is_not_there_is_unavailable(sandbox: Sandbox) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with Ari.open(settings(sandbox, ari_url=url), APP) as ari:
        with pytest.raises(AriUnavailable, match=f"{url} cannot be reached") as away:
            await ari.info()
        assert isinstance(await anext(ari.events()), Disconnected)
    assert away.value.retryable


async def test_a_request_that_is_not_answered_ends_after_its_limit(sandbox: Sandbox) -> None:
    async with wire(18088) as line:
        line.block()
        values = settings(sandbox, ari_url=f"http://127.0.0.1:{line.port}", request_s=0.2)
        async with Ari.open(values, APP) as ari:
            asked = time.monotonic()
            with pytest.raises(AriUnavailable, match=r"GET /asterisk/info took longer than 0.2 s"):
                await ari.info()
            assert time.monotonic() - asked < 0.6


async def test_what_is_gone_is_told_apart_from_what_is_refused(sandbox: Sandbox) -> None:
    async with listening(settings(sandbox)) as (ari, _):
        for request in (ari.answer("nobody"), ari.hang_up("nobody"), ari.destroy_bridge("none")):
            with pytest.raises(ChannelGone):
                await request
        await ari.create_bridge("ari-agent-test")
        with pytest.raises(ChannelGone):
            await ari.add_to_bridge("ari-agent-test", "nobody")
        with pytest.raises(AriRejected):
            await ari.originate("x", "NoSuchTechnology/1", "", "", 5)
        assert not await ari.claim("nobody")
        await ari.destroy_bridge("ari-agent-test")


async def test_a_lost_event_connection_comes_back_and_tells_who_left_meanwhile(sandbox: Sandbox) -> None:
    async with wire(18088) as line:
        values = settings(sandbox, ari_url=f"http://127.0.0.1:{line.port}", request_s=0.5)
        async with listening(values) as (ari, events):
            with ari.watch("gone") as gone, ari.watch("here") as here:
                for channel in ("gone", "here"):
                    await asyncio.to_thread(sandbox.ari, "POST", CALL + channel)
                assert isinstance(await soon(gone), Entered)
                assert isinstance(await soon(here), Entered)
                line.cut()
                assert isinstance(await soon(events), Disconnected)
                await asyncio.to_thread(sandbox.ari, "DELETE", "channels/gone")
                assert isinstance(await soon(events), Disconnected)  # an attempt that nobody answers ends too
                line.mend()
                while await soon(events, 10) != Connected():
                    pass
                assert await soon(gone) == Left("gone")
                assert here.empty()


async def test_a_connection_whose_packets_vanish_is_noticed_within_one_and_a_half_heartbeats(sandbox: Sandbox) -> None:
    async with wire(18088) as line:
        values = settings(sandbox, ari_url=f"http://127.0.0.1:{line.port}", heartbeat_s=1.0)
        async with listening(values) as (_, events):
            line.block()
            blocked = time.monotonic()
            assert isinstance(await soon(events, 10), Disconnected)
            assert time.monotonic() - blocked < 3
    # So with the default it takes at most 7.5 s, and the settings allow no longer heartbeat.
    assert settings(sandbox).heartbeat_s <= 5


async def test_who_is_replaced_by_another_under_the_same_name_waits_until_it_has_gone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STANDBY_S", 0.2)
    values = settings(sandbox)
    async with listening(values) as (first, events):
        async with listening(values) as (_, others):
            assert await soon(events) == Replaced()
            assert await soon(events) == Disconnected("another program has our name")
            await asyncio.sleep(1)  # enough for some looks, and to take the name back
            assert (events.empty(), others.empty()) == (True, True)
        assert await soon(events) == Connected()
        assert APP in await first.applications()


async def test_a_name_that_is_never_free_is_taken_back_in_the_end(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STANDBY_S", 0.1)
    monkeypatch.setattr(client, "IMPATIENT_S", 0.5)
    values = settings(sandbox)
    async with listening(values) as (_, events), listening(values) as (_, others):
        assert [await soon(events) for _ in range(2)] == [Replaced(), Disconnected("another program has our name")]
        assert await soon(events) == Connected()
        assert await soon(others) == Replaced()


async def test_a_watched_channel_tells_all_its_watchers_and_nobody_else(sandbox: Sandbox) -> None:
    async with listening(settings(sandbox)) as (ari, events):
        with ari.watch("one") as first, ari.watch("one") as second:
            await asyncio.to_thread(sandbox.ari, "POST", CALL + "one")
            await asyncio.to_thread(sandbox.ari, "POST", CALL + "two")
            assert [(await soon(queue)).channel for queue in (first, second)] == ["one", "one"]
            entered = await soon(events)
            assert isinstance(entered, Entered)
            assert entered.channel == "two"
        assert not ari.watched
        await asyncio.to_thread(sandbox.ari, "DELETE", "channels/one")
        assert await soon(events) == Left("one")
