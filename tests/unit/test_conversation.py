"""What the agent does next, turn by turn."""

from __future__ import annotations

import pytest

from ari_agent.decision import Situation
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.script import Script
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.speech.sentences import split

HOURS = Passage("oeffnungszeiten", "Öffnungszeiten", "Wir sind von acht bis siebzehn Uhr da.", ("wann ist offen",))
PARKING = Passage("parken", "Parkplätze", "Im Hof.", ("wo kann ich parken", "gibt es plätze für transporter"))
PRICE = Passage("wartung", "Wartung", "Eine Wartung kostet hundert Euro.", ("was kostet eine wartung",))
DURATION = Passage("dauer", "Dauer", "Eine Wartung dauert eine Stunde.", ("wie lange dauert eine wartung",))
SCRIPT = Script("Muster GmbH", SearchKnowledge([HOURS, PARKING, PRICE, DURATION]))
WORDING = SCRIPT.wording


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(SCRIPT)


def said(conversation: Conversation, *texts: str) -> Act:
    """Say all of this and return what the agent does after the last."""
    acts = [conversation.said(text) for text in texts]
    assert not isinstance(acts[-1], Situation)  # no model is asked
    return acts[-1]


def doubtful(conversation: Conversation) -> Act:
    """Say something that fits a passage only in part."""
    return said(conversation, "transporter mit anhänger und wohnwagen parken")


def test_the_notice_names_the_company_and_that_it_is_a_computer() -> None:
    assert "Muster GmbH" in SCRIPT.notice
    assert "KI-Assistent" in SCRIPT.notice
    assert "Computer, kein Mensch" in SCRIPT.notice


def test_the_greeting_says_truly_whether_words_are_kept() -> None:
    assert SCRIPT.greeting.startswith(WORDING.not_recorded)
    assert Script("X", SCRIPT.knowledge, wording_stored=True).greeting.startswith(WORDING.wording_stored)


def test_the_greeting_names_the_way_to_a_person() -> None:
    assert "Mitarbeiter" in SCRIPT.greeting
    assert "Taste Null" in SCRIPT.greeting


def test_a_question_is_answered_and_only_the_first_time_asked_for_more(conversation: Conversation) -> None:
    first = said(conversation, "wann ist offen")
    assert first == Answer(HOURS.text, "oeffnungszeiten", after=WORDING.more)
    assert said(conversation, "wo kann ich parken") == Answer(PARKING.text, "parken")


def test_a_doubtful_question_is_asked_back(conversation: Conversation) -> None:
    assert doubtful(conversation) == Ask("Geht es um Parkplätze?", "confirm")


@pytest.mark.parametrize("yes", ["ja", "ja genau", "richtig", "ja danke"])
def test_yes_to_a_doubt_is_answered(conversation: Conversation, yes: str) -> None:
    doubtful(conversation)
    assert isinstance(answer := said(conversation, yes), Answer)
    assert answer.source == "parken"


def test_no_to_a_doubt_asks_what_it_is_then_and_a_second_no_ends_the_call(conversation: Conversation) -> None:
    doubtful(conversation)
    assert said(conversation, "nein") == Ask(WORDING.then_what, "no")
    assert said(conversation, "nein") == Goodbye(WORDING.goodbye, "no")


def test_a_doubt_is_forgotten_when_the_caller_says_something_else(conversation: Conversation) -> None:
    doubtful(conversation)
    said(conversation, "wann ist offen")
    assert said(conversation, "ja") == Ask(WORDING.what_else, "yes")


def test_a_doubt_outlives_wie_bitte(conversation: Conversation) -> None:
    doubt = doubtful(conversation)
    assert said(conversation, "wie bitte") == Ask(doubt.text, "repeat")
    assert isinstance(answer := said(conversation, "ja"), Answer)
    assert answer.source == "parken"


def test_between_two_passages_the_caller_chooses() -> None:
    large = Passage("gross", "Großes Bad", "Zehntausend Euro.", ("was kostet ein bad",))
    small = Passage("klein", "Kleines Bad", "Tausend Euro.", ("was kostet ein bad",))
    conversation = Conversation(Script("Muster GmbH", SearchKnowledge([large, small])))
    which = said(conversation, "was kostet ein bad")
    assert which == Ask("Geht es um Großes Bad oder um Kleines Bad?", "which")
    assert said(conversation, "ja") == which
    assert said(conversation, "wie bitte") == Ask(which.text, "repeat")
    assert said(conversation, "nein") == Ask(WORDING.then_what, "no")
    assert isinstance(answer := said(conversation, "das kleine"), Answer)
    assert answer.source == "klein"


