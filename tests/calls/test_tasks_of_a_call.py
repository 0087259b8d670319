"""What a caller leaves is written down at once, and what they had begun to leave at the end, however the call ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ari_agent.call import HandOver
from ari_agent.errors import EngineTimeout, MediaError

from .switchboard import NUMBER, Caller, Receptionist, a_call

CALL_BACK = "rufen sie mich bitte zurück"
ANSWERS = {
    "form-name": "müller",
    "form-company": "privat",
    "form-matter": "die heizung tropft",
    "form-wish": "morgen vormittag",
}
"""By the reason of the question; any other is answered with yes."""
NOTED = "Danke, das ist notiert."


async def answers_everything(caller: Caller) -> None:
    """Leave a callback, up to the moment in which it is noted."""
    await caller.says(CALL_BACK)
    for _ in range(12):
        await caller.heard_out()
        await caller.says(ANSWERS.get(caller.turns[-1].reason or "", "ja"))
        if caller.tasks:
            return


async def gives_a_name(caller: Caller) -> None:
    """Begin to leave a callback."""
    await caller.says(CALL_BACK)
    await caller.heard_out()
    await caller.says("müller")
    await caller.heard_out()
    await caller.says("ja")
    await caller.heard_out()


async def test_a_callback_is_written_before_it_is_said_to_be_noted() -> None:
    async with a_call() as caller:
        await answers_everything(caller)
        await caller.hears(NOTED)
        (taken,) = caller.tasks
        task = taken.task
        assert (task.kind, task.name, task.number, task.matter) == ("callback", "Müller", NUMBER, "die heizung tropft")
        assert task.complete
        assert taken.at.tzinfo is not None
        await caller.heard_out()
        assert (caller.turns[-1].act, caller.turns[-1].reason) == ("message", "callback")
        caller.hangs_up()
        await caller.ending()
        assert len(caller.tasks) == 1


async def test_after_it_was_noted_the_caller_is_served_as_before() -> None:
    async with a_call() as caller:
        await answers_everything(caller)
        await caller.heard_out()
        await caller.says("wann haben sie geöffnet")
        await caller.heard_out()
        assert caller.turns[-1].source == "oeffnungszeiten"
        caller.hangs_up()


async def hangs_up(caller: Caller) -> None:
    caller.hangs_up()


async def is_dismissed(caller: Caller) -> None:
    caller.call.dismiss("drain")


async def loses_the_line(caller: Caller) -> None:
    caller.line.close(MediaError("the media connection broke"))


async def is_not_understood_any_more(caller: Caller) -> None:
    caller.starts_to_say(EngineTimeout("vosk"))


async def says_goodbye(caller: Caller) -> None:
    await caller.says("auf wiederhören")


async def talks_too_long(caller: Caller) -> None:
    """Do nothing: the settings end the call."""


@pytest.mark.parametrize(
    "end", [hangs_up, is_dismissed, loses_the_line, is_not_understood_any_more, says_goodbye, talks_too_long]
)
async def test_half_a_callback_is_kept_once_when_the_caller(end: Callable[[Caller], Awaitable[None]]) -> None:
    async with a_call(calls={"longest_s": 50.0}) as caller:
        await gives_a_name(caller)
        assert not caller.tasks
        await end(caller)
        await caller.ending()
        (taken,) = caller.tasks
        assert taken.task.name == "Müller"
        assert not taken.task.complete
        (summary,) = caller.summaries
        assert caller.notes.entries.index(summary) > caller.notes.entries.index(taken)


async def test_half_a_callback_is_kept_when_the_controller_stops_at_once() -> None:
    async with a_call() as caller:
        await gives_a_name(caller)
        await caller.killed()
        assert [taken.task.name for taken in caller.tasks] == ["Müller"]
        assert len(caller.summaries) == 1


async def reaches_a_person(caller: Caller) -> None:
    caller.reception.will(Receptionist("empfang"))
    caller.presses("0")
    assert await caller.ending() == HandOver(Receptionist("empfang"), "key-0")


async def test_who_talks_to_a_person_tells_them_what_was_begun() -> None:
    async with a_call() as caller:
        await gives_a_name(caller)
        await reaches_a_person(caller)
        assert not caller.summaries  # whether they will talk is not known yet
        caller.call.close("handed-over")
        assert not caller.tasks
        assert len(caller.summaries) == 1


async def test_when_the_hand_over_fails_half_a_callback_is_kept() -> None:
    async with a_call() as caller:
        await gives_a_name(caller)
        await reaches_a_person(caller)
        caller.call.close("to-queue")
        assert [taken.task.name for taken in caller.tasks] == ["Müller"]
        assert len(caller.summaries) == 1


async def test_a_call_in_which_nothing_happened_leaves_no_note() -> None:
    async with a_call() as caller:
        caller.hangs_up()
        await caller.ending()
        assert not caller.tasks
        assert not caller.summaries
