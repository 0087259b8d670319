"""The four calls: what happens in each, and what must come of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sandbox.demo.play import NotLoggedError, Play
from sandbox.demo.result import CallResult, Expected, Outcome
from sandbox.demo.screen import Screen
from sandbox.demo.stage import Stage
from sandbox.phone import PhoneError
from sandbox.recording import Samples

SCENE_LIMIT = 90.0
"""Seconds for one call; the longest takes forty."""
INTO_THE_ANSWER_S = 1.5
"""So long the caller listens before interrupting; the answer takes nine seconds."""

PRICE = Expected("was kostet eine wartung", "answer", "wartung")
PARKING = Expected("wo kann ich parken", "answer", "parkplaetze")
PAYMENT = Expected("kann ich mit karte zahlen", "answer", "bezahlung")
DURATION = Expected("wie lange dauert eine wartung", "answer", "dauer")
ADDRESS = Expected("wo finde ich sie", "answer", "adresse")
HOURS = Expected("wann haben sie geöffnet", "answer", "oeffnungszeiten", interrupted=True)
PERSON = Expected("ich möchte mit einem mitarbeiter sprechen", "escalate")
ANYBODY = Expected("einen mitarbeiter bitte", "escalate")
GOODBYE = Expected("danke auf wiederhören", "goodbye")


@dataclass(frozen=True)
class Scene:
    """One call."""

    name: str
    title: str
    expected: Outcome
    act: Callable[[Play], Awaitable[None]]


async def _question(play: Play) -> None:
    await play.hear_notice()
    play.screen.greeting()
    for question in (PRICE, PARKING, PAYMENT):
        await play.say(question.spoken)
        await play.hear_out()
    await play.say_goodbye(GOODBYE.spoken)


async def _person(play: Play) -> None:
    await play.hear_notice()
    await play.say(PERSON.spoken)
    await play.take_call()


async def _nobody(play: Play) -> None:
    await play.hear_notice()
    await play.say(ANYBODY.spoken)
    await play.ignore_call()
    await play.hear_from(await play.caller.now())
    await play.say(DURATION.spoken)
    await play.hear_out()
    await play.say_goodbye(GOODBYE.spoken)


async def _interruption(play: Play) -> None:
    await play.hear_notice()
    await play.say(HOURS.spoken)
    await play.interrupt(ADDRESS.spoken, INTO_THE_ANSWER_S)
    await play.hear_out()
    await play.say_goodbye(GOODBYE.spoken)


SCENES = (
    Scene(
        "question",
        "Questions, answered from the company's document",
        Outcome((PRICE, PARKING, PAYMENT, GOODBYE), "solved"),
        _question,
    ),
    Scene(
        "person",
        "The caller wants a person: whisper, key 1, both are connected",
        Outcome((PERSON,), "handed-over", escalated_to="empfang", escalations=("accepted",)),
        _person,
    ),
    Scene(
        "nobody",
        "Nobody answers: the AI is back and goes on, and a callback is noted",
        Outcome((ANYBODY, DURATION, GOODBYE), "solved", escalations=("no-answer",), tasks=(("callback", False),)),
        _nobody,
    ),
    Scene(
        "interruption",
        "The caller interrupts a long answer",
        Outcome((HOURS, ADDRESS, GOODBYE), "solved", interruption=True),
        _interruption,
    ),
)


def sentences() -> list[str]:
    """Everything that callers say, each sentence once."""
    return list(dict.fromkeys(line.spoken for scene in SCENES for line in scene.expected.lines))


async def perform(stage: Stage, screen: Screen, voice: Mapping[str, Samples], scene: Scene) -> CallResult:
    """Play one call to its end, whatever goes wrong in it. Raises CallLogError in an exception group."""
    play = Play(stage, screen, voice, scene.name)
    trouble = None
    async with play.followed():
        try:
            async with asyncio.timeout(SCENE_LIMIT):
                await play.dial()
                await scene.act(play)
        except (PhoneError, NotLoggedError) as e:
            trouble = str(e)
        except TimeoutError:
            trouble = f"it takes longer than {SCENE_LIMIT:g} s"
        await play.finish(trouble)
    await play.evaluate()
    return play.result
