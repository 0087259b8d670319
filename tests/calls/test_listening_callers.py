"""Callers who say "mhm" or cough while the agent speaks: it goes on, and nothing counts as heard twice."""

from __future__ import annotations

import asyncio

import pytest
from fakes import FakeDecider

from ari_agent.call import Solved
from ari_agent.decision import Decision
from ari_agent.speech.sentences import split

from .switchboard import MS_PER_LETTER, MS_PER_WORD, Caller, a_call

OPEN = "wann haben sie geöffnet"
PRICE = "was kostet eine wartung"
VAGUE = "ein neuer kessel mit wartung für die gasheizung"
NOISE_WORDS = 3
"""A noise lasts as long as so many words."""
MORE = "Kann ich sonst noch etwas für Sie tun?"
HOLD_MS, DOUBT_MS, RESUME_MS = 100, 1500, 240
"""Of the settings."""
AGAIN_MS = 2000
"""The voice of these tests makes no pause: as much as possible is said again."""
FRAME_MS = 20


def answer(caller: Caller) -> list[str]:
    """Return the sentences of the answer about the opening hours."""
    return [*split(caller.script.passages["oeffnungszeiten"].text), MORE]


async def answering(caller: Caller, after_ms: float = 3000) -> None:
    """Bring the call into the middle of the first sentence of an answer."""
    await caller.says(OPEN)
    await caller.hears("Wir sind montags")
    await caller.until(lambda: caller.line.played_ms >= after_ms)


async def noise(caller: Caller) -> None:
    """Let the caller cough until the agent is silent."""
    await murmurs(caller, "", NOISE_WORDS)


async def murmurs(caller: Caller, words: str, length: int = 1) -> None:
    """Let the caller say something into the agent's words, until it is silent."""
    caller.starts_to_say(words, length)
    await caller.until(lambda: caller.line.idle)


async def goes_on(caller: Caller) -> None:
    """Wait until the agent speaks again."""
    await caller.until(lambda: not caller.line.idle)


@pytest.mark.parametrize("words", ["ja", "mhm", "hm", "aha", "okay", "genau", "verstehe", "gut", "[unk]", ""])
async def test_a_word_of_a_mere_listener_silences_the_agent_and_costs_nothing_of_its_sentence(words: str) -> None:
    async with a_call() as caller:
        await answering(caller)
        spoken, began_ms = len(caller.line.playbacks), caller.line.played_ms
        await murmurs(caller, words)
        cut_ms = caller.line.playbacks[-1].heard_ms
        assert cut_ms - began_ms == pytest.approx(HOLD_MS, abs=2 * FRAME_MS)
        await goes_on(caller)
        await caller.heard_out()
        assert len(caller.line.playbacks) == spoken + 1
        assert caller.line.heard[-3:] == answer(caller)
        (_, again_ms), *_ = caller.line.playbacks[-1].texts
        assert again_ms == pytest.approx(len(answer(caller)[0]) * MS_PER_LETTER - cut_ms + AGAIN_MS, abs=100)
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert not turn.interrupted
        assert turn.agent_text == " ".join(answer(caller))


@pytest.mark.parametrize("words", ["mhm", ""])
async def test_it_goes_on_as_soon_as_the_listener_says_no_more(words: str) -> None:
    async with a_call() as caller:
        await answering(caller)
        await murmurs(caller, words)
        silent_at = asyncio.get_running_loop().time()
        await goes_on(caller)
        silent_ms = (asyncio.get_running_loop().time() - silent_at) * 1000
        assert silent_ms == pytest.approx(MS_PER_WORD - HOLD_MS + RESUME_MS, abs=3 * FRAME_MS)
        caller.hangs_up()


@pytest.mark.parametrize("words", [f"ja {PRICE}", PRICE])
async def test_what_begins_like_a_noise_and_becomes_a_question_is_one(words: str) -> None:
    async with a_call() as caller:
        await answering(caller)
        await murmurs(caller, words)
        await caller.hears("einhundert")
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        cut, whole = caller.turns
        assert (cut.interrupted, whole.source) == (True, "wartung")
        assert cut.agent_text == "Wir sind montags bis donnerstags von acht bis …"
        assert not any("donnerstags" in text for playback in caller.line.playbacks[-1:] for text, _ in playback.texts)


