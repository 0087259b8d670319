"""Whole conversations as real calls: spoken, recognised, decided, taken down in the call log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import pytest_asyncio

from ari_agent.hours import BERLIN
from ari_agent.spoken.telephone import read_back

from . import agents
from .agents import Agent
from .conftest import Sandbox
from .people import ask, receptionist
from .talking import MOST_ANSWERS, Talk, asked_for, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN, CLOSED = "2900", "2902"
"""Two numbers of the sandbox that reach the agent: by the settings people are there for one, and not for the other."""
TODAY = datetime.now(BERLIN).date()
NEXT_OPENING = datetime.combine(TODAY + timedelta(2), time(8), BERLIN)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
AT_ONCE = 5
"""Read-back calls at the same time: more than the two cores of a small machine recognise in time."""


def hours() -> dict[str, Any]:
    """Return settings by which one number is always open, and the other closed today and tomorrow."""
    closed = [{"date": TODAY + timedelta(days), "reason": "Betriebsausflug"} for days in (0, 1)]
    return {
        "schedules": [
            {"name": "offen", **{day: ["00:00-24:00"] for day in DAYS}},
            {"name": "zu", **{day: ["08:00-17:00"] for day in DAYS}, "special": closed},
        ],
        "numbers": [{"dialled": OPEN, "schedule": "offen"}, {"dialled": CLOSED, "schedule": "zu"}],
    }


served = agents.served(
    "1",  # the controller's name that the dialplan takes where calls are not broadcast, as for the closed number
    "embedded",
    hours=hours(),
    forms={"company": False},
    company={"area_code": "0711"},
    escalation={"ring_s": 5, "key_s": 3},
)


@pytest_asyncio.fixture(loop_scope="module")
async def caller(sandbox: Sandbox, served: Agent) -> AsyncIterator[Talk]:
    async with talking(sandbox, served.book, "+493023125456") as talk:
        yield talk


async def test_two_questions_in_one_turn_are_both_answered(caller: Talk) -> None:
    await caller.begin()
    row = await caller.say("Was kostet eine Wartung und wo kann ich parken?")
    assert (row["act"], row["source"]) == ("answer", "wartung")
    assert "einhundertneunundzwanzig Euro" in row["agent_text"]
    assert "im Hof hinter dem Haus" in row["agent_text"]
    await caller.farewell("danke auf wiederhören")


async def test_what_nobody_knows_reaches_the_queue_while_people_are_there(
    caller: Talk, served: Agent, sandbox: Sandbox
) -> None:
    async with receptionist(sandbox) as desk:
        await caller.begin(OPEN)
        row = await caller.say("Haben Sie eine Webseite?")
        assert (row["act"], row["reason"]) == ("ask", "unknown")
        ringing, _ = await asyncio.gather(desk.wait_ringing(), ask(caller.phone, "Ja bitte!"))
        assert ringing.name == "KI: Frage offen"
        await desk.answer()
        await desk.wait_speech()
        await desk.dtmf("1")
        await caller.turn()
        await desk.hangup()
        await caller.phone.wait_ended()
    (call,) = await served.book.closed(1, since=len(await served.book.calls()) - 1)
    assert (call["outcome"], call["reason"], call["escalated_to"]) == ("handed-over", "unknown", "empfang")
    assert await served.book.rows("SELECT * FROM ari_agent.task WHERE call = %s", call["id"]) == []


async def test_what_nobody_knows_becomes_a_callback_for_the_next_opening_while_nobody_is_there(caller: Talk) -> None:
    await caller.begin(CLOSED)
    row = await caller.say("Haben Sie eine Webseite?")
    answers = {
        "callback": "Ja bitte!",
        "name": "Mein Name ist Anna Müller",
        "own-number": "Ja genau",
        "matter": "Es geht um ein Angebot",
        "time": "So bald wie möglich",
    }
    row = await caller.answer(row, answers)
    assert (row["act"], row["reason"]) == ("message", "callback"), await caller.transcript()
    await caller.farewell("nein danke auf wiederhören")
    (task,) = await caller.tasks()
    assert (task["kind"], task["caller_name"], task["number"]) == ("callback", "Anna Müller", caller.number)
    assert task["due"] == NEXT_OPENING
    assert "angebot" in task["matter"]
    assert task["complete"]


async def test_a_callback_is_taken_down_for_the_wished_time(caller: Talk) -> None:
    await caller.begin()
    row = await caller.say("Bitte rufen Sie mich zurück!")
    answers = {
        "name": "Ich heiße Peter Wagner",
        "own-number": "Ja",
        "matter": "Es geht um meine Rechnung",
        "time": "Übermorgen ab vierzehn Uhr",
    }
    row = await caller.answer(row, answers)
    assert row["reason"] == "callback", await caller.transcript()
    await caller.farewell()
    (task,) = await caller.tasks()
    assert task["due"] == datetime.combine(TODAY + timedelta(2), time(14), BERLIN)
    assert (task["caller_name"], "rechnung" in task["matter"]) == ("Peter Wagner", True)
    note = await caller.note()
    assert "Peter Wagner" in note["who"]
    assert note["ai_generated"]


async def test_a_message_for_somebody_is_taken_down(caller: Talk) -> None:
    await caller.begin(CLOSED)
    row = await caller.say("Ich möchte eine Nachricht für Herrn Lindner hinterlassen")
    answers = {
        "recipient": "Für Herrn Lindner",
        "name": "Mein Name ist Sabine Koch",
        "own-number": "Ja",
        "matter": "Es geht um meine Heizung",
    }
    row = await caller.answer(row, answers)
    assert row["reason"] == "message", await caller.transcript()
    await caller.farewell("nein danke auf wiederhören")
    (task,) = await caller.tasks()
    assert (task["kind"], task["caller_name"]) == ("message", "Sabine Koch")
    assert "lindner" in task["recipient"].lower()


async def test_a_spelled_name_is_written_as_it_was_spelled(caller: Talk) -> None:
    await caller.begin()
    row = await caller.say("Rückruf bitte!")
    answers = {
        "name": "Ich buchstabiere: m wie Martha, e wie Emil, i wie Ida, e wie Emil, r wie Richard",
        "own-number": "Ja",
        "matter": "Es geht um einen Termin",
        "time": "Morgen Vormittag",
    }
    await caller.answer(row, answers)
    await caller.farewell()
    (task,) = await caller.tasks()
    assert task["caller_name"] == "Meier"


async def test_a_number_may_be_typed(caller: Talk) -> None:
    await caller.begin()
    row = await caller.say("Rückruf bitte!")
    answers = {
        "name": "Julia Weber",
        "own-number": "Nein",
        "number": "*06990009345#",
        "matter": "Es geht um einen Termin",
        "time": "Morgen",
    }
    await caller.answer(row, answers)
    await caller.farewell()
    (task,) = await caller.tasks()
    assert (task["caller_name"], task["number"]) == ("Julia Weber", "+496990009345")


async def test_who_hangs_up_in_the_middle_leaves_an_unfinished_callback(caller: Talk) -> None:
    await caller.begin()
    row = await caller.say("Bitte rufen Sie mich zurück!")
    while asked_for(row) in ("name", "name-right"):
        row = await caller.say("Frank Richter" if asked_for(row) == "name" else "Ja")
    await caller.phone.hangup()
    (task,) = await caller.tasks()
    assert (task["kind"], task["caller_name"], task["complete"]) == ("callback", "Frank Richter", False)
    assert task["number"] == caller.number


async def test_nobody_free_is_told_and_a_callback_offered(caller: Talk, served: Agent) -> None:
    await caller.begin()
    row = await caller.say("Ich möchte mit einem Mitarbeiter sprechen")
    assert (row["heard"], row["reason"]) == ("refusal", "refused")
    assert "niemand frei" in row["agent_text"]
    answers = {
        "callback": "Ja bitte",
        "name": "Thomas Klein",
        "own-number": "Ja",
        "matter": "Es geht um eine Reparatur",
        "time": "So bald wie möglich",
    }
    await caller.answer(row, answers)
    await caller.farewell()
    (task,) = await caller.tasks()
    assert (task["caller_name"], task["reason"], task["complete"]) == ("Thomas Klein", "nobody-free", True)
    assert await served.book.escalations((await caller.call())["id"]) == ["nobody-free"]


async def test_an_emergency_counts_in_the_middle_of_a_form(caller: Talk, served: Agent) -> None:
    await caller.begin()
    await caller.say("Bitte rufen Sie mich zurück!")
    await caller.say("Es brennt im Keller!")
    turns = await served.book.turns((await caller.call())["id"])
    assert ("escalate", "emergency") in [(turn["act"], turn["reason"]) for turn in turns]
    (emergency,) = (turn for turn in turns if turn["reason"] == "emergency")
    assert emergency["agent_text"].startswith("Im Notfall wählen Sie bitte eins eins zwei.")


PLANTED = (
    # right, as it was understood, what the caller says to the wrong pair
    ("+4917604069012", "+4917604069021", "eins zwei"),
    ("+494066969321", "+494066969331", "zwei eins"),
    ("+496990009345", "+496990009346", "vier fünf"),
    ("+496990009284", "+496990009248", "acht vier"),
    ("+493023125869", "+493023125896", "sechs neun"),
    ("+492214710555", "+492214720555", "eins null"),
    ("+493023125473", "+493023125472", "sieben drei"),
    ("+494066969873", "+494066969872", "sieben drei"),
    ("+4917604069073", "+4917604069078", "sieben drei"),
    ("+493023125508", "+493023125518", "null acht"),
)


async def test_reading_back_corrects_ten_of_ten_planted_errors(sandbox: Sandbox, served: Agent) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(index: int) -> tuple[str | None, str]:
        right, wrong, pair = PLANTED[index]
        async with places, talking(sandbox, served.book, f"+49301234{index:02}", index % 5) as talk:
            listener = Listener(right, wrong, pair)
            await talk.begin()
            row = await talk.say("Bitte rufen Sie mich zurück!")
            for _ in range(MOST_ANSWERS):
                if (subject := asked_for(row)) is None:
                    break
                row = await talk.say(listener.reply(subject, row["agent_text"]))
            await talk.farewell()
            (task,) = await talk.tasks()
            return task["number"], await talk.transcript()

    taken = await asyncio.gather(*(one(index) for index in range(len(PLANTED))))
    wrong = [said for (number, said), (right, _, _) in zip(taken, PLANTED, strict=True) if number != right]
    assert not wrong, "\n\n".join(wrong)


class Listener:
    """A caller who listens to what is read back, and whose number was understood wrong the first time."""

    def __init__(self, right: str, wrong: str, pair: str) -> None:
        self._right, self._wrong, self._pair = right, wrong, pair
        self._said = False

    def reply(self, subject: str, heard: str) -> str:
        """Return what the caller says to a question."""
        match subject:
            case "name":
                return "Anna Müller"
            case "own-number":
                return "Nein"
            case "number":
                number, self._said = self._right if self._said else self._wrong, True
                return read_back(number)
            case "number-right" if read_back(self._right) in heard:
                return "Ja genau"
            case "number-right" if read_back(self._wrong) in heard:
                return f"Nein, {self._pair}"
            case "number-right":
                return "Nein"
            case "matter":
                return "Es geht um einen Termin"
            case "time":
                return "Morgen Vormittag"
            case "spelling":
                return "M wie Martha, u wie Ulrich, e wie Emil, l wie Ludwig"
            case _:
                return "Ja"
