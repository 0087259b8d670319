"""Turns that are left to a model: it decides what the policy admits, and whatever becomes of it, the call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fakes import FakeDecider
from prometheus_client import REGISTRY

from ari_agent.call import Ending, HandOver, HungUp, Solved, ToQueue
from ari_agent.decision import Decision, Exchange
from ari_agent.errors import EngineBusy, EngineError, EngineUnavailable
from ari_agent.protocols import Transcript
from ari_agent.speech.ears import Said
from ari_agent.speech.sentences import split

from .switchboard import Caller, Receptionist, a_call

OPEN = "wann haben sie geöffnet"
PRICE = "was kostet eine wartung"
VAGUE = "ich habe da mal etwas zu klären"
"""No passage has anything of it."""
MORE = "Kann ich sonst noch etwas für Sie tun?"
HOURS = Decision("answer", "oeffnungszeiten", intent="auskunft", by="llama")
UNKNOWN = Decision("ask", by="llama")
LIMIT_MS = 1_800
"""A decision's limit in the settings, and what it may take to notice."""


def passage(caller: Caller, source: str) -> list[str]:
    """Return the sentences of a passage."""
    return split(caller.script.passages[source].text)


def heard_last(caller: Caller, source: str) -> bool:
    """Whether a passage was what the caller heard last, but for the question for more."""
    heard = [sentence for sentence in caller.line.heard if sentence != MORE]
    sentences = passage(caller, source)
    return heard[-len(sentences) :] == sentences


def fallen_back(cause: str) -> float:
    """Return how many turns the model has not decided for this cause."""
    return REGISTRY.get_sample_value("ari_agent_model_fall_backs_total", {"cause": cause}) or 0.0


async def asked(caller: Caller, times: int = 1) -> None:
    """Wait until so many decisions were asked of the model."""
    await caller.until(lambda: len(caller.decider.asked) >= times)


async def test_what_the_model_decides_is_done() -> None:
    decider = FakeDecider()
    decider.expect(HOURS, after_s=0.4)
    async with a_call(decider=decider) as caller:
        await caller.says(PRICE)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert heard_last(caller, "oeffnungszeiten")
        (turn,) = caller.turns
        assert (turn.act, turn.source, turn.decided_by) == ("answer", "oeffnungszeiten", "llama")
        assert (turn.intent, turn.urgency) == ("auskunft", "normal")
        assert turn.decide_ms == pytest.approx(400, abs=20)
        (situation,) = decider.asked
        assert situation.text == PRICE
        assert situation.history == ()
        assert situation.default.source == "wartung"


async def test_what_the_model_thinks_urgent_is_in_the_log_and_rings_whom_it_names() -> None:
    decider = FakeDecider()
    decider.expect(Decision("escalate", intent="rechnung", urgency="high", target="buchhaltung", by="llama"))
    async with a_call(decider=decider, escalation={"targets": {"buchhaltung": "geld"}}) as caller:
        caller.reception.will(Receptionist("geld"))
        await caller.says("ich habe schon zweimal bezahlt und bekomme immer noch post")
        assert await caller.ending() == HandOver(Receptionist("geld"), "judgement")
        assert caller.reception.rung == ["geld"]
        (turn,) = caller.turns
        assert (turn.act, turn.intent, turn.urgency, turn.decided_by) == ("escalate", "rechnung", "high", "llama")


@pytest.mark.parametrize(
    ("cause", "limit_s", "failure", "after_s"),
    [
        ("slow", 1.5, HOURS, 60.0),
        ("slow", None, HOURS, 60.0),
        ("busy", 1.5, EngineBusy("fake"), 0.0),
        ("unavailable", 1.5, EngineUnavailable("fake"), 0.0),
        ("unavailable", 1.5, EngineUnavailable("fake"), 0.7),
    ],
    ids=["slow", "slow and without a limit of its own", "busy", "dead", "dies in the middle"],
)
async def test_without_the_model_search_decides_in_time_and_the_next_turn_is_the_models_again(
    cause: str, limit_s: float | None, failure: Decision | EngineError, after_s: float
) -> None:
    decider = FakeDecider(limit_s=limit_s)
    decider.expect(failure, after_s)
    decider.expect(HOURS)
    before = fallen_back(cause)
    async with a_call(decider=decider) as caller:
        await caller.says(PRICE)
        await caller.heard_out()
        assert heard_last(caller, "wartung")
        assert fallen_back(cause) == before + 1
        await caller.says(VAGUE)
        await caller.heard_out()
        assert heard_last(caller, "oeffnungszeiten")
        caller.hangs_up()
        await caller.ending()
        first, second = caller.turns
        assert (first.decided_by, second.decided_by) == ("search", "llama")
        assert first.decide_ms <= LIMIT_MS


