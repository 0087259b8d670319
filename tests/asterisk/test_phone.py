"""The SIP phone that demo, tests and bench share, on the real Asterisk: what it measures must be true."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from sandbox import caller_voice, ear
from sandbox.phone import Phone, PhoneError
from sandbox.recording import Recording

from .conftest import Sandbox

ECHO, QUEUE = "2901", "2903"
NUMBER = "+4971112345"
FLOOR_MS = (20, 65)
"""Delay of phone and Asterisk together: 25 ms on a quiet machine, one or two frames more on a busy one."""


@pytest_asyncio.fixture
async def caller(sandbox: Sandbox) -> AsyncIterator[Phone]:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(NUMBER, "Anna Muster")
        yield phone


@pytest_asyncio.fixture
async def desk(sandbox: Sandbox) -> AsyncIterator[Phone]:
    """The first receptionist's phone."""
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.register("empfang1", sandbox.secret("empfang1"))
        yield phone


def delay_ms(recording: Recording) -> float:
    """By which delay the received side resembles the sent one most."""
    size = 2 * len(recording.sent)
    spectrum = np.fft.rfft(recording.received, size) * np.conj(np.fft.rfft(recording.sent, size))
    return float(np.argmax(np.fft.irfft(spectrum)[: size // 2])) / 8


async def test_the_echo_of_a_sentence_comes_back_after_one_tick_of_the_phone(caller: Phone) -> None:
    await caller.call(ECHO)
    assert await caller.wait_answered() < 1000
    sentence = caller_voice.speak("Guten Tag, ich möchte einen Termin am Montag um zehn Uhr.", caller_voice.voices()[0])
    spoken = await caller.say(sentence)
    heard = await caller.listen(since=spoken.first)
    recording = await caller.recording()
    assert FLOOR_MS[0] <= delay_ms(recording) <= FLOOR_MS[1]
    assert FLOOR_MS[0] <= (heard.first - spoken.first) / 8 <= FLOOR_MS[1]
    assert FLOOR_MS[0] <= (heard.last - spoken.last) / 8 <= FLOOR_MS[1]
    reply_ms = ear.heard_ms(recording.received, spoken.last)
    assert reply_ms is not None
    assert reply_ms <= FLOOR_MS[1]


async def test_both_directions_are_on_one_clock_in_every_part_of_a_call(caller: Phone) -> None:
    await caller.call(ECHO)
    await caller.wait_answered()
    await caller.wait_quiet(200)
    for _ in range(5):
        spoken = await caller.tone(440, 0.3)
        await caller.said(spoken)
        await caller.wait_quiet(310)
    await caller.hangup()
    recording = await caller.recording()
    sent, received = ear.speech(recording.sent), ear.speech(recording.received)
    delays = [(there.first - here.first) / 8 for here, there in zip(sent, received, strict=True)]
    assert len(delays) == 5
    assert all(FLOOR_MS[0] <= delay <= FLOOR_MS[1] for delay in delays)
    assert len(recording.sent) == len(recording.received)
    assert ear.has_tone(recording.received, 440)
    assert not ear.holes(recording.sent)


async def test_what_say_promises_is_what_the_recording_holds(caller: Phone) -> None:
    await caller.call(ECHO)
    await caller.wait_answered()
    sentence = caller_voice.speak("Was kostet die Reparatur?", caller_voice.voices()[1])
    spoken = await caller.say(sentence)
    await caller.said(spoken)
    recording = await caller.recording()
    np.testing.assert_array_equal(recording.sent[spoken.first : spoken.last + 1], sentence)


async def test_the_reception_sees_who_calls_answers_and_both_hear_each_other(caller: Phone, desk: Phone) -> None:
    await caller.call(QUEUE)
    ringing = await desk.wait_ringing()
    assert (ringing.name, ringing.number) == ("Anna Muster", NUMBER)
    await desk.answer(after_ms=100)
    assert await caller.wait_answered() >= 100
    await desk.tone(440, 0.5)
    assert (await caller.listen(quiet_ms=200)).ms == pytest.approx(500, abs=60)
    await caller.tone(600, 0.5)
    assert (await desk.listen(quiet_ms=200)).ms == pytest.approx(500, abs=60)
    at_caller, at_desk = await caller.recording(), await desk.recording()
    assert ear.has_tone(at_caller.received, 440)
    assert not ear.has_tone(at_caller.received, 600)
    assert ear.has_tone(at_desk.received, 600)
    await caller.hangup()
    assert await desk.wait_ended() == 200
    assert not desk.in_call


async def test_keys_arrive_in_order_and_in_both_directions(caller: Phone, desk: Phone) -> None:
    await caller.call(QUEUE)
    await desk.wait_ringing()
    await desk.answer()
    await caller.wait_answered()
    await desk.tone(440, 0.1)
    await caller.wait_speech()  # until both are connected, the queue takes the caller's keys for itself
    await caller.dtmf("10#")
    assert [await desk.wait_digit() for _ in range(3)] == ["1", "0", "#"]
    await desk.dtmf("2")
    assert await caller.wait_digit() == "2"


async def test_who_declines_is_out_of_the_call_and_a_colleague_takes_it(
    sandbox: Sandbox, caller: Phone, desk: Phone
) -> None:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as colleague:
        await colleague.register("empfang2", sandbox.secret("empfang2"))
        await caller.call(QUEUE)
        await desk.wait_ringing()
        await colleague.wait_ringing()
        await desk.decline()
        await colleague.answer()
        await caller.wait_answered()
        assert not desk.in_call
        assert colleague.in_call


async def test_a_phone_takes_one_call_after_the_other_each_with_its_own_recording(caller: Phone) -> None:
    for seconds in (0.5, 0.2):
        await caller.call(ECHO)
        await caller.wait_answered()
        await caller.said(await caller.tone(440, seconds))
        await caller.hangup()
        (spoken,) = ear.speech((await caller.recording()).sent)
        assert spoken.ms == pytest.approx(1000 * seconds, abs=1)


async def test_parallel_callers_hear_only_themselves(sandbox: Sandbox) -> None:
    async def one(hertz: float) -> Recording:
        async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
            await phone.call(ECHO)
            await phone.wait_answered()
            await phone.tone(hertz, 0.5)
            await phone.listen(quiet_ms=200)
            return await phone.recording()

    tones = (400, 500, 600)
    recordings = await asyncio.gather(*(one(hertz) for hertz in tones))
    for own, recording in zip(tones, recordings, strict=True):
        assert [hertz for hertz in tones if ear.has_tone(recording.received, hertz)] == [own]


async def test_a_phone_in_a_call_is_busy_for_the_next_caller(sandbox: Sandbox, caller: Phone) -> None:
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as second:
        await caller.call(ECHO)
        await caller.wait_answered()
        await second.call(f"sip:caller@127.0.0.1:{caller.port}")
        with pytest.raises(PhoneError, match="SIP status 486"):
            await second.wait_answered()
        assert caller.in_call


async def test_a_wrong_password_is_told(caller: Phone) -> None:
    with pytest.raises(PhoneError, match="refused the registration with SIP status 401"):
        await caller.register("empfang1", "wrong")


async def test_a_phone_that_is_switched_off_is_no_longer_registered(sandbox: Sandbox, desk: Phone) -> None:
    contacts = await asyncio.to_thread(sandbox.cli, "pjsip show contacts")
    assert "empfang1" in contacts
    await desk.close()
    with pytest.raises(PhoneError, match="process ended with status 0"):
        await desk.now()
    assert "empfang1" not in await asyncio.to_thread(sandbox.cli, "pjsip show contacts")


async def test_every_wait_has_an_end(caller: Phone) -> None:
    with pytest.raises(PhoneError, match="for an incoming call"):
        await caller.wait_ringing(timeout=0.05)
    with pytest.raises(PhoneError, match="no audio path"):
        await caller.tone(440, 0.1)
    await caller.call(ECHO)
    await caller.wait_answered()
    with pytest.raises(PhoneError, match="for the other side to speak"):
        await caller.wait_speech(timeout=0.05)
    with pytest.raises(PhoneError, match="for a key"):
        await caller.wait_digit(timeout=0.05)


async def test_who_listens_is_told_when_the_call_ends(caller: Phone) -> None:
    await caller.call(ECHO)
    await caller.wait_answered()
    listening = asyncio.create_task(caller.wait_speech(timeout=10))
    await caller.now()  # the phone obeys in order, so it listens when this comes back
    await caller.hangup()
    with pytest.raises(PhoneError, match="the call has ended"):
        await asyncio.wait_for(listening, 5)


async def test_a_call_that_is_refused_is_told_to_who_waits_for_the_answer(caller: Phone) -> None:
    await caller.call("9999")
    with pytest.raises(PhoneError, match="SIP status 404"):
        await caller.wait_answered()


async def test_the_death_of_the_phones_process_is_an_error_and_not_silence(caller: Phone) -> None:
    await caller.call(ECHO)
    await caller.wait_answered()
    listening = asyncio.create_task(caller.wait_speech(timeout=30))
    await caller.now()
    os.kill(caller.pid, signal.SIGKILL)
    for broken in (listening, caller.wait_ended(), caller.tone(440, 0.1), caller.recording()):
        with pytest.raises(PhoneError, match="process ended with status -9"):
            await asyncio.wait_for(broken, 5)