def test_no_more_questions_after_an_answer_end_the_call(conversation: Conversation) -> None:
    assert said(conversation, "wann ist offen", "nein") == Goodbye(WORDING.goodbye, "no")


@pytest.mark.parametrize("before", ["", "[unk]", "guten tag"])
def test_a_no_that_answers_nothing_does_not_end_the_call(conversation: Conversation, before: str) -> None:
    if before:
        said(conversation, before)
    assert said(conversation, "nein") == Ask(WORDING.then_what, "no")


def test_yes_after_an_answer_asks_for_the_matter(conversation: Conversation) -> None:
    assert said(conversation, "wann ist offen", "ja") == Ask(WORDING.what_else, "yes")


def test_whoever_is_still_there_is_asked_for_the_matter(conversation: Conversation) -> None:
    assert conversation.silent() == Ask(WORDING.are_you_there, "silence")
    assert said(conversation, "ja") == Ask(WORDING.what_else, "yes")


@pytest.mark.parametrize("hello", ["guten tag", "hallo", "ja guten tag"])
def test_a_caller_who_only_greets_hears_the_greeting(conversation: Conversation, hello: str) -> None:
    assert said(conversation, hello) == Ask(SCRIPT.greeting, "greeting")


def test_wie_bitte_after_the_greeting_repeats_it(conversation: Conversation) -> None:
    assert said(conversation, "wie bitte") == Ask(SCRIPT.greeting, "repeat")


def test_wie_bitte_repeats_as_often_as_wanted(conversation: Conversation) -> None:
    answer = said(conversation, "wann ist offen")
    for _ in range(3):
        assert said(conversation, "wie bitte") == Ask(f"{answer.text} {WORDING.more}", "repeat")


def test_once_more_with_its_matter_is_a_question(conversation: Conversation) -> None:
    said(conversation, "wann ist offen")
    assert isinstance(answer := said(conversation, "was kostet noch einmal eine wartung"), Answer)
    assert answer.source == "wartung"


@pytest.mark.parametrize("nothing", ["", "[unk]", "blau grün"])
def test_a_second_miss_in_a_row_brings_a_person(conversation: Conversation, nothing: str) -> None:
    assert said(conversation, nothing) == Ask(WORDING.not_understood, "not-understood")
    assert isinstance(act := said(conversation, nothing), Escalate)
    assert act.reason == "not-understood"


def test_misses_that_are_not_in_a_row_do_not_count(conversation: Conversation) -> None:
    for _ in range(3):
        assert said(conversation, "[unk]") == Ask(WORDING.not_understood, "not-understood")
        assert said(conversation, "wann ist offen").reason == "passage"


def test_the_third_silence_in_a_row_brings_a_person(conversation: Conversation) -> None:
    assert [conversation.silent().reason for _ in range(2)] == ["silence", "silence"]
    assert isinstance(conversation.silent(), Escalate)


def test_a_word_or_a_key_between_silences_starts_the_count_again(conversation: Conversation) -> None:
    for heard in ("words", "key"):
        conversation.silent()
        conversation.silent()
        conversation.said("wann ist offen") if heard == "words" else conversation.key("5")
        assert isinstance(conversation.silent(), Ask)


@pytest.mark.parametrize("digit", [*"123456789*#ABCD"])
def test_any_other_key_names_the_way_to_a_person(conversation: Conversation, digit: str) -> None:
    assert conversation.key(digit) == Ask(WORDING.offer, "key")


def test_key_0_brings_a_person(conversation: Conversation) -> None:
    assert isinstance(act := conversation.key("0"), Escalate)
    assert act.reason == "key-0"


def test_an_emergency_or_a_sad_matter_has_words_before_anything_else(conversation: Conversation) -> None:
    before_emergency, condolence = WORDING.before["emergency"], WORDING.before["bereavement"]
    for words, before in (
        ("es brennt", before_emergency),
        ("mein vater ist gestorben", condolence),
        ("rohrbruch", ""),
        ("anwalt", ""),
        ("mitarbeiter", ""),
    ):
        assert isinstance(act := said(conversation, words), Escalate)
        assert act.before == before


