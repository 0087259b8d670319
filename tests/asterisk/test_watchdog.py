"""Controllers that are killed or stopped in calls, and what the watchdog does then: every caller reaches a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from database.servers import open_folder

from ari_agent.pbx.ari import PREFIX
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
    until,
    wants_a_person,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMISE_S = 10.0
"""From the failure to a person's phone that rings."""
UNTOUCHED_S = 5.0
"""Longer than the watchdog needs to take a stopped controller for hung."""
LOOKS_S = 1.2
"""Two looks of the watchdog."""
CONDITION = "a controller's condition"
"""The line of the watchdog's log about a change."""

End = Callable[[Agent], None]
Scene = Callable[[Phone, Phone], Awaitable[None]]


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(sandbox: Sandbox, folder: Path) -> AsyncIterator[Agent]:
    """One agent for all tests, which kill it and stop it; see `agent`."""
    async with Agent(folder, tables(folder, "watched", "search")) as agent:
        yield agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dog(served: Agent) -> AsyncIterator[Watchdog]:
    """One watchdog for all tests: what it remembers of a controller's earlier end must not disturb it."""
    async with Watchdog(served.settings) as dog:
        yield dog
    assert dog.status == 0
    assert dog.lines()[-1]["event"] == "stopped"
    assert not any("exception" in line or "Traceback" in line["event"] for line in dog.lines())


@pytest_asyncio.fixture(loop_scope="module")
async def agent(served: Agent, dog: Watchdog) -> Agent:
    """The agent, serving calls, with a watchdog that knows it."""
    await serving(served)

    async def known() -> bool:
        conditions = [line["condition"] for line in dog.lines() if "condition" in line]
        return conditions[-1:] in ([], ["serving"])

    await until(known, PROMISE_S)
    return served


async def serving(agent: Agent) -> None:
    """Start the agent again if it has ended; wait until it serves."""
    agent.resume()
    if agent.status is not None:
        agent.start()
    await agent.logged("connected to Asterisk", limit=30)


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


@pytest.mark.parametrize(
    ("fail", "scene"),
    [
        (Agent.kill, talks_to_the_ai),
        (Agent.kill, waits_during_the_whisper),
        (Agent.halt, talks_to_the_ai),
        (Agent.halt, waits_while_the_desk_rings),
        (Agent.halt, waits_during_the_whisper),
    ],
)
async def test_a_caller_whose_controller_fails_rings_the_queue_within_ten_seconds(
    sandbox: Sandbox, agent: Agent, caller: Phone, desk: Phone, fail: End, scene: Scene
) -> None:
    await scene(caller, desk)
    failed = time.monotonic()
    fail(agent)
    await rings_for_the_caller(desk, failed)
    await desk.answer()
    await they_hear_each_other(caller, desk)
    bridges, channels = await asyncio.to_thread(lambda: (sandbox.ari("GET", "bridges"), sandbox.ari("GET", "channels")))
    assert not [bridge for bridge in bridges if bridge["name"] == agent.checked.app]
    assert not [channel for channel in channels if channel["id"].startswith(PREFIX)]
    agent.resume()  # one that was only stopped sees what has become of its call
    await they_hear_each_other(caller, desk)
    await desk.hangup()
    await caller.wait_ended(timeout=3)
    await nothing_left(sandbox)


@pytest.mark.parametrize(("fail", "first"), [(Agent.kill, "caller"), (Agent.halt, "receptionist")])
async def test_people_who_talk_go_on_talking_and_when_one_hangs_up_the_others_line_is_freed(
    sandbox: Sandbox, agent: Agent, dog: Watchdog, caller: Phone, desk: Phone, fail: End, first: str
) -> None:
    await connected(caller, desk)
    since = len(dog.lines())
    fail(agent)
    await dog.logged(CONDITION, since=since)
    await asyncio.sleep(LOOKS_S)
    await they_hear_each_other(caller, desk)
    leaving, staying = (caller, desk) if first == "caller" else (desk, caller)
    await leaving.hangup()
    await staying.wait_ended(timeout=3)
    await nothing_left(sandbox)


