"""The way to a person and back, and that nothing of it stays behind: real phones on both sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from sandbox import ear
from sandbox.phone import Phone, Ringing

from . import agents
from .agents import Agent
from .conftest import Sandbox
from .people import (
    CALLERS_TONE,
    NUMBER,
    STAFF_TONE,
    Ears,
    ask,
    connected,
    heard_tone,
    nothing_left,
    notice_over,
    receptionist,
    wants_a_person,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


WORKSHOP = "PJSIP/empfang3"
STATIONS = {
    "targets": {"werkstatt": WORKSHOP},
    "table": [{"urgency": "high", "targets": ["werkstatt", "empfang"]}],
}
"""Urgent matters go to a phone, and to the queue when it is not free; all others to the queue."""
ANOTHER_CALL = "context=sandbox-desk&extension=answers&priority=1"

served = agents.served("escalation", escalation={"ring_s": 4, "key_s": 2, **STATIONS})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears(served: Agent) -> Ears:
    return Ears(served.checked)


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def desk(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with receptionist(sandbox) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def workshop(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with receptionist(sandbox, "empfang3") as phone:
        yield phone


async def calls_in_an_emergency(caller: Phone) -> None:
    await notice_over(caller)
    await ask(caller, "Das ist ein Notfall!")


async def whispered_to(caller: Phone, desk: Phone) -> Ringing:
    """Bring the call to the point where the receptionist has answered and hears the whisper."""
    await wants_a_person(caller)
    ringing = await desk.wait_ringing()
    await desk.answer()
    await desk.wait_speech()
    return ringing


async def closing(served: Agent, sandbox: Sandbox) -> tuple[str, str]:
    """Wait until nothing of the call is left; return its outcome and reason."""
    await nothing_left(sandbox)
    (call,) = await served.book.closed(1, since=len(await served.book.calls()) - 1)
    return call["outcome"], call["reason"]


async def test_the_two_hear_each_other_only_after_key_1_and_the_display_names_the_caller(
    served: Agent, ears: Ears, caller: Phone, desk: Phone, sandbox: Sandbox
) -> None:
    await wants_a_person(caller)
    ringing = await desk.wait_ringing()
    assert (ringing.name, ringing.number) == ("KI: Taste 0", NUMBER)
    await caller.tone(CALLERS_TONE, 15)
    await desk.answer()
    await desk.tone(STAFF_TONE, 15)
    await desk.listen(quiet_ms=500)
    assert await ears.heard(desk, ears.script.whisper("key-0"))
    before_desk, before_caller = await desk.recording(), await caller.recording()
    assert not ear.has_tone(before_desk.received, CALLERS_TONE)
    assert not ear.has_tone(before_caller.received, STAFF_TONE)
    await desk.dtmf("1")
    await desk.wait_speech()
    await asyncio.gather(heard_tone(desk, CALLERS_TONE), heard_tone(caller, STAFF_TONE))
    await caller.hangup()
    assert await desk.wait_ended() == 200
    assert await closing(served, sandbox) == ("handed-over", "key-0")
    assert (await served.book.last())["escalated_to"] == "empfang"


async def declines_by_key(desk: Phone) -> None:
    await desk.answer()
    await desk.wait_speech()
    await desk.dtmf("2")
    await desk.wait_ended()


async def presses_nothing(desk: Phone) -> None:
    await desk.answer()
    await desk.wait_ended()


async def hangs_up_during_the_whisper(desk: Phone) -> None:
    await desk.answer()
    await desk.wait_speech()
    await desk.hangup()


async def lets_it_ring(desk: Phone) -> None:
    await desk.wait_ended()


@pytest.mark.parametrize(
    ("receptionists_way", "result"),
    [
        (declines_by_key, "declined"),
        (presses_nothing, "no-key"),
        (hangs_up_during_the_whisper, "no-key"),
        (lets_it_ring, "no-answer"),
    ],
)
async def test_the_ai_is_back_and_says_so_when_the_receptionist(
    served: Agent,
    ears: Ears,
    caller: Phone,
    desk: Phone,
    receptionists_way: Callable[[Phone], Awaitable[None]],
    result: str,
) -> None:
    await wants_a_person(caller)
    await desk.wait_ringing()
    await receptionists_way(desk)
    since = await caller.now()
    await caller.listen(quiet_ms=500, since=since)
    assert await ears.heard(caller, ears.wording.back_again, since - 1600)
    assert await ears.heard(caller, ears.wording.refusals[result], since - 1600)
    call = await served.book.last()
    assert await served.book.escalations(call["id"]) == [result]
    assert call["closed_at"] is None  # the caller is still with the AI
    assert not desk.in_call


async def test_with_no_phone_registered_nobody_is_promised_and_the_ai_goes_on(
    served: Agent, ears: Ears, caller: Phone
) -> None:
    await wants_a_person(caller)
    await caller.listen(quiet_ms=600, since=0)
    assert await ears.heard(caller, ears.wording.refusals["nobody-free"])
    assert not await ears.heard(caller, ears.wording.connecting)
    assert await served.book.escalations((await served.book.last())["id"]) == ["nobody-free"]


async def test_a_caller_who_hangs_up_while_the_queue_rings_stops_the_ringing(
    served: Agent, caller: Phone, desk: Phone, sandbox: Sandbox
) -> None:
    await wants_a_person(caller)
    await desk.wait_ringing()
    await caller.hangup()
    await desk.wait_ended(timeout=3)
    assert await closing(served, sandbox) == ("caller-hung-up", "caller")


async def test_a_caller_who_hangs_up_during_the_whisper_frees_the_receptionists_line(
    served: Agent, caller: Phone, desk: Phone, sandbox: Sandbox
) -> None:
    await whispered_to(caller, desk)
    await caller.hangup()
    await desk.wait_ended(timeout=3)
    assert await closing(served, sandbox) == ("caller-hung-up", "caller")


@pytest.mark.parametrize("who", ["caller", "receptionist"])
async def test_whoever_hangs_up_first_frees_both_lines(
    served: Agent, caller: Phone, desk: Phone, sandbox: Sandbox, who: str
) -> None:
    await connected(caller, desk)
    first, other = (caller, desk) if who == "caller" else (desk, caller)
    await first.hangup()
    await other.wait_ended(timeout=3)
    assert await closing(served, sandbox) == ("handed-over", "key-0")


async def test_a_phone_of_the_settings_is_rung_itself_with_the_same_whisper_and_keys(
    served: Agent, ears: Ears, caller: Phone, workshop: Phone, desk: Phone, sandbox: Sandbox
) -> None:
    await calls_in_an_emergency(caller)
    ringing = await workshop.wait_ringing()
    assert (ringing.name, ringing.number) == ("KI: DRINGEND Notfall", NUMBER)
    await workshop.answer()
    await workshop.listen(quiet_ms=500)
    await workshop.dtmf("1")
    await asyncio.gather(caller.tone(CALLERS_TONE, 5), workshop.tone(STAFF_TONE, 5))
    await asyncio.gather(heard_tone(workshop, CALLERS_TONE), heard_tone(caller, STAFF_TONE))
    assert await ears.heard(workshop, ears.script.whisper("emergency"))
    assert not desk.in_call
    await workshop.hangup()
    await caller.wait_ended(timeout=3)
    assert await closing(served, sandbox) == ("handed-over", "emergency")
    call = await served.book.last()
    assert call["escalated_to"] == WORKSHOP
    assert await served.book.escalations(call["id"]) == ["accepted"]


@pytest.mark.parametrize(
    ("first", "result"),
    [("has a call", "nobody-free"), ("is not registered", "nobody-free"), ("declines", "declined")],
)
async def test_the_next_is_rung_when_the_first_phone(
    served: Agent, caller: Phone, desk: Phone, sandbox: Sandbox, first: str, result: str
) -> None:
    async with AsyncExitStack() as stack:
        if first != "is not registered":
            workshop = await stack.enter_async_context(receptionist(sandbox, "empfang3"))
        if first == "has a call":
            await asyncio.to_thread(sandbox.ari, "POST", f"channels?endpoint={WORKSHOP}&{ANOTHER_CALL}")
            await workshop.wait_ringing()
            await workshop.answer()
        await calls_in_an_emergency(caller)
        if first == "declines":
            await workshop.wait_ringing()
            await declines_by_key(workshop)
        await desk.wait_ringing()
        await desk.answer()
        await desk.wait_speech()
        await desk.dtmf("1")
        await heard_tone_of(desk, caller)
        call = (await served.book.last())["id"]
        assert await served.book.escalations(call) == [result, "accepted"]
        await caller.hangup()
        if first == "has a call":
            await workshop.hangup()
        assert await closing(served, sandbox) == ("handed-over", "emergency")


async def heard_tone_of(desk: Phone, caller: Phone) -> None:
    await desk.tone(STAFF_TONE, 1.0)
    await heard_tone(caller, STAFF_TONE)


@pytest.mark.parametrize("after_ms", [0, 150, 250])
async def test_key_1_and_the_receiver_put_down_in_one_movement_leave_no_caller_in_silence(
    served: Agent, caller: Phone, desk: Phone, sandbox: Sandbox, after_ms: int
) -> None:
    await whispered_to(caller, desk)
    pressed = await desk.dtmf("1")
    await desk.wait_quiet(after_ms, since=pressed)
    await desk.hangup()
    call = (await served.book.last())["id"]
    ways = {
        asyncio.create_task(caller.wait_ended()): "both are free",
        asyncio.create_task(desk.wait_ringing()): "the queue has the caller",
        asyncio.create_task(served.book.refused(call)): "the AI is back",
    }
    done, waiting = await asyncio.wait(ways, timeout=8, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
    assert done
    await caller.hangup()
    await closing(served, sandbox)
