"""Callers who want a person, or need one."""

from __future__ import annotations

import pytest

from ari_agent.call import HandOver, HungUp

from .switchboard import RINGING_TONE, Receptionist, a_call

TAKEN = Receptionist("empfang")
WISH = "ich möchte mit einem mitarbeiter sprechen"
EMERGENCY = "Im Notfall wählen Sie bitte eins eins zwei."
AGAIN = "Hier ist wieder der KI-Assistent der Firma Lindner Heizungsbau."
OFFER = "Soll ich einen Rückruf für Sie notieren?"


@pytest.mark.parametrize("wish", [WISH, "mitarbeiter", "verbinden sie mich bitte", "kein computer bitte"])
async def test_whoever_wants_a_person_reaches_one(wish: str) -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN)
        await caller.says(wish)
        assert await caller.ending() == HandOver(TAKEN, "wish-for-person")
        assert caller.reception.asked == ["empfang"]


async def test_key_0_reaches_a_person_in_the_middle_of_an_answer() -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN)
        await caller.says("wann haben sie geöffnet")
        await caller.hears("Wir sind")
        caller.presses("0")
        assert await caller.ending() == HandOver(TAKEN, "key-0")
        assert [turn.act for turn in caller.turns] == ["answer", "escalate"]
        assert caller.turns[0].interrupted


async def test_the_receptionist_is_told_why() -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN)
        await caller.says("bei uns ist ein rohrbruch")
        await caller.ending()
        (whisper,), (display,) = caller.reception.whispers, caller.reception.displays
        assert display == "KI: DRINGEND Stoerung"
        assert whisper.startswith("Hier ist der KI-Assistent mit einem Anruf. KI-Zusammenfassung: Dringend, ")
        assert "meldet eine Störung" in whisper
        assert whisper.endswith("Drücken Sie die Eins zum Annehmen, die Zwei zum Ablehnen.")


async def test_while_it_rings_the_caller_hears_what_happens_and_then_the_ringing_tone() -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN, after_s=35)
        await caller.says(WISH)
        await caller.hears("Ich rufe jemanden für Sie an.")
        await caller.hears(RINGING_TONE)
        await caller.hears("Ich versuche noch, jemanden zu erreichen.")
        await caller.hears(RINGING_TONE)
        await caller.hears("Ich versuche noch, jemanden zu erreichen.")
        await caller.ending()


async def test_an_accepted_call_is_handed_over_at_once_and_the_ears_are_closed() -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN, after_s=1.0)
        await caller.says(WISH)
        await caller.hears("Ich rufe jemanden")
        assert await caller.ending() == HandOver(TAKEN, "wish-for-person")
        assert caller.line.listener_left
        assert caller.line.hearing == ""
        (escalation,) = caller.escalations
        assert (escalation.target, escalation.reason, escalation.result) == ("empfang", "wish-for-person", "accepted")
        assert escalation.waited_ms == pytest.approx(1010, abs=1)
        assert caller.turns[0].agent_text == "Ich rufe …"
        assert not caller.turns[0].interrupted  # not by the caller


async def test_when_nobody_is_free_no_telephone_rings_and_the_agent_is_back() -> None:
    async with a_call() as caller:
        caller.reception.free = False
        await caller.says(WISH)
        await caller.hears(AGAIN)
        await caller.hears("Leider ist gerade niemand frei.")
        await caller.heard_out()
        assert caller.reception.whispers == []
        assert [escalation.result for escalation in caller.escalations] == ["nobody-free"]
        assert caller.turns[0].agent_text == ""
        caller.hangs_up()


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("declined", "Leider kann gerade niemand mit Ihnen sprechen."),
        ("no-answer", "Leider geht gerade niemand ans Telefon."),
        ("no-key", "Leider kann gerade niemand mit Ihnen sprechen."),
        ("unavailable", "Leider kann ich gerade niemanden anrufen."),
    ],
)
async def test_when_nobody_takes_the_call_the_agent_is_back_and_says_why(reason: str, sentence: str) -> None:
    async with a_call() as caller:
        caller.reception.will(reason)
        await caller.says(WISH)
        await caller.hears(AGAIN)
        await caller.heard_out()
        assert caller.line.heard[-3:] == [AGAIN, sentence, OFFER]
        await caller.says("wann haben sie geöffnet")
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [(turn.heard, turn.act, turn.reason) for turn in caller.turns] == [
            ("speech", "escalate", "wish-for-person"),
            ("refusal", "ask", "refused"),
            ("speech", "answer", "passage"),
        ]
        assert [escalation.result for escalation in caller.escalations] == [reason]


async def test_a_second_wish_rings_again() -> None:
    async with a_call() as caller:
        caller.reception.will("no-answer")
        caller.reception.will(TAKEN)
        await caller.says(WISH)
        await caller.hears(AGAIN)
        await caller.says(WISH)
        assert await caller.ending() == HandOver(TAKEN, "wish-for-person")
        assert len(caller.reception.whispers) == 2


async def test_what_is_said_to_the_ringing_tone_is_no_answer_to_what_comes_next() -> None:
    async with a_call() as caller:
        caller.reception.will("declined", after_s=10)
        await caller.says(WISH)
        await caller.hears(RINGING_TONE)
        caller.starts_to_say("auf wiederhören")
        caller.presses("3")
        await caller.hears(AGAIN)
        await caller.hears(OFFER)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [turn.reason for turn in caller.turns] == ["wish-for-person", "refused"]


async def test_in_an_emergency_112_is_named_in_full_before_any_telephone_rings() -> None:
    async with a_call() as caller:
        caller.reception.will(TAKEN)
        await caller.says("es riecht nach gas")
        await caller.hears(EMERGENCY)
        caller.starts_to_say("hilfe hilfe")  # speech must not cut it
        caller.presses("1")
        await caller.until(lambda: caller.reception.asked)
        assert caller.line.heard[-1] == EMERGENCY
        assert await caller.ending() == HandOver(TAKEN, "emergency")
        assert "Notfallwort" in caller.reception.whispers[0]
        assert caller.turns[0].agent_text == f"{EMERGENCY} Ich rufe jemanden für Sie an. Bitte bleiben …"


async def test_in_an_emergency_112_is_named_even_if_nobody_is_free() -> None:
    async with a_call() as caller:
        caller.reception.free = False
        await caller.says("bei uns brennt es")
        await caller.hears("Leider ist gerade niemand frei.")
        assert caller.heard_in_order([EMERGENCY, AGAIN])
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].agent_text == EMERGENCY
        assert caller.turns[0].total_ms is not None


async def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing() -> None:
    async with a_call() as caller:
        await caller.says(WISH)
        await caller.hears(RINGING_TONE)
        assert caller.reception.ringing
        caller.hangs_up()
        assert await caller.ending() == HungUp()
        assert not caller.reception.ringing
