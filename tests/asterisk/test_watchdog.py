"""Controllers that are killed or stopped in calls, and what the watchdog does then: every caller reaches a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from database.servers import open_folder

from sandbox.agent import Watchdog
from sandbox.phone import Phone

from .agents import Agent, tables
from .conftest import Sandbox
from .people import (
    COMPANY,
    NUMBER,
    connected,
    nothing_left,
    receptionist,
    they_hear_each_other,
    wants_a_person,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMISE_S = 10.0
"""From the failure to a person's phone that rings."""
UNTOUCHED_S = 6.0
"""Longer than the watchdog needs to take a stopped controller for hung."""

End = Callable[[Agent], None]
Scene = Callable[[Phone, Phone], Awaitable[None]]
FAILURES = pytest.mark.parametrize("fail", [Agent.kill, Agent.halt], ids=["kill", "stop"])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where all agents of this module keep one call log together."""
    with open_folder() as folder:
        yield folder


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with other_caller(sandbox) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def desk(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with receptionist(sandbox) as phone:
        yield phone


@asynccontextmanager
async def other_caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone


@asynccontextmanager
async def watched(folder: Path, watchdogs: int = 1, node: str = "watched") -> AsyncIterator[tuple[Agent, Watchdog]]:
    """An agent that serves calls, and so many watchdogs; the first is returned."""
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(Agent(folder, tables(folder, node, "search")))
        dogs = [Watchdog(agent.settings, f"watchdog-{number}") for number in range(watchdogs)]
        await asyncio.gather(*(stack.enter_async_context(dog) for dog in dogs))
        yield agent, dogs[0]


async def talks_to_the_ai(caller: Phone, _: Phone) -> None:
    await caller.call(COMPANY)
    await caller.wait_answered()
    await caller.wait_speech()


async def waits_while_the_desk_rings(caller: Phone, desk: Phone) -> None:
    await wants_a_person(caller)
    await desk.wait_ringing()


async def waits_during_the_whisper(caller: Phone, desk: Phone) -> None:
    await waits_while_the_desk_rings(caller, desk)
    await desk.answer()
    await desk.wait_speech()


async def rings_for_the_caller(desk: Phone, since: float) -> None:
    """Wait until the desk rings once more than at `since`, which is to be within the promise."""
    async with asyncio.timeout(PROMISE_S + 1):
        while (ringing := await desk.wait_ringing()).at < since:  # noqa: ASYNC110 - what rings still is the old call
            await asyncio.sleep(0.03)
    assert ringing.at - since <= PROMISE_S


@pytest.mark.parametrize("scene", [talks_to_the_ai, waits_while_the_desk_rings, waits_during_the_whisper])
@FAILURES
async def test_a_caller_whose_controller_fails_rings_the_queue_within_ten_seconds(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path, fail: End, scene: Scene
) -> None:
    async with watched(folder) as (agent, _):
        await scene(caller, desk)
        failed = time.monotonic()
        fail(agent)
        await rings_for_the_caller(desk, failed)
        await desk.answer()
        await they_hear_each_other(caller, desk)
        assert await asyncio.to_thread(sandbox.ari, "GET", "bridges") == await queue_bridges(sandbox)
        agent.resume()  # one that was only stopped sees what has become of its call
        await they_hear_each_other(caller, desk)
        await desk.hangup()
        await caller.wait_ended(timeout=3)
        await nothing_left(sandbox)


async def queue_bridges(sandbox: Sandbox) -> list[object]:
    """Return the bridges that no controller has made."""
    bridges = await asyncio.to_thread(sandbox.ari, "GET", "bridges")
    return [bridge for bridge in bridges if not bridge["name"].startswith("ari_agent")]


@pytest.mark.parametrize("first", ["caller", "receptionist"])
@FAILURES
async def test_people_who_talk_go_on_talking_and_when_one_hangs_up_the_others_line_is_freed(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path, fail: End, first: str
) -> None:
    async with watched(folder) as (agent, dog):
        await connected(caller, desk)
        fail(agent)
        await dog.logged("a controller's condition")
        await asyncio.sleep(1)  # several looks
        await they_hear_each_other(caller, desk)
        leaving, staying = (caller, desk) if first == "caller" else (desk, caller)
        await leaving.hangup()
        await staying.wait_ended(timeout=3)
        await nothing_left(sandbox)
    assert not any("Traceback" in str(line["event"]) for line in dog.lines())


async def test_two_watchdogs_at_once_do_the_same_as_one(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        agent, _ = await stack.enter_async_context(watched(folder, watchdogs=2))
        second = await stack.enter_async_context(other_caller(sandbox))
        await connected(caller, desk)
        await talks_to_the_ai(second, desk)
        colleague = await stack.enter_async_context(receptionist(sandbox, "empfang2"))
        failed = time.monotonic()
        agent.kill()
        await rings_for_the_caller(colleague, failed)
        await colleague.answer()
        await they_hear_each_other(second, colleague)
        await they_hear_each_other(caller, desk)
        await asyncio.gather(second.hangup(), caller.hangup())
        await desk.wait_ended(timeout=3)
        await nothing_left(sandbox)


async def test_a_controller_that_serves_is_left_alone_also_when_it_was_late(
    caller: Phone, desk: Phone, folder: Path
) -> None:
    async with watched(folder) as (agent, dog):
        await talks_to_the_ai(caller, desk)
        agent.halt()
        await asyncio.sleep(1.5)  # less than a hung one may take
        agent.resume()
        await asyncio.sleep(UNTOUCHED_S)
        assert caller.in_call
        assert not desk.in_call
        assert [line["event"] for line in dog.lines()] == ["watching"]
        await caller.hangup()


async def test_a_controller_that_comes_back_at_once_and_the_watchdog_do_not_get_into_each_others_way(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(Agent(folder, tables(folder, "back", "search")))
        dog = Watchdog(agent.settings)
        second = await stack.enter_async_context(other_caller(sandbox))
        await talks_to_the_ai(caller, desk)
        failed = time.monotonic()
        agent.kill()
        await agent.ended()
        agent.start()
        await stack.enter_async_context(dog)
        await rings_for_the_caller(desk, failed)
        await desk.answer()
        await agent.logged("connected to Asterisk", limit=30)
        await talks_to_the_ai(second, desk)
        await they_hear_each_other(caller, desk)
        await asyncio.sleep(UNTOUCHED_S)
        await they_hear_each_other(caller, desk)
        assert second.in_call
        await asyncio.gather(second.hangup(), caller.hangup())
        await nothing_left(sandbox)


async def test_a_controller_that_was_stopped_writes_down_its_lost_call_and_serves_the_next(
    caller: Phone, desk: Phone, folder: Path
) -> None:
    async with watched(folder) as (agent, dog):
        calls = len(await agent.book.calls())
        await talks_to_the_ai(caller, desk)
        agent.halt()
        await rings_for_the_caller(desk, time.monotonic())
        agent.resume()
        (call,) = await agent.book.closed(1, since=calls)
        assert call["outcome"] in {"to-queue", "caller-hung-up"}
        await desk.answer()
        await they_hear_each_other(caller, desk)
        await caller.hangup()
        await talks_to_the_ai(caller, desk)
        await asyncio.sleep(UNTOUCHED_S)
        assert caller.in_call
        assert dog.lines()[-1]["condition"] == "serving"
        await caller.hangup()


async def test_after_a_stop_in_order_the_watchdog_frees_the_line_of_who_talks_on(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with watched(folder) as (agent, _):
        await connected(caller, desk)
        agent.terminate()
        assert await agent.ended() == 0
        await they_hear_each_other(caller, desk)
        await asyncio.sleep(1)  # a look
        await caller.hangup()
        await desk.wait_ended(timeout=3)
        await nothing_left(sandbox)


async def test_a_second_controller_of_the_same_name_does_not_start(folder: Path) -> None:
    async with Agent(folder, tables(folder, "twice", "search")) as agent:
        second = Agent(folder, tables(folder, "twice", "search"))
        second.log = folder / "second.log"
        second.start()
        assert await second.ended() == 2
        assert second.lines()[-1]["event"] == (
            "ari_agent_twice runs already on this machine: stop it, or name another asterisk.node"
        )
        assert agent.status is None


async def test_a_watchdog_ends_in_order(folder: Path) -> None:
    async with watched(folder) as (_, dog):
        assert await dog.stop() == 0
        assert dog.lines()[-1]["event"] == "stopped"
