"""Callers who are asked whether the call may be recorded: yes by voice or key, no in every other way; and a stop."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from ari_agent.call import HandOver, HungUp, Solved, ToQueue
from ari_agent.protocols import Transcript
from ari_agent.record import ConsentTaken
from ari_agent.speech.sentences import split

from .switchboard import Caller, Receptionist, a_call

PRICE = "was kostet eine wartung"
SOUND: dict[str, Any] = {"enabled": True}
BOTH: dict[str, Any] = {"enabled": True, "transcript": True}
HOW = "Wenn ja, sagen Sie Ja"
NOT_RECORDED = "Das Gespräch wird nicht aufgezeichnet."
AGREED = "ab jetzt wird aufgezeichnet"
WITHDRAWN = "Die Aufzeichnung ist beendet und gelöscht."
RATE = 16_000


def right(caller: Caller) -> list[str]:
    """What the agent says in the recording, in order: every sample carries the number of its text."""
    both = np.frombuffer(caller.safe.opened("audio"), "<i2").reshape(-1, 2)
    numbers = both[:, 1][both[:, 1] != 0]
    spoken = [numbers[0], *numbers[1:][numbers[1:] != numbers[:-1]]] if len(numbers) else []
    return [caller.voice.texts[number - 1] if number <= len(caller.voice.texts) else "♪" for number in spoken]


def callers_seconds(caller: Caller) -> float:
    """For how long the caller speaks in the recording."""
    both = np.frombuffer(caller.safe.opened("audio"), "<i2").reshape(-1, 2)
    return float(np.count_nonzero(both[:, 0])) / RATE


async def agree(caller: Caller) -> None:
    """Press the key after the question and hear what comes of it."""
    await caller.hears(HOW)
    caller.presses("1")
    await caller.hears("Was kann ich für Sie tun?")
    await caller.heard_out()


async def test_off_nobody_is_asked_and_nothing_is_kept() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("Was kann ich für Sie tun?")
        await caller.heard_out()
        assert caller.line.heard == [caller.script.notice, *split(caller.script.greeting)]
        await caller.says("ja")
        await caller.says("aufnahme stopp")
        caller.hangs_up()
    assert caller.consents == []
    assert caller.safe.kept == []


@pytest.mark.parametrize("word", ["ja", "ja gerne", "einverstanden"])
async def test_a_yes_after_the_question_begins_the_recording(word: str) -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await caller.hears(HOW)
        await caller.says(word)
        await caller.hears(AGREED)
        await caller.heard_out()
        await caller.says(PRICE)
        await caller.heard_out()
        await caller.says("auf wiederhören")
        assert await caller.ending() == Solved()
    assert caller.consents == [("given", "voice")]
    assert caller.line.heard[0] == caller.script.notice
    (kept,) = caller.safe.kept
    (consent,) = caller.notes.of(ConsentTaken)
    assert kept.header.consent == {
        "at": consent.at.isoformat(),
        "way": "voice",
        "text_sha256": hashlib.sha256(caller.script.consent.encode()).hexdigest(),
    }
    assert consent.text == caller.script.consent
    said = right(caller)
    assert caller.script.notice not in said
    assert not any("Dürfen wir" in text for text in said)
    assert AGREED in said[0]
    assert any("einhundertneunundzwanzig" in text for text in said)
    assert said[-1] == "Auf Wiederhören."
    assert callers_seconds(caller) == pytest.approx(6 * 0.2, abs=0.05)  # the words after the consent


async def test_key_1_is_a_yes_and_the_consent_comes_before_the_first_frame() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await agree(caller)
        caller.hangs_up()
        assert await caller.ending() == HungUp()
    assert caller.consents == [("given", "key")]
    entries = [type(entry).__name__ for entry in caller.notes.entries]
    assert entries.index("DisclosurePlayed") < entries.index("ConsentTaken")
    assert AGREED in right(caller)[0]


async def test_yes_and_key_before_the_question_was_heard_are_no_consent() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await caller.hears("KI-Assistent")
        caller.presses("1")
        caller.starts_to_say("ja")
        await caller.hears("Dürfen wir")
        caller.presses("1")
        caller.starts_to_say("ja")
        await caller.hears("Ohne geht es genauso weiter")
        await caller.hears(NOT_RECORDED)
        caller.hangs_up()
    assert caller.consents == [("refused", "silence")]
    assert caller.safe.kept == []
    assert caller.heard_in_order(split(caller.script.consent))


@pytest.mark.parametrize(
    ("word", "way"),
    [("nein", "voice"), ("nein danke", "voice"), ("", "silence"), ("mhm", "silence"), ("[unk]", "silence")],
)
async def test_no_noise_and_silence_are_no_consent_and_the_call_goes_on_as_ever(word: str, way: str) -> None:
    async with a_call(greeted=False, recording=BOTH) as caller:
        await caller.hears("Ohne geht es")
        if word:
            caller.starts_to_say(word)
        await caller.hears(NOT_RECORDED)
        await caller.hears("Was kann ich für Sie tun?")
        await caller.heard_out()
        await caller.says(PRICE)
        await caller.hears("einhundertneunundzwanzig")
        caller.hangs_up()
    assert caller.consents == [("refused", way)]
    assert caller.safe.kept == []
    assert sum("Dürfen wir" in text for text in caller.line.heard) == 1


async def test_who_says_a_matter_instead_is_served_at_once_and_not_recorded() -> None:
    async with a_call(greeted=False, recording=BOTH) as caller:
        await caller.hears("Dürfen wir")
        await caller.says("ja was kostet eine wartung")
        await caller.hears("einhundertneunundzwanzig")
        caller.hangs_up()
    assert caller.consents == [("refused", "other")]
    assert caller.safe.kept == []
    assert [turn.source for turn in caller.turns] == ["wartung"]


async def test_a_matter_said_during_the_notice_goes_before_the_question() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        caller.starts_to_say(PRICE)
        await caller.hears("einhundertneunundzwanzig")
        caller.hangs_up()
    assert not any("Dürfen wir" in text for text in caller.line.heard)
    assert caller.safe.kept == []


@pytest.mark.parametrize("words", ["das ist ein notfall", "ich möchte mit einem mitarbeiter sprechen", None])
async def test_emergency_the_wish_for_a_person_and_key_0_go_before(words: str | None) -> None:
    async with a_call(greeted=False, recording=BOTH) as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.hears("Dürfen wir")
        if words:
            await caller.says(words)
        else:
            caller.presses("0")
        assert isinstance(await caller.ending(), HandOver)
    assert caller.consents == [("refused", "other")]
    assert caller.safe.kept == []


async def test_a_greeting_is_no_answer_and_the_question_stands() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        caller.starts_to_say("guten tag")
        await caller.hears(HOW)
        await caller.says("ja bitte")
        await caller.hears(AGREED)
        caller.hangs_up()
    assert caller.consents == [("given", "voice")]


@pytest.mark.parametrize(
    "words", ["aufnahme stopp", "bitte nicht aufnehmen", "löschen sie die aufnahme", "[unk] stopp"]
)
async def test_a_stop_erases_at_once_says_so_and_the_call_goes_on(words: str) -> None:
    async with a_call(greeted=False, recording=BOTH) as caller:
        await agree(caller)
        await caller.says(PRICE)
        await caller.heard_out()
        await caller.says(words)
        await caller.hears("Kann ich sonst noch etwas")  # what was said last is said again
        await caller.heard_out()
        assert WITHDRAWN in caller.line.heard
        await caller.says("wann haben sie geöffnet")
        await caller.hears("montags")
        await caller.heard_out()
        await caller.says(words)
        await caller.hears(NOT_RECORDED)
        caller.hangs_up()
    assert caller.consents == [("given", "key"), ("withdrawn", "voice")]
    assert caller.safe.kept == []


async def test_a_stop_amid_a_form_is_no_answer_to_it() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await agree(caller)
        await caller.says("ich bitte um einen rückruf")
        await caller.heard_out()
        asked = caller.line.heard[-1]
        assert "Name" in asked
        await caller.says("bitte nicht aufnehmen")
        await caller.heard_out()
        assert WITHDRAWN in caller.line.heard
        assert caller.line.heard[-1] == asked
        await caller.says("mein name ist huber")
        await caller.hears("Huber")
        caller.hangs_up()
    assert caller.safe.kept == []


async def test_an_emergency_beside_a_stop_is_heard() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await agree(caller)
        caller.reception.will(Receptionist("empfang"))
        await caller.says("keine aufnahme es brennt bei uns im keller")
        assert isinstance(await caller.ending(), HandOver)
        assert caller.heard_in_order([WITHDRAWN, "eins eins zwei"])
    assert caller.safe.kept == []


async def test_nothing_is_taken_while_people_are_rung_and_the_recording_ends_before_one_is_there() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await agree(caller)
        caller.reception.will("declined", 6.0)
        caller.reception.will(Receptionist("empfang"), 6.0)
        await caller.says("ich möchte mit einem mitarbeiter sprechen")
        await caller.until(lambda: caller.reception.ringing)
        caller.starts_to_say("das geht niemanden etwas an")
        await caller.hears("Soll ich einen Rückruf")
        await caller.heard_out()
        caller.presses("0")
        await caller.until(lambda: caller.reception.ringing)
        caller.starts_to_say("und das auch nicht")
        assert isinstance(await caller.ending(), HandOver)
        assert len(caller.safe.kept) == 1
    said = right(caller)
    assert not any("Ich rufe jemanden" in text or text == "♪" for text in said)
    assert any("Hier ist wieder der KI-Assistent" in text for text in said)
    assert callers_seconds(caller) == pytest.approx(6 * 0.2, abs=0.05)


async def test_a_transcript_holds_what_both_said_after_the_consent() -> None:
    async with a_call(greeted=False, log={"wording": False}, recording={"transcript": True}) as caller:
        await caller.hears(HOW)
        await caller.says("ja")
        await caller.hears("ab jetzt wird mitgeschrieben")
        await caller.heard_out()
        await caller.says(PRICE)
        await caller.heard_out()
        caller.hangs_up()
    lines = [json.loads(line) for line in caller.safe.opened("transcript").splitlines()]
    assert [line["who"] for line in lines] == ["caller", "agent"]
    assert lines[0]["text"] == PRICE
    assert "einhundertneunundzwanzig" in lines[1]["text"]
    assert all(turn.caller_text is None and turn.agent_text is None for turn in caller.turns)


async def test_a_recording_ends_at_its_limit_and_the_call_goes_on() -> None:
    async with a_call(greeted=False, recording=SOUND | {"longest_s": 10.0}) as caller:
        await agree(caller)
        for _ in range(3):
            await caller.says(PRICE)
            await caller.heard_out()
        caller.hangs_up()
    (kept,) = caller.safe.kept
    assert kept.duration_ms == pytest.approx(10_000, abs=100)


async def test_where_nothing_can_be_kept_nobody_is_asked() -> None:
    async with a_call(greeted=False, recording=BOTH) as caller:
        caller.safe.usable = False
        await caller.hears(NOT_RECORDED)
        await caller.hears("Was kann ich für Sie tun?")
        caller.hangs_up()
    assert caller.consents == []
    assert not any("Dürfen wir" in text for text in caller.line.heard)


async def test_a_call_that_is_dismissed_keeps_what_it_has() -> None:
    async with a_call(greeted=False, recording=SOUND) as caller:
        await agree(caller)
        caller.call.dismiss("drain")
        assert isinstance(await caller.ending(), ToQueue)
    assert len(caller.safe.kept) == 1


async def test_a_question_of_the_company_is_asked_as_it_stands() -> None:
    question = "Dürfen wir mitschneiden? Es geht um die Schulung unserer Leute, zur Schulung also?"
    async with a_call(greeted=False, recording=SOUND | {"question": question}) as caller:
        await caller.hears("Schulung")
        caller.presses("1")  # not all was heard yet
        await caller.hears(HOW)
        await caller.says(Transcript("ja", 0.9))
        await caller.hears(AGREED)
        caller.hangs_up()
    (consent,) = caller.notes.of(ConsentTaken)
    assert consent.text.startswith(question)
    assert (consent.answer, consent.way) == ("given", "voice")