async def test_a_model_that_is_gone_for_good_costs_no_call() -> None:
    decider = FakeDecider(EngineUnavailable("fake"))
    async with a_call(decider=decider) as caller:
        for question, source in ((OPEN, "oeffnungszeiten"), (PRICE, "wartung")):
            await caller.says(question)
            await caller.heard_out()
            assert heard_last(caller, source)
        await caller.says("auf wiederhören")
        assert await caller.ending() == Solved()


async def test_a_caller_who_goes_on_while_it_is_decided_is_answered_once_to_all_of_it() -> None:
    decider = FakeDecider()
    decider.expect(Decision("answer", "wartung", by="llama"), after_s=1.0)
    decider.expect(HOURS, after_s=0.2)
    async with a_call(decider=decider) as caller:
        caller.starts_to_say(PRICE)
        await asked(caller)
        caller.starts_to_say(OPEN)
        await caller.hears(MORE)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert [situation.text for situation in decider.asked] == [PRICE, f"{PRICE} {OPEN}"]
        assert [situation.text for situation in decider.cancelled] == [PRICE]
        assert heard_last(caller, "oeffnungszeiten")
        assert not set(passage(caller, "wartung")) & set(caller.line.heard)
        (turn,) = caller.turns
        assert turn.caller_text == f"{PRICE} {OPEN}"
        assert turn.number == 1
        assert turn.decide_ms == pytest.approx(200, abs=20)  # from the last words, not from the first
        assert turn.total_ms is not None
        assert turn.total_ms < 1_500


async def test_a_caller_who_goes_on_twice_is_still_heard_out() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        for times, words in enumerate((PRICE, "und", "für eine gasheizung"), 1):
            caller.starts_to_say(words)
            await asked(caller, times)
        decider.gate.set()
        await caller.hears(MORE)
        caller.hangs_up()
        await caller.ending()
        assert decider.asked[-1].text == f"{PRICE} und für eine gasheizung"
        assert len(decider.cancelled) == 2


async def test_what_is_decided_in_the_moment_in_which_the_caller_goes_on_counts_for_nothing() -> None:
    decider = FakeDecider(UNKNOWN)
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.starts_to_say(VAGUE)
        await asked(caller)
        decider.gate.set()
        caller.call._heard.put_nowait(Said(Transcript("hm", 1.0), 240.0, 0.0, 0.0, 0.0))
        await caller.hears("Das weiß ich leider nicht.")  # and not a person, as after two misses
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        assert decider.asked[-1].text == f"{VAGUE} hm"
        assert [(turn.act, turn.reason) for turn in caller.turns] == [("ask", "unknown")]


async def test_going_on_with_an_emergency_ends_the_wait_for_the_model() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.reception.will(Receptionist("empfang"))
        caller.starts_to_say(PRICE)
        await asked(caller)
        caller.starts_to_say("es brennt")
        assert await caller.ending() == HandOver(Receptionist("empfang"), "emergency")
        assert "Im Notfall wählen Sie bitte eins eins zwei." in caller.line.heard
        (turn,) = caller.turns
        assert (turn.caller_text, turn.decided_by, turn.urgency) == (f"{PRICE} es brennt", "rules", "high")


async def test_key_0_does_not_wait_for_the_model() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.reception.will(Receptionist("empfang"))
        caller.starts_to_say(PRICE)
        await asked(caller)
        caller.presses("0")
        assert await caller.ending() == HandOver(Receptionist("empfang"), "key-0")
        assert len(decider.cancelled) == 1
        assert [(turn.heard, turn.reason, turn.decided_by) for turn in caller.turns] == [("key", "key-0", "rules")]


async def test_a_key_after_the_caller_has_gone_on_speaking_is_heard() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.reception.will(Receptionist("empfang"))
        caller.starts_to_say(PRICE)
        await asked(caller)
        caller.starts_to_say("also " * 20)
        await caller.until(lambda: decider.cancelled)
        caller.presses("0")
        assert await caller.ending() == HandOver(Receptionist("empfang"), "key-0")


