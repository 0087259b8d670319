"""Controllers that are away, full, stopped, killed, or three at once: a caller always reaches somebody."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from database.servers import open_folder
from wires import wire

from sandbox.phone import Phone

from .agents import Agent, inside, tables
from .conftest import Sandbox
from .people import COMPANY, NUMBER, Ears, connected, nothing_left, receptionist, they_hear_each_other, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RING_LIMIT_MS = 1000
AT_ONCE_MS = 300
"""Where it is certain that nobody would claim a call, it is not offered for 500 ms."""
CALLS = 60
ARRIVAL_S = 0.15
"""Between two callers: some 15 are on the phone at any time."""


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


async def ms_to_the_desk(caller: Phone, desk: Phone, number: str = COMPANY) -> float:
    """Call; return the milliseconds until the receptionist's phone rings."""
    called = time.monotonic()
    await caller.call(number)
    return ((await desk.wait_ringing()).at - called) * 1000


async def test_without_a_controller_the_receptionist_is_rung_within_a_second(caller: Phone, desk: Phone) -> None:
    assert await ms_to_the_desk(caller, desk) <= RING_LIMIT_MS


async def test_after_the_idle_controller_was_killed_the_next_call_rings_the_queue_within_a_second(
    caller: Phone, desk: Phone, folder: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    async with Agent(folder, tables(folder, "idle")) as agent:
        agent.kill()
        await agent.ended()
        waited_ms = await ms_to_the_desk(caller, desk)
    record_testsuite_property("kill_to_ring_ms", round(waited_ms))
    assert waited_ms <= RING_LIMIT_MS


@pytest.mark.parametrize("number", ["2900", "2902"])
async def test_when_every_slot_is_taken_the_next_caller_rings_the_queue(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path, number: str
) -> None:
    async with Agent(folder, tables(folder, "1", calls={"slots": 1})) as agent, other_caller(sandbox) as second:
        calls = len(await agent.book.calls())
        await caller.call(number)
        await caller.wait_answered()
        assert await ms_to_the_desk(second, desk, number) <= AT_ONCE_MS
        assert caller.in_call
        await asyncio.gather(second.hangup(), caller.hangup())
        (call,) = await agent.book.closed(1, since=calls)
        assert call["dialled"] == number


async def test_a_call_that_a_full_controller_does_not_take_is_taken_by_the_other(
    sandbox: Sandbox, caller: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        agents = [Agent(folder, tables(folder, node, calls={"slots": 1})) for node in ("one", "two")]
        await asyncio.gather(*(stack.enter_async_context(agent) for agent in agents))
        other = await stack.enter_async_context(other_caller(sandbox))
        book = agents[0].book
        before = len(await book.calls())
        for phone in (caller, other):
            await phone.call(COMPANY)
            await phone.wait_answered()
        await asyncio.gather(caller.hangup(), other.hangup())
        rows = await book.closed(2, since=before, seconds=30)
    assert {row["node"] for row in rows} == {"one", "two"}


async def test_on_stop_who_talks_to_the_ai_goes_to_the_queue_and_who_talks_to_a_person_goes_on_talking(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(Agent(folder, tables(folder, "drain", calls={"drain_s": 1})))
        colleague = await stack.enter_async_context(receptionist(sandbox, "empfang2"))
        ears, calls = Ears(agent.checked), len(await agent.book.calls())
        second, third = [await stack.enter_async_context(other_caller(sandbox)) for _ in range(2)]
        await connected(caller, desk)
        await second.call(COMPANY)
        await second.wait_answered()
        await second.wait_speech()
        agent.terminate()
        await agent.logged("stopping: no new calls")
        await third.call(COMPANY)
        await colleague.wait_ringing()  # no new calls: straight to the queue
        await third.hangup()
        await colleague.wait_ended()
        await colleague.wait_ringing()  # the second one's time is over
        await colleague.answer()
        await they_hear_each_other(second, colleague)
        assert await ears.heard(second, ears.wording.moment)
        assert await agent.ended() == 0
        await they_hear_each_other(caller, desk)
        rows = await reopened(agent, calls)
    assert rows == {("handed-over", "key-0"), ("to-queue", "drain")}


async def reopened(agent: Agent, calls: int) -> set[tuple[str, str]]:
    """Return outcome and reason of the calls after the first so many, from a log whose server was stopped."""
    with agent.book.opened():
        return {(call["outcome"], call["reason"]) for call in (await agent.book.calls())[calls:]}


async def test_a_controller_that_comes_back_brings_orphans_to_the_queue_and_leaves_talking_people_alone(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        agent = await stack.enter_async_context(Agent(folder, tables(folder, "killed")))
        second = await stack.enter_async_context(other_caller(sandbox))
        await connected(caller, desk)
        await second.call(COMPANY)
        await second.wait_answered()
        await second.wait_speech()
        agent.kill()
        await agent.ended()
        colleague = await stack.enter_async_context(receptionist(sandbox, "empfang2"))
        agent.start()
        await colleague.wait_ringing()
        await colleague.answer()
        await they_hear_each_other(second, colleague)
        await they_hear_each_other(caller, desk)
        assert await only_bridge(sandbox, agent)
        await second.hangup()
        await caller.hangup()
        await desk.wait_ended(timeout=3)
        await nothing_left(sandbox)


async def test_when_a_lost_connection_is_back_the_ais_callers_are_in_the_queue_and_talking_people_still_talk(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(wire(18088))
        lost = {"ari_url": f"http://127.0.0.1:{line.port}", "request_s": 0.5}
        agent = await stack.enter_async_context(Agent(folder, tables(folder, "lost", asterisk=lost)))
        second = await stack.enter_async_context(other_caller(sandbox))
        await connected(caller, desk)
        await second.call(COMPANY)
        await second.wait_answered()
        await second.wait_speech()
        line.cut()
        await agent.logged("call closed")
        colleague = await stack.enter_async_context(receptionist(sandbox, "empfang2"))
        line.mend()
        await colleague.wait_ringing()
        await colleague.answer()
        await they_hear_each_other(second, colleague)
        await they_hear_each_other(caller, desk)
        await until(lambda: only_bridge(sandbox, agent))
        await second.hangup()
        await caller.hangup()
        await desk.wait_ended(timeout=3)
        await nothing_left(sandbox)


async def test_on_a_holiday_of_the_bundesland_the_ai_answers_and_on_the_working_day_after_it_people_do(
    sandbox: Sandbox, caller: Phone, desk: Phone, folder: Path
) -> None:
    office = {"name": "office", "state": "Bayern", "tuesday": ["08:00-17:00"], "wednesday": ["08:00-17:00"]}
    hours = {"schedules": [office], "numbers": [{"mode": "after-hours", "schedule": "office"}]}
    epiphany = datetime(2026, 1, 6, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    clock = [epiphany]
    async with inside(folder, tables(folder, "holiday", "search", hours=hours), now=lambda: clock[0]):
        for moment, people in ((epiphany, False), (epiphany.replace(day=7), True), (epiphany.replace(hour=20), False)):
            clock[0] = moment
            if people:
                assert await ms_to_the_desk(caller, desk) <= RING_LIMIT_MS
            else:
                await caller.call(COMPANY)
                await caller.wait_answered()
            assert caller.in_call is not people
            await caller.hangup()


async def only_bridge(sandbox: Sandbox, agent: Agent) -> bool:
    """Whether one bridge of this agent is left in Asterisk."""
    bridges = await asyncio.to_thread(sandbox.ari, "GET", "bridges")
    return [bridge["name"] for bridge in bridges].count(agent.checked.app) == 1


async def test_three_controllers_claim_every_one_of_sixty_calls_exactly_once(
    sandbox: Sandbox, folder: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    nodes = ["1", "2", "3"]
    async with AsyncExitStack() as stack:
        agents = [Agent(folder, tables(folder, node, calls={"slots": 30})) for node in nodes]
        await asyncio.gather(*(stack.enter_async_context(agent) for agent in agents))
        book = agents[0].book
        before = len(await book.calls())
        for _ in range(CALLS):
            await asyncio.to_thread(sandbox.ari, "POST", SPEAKING_CALLER)
            await asyncio.sleep(ARRIVAL_S)
        calls = await book.closed(CALLS, since=before, seconds=30)
        await nothing_left(sandbox)
    assert len({call["channel"] for call in calls}) == CALLS
    assert {call["outcome"] for call in calls} == {"caller-hung-up"}
    share = Counter(call["node"] for call in calls)
    record_testsuite_property("claims_per_controller", dict(share))
    assert set(share) == set(nodes)


SPEAKING_CALLER = (
    f"channels?endpoint=Local/{COMPANY}@from-trunk/n&context=sandbox-desk&extension=speaks&priority=1&timeout=10"
)
"""A caller without a phone: sends a tone for two seconds and hangs up."""


async def test_a_port_that_is_taken_is_told_in_one_sentence(folder: Path) -> None:
    agent = Agent(folder, tables(folder, "port"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", agent.checked.asterisk.agi_port))
        other.listen()
        agent.start()
        assert await agent.ended() == 2
    last = agent.lines()[-1]["event"]
    assert "14573 cannot be used for FastAGI" in last
    assert "set asterisk.agi_port" in last


async def test_a_wrong_password_is_told_at_every_attempt_and_the_agent_keeps_trying(folder: Path) -> None:
    wrong = folder / "wrong"
    wrong.write_text("wrong")
    agent = Agent(folder, tables(folder, "password", asterisk={"ari_password_file": str(wrong)}))
    agent.start()
    try:
        await until(lambda: complaints(agent, 2), 30)
        assert all("wrong user or password; compare ari_user" in line["reason"] for line in await complaints(agent))
        assert agent.status is None
    finally:
        await agent.stop()


async def complaints(agent: Agent, least: int = 1) -> list[dict[str, str]]:
    """Return the log's lines about Asterisk being away, if there are so many."""
    lines = [dict(line) for line in agent.lines() if str(line["event"]).startswith("no connection to Asterisk")]
    return lines if len(lines) >= least else []


async def test_an_asterisk_that_is_not_up_yet_is_waited_for(sandbox: Sandbox, folder: Path, caller: Phone) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agent = Agent(folder, tables(folder, "late", asterisk={"ari_url": f"http://127.0.0.1:{port}"}))
    agent.start()
    try:
        await until(lambda: complaints(agent, 2), 30)
        assert all("cannot be reached" in line["reason"] for line in await complaints(agent))
        async with wire(18088, port):
            await agent.logged("connected to Asterisk", limit=15)
            await caller.call(COMPANY)
            await caller.wait_answered()
            await caller.hangup()
            await agent.stop()
    finally:
        await agent.stop()
