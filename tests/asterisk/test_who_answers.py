"""Who answers a number, by its mode, the hours and the caller's contact: real phones, a real controller and queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio

from ari_agent.calllog.contacts import ContactStore
from ari_agent.calllog.phone_book import Treatment
from sandbox.phone import Phone

from .agents import Agent, served
from .conftest import Sandbox
from .people import receptionist, they_hear_each_other

pytestmark = pytest.mark.asyncio(loop_scope="module")

OVERFLOW, OPEN, CLOSED, HUMAN_FIRST, OFF = "2910", "2911", "2912", "2913", "2914"
OVERFLOW_S = 5
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS = {
    "schedules": [{"name": "always"} | {day: ["00:00-24:00"] for day in DAYS}, {"name": "never"}],
    "numbers": [
        {"dialled": OVERFLOW, "mode": "overflow", "schedule": "always", "overflow_s": OVERFLOW_S},
        {"dialled": OPEN, "mode": "after-hours", "schedule": "always"},
        {"dialled": CLOSED, "mode": "after-hours", "schedule": "never"},
        {"dialled": HUMAN_FIRST, "mode": "human-first", "schedule": "always"},
        {"dialled": OFF, "mode": "off"},
    ],
}
CALLER, OTHER = "+4971112345", "+4971112346"

agent = served("routes", "search", hours=HOURS, company={"area_code": "0711"})


@asynccontextmanager
async def calling(sandbox: Sandbox, number: str) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(number)
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with calling(sandbox, CALLER) as phone:
        yield phone


@pytest_asyncio.fixture(loop_scope="module")
async def desk(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with receptionist(sandbox) as phone:
        yield phone


@asynccontextmanager
async def known(agent: Agent, number: str, route: Treatment) -> AsyncIterator[None]:
    """Let the company know a number for a while; the agent learns it from the database."""
    async with ContactStore.open(agent.checked.log) as store:
        for after in (route, "ai"):
            told = len(agent.lines())
            await store.treat(number, after)
            await agent.logged("contacts read", since=told)
            if after == route:
                yield


async def rings(caller: Phone, desk: Phone, number: str, seconds: float = 2.0) -> None:
    """Call a number; prove that the receptionist's phone rings and the AI does not answer."""
    await caller.call(number)
    await desk.wait_ringing(timeout=seconds)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await caller.wait_answered()
    assert not caller.in_call
    await caller.hangup()
    await desk.wait_ended()


async def answers(caller: Phone, number: str, seconds: float = 3.0) -> None:
    """Call a number; prove that the AI answers."""
    await caller.call(number)
    await caller.wait_answered(timeout=seconds)
    await caller.wait_speech()
    await caller.hangup()


async def test_in_overflow_the_receptionist_is_rung_first_and_then_the_ai_answers(
    agent: Agent, caller: Phone, desk: Phone
) -> None:
    calls = len(await agent.book.calls())
    await caller.call(OVERFLOW)
    await desk.wait_ringing()
    waited_ms = await caller.wait_answered(timeout=OVERFLOW_S + 4)
    await desk.wait_ended()
    assert OVERFLOW_S - 1 < waited_ms / 1000 < OVERFLOW_S + 3
    await caller.wait_speech()
    await caller.hangup()
    (call,) = await agent.book.closed(1, since=calls)
    assert call["dialled"] == OVERFLOW


async def test_in_overflow_with_nobody_at_the_desk_the_ai_answers_at_once(agent: Agent, caller: Phone) -> None:
    await answers(caller, OVERFLOW)


async def test_in_overflow_a_receptionist_who_answers_has_the_caller_for_good(
    agent: Agent, caller: Phone, desk: Phone
) -> None:
    calls = len(await agent.book.calls())
    await caller.call(OVERFLOW)
    await desk.wait_ringing()
    await desk.answer()
    await caller.wait_answered()
    await they_hear_each_other(caller, desk)
    await desk.hangup()
    await caller.wait_ended(timeout=3)
    assert len(await agent.book.calls()) == calls


async def test_after_hours_means_people_while_open_and_the_ai_while_closed(
    agent: Agent, caller: Phone, desk: Phone
) -> None:
    await rings(caller, desk, OPEN)
    await answers(caller, CLOSED)


async def test_people_first_means_the_ai_while_nobody_is_free(agent: Agent, sandbox: Sandbox, caller: Phone) -> None:
    await answers(caller, HUMAN_FIRST)
    async with receptionist(sandbox) as desk:
        await rings(caller, desk, HUMAN_FIRST)


async def test_a_number_on_which_the_ai_is_off_and_one_without_settings_are_answered_by_people(
    agent: Agent, caller: Phone, desk: Phone
) -> None:
    for number in (OFF, "2915"):
        await rings(caller, desk, number)


async def test_a_blocked_caller_is_turned_away_and_nobody_hears_of_it(
    agent: Agent, sandbox: Sandbox, caller: Phone, desk: Phone
) -> None:
    calls = len(await agent.book.calls())
    async with known(agent, CALLER, "blocked"), calling(sandbox, OTHER) as other:
        for number in (CLOSED, OPEN, OVERFLOW, OFF):
            await caller.call(number)
            assert await caller.wait_ended(timeout=2) == 403
        await rings(other, desk, OPEN)  # anybody else is served, and this is the first that the desk hears
    assert len(await agent.book.calls()) == calls
    await rings(caller, desk, OPEN)


async def test_an_important_caller_reaches_people_without_the_ai_however_the_number_is_sent(
    agent: Agent, sandbox: Sandbox, desk: Phone
) -> None:
    async with known(agent, CALLER, "vip"):
        for number in (CALLER, "071112345", "004971112345", "4971112345"):
            async with calling(sandbox, number) as caller:
                await rings(caller, desk, CLOSED)


async def test_no_number_of_a_contact_stands_in_the_log(agent: Agent) -> None:
    assert CALLER[3:] not in agent.log.read_text()
