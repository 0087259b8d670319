"""Words as they were meant: split compounds, other spellings of the same sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.knowledge.features import Features, words
from ari_agent.knowledge.mending import Mender
from ari_agent.knowledge.phonetics import cologne

KNOWN = {"wann", "ist", "die", "sprechstunde", "bonus", "heft", "gegen", "über", "da", "gegenüber", "kinder"}
OWN = ["kindersprechstunde", "bonusheft", "techniker", "diagnose", "gravur", "laptop"]
MENDER = Mender(KNOWN, OWN)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("wann ist die kinder sprech stunde", "wann ist die kindersprechstunde"),
        ("bonus heft", "bonusheft"),
        ("tech nicker", "techniker"),
        ("die agnose", "diagnose"),
        ("die kra wur", "die gravur"),
        ("läppdopp", "laptop"),
        ("da gegen über", "da gegenüber"),
    ],
)
def test_a_split_or_misspelt_word_is_mended(heard: str, meant: str) -> None:
    assert MENDER.mend(heard.split()) == meant.split()


@pytest.mark.parametrize("heard", ["wann ist die sprechstunde", "salami", "die", ""])
def test_other_words_stay(heard: str) -> None:
    assert MENDER.mend(heard.split()) == heard.split()


@given(st.lists(st.text("abcdefghiklmnoprstuwäöü", min_size=1, max_size=12), max_size=20))
def test_mending_never_lengthens(heard: list[str]) -> None:
    assert len(MENDER.mend(heard)) <= len(heard)


# The examples of Postel's article as they are usually quoted, and pairs of which a recogniser takes one for the other.
@pytest.mark.parametrize(("word", "code"), [("wikipedia", "3412"), ("müllerlüdenscheidt", "65752682"), ("", "")])
def test_the_code_of_a_sound_is_that_of_the_article(word: str, code: str) -> None:
    assert cologne(word) == code


@pytest.mark.parametrize(("one", "other"), [("montör", "monteur"), ("technicker", "techniker"), ("guß", "guss")])
def test_words_that_sound_alike_share_a_code(one: str, other: str) -> None:
    assert cologne(one) == cologne(other)


def test_unknown_words_of_the_recogniser_are_no_words() -> None:
    assert words("Ja, [unk] Straße 12!") == ["ja", "strasse"]


def test_a_word_of_a_class_has_the_rows_of_the_class() -> None:
    features = Features({"golf": "auto"})
    assert set(features.of_word("auto")) & set(features.of_word("golf"))
    assert not set(features.of_word("auto")) & set(features.of_word("haus"))


def test_a_form_of_a_compound_is_joined() -> None:
    assert Mender({"öl", "wechseln"}, {"ölwechsel"}).mend(["öl", "wechseln"]) == ["ölwechsel"]
