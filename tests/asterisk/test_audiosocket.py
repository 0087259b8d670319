"""AudioSocket on a real Asterisk, in both of its sample rates: the line by itself, and whole calls over it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio
from database.servers import open_folder
from wires import drop_what_arrives

from ari_agent.pbx import transport
from ari_agent.pbx.audiosocket_line import AudioSocketLine
from ari_agent.pbx.leg import Leg
from ari_agent.pbx.transport import AudioSocket, Transport
from sandbox import ear
from sandbox.phone import Phone

from .agents import Inside, inside, tables
from .conftest import Sandbox
from .people import (
    COMPANY,
    NUMBER,
    SERVICE,
    STAFF_TONE,
    Ears,
    ask,
    heard_tone,
    nothing_left,
    notice_over,
    receptionist,
    says,
    they_hear_each_other,
    until,
)
from .test_ari import listening, settings
from .test_media import Heard, looped, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = (16_000, 8_000)
BARGE_IN_LIMIT_MS = 600
"""As of the other transport; deploy/bench measures."""
NOTICED_S = 1.0
"""`asterisk.audio_s` here."""


@contextmanager
def asterisk_of(rate: int) -> Iterator[None]:
    """Be on an Asterisk that knows no higher rate."""
    with pytest.MonkeyPatch.context() as patch:
        if rate == 8_000:
            patch.setattr(transport, "WIDE_AUDIOSOCKET", {99: 0})
        yield


@pytest.fixture(params=RATES)
def rate(request: pytest.FixtureRequest) -> Iterator[int]:
    with asterisk_of(request.param):
        yield request.param


@pytest_asyncio.fixture(loop_scope="module")
async def leg(sandbox: Sandbox, rate: int) -> AsyncIterator[Leg]:
    values = settings(sandbox, transport="audiosocket")
    async with listening(values) as (ari, _), Transport.open(values) as opened:
        assert await opened.choose(ari) == AudioSocket(rate)
        async with looped(ari, opened, sandbox, "looped") as leg:
            yield leg
    await nothing_left(sandbox)


@pytest_asyncio.fixture(loop_scope="module")
async def heard(leg: Leg) -> AsyncIterator[Heard]:
    heard = Heard(leg)
    yield heard
    await heard.stop()


async def test_a_phrase_is_played_to_its_end_in_its_own_time(leg: Leg, heard: Heard) -> None:
    started = time.monotonic()
    async with asyncio.timeout(10):
        await leg.line.play(tone(4, 4))
    assert 3.9 < time.monotonic() - started < 6  # what a busy machine holds up is said later, never faster
    assert leg.line.played_ms == 4000
    await heard.quiet()
    assert heard.loud_ms == pytest.approx(4000, abs=200)


async def test_a_cancelled_phrase_is_silent_at_once_and_says_how_much_was_played(leg: Leg, heard: Heard) -> None:
    late, wrong = [], []
    for wait_s in (0.31, 0.52, 0.44):
        before = heard.loud_ms
        speaking = asyncio.create_task(leg.line.play(tone(10)))
        await heard.more_than(before)
        await asyncio.sleep(wait_s)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        cancelled = time.monotonic()
        await heard.quiet()
        late.append((heard.loud_at[-1] - cancelled) * 1000)
        wrong.append(leg.line.played_ms - (heard.loud_ms - before))
    # Of ten seconds that were waiting; the way through Echo() and a busy machine included.
    assert max(late) <= 300, late
    assert max(map(abs, wrong)) <= 300, wrong


async def test_phrases_one_after_the_other_do_not_run_into_each_other(leg: Leg, heard: Heard) -> None:
    for seconds in (0.11, 0.25, 0.333):  # no multiples of a frame
        before = heard.loud_ms
        await leg.line.play(tone(seconds, 0.05))
        await heard.quiet()
        assert heard.loud_ms - before == pytest.approx(seconds * 1000, abs=45)
        assert leg.line.played_ms == pytest.approx(seconds * 1000, abs=1)


# Whole calls


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=RATES)
async def agent(sandbox: Sandbox, request: pytest.FixtureRequest) -> AsyncIterator[Inside]:
    chosen = {"transport": "audiosocket", "audio_s": NOTICED_S}
    with asterisk_of(request.param), open_folder() as folder:
        async with inside(folder, tables(folder, "audiosocket", "embedded", asterisk=chosen)) as agent:
            assert agent.controller._transport._choice == AudioSocket(request.param)
            yield agent


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox, agent: Inside) -> AsyncIterator[Phone]:
    """A caller's phone; whatever happens to the call, nothing of it may be left."""
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER)
        yield phone
        await phone.hangup()
    await nothing_left(sandbox)

    async def idle() -> bool:
        return agent.controller.active == 0

    await until(idle)
    server = agent.controller._transport._server
    assert server is not None
    assert not server._expected
    assert not server._strangers


async def closed(agent: Inside) -> str:
    """Wait until the newest call is in the log as ended; return how."""
    (call,) = await agent.book.closed(1, since=len(await agent.book.calls()) - 1)
    return f"{call['outcome']}/{call['reason']}"


async def test_a_caller_is_answered_interrupts_and_is_put_through(
    agent: Inside, caller: Phone, sandbox: Sandbox
) -> None:
    ears = Ears(agent.settings)
    async with receptionist(sandbox) as desk:
        await notice_over(caller)
        asked = await ask(caller, "Was kostet eine Wartung?")
        await caller.listen(since=asked)
        assert await ears.heard(caller, ears.script.notice)
        assert await ears.heard(caller, SERVICE, asked)
        again = await ask(caller, "Was kostet eine Wartung?")
        begun = await caller.wait_speech(since=again + 1)
        await caller.wait_speech(since=begun + 4000)
        interruption = await caller.say(says("Ich möchte bitte mit einem Mitarbeiter sprechen."))
        await caller.said(interruption)
        ringing = await desk.wait_ringing()
        assert ringing.number == NUMBER
        stopped = ear.barge_in_ms((await caller.recording()).received, interruption.first)
        assert stopped is not None
        assert stopped <= BARGE_IN_LIMIT_MS
        await desk.answer()
        await desk.wait_speech()
        await desk.dtmf("1")
        await desk.tone(STAFF_TONE, 1.0)
        await heard_tone(caller, STAFF_TONE)
        await they_hear_each_other(caller, desk)
        await desk.hangup()
        await caller.wait_ended(timeout=3)
    assert (await closed(agent)).startswith("handed-over/")
    first, second, *_ = await agent.book.turns((await agent.book.last())["id"])
    assert (first["agent_text"].startswith(SERVICE), first["interrupted"]) == (True, False)
    assert second["interrupted"]
    assert second["agent_text"].endswith("…")


async def test_a_connection_through_which_nothing_gets_any_more_costs_the_caller_a_moment(
    agent: Inside, caller: Phone, sandbox: Sandbox
) -> None:
    async with receptionist(sandbox) as desk:
        await caller.call(COMPANY)
        await caller.wait_answered()
        await caller.wait_speech()
        (call,) = agent.controller._calls
        assert isinstance(call._line, AudioSocketLine)
        drop_what_arrives(call._line._writer.get_extra_info("socket"))
        began = time.monotonic()
        await desk.wait_ringing()
        assert time.monotonic() - began < NOTICED_S + 2
        await desk.answer()
        await they_hear_each_other(caller, desk)
        await desk.hangup()
        await caller.wait_ended(timeout=3)
    assert await closed(agent) == "to-queue/media"
