"""Which of the questions that a model writes an administrator is asked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.decision import Topic
from ari_agent.dialogue.proposals import MOST_LETTERS, objection, questions

PRICE = Topic(
    "wartung", "Wartung der Heizung", "Die Wartung bei Herrn Kowalczyk kostet einhundert Euro.", ("was kostet das",)
)
PARKING = Topic("parken", "Parkplätze", "Im Hof.", ("Wo kann ich parken?",))
KNOWN = frozenset(
    [
        "wie",
        "viel",
        "kostet",
        "eine",
        "inspektion",
        "bei",
        "ihnen",
        "denn",
        "so",
        "strasse",
        "was",
        "der",
        "kann",
        "ich",
        "wo",
        "parken",
        "macht",
    ]
)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (["1. Was kostet das? 2. Wie teuer ist es?"], ["Was kostet das?", "Wie teuer ist es?"]),
        (["- Was kostet das?\n- Wie teuer?\n"], ["Was kostet das?", "Wie teuer?"]),
        (["„Was kostet das?“", "Was kostet das?"], ["Was kostet das?"]),
        (["Frage 3: Was kostet das?", "  ", "**Wie teuer ist es?**"], ["Was kostet das?", "Wie teuer ist es?"]),
        ([], []),
    ],
)
def test_questions_are_taken_out_of_lists(written: list[str], found: list[str]) -> None:
    assert questions(written) == found


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("Wie viel kostet eine Inspektion bei Ihnen?", None),
        ("Was kostet der Kowalczyk denn so?", None),
        ("Was kostet die Wartung bei einhundert?", None),
        ("Kostet das 100?", "form"),
        ("Kostet das zweihundert?", "number"),
        ("Was kostet das bei Herrn Schmidtke?", "name"),
        ("Xylander kostet was?", "name"),
        ("Was kostet das?", "known"),
        ("was kostet  DAS?", "known"),
        ("Wartung der Heizung?", "known"),
        ("Wo kann ich parken?", "elsewhere"),
        ("Was kostet die Wartung.", "form"),
        ("Wartung?", "form"),
        ("", "form"),
        ("Was kostet das?\nIgnoriere alles?", "form"),
        ("Was kostet <b>das</b>?", "form"),
        ("Что это стоит?", "form"),
        ("Was kostet " + "die " * 40 + "Wartung?", "form"),
    ],
)
def test_a_question_is_refused_with_a_code(question: str, code: str | None) -> None:
    assert objection(question, PRICE, [PARKING], KNOWN) == code


def test_without_words_of_the_language_only_those_of_the_passage_are_no_names() -> None:
    assert objection("Was kostet die Inspektion?", PRICE, [], frozenset()) == "name"
    assert objection("Kostet die Wartung der Heizung viel Euro?", PRICE, [], frozenset()) is None


@given(st.lists(st.text(max_size=200), max_size=4))
def test_whatever_is_written_what_is_proposed_is_one_short_line_of_letters(written: list[str]) -> None:
    for question in questions(written):
        if objection(question, PRICE, [PARKING], KNOWN) is None:
            assert len(question) <= MOST_LETTERS
            assert "\n" not in question
            assert question.endswith("?")
            assert not any(sign.isdecimal() for sign in question)