Event = Callable[[Caller], Awaitable[Ending]]
"""What ends a call, and how it is to end."""


async def hangs_up(caller: Caller) -> HungUp:
    caller.hangs_up()
    return HungUp()


async def is_dismissed(caller: Caller) -> ToQueue:
    caller.call.dismiss("drain")
    return ToQueue("drain")


async def loses_the_line(caller: Caller) -> ToQueue:
    caller.line.close()
    return ToQueue("media")


async def loses_the_recogniser(caller: Caller) -> ToQueue:
    caller.recogniser.unavailable = EngineUnavailable("vosk")
    caller.starts_to_say(OPEN)
    return ToQueue("engine-vosk")


@pytest.mark.parametrize("event", [hangs_up, is_dismissed, loses_the_line, loses_the_recogniser])
async def test_a_call_that_ends_while_it_is_decided_leaves_nothing_with_the_model(event: Event) -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.starts_to_say(PRICE)
        await asked(caller)
        expected = await event(caller)
        assert await caller.ending() == expected
        assert len(decider.cancelled) == 1
        assert [deliberation.closed for deliberation in decider.deliberations] == [True]


async def test_a_call_that_is_cancelled_from_outside_leaves_nothing_with_the_model() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.starts_to_say(PRICE)
        await asked(caller)
        await caller.killed()
        assert caller.task.cancelled()
        assert len(decider.cancelled) == 1


async def test_nothing_is_read_ahead_while_the_call_leaves_the_model() -> None:
    decider = FakeDecider()
    decider.closing_s = 2.0
    async with a_call(decider=decider) as caller:
        await caller.says("es brennt")
        await caller.hears("Im Notfall")
        caller.starts_to_say("also " * 20)
        await caller.until(lambda: decider.read)
        caller.line.gone = True
        assert await caller.ending() == ToQueue("media")


async def test_the_time_in_which_it_is_decided_is_not_the_callers_silence() -> None:
    decider = FakeDecider()
    decider.expect(HOURS, after_s=1.4)
    async with a_call(decider=decider, calls={"silence_s": 0.4}) as caller:
        caller.starts_to_say(PRICE)
        await asked(caller)
        await caller.hears("Wir sind")
        caller.hangs_up()
        await caller.ending()
        assert [(turn.heard, turn.act) for turn in caller.turns] == [("speech", "answer")]


async def test_what_is_being_said_is_read_ahead_word_by_word() -> None:
    decider = FakeDecider()
    async with a_call(decider=decider) as caller:
        await caller.says(VAGUE)
        await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        words = VAGUE.split()
        texts = [situation.text for situation in decider.read]
        assert texts == [" ".join(words[:count]) for count in range(1, len(words) + 1)]
        assert all(situation.acts == decider.asked[0].acts for situation in decider.read)


async def test_a_caller_who_goes_on_is_read_ahead_with_what_went_before() -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        caller.starts_to_say(PRICE)
        await asked(caller)
        caller.starts_to_say(OPEN)
        await asked(caller, 2)
        caller.hangs_up()
        await caller.ending()
        assert decider.read[-1].text == decider.asked[-1].text == f"{PRICE} {OPEN}"
        assert [s.text for s in decider.read if s.text.startswith("wann")] == []


@pytest.mark.parametrize("words", ["es brennt", "mitarbeiter bitte", "auf wiederhören", "wie bitte", "guten tag"])
async def test_what_a_rule_decides_never_waits_for_the_model(words: str) -> None:
    decider = FakeDecider()
    decider.gate.clear()
    async with a_call(decider=decider) as caller:
        await caller.says(words)
        assert not decider.asked
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].decide_ms == pytest.approx(0, abs=1)


async def test_an_emergency_is_not_even_read_ahead() -> None:
    decider = FakeDecider()
    async with a_call(decider=decider) as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says("notfall")
        await caller.ending()
        assert not decider.read