@pytest.mark.parametrize("reason", list(WORDING.refusals))
def test_after_a_refusal_the_computer_names_itself_and_offers_a_callback(
    conversation: Conversation, reason: str
) -> None:
    act = conversation.refused(reason)
    assert act.text.startswith("Hier ist wieder der KI-Assistent der Firma Muster GmbH.")
    assert act.text.endswith(WORDING.offer_callback)
    assert said(conversation, "nein") == Ask(WORDING.what_else, "no")
    assert said(conversation, "nein") == Goodbye(WORDING.goodbye, "no")


def test_a_refusal_clears_what_was_not_understood(conversation: Conversation) -> None:
    said(conversation, "[unk]", "[unk]")
    conversation.refused("no-answer")
    assert said(conversation, "[unk]") == Ask(WORDING.not_understood, "not-understood")


def test_a_computer_never_denies_being_one(conversation: Conversation) -> None:
    for words in ("sind sie ein mensch", "bist du ein roboter"):
        act = said(conversation, words)
        assert act.text.startswith("Ich bin ein Computer")
        assert act.reason == "ask-ai"


def test_a_question_about_data_is_answered(conversation: Conversation) -> None:
    assert "Muster GmbH verarbeitet" in said(conversation, "werden meine daten aufgezeichnet").text


@pytest.mark.parametrize(
    ("partial", "sense"),
    [
        ("wann ist offen", True),
        ("mitarbeiter", True),
        ("auf wiederhören", True),
        ("ich hätte da mal", False),
        ("", False),
        ("ja", False),
        ("nein", False),
        ("guten tag", False),
        ("transporter mit anhänger und wohnwagen parken", False),
    ],
)
def test_a_short_pause_ends_only_what_makes_sense(conversation: Conversation, partial: str, sense: bool) -> None:
    assert conversation.makes_sense(partial) is sense


def test_yes_and_no_make_sense_while_the_agent_is_in_doubt(conversation: Conversation) -> None:
    doubtful(conversation)
    assert conversation.makes_sense("ja")
    assert conversation.makes_sense("nein")


def test_judging_words_on_the_way_changes_nothing(conversation: Conversation) -> None:
    doubtful(conversation)
    for partial in ("wann", "wann ist offen", "es brennt", "[unk]"):
        conversation.makes_sense(partial)
    assert isinstance(said(conversation, "ja"), Answer)


def test_every_reason_of_an_escalation_has_words_for_the_receptionist() -> None:
    assert WORDING.topics.keys() == WORDING.displays.keys()
    for reason in WORDING.topics:
        assert WORDING.topics[reason] in SCRIPT.whisper(reason)
        assert "KI" in SCRIPT.whisper(reason)
        assert len(WORDING.displays[reason]) <= 22
        assert WORDING.displays[reason].isascii()


def test_whatever_is_said_can_come_from_the_phrase_cache(conversation: Conversation) -> None:
    cached = {sentence for phrase in SCRIPT.phrases() for sentence in split(phrase)}
    talk = "wann ist offen|wie bitte|transporter mit anhänger parken|ja|nein|[unk]|guten tag|meine daten"
    acts = [conversation.said(words) for words in (*talk.split("|"), "sind sie ein computer", "es brennt", "tschüss")]
    acts += [conversation.key("0"), conversation.key("1"), conversation.silent()]
    acts += [conversation.refused(reason) for reason in WORDING.refusals]
    for act in acts:
        spoken = [act.text, act.before, act.whisper] if isinstance(act, Escalate) else [act.text]
        assert {sentence for text in spoken for sentence in split(text)} <= cached


def test_no_template_is_left_in_what_is_said() -> None:
    assert not any("{" in phrase or "}" in phrase for phrase in SCRIPT.phrases())
    assert SCRIPT.phrases()[0] == SCRIPT.notice


def test_a_company_whose_name_has_braces_is_named_as_it_is() -> None:
    assert "{topic} & Co" in Script("{topic} & Co", SCRIPT.knowledge).notice
