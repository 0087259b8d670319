"""Whom the settings name for a matter is tried in order, and nothing is promised that nobody can keep."""

from __future__ import annotations

from typing import Any

import pytest

from ari_agent.call import HandOver, HungUp
from ari_agent.intents import Row

from .switchboard import RINGING_TONE, Caller, Receptionist, a_call

WISH = "ich möchte mit einem mitarbeiter sprechen"
CONNECTING = "Ich rufe jemanden für Sie an."
AGAIN = "Hier ist wieder der KI-Assistent der Firma Lindner Heizungsbau."
WORKSHOP = "PJSIP/werkstatt"


def tried(*names: str, **changes: Any) -> dict[str, Any]:
    """Return settings in which these are tried for whatever matter."""
    targets = {"werkstatt": WORKSHOP, "meister": WORKSHOP, "buero": "buero", "lager": "lager"}
    return {"targets": targets, "table": (Row(targets=names),), **changes}


def results(caller: Caller) -> list[tuple[str, str]]:
    return [(escalation.target, escalation.result) for escalation in caller.escalations]


async def test_the_next_is_rung_when_the_first_is_not_free() -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.busy.add(WORKSHOP)
        caller.reception.will(Receptionist("empfang"))
        await caller.says(WISH)
        assert await caller.ending() == HandOver(Receptionist("empfang"), "wish-for-person")
        assert caller.reception.rung == ["empfang"]
        assert results(caller) == [(WORKSHOP, "nobody-free"), ("empfang", "accepted")]


async def test_the_first_who_accepts_is_connected_and_nobody_else_rung() -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.will(Receptionist(WORKSHOP))
        await caller.says(WISH)
        assert await caller.ending() == HandOver(Receptionist(WORKSHOP), "wish-for-person")
        assert caller.reception.rung == [WORKSHOP]
        assert results(caller) == [(WORKSHOP, "accepted")]


async def test_from_one_to_the_next_the_ringing_tone_goes_on_and_nothing_is_said_twice() -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.will("declined", after_s=8)
        caller.reception.will(Receptionist("empfang"), after_s=8)
        await caller.says(WISH)
        await caller.hears(RINGING_TONE)
        playing = len(caller.line.playbacks)
        await caller.until(lambda: len(caller.reception.rung) == 2)
        await caller.hears(RINGING_TONE)
        await caller.ending()
        assert len(caller.line.playbacks) == playing
        assert caller.line.heard.count(CONNECTING) == 1
        assert results(caller) == [(WORKSHOP, "declined"), ("empfang", "accepted")]
        assert [round(escalation.waited_ms / 1000) for escalation in caller.escalations] == [8, 8]


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("declined", "no-answer", "Leider geht gerade niemand ans Telefon."),
        ("no-answer", "nobody-free", "Leider ist gerade niemand frei."),
    ],
)
async def test_when_nobody_takes_the_call_the_last_reason_is_told(first: str, second: str, sentence: str) -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.will(first)
        if second == "nobody-free":
            caller.reception.busy.add("empfang")
        else:
            caller.reception.will(second)
        await caller.says(WISH)
        await caller.hears(AGAIN)
        await caller.hears(sentence)
        assert results(caller) == [(WORKSHOP, first), ("empfang", second)]
        caller.hangs_up()


async def test_nothing_is_promised_while_nobody_is_free() -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.free = False
        await caller.says(WISH)
        await caller.hears(AGAIN)
        assert CONNECTING not in caller.voice.texts
        assert caller.reception.asked == [WORKSHOP, "empfang"]
        assert caller.reception.rung == []
        caller.hangs_up()


async def test_who_declined_is_not_rung_again_under_another_name() -> None:
    async with a_call(escalation=tried("werkstatt", "meister", "empfang")) as caller:
        caller.reception.will("declined")
        caller.reception.will("no-answer")
        await caller.says(WISH)
        await caller.hears(AGAIN)
        assert caller.reception.rung == [WORKSHOP, "empfang"]
        caller.hangs_up()


async def test_no_more_than_three_are_rung() -> None:
    async with a_call(escalation=tried("werkstatt", "buero", "lager", "empfang")) as caller:
        for _ in range(4):
            caller.reception.will("no-answer")
        await caller.says(WISH)
        await caller.hears(AGAIN)
        assert caller.reception.rung == [WORKSHOP, "buero", "lager"]
        caller.hangs_up()


async def test_nobody_else_is_rung_when_the_caller_has_waited_three_times_as_long_as_one_rings() -> None:
    async with a_call(escalation=tried("werkstatt", "buero", "empfang", ring_s=4.0)) as caller:
        caller.reception.will("no-key", after_s=7)  # somebody answered, and thought about it for long
        caller.reception.will("no-key", after_s=7)
        caller.reception.will("declined")
        await caller.says(WISH)
        await caller.hears(AGAIN)
        assert caller.reception.rung == [WORKSHOP, "buero"]
        caller.hangs_up()


async def test_a_caller_who_hangs_up_while_the_second_rings_stops_the_ringing() -> None:
    async with a_call(escalation=tried("werkstatt", "empfang")) as caller:
        caller.reception.will("declined")
        await caller.says(WISH)
        await caller.until(lambda: len(caller.reception.rung) == 2)
        caller.hangs_up()
        assert await caller.ending() == HungUp()
        assert not caller.reception.ringing
        assert results(caller) == [(WORKSHOP, "declined")]