async def test_the_log_and_the_history_hold_what_was_heard_before_and_after_a_murmur() -> None:
    async with a_call() as caller:
        await answering(caller)
        await murmurs(caller, "mhm")
        await goes_on(caller)
        await caller.until(lambda: caller.line.played_ms >= AGAIN_MS + 1500)
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert turn.agent_text == "Wir sind montags bis donnerstags von acht bis siebzehn Uhr und freitags …"


async def test_what_was_heard_before_a_murmur_stays_heard_though_the_caller_hangs_up_before_anything_new() -> None:
    async with a_call() as caller:
        await answering(caller)
        await murmurs(caller, "mhm")
        await goes_on(caller)
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].agent_text == "Wir sind montags bis donnerstags von acht bis …"


async def test_two_murmurs_in_a_row_cost_nothing_either() -> None:
    async with a_call() as caller:
        await answering(caller)
        for _ in range(2):
            await murmurs(caller, "mhm")
            await goes_on(caller)
            await caller.until(lambda: caller.line.played_ms >= AGAIN_MS + 1000)
        await caller.heard_out()
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert (turn.interrupted, turn.agent_text) == (False, " ".join(answer(caller)))


async def test_a_murmur_that_comes_before_anything_new_was_heard_does_not_silence_the_agent_again() -> None:
    async with a_call() as caller:
        await answering(caller)
        await murmurs(caller, "mhm")
        await goes_on(caller)
        spoken = len(caller.line.playbacks)
        caller.starts_to_say("mhm")
        await caller.heard_out()
        assert len(caller.line.playbacks) == spoken
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()


async def test_a_murmur_at_the_last_word_costs_nothing_and_ends_the_reply_once() -> None:
    async with a_call() as caller:
        await answering(caller)
        await caller.hears(MORE)
        whole_ms = sum(ms for _, ms in caller.line.playbacks[-1].texts)
        await caller.until(lambda: caller.line.played_ms >= whole_ms - 150)
        await murmurs(caller, "mhm")
        await goes_on(caller)
        await caller.heard_out()
        assert caller.line.heard[-1] == MORE
        await caller.hears("Sind Sie noch da?")  # the silence counts from the end
        caller.hangs_up()
        await caller.ending()
        assert (caller.turns[0].heard, caller.turns[0].interrupted) == ("speech", False)
        assert caller.turns[0].agent_text == " ".join(answer(caller))


async def test_a_key_pressed_while_the_agent_is_silent_in_doubt_counts() -> None:
    async with a_call() as caller:
        await answering(caller)
        await noise(caller)
        caller.presses("0")
        caller.reception.will("no-answer")
        await caller.until(lambda: len(caller.turns) > 1)
        caller.hangs_up()
        await caller.ending()
        assert caller.reception.rung
        assert (caller.turns[0].interrupted, caller.turns[1].heard) == (True, "key")
        assert caller.turns[0].agent_text == "Wir sind montags bis donnerstags von acht bis …"


async def test_how_long_a_sound_may_last_is_a_setting() -> None:
    async with a_call(speech={"hold_ms": 500}) as caller:
        await answering(caller)
        began_ms = caller.line.played_ms
        await noise(caller)
        assert caller.line.playbacks[-1].heard_ms - began_ms == pytest.approx(500, abs=2 * FRAME_MS)
        caller.hangs_up()


async def test_a_click_does_not_silence_the_agent() -> None:
    async with a_call() as caller:
        await answering(caller)
        spoken = len(caller.line.playbacks)
        caller.clicks(HOLD_MS - FRAME_MS)
        await caller.heard_out()
        assert len(caller.line.playbacks) == spoken
        caller.hangs_up()


async def test_a_noise_without_end_keeps_the_agent_silent_for_a_while_only() -> None:
    async with a_call() as caller:
        await answering(caller)
        began = asyncio.get_running_loop().time()
        caller.starts_to_say("", 100)
        await caller.until(lambda: caller.line.idle)
        await goes_on(caller)
        assert (asyncio.get_running_loop().time() - began) * 1000 == pytest.approx(DOUBT_MS, abs=3 * FRAME_MS)
        assert caller.line.sending
        await caller.heard_out()
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()


async def test_in_the_first_two_seconds_the_sentence_is_said_again_from_its_beginning_and_counts_once() -> None:
    async with a_call() as caller:
        await answering(caller, after_ms=1500)
        await noise(caller)
        await goes_on(caller)
        await caller.heard_out()
        (_, again_ms), *_ = caller.line.playbacks[-1].texts
        assert again_ms == pytest.approx(len(answer(caller)[0]) * MS_PER_LETTER, abs=100)
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert not turn.interrupted
        assert turn.agent_text == " ".join(answer(caller))


