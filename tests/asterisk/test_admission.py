"""More callers than the agent can serve: who is not taken rings the people at once, and who is taken is served well."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ari_agent.calllog.reading import CallReader
from sandbox.bench.usage import family, runs
from sandbox.phone import Phone
from sandbox.storm.callers import storm

from .agents import Agent, served
from .conftest import Sandbox
from .people import COMPANY, NUMBER, nothing_left, receptionist
from .test_controllers import SPEAKING_CALLER, ms_to_the_desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE_MS = 300
"""Without an offer to controllers, of which each takes 500 ms."""
SLOTS = 12
AT_A_TIME = 3


agent = served("door", "embedded", calls={"slots": SLOTS, "connecting": AT_A_TIME, "lag_close_ms": 500})


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def desk(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with receptionist(sandbox) as phone:
        yield phone


async def test_a_late_recogniser_closes_the_door_and_one_in_time_opens_it(
    agent: Agent, caller: Phone, desk: Phone
) -> None:
    (recogniser,) = [pid for pid in family(agent.pid) if runs(pid, "ari_agent.speech.vosk_worker")]
    os.kill(recogniser, signal.SIGSTOP)
    try:
        late = await agent.logged("too late to take new calls; people answer them")
        assert await ms_to_the_desk(caller, desk) <= AT_ONCE_MS
    finally:
        os.kill(recogniser, signal.SIGCONT)
    assert late["part"] == "recogniser"
    await agent.logged("in time again: new calls are taken")
    await caller.hangup()
    await desk.wait_ended()
    assert await agent.book.calls() == []
    await caller.call(COMPANY)
    await caller.wait_answered()
    await caller.hangup()
    await agent.book.closed(1)


async def test_a_burst_is_connected_a_few_at_a_time_and_everybody_is_answered(agent: Agent, sandbox: Sandbox) -> None:
    before = len(await agent.book.calls())
    await asyncio.gather(*(asyncio.to_thread(sandbox.ari, "POST", SPEAKING_CALLER) for _ in range(SLOTS)))
    rows = await agent.book.closed(SLOTS, since=before)
    assert {row["outcome"] for row in rows} == {"caller-hung-up"}
    for row in rows:
        assert sum(other["opened_at"] <= row["opened_at"] < other["answered_at"] for other in rows) <= AT_A_TIME
    await nothing_left(sandbox)


async def test_in_a_storm_everybody_reaches_the_agent_or_the_people_and_nothing_is_lost(agent: Agent) -> None:
    async with CallReader.open(agent.checked.log) as log:
        result = await storm(agent.checked, log, calls=40, rate=20)
    assert result.complaints == []
    assert result.agent + result.queue == result.calls == 40
    assert result.agent >= SLOTS
    assert result.queue >= 10
    assert result.rows == result.agent
    assert result.outcomes.keys() == {"caller-hung-up/caller"}
    assert result.reply_ms is not None
