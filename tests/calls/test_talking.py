"""Callers who ask, interrupt, are silent and say goodbye."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from ari_agent.call import HungUp, Solved, ToQueue
from ari_agent.protocols import Manner, Transcript
from ari_agent.speech.ears import Key, Silence
from ari_agent.speech.sentences import split

from .switchboard import MS_PER_LETTER, MS_PER_WORD, PAUSE, Caller, Receptionist, a_call

OPEN = "wann haben sie geöffnet"
PRICE = "was kostet eine wartung"


def is_answered(caller: Caller, passage: str) -> bool:
    """Whether the caller heard the whole passage."""
    (text,) = (p.text for p in caller.script.knowledge.passages if p.id == passage)
    return caller.heard_in_order(split(text))


async def test_the_first_words_are_that_a_computer_speaks_and_for_whom() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("KI-Assistent der Firma Lindner Heizungsbau, ein Computer")
        await caller.until(lambda: caller.disclosures)
        (disclosure,) = caller.disclosures
        notice = caller.script.notice
        assert caller.line.heard == [notice]
        assert disclosure.played_ms == pytest.approx(len(notice) * MS_PER_LETTER, abs=100)
        assert disclosure.text_sha256 == hashlib.sha256(notice.encode()).hexdigest()
        caller.hangs_up()
        assert await caller.ending() == HungUp()


async def test_neither_speech_nor_keys_cut_the_notice() -> None:
    async with a_call(greeted=False) as caller:
        caller.presses("5")
        caller.starts_to_say(OPEN)
        await caller.until(lambda: caller.disclosures)
        assert caller.line.heard == [caller.script.notice]
        caller.hangs_up()


async def test_what_is_said_during_the_notice_is_answered_after_it() -> None:
    async with a_call(greeted=False) as caller:
        caller.starts_to_say(OPEN)
        await caller.hears("Kann ich sonst noch etwas für Sie tun?")
        await caller.heard_out()
        assert caller.line.heard[0] == caller.script.notice
        assert is_answered(caller, "oeffnungszeiten")
        assert caller.line.heard[1].startswith("Wir sind")
        caller.hangs_up()


@pytest.mark.parametrize("words", ["guten tag", "ja hallo"])
async def test_a_caller_who_greets_back_during_the_notice_hears_the_greeting(words: str) -> None:
    async with a_call(greeted=False) as caller:
        caller.starts_to_say(words)
        await caller.hears("Was kann ich für Sie tun?")
        await caller.heard_out()
        assert caller.line.heard == [caller.script.notice, *split(caller.script.greeting)]
        caller.hangs_up()


async def test_key_0_during_the_notice_rings_a_person_after_it() -> None:
    async with a_call(greeted=False) as caller:
        caller.reception.will(Receptionist("empfang"))
        caller.presses("0")
        await caller.ending()
        assert caller.line.heard[0] == caller.script.notice
        assert [turn.reason for turn in caller.turns] == ["key-0"]


async def test_a_caller_may_interrupt_the_greeting() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("mitgeschrieben")
        await caller.says(OPEN)
        assert "mitgeschrieben" not in "".join(caller.line.heard)
        await caller.hears("Kann ich sonst")
        caller.hangs_up()


async def test_a_question_is_answered_from_the_document_and_goodbye_ends_the_call() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.heard_out()
        assert is_answered(caller, "oeffnungszeiten")
        await caller.says("nein danke auf wiederhören")
        assert await caller.ending() == Solved()
        assert caller.line.heard[-2:] == ["Vielen Dank für Ihren Anruf.", "Auf Wiederhören."]
        answer, goodbye = caller.turns
        assert (answer.act, answer.source, answer.heard, answer.number) == ("answer", "oeffnungszeiten", "speech", 1)
        assert (goodbye.act, goodbye.source, goodbye.reason, goodbye.number) == ("goodbye", None, "goodbye", 2)
        assert answer.caller_text == OPEN
        assert not answer.interrupted
        assert caller.call.turns == 2


async def test_a_turn_is_recorded_with_the_time_of_every_stage() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert turn.end_of_turn_ms == 240  # the words make sense: a short pause is enough
        assert turn.stt_ms == pytest.approx(0, abs=1)
        assert turn.decide_ms == pytest.approx(0, abs=1)
        assert turn.tts_ms == pytest.approx(0, abs=1)
        assert turn.total_ms == pytest.approx(240, abs=1)
        assert turn.at.tzinfo is not None


async def test_words_that_make_no_sense_yet_are_given_more_time() -> None:
    async with a_call() as caller:
        await caller.says("ich hätte da mal")
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].end_of_turn_ms == 800


async def test_no_words_are_kept_unless_the_settings_ask_for_them() -> None:
    async with a_call(log={"wording": False}) as caller:
        assert "Das Gespräch wird nicht aufgezeichnet." in caller.line.heard
        await caller.says(OPEN)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert turn.caller_text is None
        assert turn.agent_text is None
        assert not any("geöffnet" in repr(entry) or "siebzehn" in repr(entry) for entry in caller.notes.entries)


async def test_a_caller_is_told_when_the_words_are_kept() -> None:
    async with a_call() as caller:
        assert "Das Gespräch wird zum Testen mitgeschrieben." in caller.line.heard
        caller.hangs_up()


async def test_words_silence_the_agent_at_once_and_only_what_was_heard_is_kept() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.hears("Wir sind montags")
        await caller.until(lambda: caller.line.played_ms >= 3000)
        began_ms = caller.line.played_ms
        await caller.says(PRICE)
        silent_after_ms = caller.line.playbacks[-2].heard_ms - began_ms
        assert silent_after_ms <= MS_PER_WORD + 2 * 20  # the first word, and the frame it is noticed in
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        cut, whole = caller.turns
        assert cut.interrupted
        assert cut.agent_text == "Wir sind montags bis donnerstags von acht bis …"
        assert not whole.interrupted
        assert whole.source == "wartung"
        assert whole.agent_text.endswith("die Anfahrt ist dabei.")  # type: ignore[union-attr]


@pytest.mark.parametrize("after_ms", [0, 40])
async def test_a_pause_between_two_sentences_counts_for_no_word(after_ms: int) -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.until(lambda: caller.line.hearing == PAUSE)
        await asyncio.sleep(after_ms / 1000)
        await caller.says(PRICE)
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].agent_text.endswith("bis fünfzehn Uhr für Sie da. …")  # type: ignore[union-attr]


async def test_a_flood_of_keys_during_the_notice_breaks_nothing() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("Guten Tag")
        for key in "1234567890" * 10:
            caller.presses(key)
        caller.reception.will(Receptionist("empfang"))
        await caller.ending()
        assert [turn.reason for turn in caller.turns] == ["key"] * 9 + ["key-0"]


async def test_a_reply_that_is_cut_before_its_first_word_counts_as_interrupted() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.says(PRICE)  # its first word comes before one of the answer is over
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].interrupted
        assert caller.turns[0].agent_text == ""


async def test_the_last_answer_is_repeated_on_request() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.heard_out()
        once = caller.line.heard[-3:]
        await caller.says("wie bitte")
        await caller.heard_out()
        assert caller.line.heard[-3:] == once
        caller.hangs_up()


async def test_a_doubtful_question_is_asked_back_and_a_yes_answers_it() -> None:
    async with a_call() as caller:
        await caller.says("ein neuer kessel mit wartung für die gasheizung")
        await caller.hears("Geht es um")
        await caller.heard_out()
        await caller.says("ja genau")
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [turn.act for turn in caller.turns] == ["ask", "answer"]


async def test_a_caller_who_is_silent_three_times_gets_a_person() -> None:
    async with a_call() as caller:
        caller.reception.will(Receptionist("empfang"))
        began = caller.line.playbacks[-1]
        await caller.hears("Sind Sie noch da?")
        assert caller.line.playbacks[-1] is not began
        await caller.heard_out()
        await caller.hears("Ich höre Sie leider nicht.")
        await caller.heard_out()
        await caller.ending()
        assert [(turn.heard, turn.act, turn.reason) for turn in caller.turns] == [
            ("silence", "ask", "silence"),
            ("silence", "ask", "silence"),
            ("silence", "escalate", "silence"),
        ]
        assert "Der Anrufer sagt nichts" in caller.reception.whispers[0]


async def test_silence_is_counted_from_the_end_of_what_the_agent_says() -> None:
    async with a_call(calls={"silence_s": 2.0}) as caller:
        await caller.says(OPEN)  # its answer lasts longer than the silence of the settings
        await caller.heard_out()
        assert len(caller.turns) == 1
        over = asyncio.get_running_loop().time()
        await caller.hears("Sind Sie noch da?")
        assert asyncio.get_running_loop().time() - over == pytest.approx(2.0, abs=0.05)
        assert [turn.act for turn in caller.turns] == ["answer"]
        caller.hangs_up()


async def test_a_silence_that_ends_with_a_key_does_not_cut_the_reply_to_the_key() -> None:
    async with a_call() as caller:
        heard = caller.call._heard  # both in one moment: no story can time that from outside
        heard.put_nowait(Key("5"))
        heard.put_nowait(Silence())
        await caller.hears("Einen Menschen erreichen Sie")
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [turn.heard for turn in caller.turns] == ["key"]


async def test_between_two_sentences_there_is_a_pause() -> None:
    async with a_call() as caller:
        notice, greeting = (playback.texts for playback in caller.line.playbacks)
        assert [text for text, _ in notice] == [caller.script.notice]
        assert [text == PAUSE for text, _ in greeting] == [False, True, False, True, False]
        assert {ms for text, ms in greeting if text == PAUSE} == {250}
        caller.hangs_up()


async def test_not_understood_twice_in_a_row_brings_a_person() -> None:
    async with a_call() as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says("[unk] [unk]")
        await caller.heard_out()
        await asyncio.sleep(0.5)
        await caller.says(Transcript("", 0.0))
        await caller.ending()
        assert [(turn.act, turn.reason) for turn in caller.turns] == [
            ("ask", "not-understood"),
            ("escalate", "not-understood"),
        ]
        assert "zweimal nicht verstanden" in caller.reception.whispers[0]


async def test_another_key_tells_the_caller_what_they_can_do() -> None:
    async with a_call() as caller:
        caller.presses("7")
        await caller.hears("Einen Menschen erreichen Sie mit dem Wort Mitarbeiter oder der Taste Null.")
        caller.hangs_up()
        await caller.ending()
        assert [(turn.heard, turn.act) for turn in caller.turns] == [("key", "ask")]


async def test_a_caller_who_speaks_during_the_goodbye_is_served() -> None:
    async with a_call() as caller:
        await caller.says("das war alles")
        await caller.hears("Vielen Dank")
        await caller.says(OPEN)
        await caller.heard_out()
        assert is_answered(caller, "oeffnungszeiten")
        assert [(turn.act, turn.interrupted) for turn in caller.turns] == [("goodbye", True), ("answer", False)]
        await caller.says("tschüss")
        assert await caller.ending() == Solved()


async def test_key_0_during_the_goodbye_brings_a_person() -> None:
    async with a_call() as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says("das war alles")
        await caller.hears("Vielen Dank")
        caller.presses("0")
        await caller.ending()
        assert caller.turns[-1].reason == "key-0"


async def test_somebody_who_only_says_tschuess_into_the_goodbye_is_let_go() -> None:
    async with a_call() as caller:
        await caller.says("das war alles")
        await caller.hears("Auf Wiederhören")
        await caller.says("tschüss")
        assert await caller.ending() == Solved()
        assert [turn.reason for turn in caller.turns] == ["goodbye", "goodbye"]


async def test_a_call_may_be_too_long_for_the_settings() -> None:
    async with a_call(calls={"longest_s": 30}) as caller:
        await caller.says(OPEN)
        assert await caller.ending() == ToQueue("too-long")
        assert caller.line.heard[-1] == "Einen Moment bitte, ich verbinde Sie."


async def test_a_long_question_is_heard_as_one_turn() -> None:
    long = " ".join(["also"] * 40 + [PRICE])
    async with a_call() as caller:
        await caller.says(long)
        assert not caller.line.sending  # replied to when it was over, not in its middle
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].caller_text == long
        assert caller.turns[0].total_ms is not None
        assert caller.turns[0].total_ms < MS_PER_WORD * 5


async def test_a_turn_is_in_the_log_when_its_reply_has_ended_not_when_the_next_one_begins() -> None:
    async with a_call() as caller:
        await caller.says(OPEN)
        await caller.heard_out()
        assert [(turn.number, turn.act) for turn in caller.turns] == [(1, "answer")]
        caller.hangs_up()
        await caller.ending()
        assert len(caller.turns) == 1


async def test_the_agent_speaks_as_the_caller_wants() -> None:
    async with a_call() as caller:
        await caller.says("bitte langsamer")
        await caller.heard_out()
        await caller.says("wann haben sie geöffnet")
        await caller.heard_out()
        first = next(text for text in caller.voice.texts if text.startswith("Wir sind montags"))
        assert caller.voice.manners[first] == Manner(slow=True)
        assert caller.voice.manners[caller.script.notice] == Manner()
        caller.hangs_up()
