"""Phones that send nothing: while their owner is silent, or for ever. Who holds one gets on as everybody else does."""

from __future__ import annotations

import os
import signal

import pytest

from sandbox.phone import Phone

from . import agents
from .agents import Agent
from .conftest import Sandbox
from .people import COMPANY, SERVICE, Ears, ask, nothing_left, notice_over, receptionist

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWO_SILENCES_S = 60.0
"""Notice and greeting, two questions and the silence after each of them, on a busy machine."""

served = agents.served("silent-phones", calls={"silence_s": 2})


async def test_a_phone_that_suppresses_silence_gets_its_answer_and_is_asked_when_it_stays_silent(
    served: Agent, sandbox: Sandbox
) -> None:
    ears = Ears(served.checked)
    async with Phone(f"127.0.0.1:{sandbox.sip_port}", suppressing=True, noise_floor=0.0) as caller:
        await notice_over(caller)
        asked = await ask(caller, "Was kostet eine Wartung?")
        answer = await caller.listen(since=asked)
        assert await ears.heard(caller, SERVICE, asked)
        await caller.listen(since=answer.last + 1)
        assert await ears.heard(caller, ears.wording.are_you_there, answer.last)
    await nothing_left(sandbox)


async def test_a_phone_that_dies_in_a_call_ends_at_a_person_like_any_silent_caller(
    served: Agent, sandbox: Sandbox
) -> None:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as caller, receptionist(sandbox) as desk:
        await caller.call(COMPANY)
        await caller.wait_answered()
        await caller.wait_speech(since=0)
        os.kill(caller.pid, signal.SIGSTOP)
        try:
            await desk.wait_ringing(timeout=TWO_SILENCES_S)
            await desk.decline()
        finally:
            os.kill(caller.pid, signal.SIGCONT)
    await nothing_left(sandbox)
    call = await served.book.last()
    assert (await served.book.turns(call["id"]))[-2]["reason"] == "silence"
