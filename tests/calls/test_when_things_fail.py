"""Whatever fails, the caller is told to wait a moment and goes to the queue; whoever hangs up leaves nothing behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ari_agent.call import HungUp, ToQueue
from ari_agent.errors import EngineTimeout, EngineUnavailable, MediaError
from ari_agent.record import CallNoted

from .switchboard import RINGING_TONE, Caller, a_call

MOMENT = "Einen Moment bitte, ich verbinde Sie."
OPEN = "wann haben sie geöffnet"


async def during_the_notice(caller: Caller) -> None:
    await caller.hears("Guten Tag")


async def during_the_greeting(caller: Caller) -> None:
    await caller.hears("Einen Menschen erreichen Sie")


async def while_listening(caller: Caller) -> None:
    await caller.hears("Was kann ich für Sie tun?")
    await caller.heard_out()


async def while_speaking(caller: Caller) -> None:
    await while_listening(caller)
    caller.starts_to_say(OPEN)
    await caller.until(lambda: caller.recogniser.utterances)


async def during_an_answer(caller: Caller) -> None:
    await while_listening(caller)
    await caller.says(OPEN)
    await caller.hears("Wir sind")


async def while_ringing(caller: Caller) -> None:
    await while_listening(caller)
    await caller.says("mitarbeiter")
    await caller.hears(RINGING_TONE)


async def during_the_emergency_sentence(caller: Caller) -> None:
    await while_listening(caller)
    await caller.says("es brennt")
    await caller.hears("Im Notfall")


async def during_the_goodbye(caller: Caller) -> None:
    await while_listening(caller)
    await caller.says("auf wiederhören")
    await caller.hears("Vielen Dank")


STAGES = [
    during_the_notice,
    during_the_greeting,
    while_listening,
    while_speaking,
    during_an_answer,
    while_ringing,
    during_the_emergency_sentence,
    during_the_goodbye,
]
Stage = Callable[[Caller], Awaitable[None]]
at_every_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)


@at_every_stage
async def test_a_caller_may_hang_up(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.hangs_up()
        assert await caller.ending() == HungUp()
        assert MOMENT not in caller.voice.texts


@at_every_stage
async def test_a_caller_who_hangs_up_takes_the_line_along(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.line.close()
        caller.hangs_up()
        assert await caller.ending() == HungUp()


@at_every_stage
async def test_when_line_and_caller_are_gone_in_one_moment_the_caller_has_hung_up(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.line.close(MediaError("the media connection broke"))
        caller.hangs_up()
        assert await caller.ending() == HungUp()


@at_every_stage
async def test_a_line_that_breaks_sends_the_caller_to_the_queue(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.line.close(MediaError("the media connection broke"))
        assert await caller.ending() == ToQueue("media")
        assert [note.code for note in caller.notes.of(CallNoted)] == ["moment-not-played"]


@at_every_stage
async def test_a_line_that_ends_though_nobody_hung_up_sends_the_caller_to_the_queue(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.line.close()
        assert await caller.ending() == ToQueue("media")


@at_every_stage
async def test_a_controller_that_stops_sends_the_caller_to_the_queue(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.call.dismiss("drain")
        caller.call.dismiss("again")
        assert await caller.ending() == ToQueue("drain")
        assert caller.line.heard[-1] == MOMENT


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage is not while_speaking], ids=lambda s: s.__name__)
async def test_a_recogniser_that_dies_sends_whoever_speaks_to_the_queue(stage: Stage) -> None:
    async with a_call(greeted=False) as caller:
        await stage(caller)
        caller.recogniser.unavailable = EngineUnavailable("vosk")
        caller.starts_to_say(OPEN)
        assert await caller.ending() == ToQueue("engine-vosk")
        assert caller.line.heard[-1] == MOMENT


@pytest.mark.parametrize("error", [EngineUnavailable("vosk"), EngineTimeout("vosk")], ids=["dies", "is too slow"])
async def test_a_recogniser_that_fails_in_the_middle_of_a_sentence(error: EngineUnavailable | EngineTimeout) -> None:
    async with a_call() as caller:
        await caller.says(error)
        assert await caller.ending() == ToQueue("engine-vosk")
        assert caller.line.heard[-1] == MOMENT


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (during_the_notice, "Guten Tag, hier ist der KI-Assistent"),
        (during_the_greeting, "Einen Menschen erreichen Sie"),
        (during_an_answer, "Wir sind montags"),
        (while_ringing, "Ich versuche noch"),
        (during_the_emergency_sentence, "Im Notfall"),
        (during_the_goodbye, "Auf Wiederhören"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_voice_that_dies_sends_the_caller_to_the_queue(stage: Stage, text: str) -> None:
    async with a_call(greeted=False) as caller:
        for phrase in caller.script.phrases():
            for sentence in phrase.replace(". ", ".|").split("|"):
                if sentence.startswith(text):
                    caller.voice.failures[sentence] = EngineTimeout("espeak")
        assert caller.voice.failures
        if stage is not during_the_notice:
            await caller.until(lambda: caller.disclosures)
        if stage in (while_ringing, during_the_goodbye, during_the_emergency_sentence, during_an_answer):
            await while_listening(caller)
            words = {while_ringing: "mitarbeiter", during_the_goodbye: "auf wiederhören", during_an_answer: OPEN}
            await caller.says(words.get(stage, "es brennt"))
        assert await caller.ending() == ToQueue("engine-espeak")
        assert caller.line.heard[-1] == MOMENT
        assert not caller.reception.ringing


async def test_a_voice_that_cannot_even_say_wait_a_moment_still_leads_to_the_queue() -> None:
    async with a_call() as caller:
        caller.voice.failures[MOMENT] = EngineUnavailable("espeak")
        caller.call.dismiss("drain")
        assert await caller.ending() == ToQueue("drain")
        assert [note.code for note in caller.notes.of(CallNoted)] == ["moment-not-played"]


async def test_a_line_that_hangs_at_wait_a_moment_still_leads_to_the_queue() -> None:
    async with a_call() as caller:
        caller.line.stuck = True
        caller.call.dismiss("drain")
        assert await caller.ending() == ToQueue("drain")
        assert [note.code for note in caller.notes.of(CallNoted)] == ["moment-not-played"]


async def test_a_call_that_is_cancelled_from_outside_leaves_nothing_behind() -> None:
    async with a_call(greeted=False) as caller:
        await while_ringing(caller)
        await caller.killed()
        assert caller.task.cancelled()