async def test_a_model_that_is_only_for_doubts_is_asked_only_then() -> None:
    decider = FakeDecider(HOURS)
    async with a_call(decider=decider, model={"consult": "unsure"}) as caller:
        await caller.says(PRICE)
        await caller.heard_out()
        assert heard_last(caller, "wartung")
        assert not decider.asked
        await caller.says(VAGUE)
        await caller.heard_out()
        assert heard_last(caller, "oeffnungszeiten")
        assert len(decider.asked) == 1
        caller.hangs_up()


@pytest.mark.parametrize(
    "decision",
    [
        Decision("answer", "gibt-es-nicht"),
        Decision("answer"),
        Decision("answer", "oeffnungszeiten", confidence=0.1),
        Decision("answer", "oeffnungszeiten", confidence=float("nan")),
        Decision("sing", "oeffnungszeiten"),  # type: ignore[arg-type]
        Decision("goodbye", confidence=0.2),
    ],
    ids=lambda decision: f"{decision.act} {decision.source} {decision.confidence}",
)
async def test_what_the_policy_does_not_admit_is_decided_without_the_model(decision: Decision) -> None:
    async with a_call(decider=FakeDecider(decision)) as caller:
        await caller.says(PRICE)
        await caller.heard_out()
        assert heard_last(caller, "wartung")
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].decided_by == "search"


async def test_whoever_the_settings_do_not_know_is_not_rung_but_the_reception() -> None:
    async with a_call(decider=FakeDecider(Decision("escalate", target="chef-privat", by="llama"))) as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says(VAGUE)
        assert await caller.ending() == HandOver(Receptionist("empfang"), "judgement")
        assert caller.reception.asked == caller.reception.rung == ["empfang"]


async def test_a_model_in_doubt_asks_back_and_yes_is_answered() -> None:
    decider = FakeDecider(Decision("answer", "wartung", confidence=0.45, by="llama"))
    async with a_call(decider=decider) as caller:
        await caller.says(VAGUE)
        await caller.heard_out()
        assert caller.line.heard[-1] == "Geht es um Wartung?"
        await caller.says("ja genau")
        await caller.heard_out()
        assert heard_last(caller, "wartung")
        assert len(decider.asked) == 1
        caller.hangs_up()
        await caller.ending()
        assert [(turn.act, turn.reason) for turn in caller.turns] == [("ask", "confirm"), ("answer", "passage")]


async def test_the_second_time_nobody_knows_brings_a_person() -> None:
    async with a_call(decider=FakeDecider(UNKNOWN)) as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says(VAGUE)
        await caller.heard_out()
        await caller.says("haben sie pinguine")
        assert isinstance(await caller.ending(), HandOver)
        assert [turn.act for turn in caller.turns] == ["ask", "escalate"]


async def test_yes_to_the_offer_of_a_person_brings_one() -> None:
    decider = FakeDecider(UNKNOWN)
    async with a_call(decider=decider) as caller:
        caller.reception.will(Receptionist("empfang"))
        await caller.says("was kostet eine wartung bei pinguinen")
        await caller.hears("Das weiß ich leider nicht.")
        await caller.heard_out()
        await caller.says("ja gerne")
        assert await caller.ending() == HandOver(Receptionist("empfang"), "unknown")


async def test_the_model_is_told_what_the_caller_really_heard() -> None:
    decider = FakeDecider(HOURS)
    async with a_call(decider=decider) as caller:
        await caller.says(VAGUE)
        await caller.hears("Wir sind")
        await asyncio.sleep(2.0)
        await caller.says(PRICE)
        await caller.heard_out()
        caller.presses("7")
        await caller.hears("Taste Null")
        await caller.says("und dann")
        caller.hangs_up()
        await caller.ending()
        first, second = decider.asked[-1].history
        assert first.caller == VAGUE
        assert first.agent.startswith("Wir sind")
        assert first.agent.endswith(" …")
        assert second == Exchange(PRICE, " ".join(passage(caller, "oeffnungszeiten")))


async def test_the_model_is_told_of_the_last_twenty_turns() -> None:
    decider = FakeDecider(lambda situation: Decision("smalltalk", by="llama"))
    async with a_call(decider=decider, calls={"longest_s": 7200}) as caller:
        for number in range(23):
            await caller.says(f"nummer {number}")
            await caller.heard_out()
        caller.hangs_up()
        await caller.ending()
        history = decider.asked[-1].history
        assert [exchange.caller for exchange in history] == [f"nummer {number}" for number in range(2, 22)]