async def test_a_sentence_that_was_heard_is_not_said_again() -> None:
    async with a_call() as caller:
        await answering(caller)
        await caller.hears(MORE)
        await noise(caller)
        await caller.hears(MORE)
        await caller.heard_out()
        assert caller.line.heard.count(answer(caller)[0]) == 1
        assert caller.line.heard[-1] == MORE
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].agent_text == " ".join(answer(caller))


async def test_in_the_pause_between_two_sentences_the_next_one_follows() -> None:
    async with a_call() as caller:
        await answering(caller)
        whole_ms = len(answer(caller)[0]) * MS_PER_LETTER
        await caller.until(lambda: caller.line.played_ms >= whole_ms - HOLD_MS + 100)
        await noise(caller)
        assert caller.line.playbacks[-1].heard_ms > whole_ms
        await caller.until(lambda: not caller.line.idle)
        assert caller.line.hearing == answer(caller)[1]
        await caller.heard_out()
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()


async def test_noise_again_and_again_does_not_keep_a_sentence_from_being_finished() -> None:
    async with a_call() as caller:
        await answering(caller)
        spoken = len(caller.line.playbacks)
        while MORE not in caller.line.heard:
            caller.starts_to_say("", NOISE_WORDS)
            await asyncio.sleep(1.5)
        assert len(caller.line.playbacks) == spoken + 3
        assert caller.line.heard[-3:] == answer(caller)
        caller.hangs_up()


async def test_words_interrupt_also_after_a_noise() -> None:
    async with a_call() as caller:
        await answering(caller)
        await noise(caller)
        await caller.hears("Wir sind montags")
        await caller.until(lambda: caller.line.played_ms >= 1000)  # nothing new yet
        began_ms = caller.line.played_ms
        await caller.says(PRICE)
        assert caller.line.playbacks[-2].heard_ms - began_ms <= MS_PER_WORD + 2 * FRAME_MS
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        cut, whole = caller.turns
        assert cut.interrupted
        assert cut.agent_text == "Wir sind montags bis donnerstags von acht bis …"
        assert whole.source == "wartung"


async def test_who_hangs_up_while_the_agent_is_silent_for_a_noise_has_interrupted_it() -> None:
    async with a_call() as caller:
        await answering(caller)
        await noise(caller)
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert turn.interrupted
        assert turn.agent_text == "Wir sind montags bis donnerstags von acht bis …"


async def test_yes_is_the_answer_in_the_last_sentence_of_a_question() -> None:
    async with a_call() as caller:
        await caller.says(VAGUE)
        await caller.hears("Geht es um")
        await caller.says("ja")
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [(turn.act, turn.interrupted) for turn in caller.turns] == [("ask", True), ("answer", False)]


async def test_yes_before_the_question_is_no_answer_to_it() -> None:
    async with a_call() as caller:
        await answering(caller)
        await caller.hears(answer(caller)[1])
        began_ms = caller.line.played_ms
        await caller.until(lambda: caller.line.played_ms >= began_ms + len(answer(caller)[1]) * MS_PER_LETTER - 60)
        caller.starts_to_say("ja")  # understood when the question has begun
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [turn.act for turn in caller.turns] == ["answer"]


async def test_yes_just_before_the_end_of_a_statement_is_no_turn_when_it_is_over() -> None:
    async with a_call() as caller:
        caller.presses("7")
        await caller.hears("Was kann ich für Sie tun?")
        await caller.until(lambda: caller.line.playbacks[-1].texts[-1][1] and caller.line.hearing)
        total = sum(ms for _, ms in caller.line.playbacks[-1].texts)
        await caller.until(lambda: caller.line.played_ms >= total - 100)
        caller.starts_to_say("ja")
        await caller.hears("Sind Sie noch da?")
        caller.hangs_up()
        await caller.ending()
        assert [turn.heard for turn in caller.turns] == ["key", "silence"]


async def test_a_backchannel_during_the_notice_does_not_cut_the_greeting() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("Guten Tag")
        caller.starts_to_say("ja")
        await caller.hears("Was kann ich für Sie tun?")
        await caller.heard_out()
        assert len(caller.line.heard) == 1 + 3
        assert len(caller.line.playbacks) == 2
        assert not caller.turns
        caller.hangs_up()


