"""Callers who hang up at any moment and engines that die under them: every call ends clean, or with a person."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.phone import Phone, PhoneError

from . import agents
from .agents import Inside
from .conftest import Sandbox
from .people import (
    COMPANY,
    NUMBER,
    Ears,
    ask,
    nothing_left,
    notice_over,
    receptionist,
    says,
    they_hear_each_other,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

HURRIED_MS = (0, 2, 5, 10, 20, 30, 50, 80)
"""How soon after the INVITE callers give up: before, during and after claim and answer."""


agent = agents.laid_open("inside")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears(agent: Inside) -> Ears:
    return Ears(agent.settings)


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def idle(agent: Inside, caller: Phone, sandbox: Sandbox) -> AsyncIterator[None]:
    """Prove that a test leaves the agent as it found it: no task, session, channel, bridge or open row."""
    tasks = len(asyncio.all_tasks())
    yield
    await caller.hangup()
    await nothing_left(sandbox)

    async def at_rest() -> bool:
        return agent.controller.active == 0 and len(asyncio.all_tasks()) <= tasks

    await until(at_rest)
    assert agent.recogniser.workers[0].busy == 0
    assert not agent.ari.watched
    assert await agent.log.flush(5)
    assert all(call["closed_at"] for call in await agent.book.calls())


async def hung_up(agent: Inside) -> str:
    """Wait until the newest call is in the log as ended; return how."""
    (call,) = await agent.book.closed(1, since=len(await agent.book.calls()) - 1)
    return f"{call['outcome']}/{call['reason']}"


@pytest.mark.usefixtures("idle")
async def test_callers_who_give_up_during_claim_and_answer_leave_nothing_behind(agent: Inside, caller: Phone) -> None:
    for after_ms in HURRIED_MS:
        await caller.call(COMPANY)
        await asyncio.sleep(after_ms / 1000)  # the caller's patience
        await caller.hangup()

    async def over() -> bool:
        return agent.controller.active == 0

    await until(over)
    outcomes = {call["outcome"] for call in await agent.book.calls()}
    assert outcomes <= {"caller-hung-up"}


@pytest.mark.usefixtures("idle")
async def test_a_caller_who_hangs_up_during_the_notice_leaves_nothing_behind(agent: Inside, caller: Phone) -> None:
    await caller.call(COMPANY)
    await caller.wait_answered()
    await caller.wait_speech()
    await caller.hangup()
    assert await hung_up(agent) == "caller-hung-up/caller"
    assert (await agent.book.last())["disclosure_played_ms"] is None


@pytest.mark.usefixtures("idle")
async def test_a_caller_who_hangs_up_while_speaking_leaves_no_recogniser_open(agent: Inside, caller: Phone) -> None:
    await notice_over(caller)
    await caller.say(says("Ich möchte bitte wissen, was eine Wartung der Heizung kostet."))

    async def understanding() -> bool:
        return agent.recogniser.workers[0].busy > 0

    await until(understanding)
    await caller.hangup()
    assert await hung_up(agent) == "caller-hung-up/caller"


@pytest.mark.usefixtures("idle")
async def test_a_caller_who_hangs_up_during_the_answer_is_in_the_log_with_what_they_heard(
    agent: Inside, caller: Phone
) -> None:
    await notice_over(caller)
    asked = await ask(caller, "Wann haben Sie geöffnet?")
    begun = await caller.wait_speech(since=asked)
    await caller.wait_speech(since=begun + 16_000)
    await caller.hangup()
    assert await hung_up(agent) == "caller-hung-up/caller"
    (turn,) = await agent.book.turns((await agent.book.last())["id"])
    assert turn["agent_text"].startswith("Wir sind montags bis")
    assert turn["agent_text"].endswith("…")


@pytest.mark.usefixtures("idle")
async def test_a_recogniser_killed_mid_sentence_means_one_moment_please_and_a_person(
    agent: Inside, ears: Ears, caller: Phone, sandbox: Sandbox
) -> None:
    async with receptionist(sandbox) as desk:
        await notice_over(caller)
        await caller.say(says("Ich möchte bitte wissen, was eine Wartung der Heizung kostet."))

        async def understanding() -> bool:
            return agent.recogniser.workers[0].busy > 0

        await until(understanding)
        os.kill(agent.worker, signal.SIGKILL)
        await desk.wait_ringing()
        assert await ears.heard(caller, ears.wording.moment)
        await desk.answer()
        await they_hear_each_other(caller, desk)
        await caller.hangup()
        await desk.wait_ended()
    assert await hung_up(agent) == "to-queue/engine-vosk"
    await agent.recogniser.wait_ready()


@pytest.mark.usefixtures("idle")
async def test_while_the_recogniser_loads_calls_ring_the_queue(agent: Inside, caller: Phone, sandbox: Sandbox) -> None:
    async with receptionist(sandbox) as desk:
        calls = len(await agent.book.calls())
        os.kill(agent.worker, signal.SIGKILL)

        async def away() -> bool:
            return not agent.recogniser.ready

        await until(away)
        await caller.call(COMPANY)
        await desk.wait_ringing()
        assert len(await agent.book.calls()) == calls
    await agent.recogniser.wait_ready()


@pytest.mark.usefixtures("idle")
async def test_a_media_connection_that_breaks_brings_the_caller_to_the_queue(
    agent: Inside, caller: Phone, sandbox: Sandbox
) -> None:
    async with receptionist(sandbox) as desk:
        await caller.call(COMPANY)
        await caller.wait_answered()
        await caller.wait_speech()
        (media,) = [c["id"] for c in sandbox.ari("GET", "channels") if c["name"].startswith("WebSocket")]
        await asyncio.to_thread(sandbox.ari, "DELETE", f"channels/{media}")
        await desk.wait_ringing()
        with pytest.raises(PhoneError):
            await caller.wait_ended(timeout=0.3)
    assert await hung_up(agent) == "to-queue/media"