FRIDAY = "Wir sind freitags bis fünfzehn Uhr da."
WEEKEND = "Am Samstag ist geschlossen."
REPHRASE = {"answer_style": "rephrase"}


def phrasing(*phrases: str | EngineError | float) -> FakeDecider:
    """Return a model that answers with the opening hours in these sentences."""
    decider = FakeDecider(HOURS)
    decider.phrases = list(phrases)
    return decider


async def test_a_phrased_answer_is_spoken_while_its_next_sentence_is_being_made() -> None:
    decider = phrasing(FRIDAY, 1.0, WEEKEND)
    async with a_call(decider=decider, model=REPHRASE) as caller:
        await caller.says(OPEN)
        await caller.hears(FRIDAY)
        assert decider.working
        await caller.heard_out()
        assert caller.line.heard[-3:] == [FRIDAY, WEEKEND, MORE]
        caller.hangs_up()
        await caller.ending()
        (turn,) = caller.turns
        assert turn.tts_ms == pytest.approx(0, abs=20)
        assert turn.agent_text == f"{FRIDAY} {WEEKEND} {MORE}"
        assert [topic.id for topic in decider.phrased] == ["oeffnungszeiten"]


async def test_as_soon_as_a_sentence_says_more_than_the_passage_the_passage_is_spoken() -> None:
    decider = phrasing(FRIDAY, "Am Samstag bis zwölf Uhr.", WEEKEND)
    async with a_call(decider=decider, model=REPHRASE) as caller:
        await caller.says(OPEN)
        await caller.heard_out()
        hours = passage(caller, "oeffnungszeiten")
        assert caller.line.heard[-len(hours) - 2 :] == [FRIDAY, *hours, MORE]
        assert not decider.working
        caller.hangs_up()


@pytest.mark.parametrize(
    ("phrases", "wait_ms"),
    [((60.0, FRIDAY), 2_500), ((EngineUnavailable("fake"),), 0), ((EngineBusy("fake"),), 0), ((), 0)],
    ids=["slow", "dead", "busy", "silent"],
)
async def test_without_a_phrased_answer_the_passage_is_spoken(
    phrases: tuple[str | EngineError | float, ...], wait_ms: float
) -> None:
    async with a_call(decider=phrasing(*phrases), model=REPHRASE) as caller:
        await caller.says(OPEN)
        await caller.hears(MORE)
        await caller.heard_out()
        assert heard_last(caller, "oeffnungszeiten")
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].tts_ms == pytest.approx(wait_ms, abs=20)


async def test_speaking_into_a_phrased_answer_ends_it_and_the_model_is_told_how_far_it_came() -> None:
    decider = phrasing(FRIDAY, 30.0, WEEKEND)
    async with a_call(decider=decider, model={**REPHRASE, "phrase_s": 60.0}) as caller:
        await caller.says(OPEN)
        await caller.hears(FRIDAY)
        await asyncio.sleep(2.0)
        caller.starts_to_say(VAGUE)
        await asked(caller, 2)
        assert decider.phrases_cancelled == 1
        assert decider.asked[1].history[0].agent.startswith("Wir sind freitags")
        assert decider.asked[1].history[0].agent.endswith("…")
        caller.hangs_up()
        await caller.ending()
        assert caller.turns[0].interrupted


@pytest.mark.parametrize("event", [hangs_up, is_dismissed, loses_the_line])
async def test_a_call_that_ends_in_a_phrased_answer_leaves_nothing_with_the_model(event: Event) -> None:
    decider = phrasing(FRIDAY, 30.0, WEEKEND)
    async with a_call(decider=decider, model={**REPHRASE, "phrase_s": 60.0}) as caller:
        await caller.says(OPEN)
        await caller.hears(FRIDAY)
        expected = await event(caller)
        assert await caller.ending() == expected
        assert decider.phrases_cancelled == 1


async def test_what_follows_from_yes_is_spoken_as_written() -> None:
    decider = phrasing(FRIDAY)
    decider.expect(Decision("answer", "oeffnungszeiten", confidence=0.4, by="llama"))
    async with a_call(decider=decider, model=REPHRASE) as caller:
        await caller.says(VAGUE)
        await caller.heard_out()
        await caller.says("ja")
        await caller.heard_out()
        assert heard_last(caller, "oeffnungszeiten")
        assert not decider.phrased
        caller.hangs_up()