async def test_a_murmur_during_the_notice_does_not_make_the_greeting_slower_to_interrupt() -> None:
    async with a_call(greeted=False) as caller:
        await caller.hears("Guten Tag")
        caller.starts_to_say("ja")
        await caller.until(lambda: len(caller.line.playbacks) > 1 and not caller.line.idle)
        began_ms = caller.line.played_ms
        await noise(caller)
        assert caller.line.playbacks[-1].heard_ms - began_ms == pytest.approx(HOLD_MS, abs=2 * FRAME_MS)
        caller.hangs_up()


@pytest.mark.parametrize("words", ["ja", ""], ids=["ja", "noise"])
async def test_the_goodbye_is_finished_in_spite_of(words: str) -> None:
    async with a_call() as caller:
        await caller.says("das war alles")
        await caller.hears("Vielen Dank")
        caller.starts_to_say(words, NOISE_WORDS)
        assert await caller.ending() == Solved()
        assert caller.line.heard[-2:] == ["Vielen Dank für Ihren Anruf.", "Auf Wiederhören."]
        assert [turn.reason for turn in caller.turns] == ["goodbye"]


async def test_the_model_is_told_the_whole_reply_when_it_was_gone_on_with() -> None:
    decider = FakeDecider(Decision("answer", "oeffnungszeiten", confidence=0.9, by="llama"))
    async with a_call(decider=decider) as caller:
        await answering(caller)
        await noise(caller)
        await caller.hears("Wir sind montags")
        await caller.heard_out()
        caller.starts_to_say(VAGUE)
        await caller.until(lambda: len(decider.asked) > 1)
        (exchange,) = decider.asked[1].history
        assert exchange.agent == " ".join(answer(caller))
        caller.hangs_up()


async def test_a_noise_into_a_phrased_answer_does_not_cost_its_next_sentence() -> None:
    decider = FakeDecider(Decision("answer", "oeffnungszeiten", confidence=0.9, by="llama"))
    friday, weekend = "Wir sind freitags bis fünfzehn Uhr da.", "Am Samstag ist geschlossen."
    decider.phrases = [friday, 1.0, weekend]
    async with a_call(decider=decider, model={"answer_style": "rephrase"}) as caller:
        await caller.says(OPEN)
        await caller.hears(friday)
        await noise(caller)
        await caller.hears(MORE)
        await caller.heard_out()
        assert caller.line.heard[-3:] == [friday, weekend, MORE]
        assert decider.phrases_cancelled == 0
        caller.hangs_up()


async def test_what_is_no_turn_is_not_read_ahead() -> None:
    decider = FakeDecider(Decision("answer", "oeffnungszeiten", confidence=0.9, by="llama"))
    async with a_call(decider=decider) as caller:
        await answering(caller)
        read = len(decider.read)
        caller.starts_to_say("mhm")
        await caller.heard_out()
        assert len(decider.read) == read
        caller.hangs_up()


async def test_what_interrupts_is_read_ahead_as_a_turn_of_its_own() -> None:
    decider = FakeDecider(Decision("answer", "oeffnungszeiten", confidence=0.9, by="llama"))
    async with a_call(decider=decider) as caller:
        await answering(caller)
        caller.starts_to_say(VAGUE)
        await caller.until(lambda: decider.read[-1].text == VAGUE)
        (exchange,) = decider.read[-1].history
        assert exchange.agent == "Wir sind montags bis donnerstags von acht bis …"
        caller.hangs_up()


async def test_an_answer_that_is_still_being_phrased_makes_way_for_the_words_that_interrupt_it() -> None:
    decider = FakeDecider(Decision("answer", "oeffnungszeiten", confidence=0.9, by="llama"))
    friday = "Wir sind freitags bis fünfzehn Uhr da."
    decider.phrases = [friday, 30.0]
    async with a_call(decider=decider, model={"answer_style": "rephrase", "phrase_s": 60.0}) as caller:
        await caller.says(OPEN)
        await caller.hears(friday)
        caller.starts_to_say(VAGUE)
        await caller.until(lambda: decider.read[-1].text.startswith("ein neuer"))
        assert caller.line.sending  # while the caller still speaks
        assert decider.phrases_cancelled == 1
        caller.hangs_up()
