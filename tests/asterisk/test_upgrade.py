"""A controller that is stopped in order leaves nothing behind; another beside it takes over without losing a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from database.servers import open_folder
from processes import alive, descendants

from ari_agent.pbx.ari import PREFIX
from sandbox.agent import Watchdog
from sandbox.phone import Phone

from .agents import Agent, tables
from .conftest import Sandbox
from .people import COMPANY, NUMBER, nothing_left, receptionist, they_hear_each_other, until, wants_a_person

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = 10
ARRIVAL_S = 0.4
SPEAKING_CALLER = (
    f"channels?endpoint=Local/{COMPANY}@from-trunk/n&context=sandbox-desk&extension=speaks&priority=1&timeout=10"
)
"""A caller without a phone: sends a tone for two seconds and hangs up."""
ALWAYS = {"numbers": [{"dialled": "*", "mode": "ai-first"}]}
"""The agent is asked for every call whether it can serve it, and one that is stopping cannot."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where both agents keep one call log together."""
    with open_folder() as folder:
        yield folder


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone


async def test_a_stop_in_the_middle_of_a_whisper_leaves_no_channel_no_bridge_and_no_process(
    sandbox: Sandbox, caller: Phone, folder: Path
) -> None:
    agent = Agent(folder, tables(folder, "stopped", "search", calls={"drain_s": 1}, escalation={"key_s": 30}))
    async with agent, receptionist(sandbox) as desk:
        processes = descendants(agent.pid)
        assert processes
        await wants_a_person(caller)
        first = await desk.wait_ringing()
        await desk.answer()
        await desk.wait_speech()
        agent.terminate()
        await desk.wait_ended()
        async with asyncio.timeout(10):
            while (await desk.wait_ringing()).at == first.at:  # noqa: ASYNC110 - the old call's display, until the new one
                await asyncio.sleep(0.03)
        await desk.answer()
        await they_hear_each_other(caller, desk)
        assert await agent.ended() == 0
        assert not [pid for pid in processes if alive(pid)]
        bridges = await asyncio.to_thread(sandbox.ari, "GET", "bridges")
        channels = await asyncio.to_thread(sandbox.ari, "GET", "channels")
        assert not [bridge for bridge in bridges if bridge["name"] == agent.checked.app]
        assert not [channel for channel in channels if channel["id"].startswith(PREFIX)]
        await caller.hangup()
        await nothing_left(sandbox)


async def test_a_new_version_beside_the_old_one_takes_over_and_no_call_is_lost(
    sandbox: Sandbox, caller: Phone, folder: Path
) -> None:
    old = Agent(folder, tables(folder, "old", "search", hours=ALWAYS, calls={"drain_s": 20}))
    new = Agent(folder, tables(folder, "new", "search", hours=ALWAYS))
    async with old:
        await caller.call(COMPANY)
        await caller.wait_answered()
        async with new, Watchdog(old.settings) as dog:
            earlier = len(await new.book.calls())
            for number in range(CALLS):
                if number == CALLS // 2:
                    old.terminate()
                    await old.logged("stopping: no new calls")
                await asyncio.to_thread(sandbox.ari, "POST", SPEAKING_CALLER)
                await asyncio.sleep(ARRIVAL_S)
            assert caller.in_call  # with the old one, which waits for the end of its call
            assert old.status is None
            await caller.hangup()
            assert await old.ended() == 0
            await until(lambda: all_closed(new, earlier + CALLS), 20)
            calls = (await new.book.calls())[earlier:]
            assert len(calls) == CALLS
            assert {call["outcome"] for call in calls} == {"caller-hung-up"}
            assert {call["node"] for call in calls[CALLS // 2 :]} == {"new"}
            await nothing_left(sandbox)
            assert not [line for line in dog.lines() if "callers_to_queue" in line]


async def all_closed(agent: Agent, count: int) -> bool:
    """Whether the log holds so many calls, all over."""
    calls = await agent.book.calls()
    return len(calls) >= count and all(call["closed_at"] for call in calls)
