"""Every sentence the agent can say that is not in the company's document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from string import Formatter

import pytest

from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.form_wording import FORM_DU, FORM_SIE, FormWording
from ari_agent.dialogue.german import GERMAN, GERMAN_DU
from ari_agent.dialogue.german_rules import GERMAN_RULES
from ari_agent.dialogue.wording import Wording
from ari_agent.speech.sentences import split

ALL = {"Sie": GERMAN, "du": GERMAN_DU, "English": ENGLISH}
FORMS = {"Sie": FORM_SIE, "du": FORM_DU}
LONGEST = 20
"""Words of a sentence that can be followed when it is heard once."""
OF_THE_CALL = {
    "offer_closed": {"opening"},
    "closed_callback": {"opening"},
    "which_of_two": {"topic", "other"},
    "is_it_about": {"topic"},
    "whisper": {"topic"},
    "whisper_contact": {"contact"},
}
"""What differs from call to call, by where it may stand."""
SIE = re.compile(r"\b(Sie|Ihnen|Ihr(e|em|en|er|es)?)\b")
DU = re.compile(r"\b(du|dir|dich|dein(e|em|en|er|es)?|euch|euer|eure)\b", re.IGNORECASE)
BY_CASE = "refusals", "before", "topics", "displays"


def sentences(wording: Wording | FormWording) -> Iterator[tuple[str, str]]:
    """Yield every text with where it stands, such as "refusals.declined"."""
    for field in fields(wording):
        value = getattr(wording, field.name)
        if isinstance(value, dict):
            yield from ((f"{field.name}.{key}", text) for key, text in value.items())
        else:
            yield field.name, value


EVERY = [
    pytest.param(place, text, id=f"{name} {place}")
    for name, wording in ALL.items()
    for place, text in sentences(wording)
]


@pytest.mark.parametrize(("place", "text"), EVERY)
def test_a_sentence_is_short_enough_to_be_followed(place: str, text: str) -> None:
    filled = text.format(company="Lindner Heizungsbau", topic="die Wartung", other="den Preis", opening="", contact="x")
    assert text.strip() == text != ""
    assert max(len(sentence.split()) for sentence in split(filled)) <= LONGEST


@pytest.mark.parametrize(("place", "text"), EVERY)
def test_a_sentence_has_no_gaps_but_those_that_are_filled(place: str, text: str) -> None:
    gaps = {gap for _, gap, _, _ in Formatter().parse(text) if gap is not None}
    assert gaps <= OF_THE_CALL.get(place, set()) | {"company"}


@pytest.mark.parametrize(("place", "text"), EVERY)
def test_what_is_spoken_ends_as_a_sentence_and_holds_no_digit(place: str, text: str) -> None:
    assert place.startswith("displays.") or not re.search(r"\d", text)
    assert text.endswith((".", "?")) == (not place.startswith(("topics.", "displays.")))


@pytest.mark.parametrize(("place", "text"), list(sentences(GERMAN)))
def test_who_says_sie_never_says_du(place: str, text: str) -> None:
    assert not DU.search(text)


@pytest.mark.parametrize(("place", "text"), list(sentences(GERMAN_DU)))
def test_who_says_du_never_says_sie(place: str, text: str) -> None:
    assert not SIE.search(text)


def test_sie_and_du_differ_wherever_the_caller_is_addressed() -> None:
    sie, du = dict(sentences(GERMAN)), dict(sentences(GERMAN_DU))
    assert sie.keys() == du.keys()
    differing = {place for place in sie if sie[place] != du[place]}
    addressed = {place for place in sie if SIE.search(sie[place])}
    imperative = {place for place in du if DU.search(du[place])}
    assert addressed == differing
    assert imperative <= differing


@pytest.mark.parametrize("name", BY_CASE)
def test_every_language_has_words_for_every_case(name: str) -> None:
    keys = [list(getattr(wording, name)) for wording in ALL.values()]
    assert keys[0] == keys[1] == keys[2]
    assert list(GERMAN.topics) == list(GERMAN.displays)


@pytest.mark.parametrize("display", list(GERMAN.displays.values()))
def test_a_display_can_be_shown_by_any_phone(display: str) -> None:
    assert display.isascii()
    assert len(display) <= 22


def test_whatever_a_rule_brings_to_a_person_has_words_for_them() -> None:
    urgent = {"emergency", "accident", "bereavement", "lawyer", "distress", "fault", "complaint", "message"}
    assert urgent | {"wish-for-person"} <= set(GERMAN_RULES) & set(GERMAN.topics)


@pytest.mark.parametrize("wording", list(ALL.values()), ids=list(ALL))
def test_a_caller_who_says_nothing_hears_two_different_questions(wording: Wording) -> None:
    assert len({wording.are_you_there, wording.are_you_there_again, wording.silence_end}) == 3


@pytest.mark.parametrize(("name", "wording"), list(ALL.items()), ids=list(ALL))
def test_the_way_to_a_person_is_named_in_the_offer(name: str, wording: Wording) -> None:
    assert re.search("zero" if name == "English" else "Taste Null", wording.offer)


@pytest.mark.parametrize("wording", list(ALL.values()), ids=list(ALL))
def test_the_notice_and_the_return_name_the_machine_and_the_company(wording: Wording) -> None:
    for text in (wording.notice, wording.am_ai, wording.back_again):
        assert "{company}" in text
        assert re.search("KI-Assistent|AI assistant", text)
    for text in (wording.notice, wording.am_ai):
        assert re.search("kein Mensch|not a human", text)


def test_the_receptionist_hears_german_even_of_a_caller_who_hears_english() -> None:
    assert ENGLISH.topics == GERMAN.topics
    assert "auf Englisch" in ENGLISH.whisper
    assert not SIE.search(ENGLISH.whisper)
    assert not DU.search(ENGLISH.whisper)


def test_what_an_english_caller_hears_is_english() -> None:
    german = re.compile(r"\b(der|die|das|ich|nicht|bitte|und|wir|ist)\b", re.IGNORECASE)
    heard = [text for place, text in sentences(ENGLISH) if place.split(".")[0] not in ("topics", "displays")]
    assert [text for text in heard if german.search(text) or re.search("[äöüß]", text)] == [
        ENGLISH.german_again,
        ENGLISH.whisper,
    ]
    assert GERMAN.english_switch == GERMAN_DU.english_switch == ENGLISH.english_switch


FORM = [pytest.param(text, id=f"{name} {place}") for name, form in FORMS.items() for place, text in sentences(form)]


@pytest.mark.parametrize("text", FORM)
def test_a_question_of_a_form_is_short_enough_to_be_followed(text: str) -> None:
    filled = text.format(
        name="Anna Koch", spelling="K O C H", number="null acht neun, eins zwei", end="drei vier fünf",
        when="morgen ab neun Uhr", email="anna ät firma Punkt De E", recipient="Herrn Weber",
    )  # fmt: skip
    assert max(len(sentence.split()) for sentence in split(filled)) <= LONGEST


@pytest.mark.parametrize("text", [text for _, text in sentences(FORM_SIE)])
def test_a_form_that_says_sie_never_says_du(text: str) -> None:
    assert not DU.search(text)


@pytest.mark.parametrize("text", [text for _, text in sentences(FORM_DU)])
def test_a_form_that_says_du_never_says_sie(text: str) -> None:
    assert not SIE.search(text)