async def test_two_watchdogs_at_once_do_the_same_as_one(
    sandbox: Sandbox, agent: Agent, caller: Phone, desk: Phone
) -> None:
    async with (
        Watchdog(agent.settings, "another") as other,
        other_caller(sandbox) as second,
        receptionist(sandbox, "empfang2") as colleague,
    ):
        await connected(caller, desk)
        await talks_to_the_ai(second, desk)
        failed = time.monotonic()
        agent.kill()
        await rings_for_the_caller(colleague, failed)
        await colleague.answer()
        await they_hear_each_other(second, colleague)
        await they_hear_each_other(caller, desk)
        await asyncio.gather(second.hangup(), caller.hangup())
        await desk.wait_ended(timeout=3)
        await nothing_left(sandbox)
        assert [line["condition"] for line in other.lines() if line["event"] == CONDITION] == ["dead"]


async def test_a_controller_that_serves_is_left_alone_also_when_it_was_late(
    agent: Agent, dog: Watchdog, caller: Phone, desk: Phone
) -> None:
    await talks_to_the_ai(caller, desk)
    since = len(dog.lines())
    agent.halt()
    await asyncio.sleep(1.5)  # less than a hung one may take
    agent.resume()
    await asyncio.sleep(UNTOUCHED_S)
    assert caller.in_call
    assert not desk.in_call
    assert dog.lines()[since:] == []
    await caller.hangup()


async def test_a_controller_that_comes_back_at_once_and_the_watchdog_do_not_get_into_each_others_way(
    sandbox: Sandbox, agent: Agent, caller: Phone, desk: Phone
) -> None:
    async with other_caller(sandbox) as second:
        await talks_to_the_ai(caller, desk)
        failed = time.monotonic()
        agent.kill()
        await agent.ended()
        agent.start()
        async with Watchdog(agent.settings, "another"):  # starts at the same time
            await rings_for_the_caller(desk, failed)
            await desk.answer()
            await serving(agent)
            await talks_to_the_ai(second, desk)
            await they_hear_each_other(caller, desk)
            await asyncio.sleep(UNTOUCHED_S)
            await they_hear_each_other(caller, desk)
            assert second.in_call
            await asyncio.gather(second.hangup(), caller.hangup())
            await nothing_left(sandbox)


async def test_a_controller_that_was_stopped_writes_down_its_lost_call_and_serves_the_next(
    agent: Agent, dog: Watchdog, caller: Phone, desk: Phone
) -> None:
    calls = len(await agent.book.calls())
    await talks_to_the_ai(caller, desk)
    agent.halt()
    await rings_for_the_caller(desk, time.monotonic())
    since = len(dog.lines())
    agent.resume()
    await dog.logged(CONDITION, since=since)
    (call,) = await agent.book.closed(1, since=calls)
    assert (call["outcome"], call["reason"]) == ("to-queue", "taken")
    await desk.answer()
    await they_hear_each_other(caller, desk)
    await caller.hangup()
    await talks_to_the_ai(caller, desk)
    await asyncio.sleep(LOOKS_S)
    assert caller.in_call
    assert dog.lines()[-1]["condition"] == "serving"
    await caller.hangup()


async def test_after_a_stop_in_order_the_watchdog_frees_the_line_of_who_talks_on(
    sandbox: Sandbox, agent: Agent, caller: Phone, desk: Phone
) -> None:
    await connected(caller, desk)
    agent.terminate()
    assert await agent.ended() == 0
    await they_hear_each_other(caller, desk)
    await asyncio.sleep(LOOKS_S)
    await caller.hangup()
    await desk.wait_ended(timeout=3)
    await nothing_left(sandbox)


async def test_a_second_controller_of_the_same_name_does_not_start(agent: Agent, folder: Path) -> None:
    second = Agent(folder, tables(folder, "watched", "search"))
    second.log = folder / "second.log"
    second.start()
    assert await second.ended() == 2
    assert second.lines()[-1]["event"] == (
        "ari_agent_watched runs already on this machine: stop it, or name another asterisk.node"
    )
    assert agent.status is None
