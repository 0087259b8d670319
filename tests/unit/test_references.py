"""Questions that lean on what was spoken of, and several questions in one breath."""

from __future__ import annotations

import pytest

from ari_agent.dialogue import questions
from ari_agent.dialogue.german_questions import asked_last, core_of, is_question, spelled_out
from ari_agent.dialogue.references import Reference, can_answer, leaves_out_its_matter
from ari_agent.knowledge.passage import Passage

CLEANING = Passage("kosten", "Kosten der Zahnreinigung", "Sie kostet fünfundneunzig Euro.", ())
CARD = Passage("karte", "Zehnerkarte", "Du kannst sie an Freunde weitergeben.", ())


@pytest.mark.parametrize(
    ("text", "leaves_out"),
    [
        ("und wie lange dauert das", True),
        ("was kostet die dann", True),
        ("wie teuer ist so was", True),
        ("was kostet eine inspektion", False),
        ("wo sind sie", False),
        ("ja gut", False),
    ],
)
def test_a_question_may_leave_out_its_matter(text: str, leaves_out: bool) -> None:
    assert leaves_out_its_matter(text) is leaves_out


def test_what_a_question_leaves_out_is_what_was_spoken_of() -> None:
    reference = Reference(CLEANING, "was kostet die professionelle zahnreinigung")
    assert next(iter(reference.wordings("und wie lange dauert das"))) == "und wie lange dauert das zahnreinigung"
    assert list(reference.wordings("kann man parken")) == []


def test_the_same_is_asked_of_another_thing() -> None:
    reference = Reference(CLEANING, "was kostet eine zahnreinigung")
    assert reference.added("und ein bleaching") == "was kostet ein bleaching"
    assert reference.added("und wo sind sie") == ""
    assert Reference(CLEANING, "machen sie das").added("und ein bleaching") == ""


def test_a_passage_without_a_price_answers_no_question_for_one() -> None:
    assert can_answer(CLEANING, "was kostet das")
    assert not can_answer(CARD, "was kostet das")
    assert not can_answer(CLEANING, "wie lange dauert das")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("was kostet der ölwechsel und die inspektion", ["was kostet der ölwechsel", "was kostet die inspektion"]),
        ("preise für ölwechsel und tüv", ["was kostet ölwechsel", "was kostet tüv"]),
        ("was kostet ein ölwechsel", ["was kostet ein ölwechsel"]),
    ],
)
def test_what_is_asked_of_several_things_is_asked_of_each(text: str, parts: list[str]) -> None:
    assert questions.distributed(text) == parts


def test_the_words_around_a_question_are_left_out() -> None:
    assert core_of("na schön was kostet denn eine neue glocke bei ihnen") == "was kostet eine neue glocke"
    assert core_of("ich hätte mal eine frage haben sie parkplätze") == "haben sie parkplätze"
    assert asked_last("mein mann hat geburtstag was kostet eine führung") == "was kostet eine führung"
    assert asked_last("was kostet eine führung") == ""


def test_short_questions_are_spelled_out() -> None:
    assert spelled_out("und wann sind sie denn da") == ("wann haben sie geöffnet",)
    assert spelled_out("wo sind sie")[0] == "wie ist ihre adresse"
    assert spelled_out("wann sind die blutwerte da") == ()


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("wozu brauchen sie das", True),
        ("ja und haben sie auch samstags offen", True),
        ("kann ich mit karte zahlen", True),
        ("mein name ist huber", False),
        ("abbrechen bitte ich habe es mir anders überlegt", False),
    ],
)
def test_questions_are_known_by_their_words(text: str, asks: bool) -> None:
    assert is_question(text) is asks
