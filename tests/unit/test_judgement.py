"""What is decided before a model is asked, and what its decision comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import pytest

from ari_agent.decision import ACTS, ActName, Decision, Exchange, Intent, Situation
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.policy import OF_KIND, Consultation, Rule, admit, asks_model, judge, stands
from ari_agent.dialogue.script import Office, Script
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Kind, Match, Reading
from ari_agent.knowledge.search import SearchKnowledge

HOURS = Passage("zeiten", "Öffnungszeiten", "Wir sind von acht bis siebzehn Uhr da.", ("wann ist offen",))
PARKING = Passage("parken", "Parkplätze", "Im Hof.", ("wo kann ich parken",))
KNOWN = {HOURS.id, PARKING.id}
ALWAYS = Consultation("always")
SURE = Match(HOURS, 0.9, None, sure=True, possible=True)
UNSURE = Match(HOURS, 0.5, None, sure=False, possible=True)
CLOSE = Match(HOURS, 0.7, PARKING, sure=False, possible=True)
NOTHING = Match(HOURS, 0.1, None, sure=False, possible=False)
UNREAD = Reading(None)
UNKNOWN = Decision("ask", reason="unknown")
CATALOGUE = (
    Intent("auskunft", ("ich habe eine frage",)),
    Intent("rechnung", ("meine rechnung stimmt nicht",), target="buchhaltung"),
    Intent("stoerung", ("es ist kaputt",), urgency="high", target="technik"),
)
TARGETS = ("buchhaltung", "technik")


class Readings:
    """Implements Knowledge: reads what the test says."""

    engine: Literal["search", "encoder"] = "encoder"
    passages = (HOURS, PARKING)

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.lasts: list[str] = []

    def read(self, text: str, last: str = "") -> Reading:
        """Return the scripted reading."""
        self.lasts.append(last)
        return self.reading


def conversation(reading: Reading = UNREAD, when: Literal["never", "unsure", "always"] = "always") -> Conversation:
    """Return a conversation in which everything reads like this."""
    script = Script(
        "Muster GmbH",
        Readings(reading),
        consultation=Consultation(when),
        intents=CATALOGUE,
        office=Office(targets=TARGETS),
    )
    return Conversation(script)


def asked(talk: Conversation, text: str = "etwas anderes") -> Situation:
    """Say something that no rule decides and return what the model is asked."""
    situation = talk.said(text)
    assert isinstance(situation, Situation)
    return situation


def decided(decision: Decision | None, reading: Reading = UNREAD) -> Act:
    """Return what a model's decision comes to in a conversation's first turn."""
    talk = conversation(reading)
    return talk.decided(asked(talk), decision)


# Before a model


@pytest.mark.parametrize("found", [None, "wish-for-person"])
@pytest.mark.parametrize("kind", OF_KIND)
def test_a_rule_goes_before_what_the_words_read_like(kind: Kind, found: Rule | None) -> None:
    decision = judge(found, Reading(SURE, kind), "encoder")
    expected = OF_KIND["person"] if found else replace(OF_KIND[kind], by="encoder")
    assert decision == (expected if found or kind != "privacy" else judge(None, Reading(SURE), "encoder"))


def test_every_kind_of_turn_but_the_question_has_its_decision() -> None:
    assert set(get_args(Kind)) - set(OF_KIND) == {"question"}


@pytest.mark.parametrize(
    ("match", "kind", "act", "reason"),
    [
        (SURE, "question", "answer", "passage"),
        (SURE, None, "answer", "passage"),
        (UNSURE, "question", "ask", "confirm"),
        (CLOSE, "question", "ask", "which"),
        (NOTHING, "question", "ask", "unknown"),
        (NOTHING, None, "ask", "not-understood"),
        (None, "question", "ask", "unknown"),
        (None, None, "ask", "not-understood"),
    ],
)
def test_a_question_is_decided_by_its_passage(match: Match | None, kind: Kind | None, act: str, reason: str) -> None:
    decision = judge(None, Reading(match, kind, "auskunft"), "encoder")
    assert (decision.act, decision.reason, decision.intent, decision.by) == (act, reason, "auskunft", "encoder")
    assert decision.source == (HOURS.id if match is not None and match is not NOTHING else None)
    assert decision.other == (PARKING.id if match is CLOSE else None)


@pytest.mark.parametrize("found", get_args(Rule))
def test_only_a_question_with_its_answer_overrides_a_rule_and_never_an_emergency_or_a_person(found: Rule) -> None:
    yielding = {"fault", "complaint", "accident", "distress", "message"}
    about_the_talk = {"repeat", "privacy", "slower", "english", "german"}
    assert stands(found, Reading(UNSURE, "question"))
    assert stands(found, Reading(SURE, "question")) is (found not in yielding | about_the_talk)
    assert stands(found, Reading(UNSURE, None))
    assert stands(found, Reading(SURE, None)) is (found not in about_the_talk)
    assert stands(found, Reading(UNSURE, "person")) is (found not in about_the_talk)


@pytest.mark.parametrize("when", ["never", "unsure", "always"])
@pytest.mark.parametrize("kind", ["emergency", "person", "lawyer", "distress", "message", "goodbye", "repeat"])
def test_no_model_is_asked_about_what_must_be_understood(
    kind: Kind, when: Literal["never", "unsure", "always"]
) -> None:
    reading = Reading(None, kind)
    assert not asks_model(judge(None, reading, "encoder"), reading, Consultation(when))
    assert not asks_model(OF_KIND["emergency"], Reading(SURE, "question"), Consultation(when))


@pytest.mark.parametrize(
    ("when", "match", "asks"),
    [
        ("never", UNSURE, False),
        ("unsure", SURE, False),
        ("unsure", UNSURE, True),
        ("unsure", None, True),
        ("always", SURE, True),
        ("always", None, True),
    ],
)
def test_a_model_is_asked_as_the_settings_say(
    when: Literal["never", "unsure", "always"], match: Match | None, asks: bool
) -> None:
    reading = Reading(match, "question")
    assert asks_model(judge(None, reading, "search"), reading, Consultation(when)) is asks
    assert isinstance(conversation(reading, when).said("wann genau"), Situation) is asks


@pytest.mark.parametrize("text", ["", "notfall", "mitarbeiter", "auf wiederhören", "ja", "nein", "wie bitte", "hallo"])
def test_no_model_is_asked_about_words_that_rules_understand(text: str) -> None:
    assert not isinstance(conversation().said(text), Situation)


@pytest.mark.parametrize("kind", ["emergency", "anger", "person", "goodbye"])
def test_what_must_be_understood_ends_the_turn_after_a_short_pause(kind: Kind) -> None:
    assert conversation(Reading(None, kind)).makes_sense("irgendwas")
    assert not conversation(Reading(None, "outside")).makes_sense("irgendwas")


# After a model


def admitted(decision: Decision, default: Decision = UNKNOWN, *acts: ActName) -> Decision:
    """Return what the policy makes of it."""
    return admit(decision, Situation("etwas", (), acts or ACTS, default), KNOWN, ALWAYS)


@pytest.mark.parametrize(
    ("decision", "act", "reason"),
    [
        (Decision("answer", "zeiten"), "answer", "passage"),
        (Decision("answer", "zeiten", confidence=0.6), "answer", "passage"),
        (Decision("answer", "zeiten", confidence=0.59), "ask", "confirm"),
        (Decision("answer", "zeiten", confidence=0.3), "ask", "confirm"),
        (Decision("ask", "parken"), "ask", "confirm"),
        (Decision("ask"), "ask", "unknown"),
        (Decision("message"), "message", "message"),
        (Decision("escalate"), "escalate", "judgement"),
        (Decision("smalltalk"), "smalltalk", "smalltalk"),
        (Decision("goodbye"), "goodbye", "goodbye"),
    ],
)
def test_what_a_model_may_decide_has_the_policys_reason(decision: Decision, act: str, reason: str) -> None:
    claimed = replace(decision, reason="emergency", other="zeiten", by="llama")
    result = admitted(claimed)
    assert (result.act, result.reason, result.source, result.by) == (act, reason, decision.source, "llama")
    assert result.other is None


@pytest.mark.parametrize(
    "decision",
    [
        Decision("answer"),
        Decision("answer", "fremd"),
        Decision("ask", "fremd"),
        Decision("escalate", "fremd"),
        Decision("answer", "zeiten", confidence=0.29),
        Decision("answer", "zeiten", confidence=float("nan")),
        Decision("goodbye", confidence=0.5),
        Decision("hang-up"),  # type: ignore[arg-type]
    ],
    ids=str,
)
@pytest.mark.parametrize("default", [Decision("answer", "parken"), Decision("ask", reason="unknown", by="search")])
def test_what_it_may_not_decide_is_decided_without_it(decision: Decision, default: Decision) -> None:
    assert admitted(decision, default) == default


@pytest.mark.parametrize("act", ACTS)
def test_an_act_that_is_not_allowed_now_is_not_done(act: ActName) -> None:
    default = Decision("ask", reason="not-understood")
    others = [other for other in ACTS if other != act]
    assert admitted(Decision(act, "zeiten"), default, *others) == default


@pytest.mark.parametrize(
    ("default", "reason"),
    [
        (Decision("ask", reason="not-understood"), "not-understood"),
        (Decision("ask", reason="unknown"), "unknown"),
        (Decision("ask", "zeiten", reason="confirm"), "unknown"),
        (Decision("answer", "zeiten", reason="passage"), "unknown"),
        (Decision("smalltalk", reason="cannot"), "unknown"),
    ],
)
def test_a_model_that_knows_no_passage_says_why_as_the_policy_does(default: Decision, reason: str) -> None:
    assert admitted(Decision("ask"), default).reason == reason


def test_smalltalk_keeps_the_reason_that_the_words_gave_it() -> None:
    assert admitted(Decision("smalltalk"), Decision("smalltalk", reason="cannot")).reason == "cannot"


def test_an_urgency_that_does_not_exist_is_normal() -> None:
    assert admitted(Decision("escalate", urgency="extreme")).urgency == "normal"  # type: ignore[arg-type]
    assert admitted(Decision("escalate", urgency="high")).urgency == "high"


# In a conversation


def test_a_turn_is_told_with_what_was_said_before() -> None:
    talk = conversation()
    talk.decided(asked(talk, "wie geht es"), Decision("smalltalk"))
    talk.replied("Danke, mir …")
    situation = asked(talk, "und jetzt")
    assert (situation.text, situation.acts) == ("und jetzt", ACTS)
    assert situation.history == (Exchange("wie geht es", "Danke, mir …"),)


def test_keys_and_silence_are_no_exchange() -> None:
    talk = conversation()
    for act in (talk.key("5"), talk.silent(), talk.refused("declined")):
        talk.replied(act.text)
    assert asked(talk).history == ()


def test_at_most_twenty_exchanges_are_told_the_oldest_falls_out() -> None:
    talk = conversation()
    for number in range(25):
        talk.decided(asked(talk, f"satz {number}"), Decision("smalltalk"))
        talk.replied("Ja.")
    assert [exchange.caller for exchange in asked(talk).history] == [f"satz {number}" for number in range(5, 25)]


def test_words_on_the_way_are_a_situation_only_where_a_model_will_be_asked() -> None:
    talk = conversation()
    assert (ahead := talk.ahead("was kostet")) is not None
    assert ahead.text == "was kostet"
    assert talk.ahead("es brennt") is None
    assert conversation(when="never").ahead("was kostet") is None


def test_words_on_the_way_follow_those_that_are_being_decided() -> None:
    talk = conversation()
    asked(talk, "was kostet")
    assert (ahead := talk.ahead("eine wartung")) is not None
    assert ahead.text == "was kostet eine wartung"
    talk.decided(asked(talk, "was kostet eine wartung"), None)
    talk.replied("Das weiß ich leider nicht.")
    assert (ahead := talk.ahead("schade")) is not None
    assert ahead.text == "schade"


def test_without_a_decision_the_default_is_carried_out() -> None:
    assert decided(None, Reading(SURE, "question")) == Answer(
        HOURS.text, "zeiten", after="Kann ich sonst noch etwas für Sie tun?"
    )
    assert decided(None, Reading(UNSURE)) == Ask("Geht es um Öffnungszeiten?", "confirm")


def test_asking_alone_changes_nothing_in_the_conversation() -> None:
    talk = conversation()
    for _ in range(5):
        asked(talk)
    assert talk.decided(asked(talk), None).reason == "not-understood"


def test_unknown_offers_a_person_and_yes_brings_one() -> None:
    talk = conversation(Reading(None, "question"))
    offer = talk.decided(asked(talk), Decision("ask"))
    assert offer == Ask("Das weiß ich leider nicht. Möchten Sie mit einem Menschen sprechen?", "unknown")
    assert talk.makes_sense("ja")
    assert isinstance(act := talk.said("ja bitte"), Escalate)
    assert act.reason == "unknown"


def test_no_to_a_person_asks_for_something_else() -> None:
    talk = conversation(Reading(None, "question"))
    talk.decided(asked(talk), None)
    assert talk.said("nein") == Ask(talk.script.wording.what_else, "no")


@pytest.mark.parametrize("kinds", [("question", "question"), (None, "question"), ("question", None)])
def test_the_second_miss_in_a_row_brings_a_person_whoever_decided(kinds: Sequence[Kind | None]) -> None:
    readings = Readings(Reading(None))
    talk = Conversation(Script("Muster GmbH", readings, consultation=ALWAYS))
    acts: list[Act] = []
    for kind in kinds:
        readings.reading = Reading(None, kind)
        acts.append(talk.decided(asked(talk, f"etwas {kind}"), Decision("ask", by="llama")))
    assert [act.name for act in acts] == ["ask", "escalate"]
    assert talk.decision is not None
    assert talk.decision.by == "llama"


def test_an_answer_between_two_misses_starts_the_count_again() -> None:
    talk = conversation()
    for decision in (Decision("ask"), Decision("answer", "zeiten"), Decision("ask")):
        act = talk.decided(asked(talk), decision)
    assert act.name == "ask"


def test_a_model_in_doubt_is_confirmed_by_the_caller() -> None:
    talk = conversation()
    assert talk.decided(asked(talk), Decision("answer", "parken", confidence=0.4)).text == "Geht es um Parkplätze?"
    assert isinstance(act := talk.said("ja"), Answer)
    assert act.source == "parken"


@pytest.mark.parametrize(
    ("decision", "urgency", "target"),
    [
        (Decision("escalate", intent="rechnung"), "normal", "buchhaltung"),
        (Decision("escalate", intent="rechnung", target="technik"), "normal", "technik"),
        (Decision("escalate", intent="rechnung", target="fremd"), "normal", None),
        (Decision("escalate", intent="stoerung"), "high", "technik"),
        (Decision("escalate", intent="stoerung", urgency="low"), "high", "technik"),
        (Decision("escalate", intent="rechnung", urgency="low"), "low", "buchhaltung"),
        (Decision("escalate", intent="auskunft", target="technik"), "normal", "technik"),
        (Decision("escalate", intent="fremd", target="fremd"), "normal", None),
        (Decision("escalate", intent="fremd", target="technik"), "normal", "technik"),
    ],
    ids=str,
)
def test_whom_it_is_for_and_how_urgent_comes_from_the_model_or_its_intent(
    decision: Decision, urgency: str, target: str | None
) -> None:
    act = decided(decision)
    assert isinstance(act, Escalate)
    assert (act.name, act.urgency, act.target) == (decision.act, urgency, target)


def test_an_intent_that_the_catalogue_does_not_have_is_none() -> None:
    talk = conversation()
    talk.decided(asked(talk), Decision("answer", "zeiten", intent="drop table"))
    assert talk.decision is not None
    assert talk.decision.intent == ""


def test_a_model_may_end_the_call_when_it_is_sure() -> None:
    assert isinstance(decided(Decision("goodbye", confidence=0.9)), Goodbye)
    assert isinstance(decided(Decision("goodbye", confidence=0.5)), Ask)


def test_what_the_agent_said_last_is_known_to_whoever_reads() -> None:
    readings = Readings(Reading(None))
    talk = Conversation(Script("Muster GmbH", readings, consultation=ALWAYS))
    talk.decided(asked(talk, "wann"), Decision("answer", "zeiten"))
    asked(talk, "und am samstag")
    lasts = [last for last in dict.fromkeys(readings.lasts) if last]  # "" where the document itself is asked
    assert lasts == [talk.script.greeting, f"{HOURS.text} Kann ich sonst noch etwas für Sie tun?"]


def test_the_brief_names_all_among_which_a_model_can_choose() -> None:
    brief = conversation().script.brief()
    assert brief.company == "Muster GmbH"
    assert [topic.id for topic in brief.topics] == ["zeiten", "parken"]
    assert brief.topics[0].questions == HOURS.questions
    assert (brief.intents, brief.targets) == (CATALOGUE, ("empfang", *TARGETS))


def test_with_nobody_but_the_default_there_is_nobody_to_choose() -> None:
    assert Script("Muster GmbH", conversation().script.knowledge).brief().targets == ()


def test_a_question_back_that_is_hardly_possible_is_not_asked() -> None:
    talk = conversation()
    act = talk.decided(asked(talk), Decision("ask", "parken", confidence=0.1))
    assert "Parkplätze" not in act.text


@pytest.mark.parametrize(
    ("partial", "clear"),
    [
        ("ich hab", False),
        ("wie lange", False),
        ("was kostet die wartung und", False),
        ("was kostet die", False),
        ("was kostet die wartung", True),
        ("es brennt", True),
    ],
)
def test_half_a_sentence_does_not_end_a_turn(partial: str, clear: bool) -> None:
    prices = Passage("preise", "Preise", "Hundert Euro.", ("was kostet die wartung", "ich hab", "wie lange"))
    assert Conversation(Script("Muster GmbH", SearchKnowledge([prices]))).makes_sense(partial) is clear
