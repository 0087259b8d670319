"""Compounds taken apart: which words are compounds, of what, and that nothing of a word is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.knowledge.compounds import LINKS, Splitter
from ari_agent.knowledge.network import load

NETWORK = load(Path(__file__).parents[2] / "models" / "encoder-de")
LANGUAGE = Splitter(NETWORK.known)
OWN = (
    *("heizung", "wartung", "kosten", "termin", "absagen", "miete", "preis", "waschen", "platz", "bett", "pflege"),
    *("hund", "futter", "lampe", "schirm", "jahr", "abrechnung", "frau", "laden"),
)
COMPANY = Splitter(frozenset(), OWN)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("heizungswartung", ("heizung", "wartung")),
        ("heizungswartungskosten", ("heizung", "wartung", "kosten")),
        ("terminabsage", ("termin", "absagen")),
        ("mietpreis", ("miete", "preis")),
        ("waschplatz", ("waschen", "platz")),
        ("pflegebetten", ("pflege", "bett")),
        ("hundefutter", ("hund", "futter")),
        ("lampenschirme", ("lampe", "schirm")),
        ("jahresabrechnung", ("jahr", "abrechnung")),
        ("miet-preis", ("miete", "preis")),
        ("frauenarzt", ()),
    ],
)
def test_a_company_that_writes_the_parts_is_understood_by_their_compound(word: str, parts: tuple[str, ...]) -> None:
    assert COMPANY.parts(word) == parts


@pytest.mark.parametrize(
    "word",
    [
        *("rechnung", "information", "unterlagen", "freitags", "reparatur", "lieferung", "versicherung", "kontrolle"),
        *("einhundertvierzig", "telefonisch", "kundinnen", "x", ""),
    ],
)
def test_a_word_that_is_no_compound_stays_whole(word: str) -> None:
    assert LANGUAGE.parts(word) == ()
    assert LANGUAGE.inner(word) == frozenset()
    assert [piece.text for piece in LANGUAGE.split(word)] == [word]


def test_the_words_within_a_compound_are_told_with_those_that_are_compounds_themselves() -> None:
    splitter = Splitter({"rollstuhl", "rolle", "stuhl", "reparatur"})
    assert splitter.inner("rollstuhlreparatur") == {"rollstuhl", "rolle", "stuhl", "reparatur"}


def joined(splitter: Splitter, word: str) -> str:
    return "".join(f"{piece.text}{piece.link}" for piece in splitter.split(word))


@given(st.text(max_size=60))
def test_the_pieces_of_any_text_are_the_text_again(word: str) -> None:
    assert joined(LANGUAGE, word) == word


@given(st.lists(st.tuples(st.sampled_from(sorted(NETWORK.known)), st.sampled_from(LINKS)), min_size=1, max_size=4))
def test_the_pieces_of_words_put_together_are_the_word_again(parts: list[tuple[str, str]]) -> None:
    word = "".join(f"{part}{link}" for part, link in parts)
    assert joined(LANGUAGE, word) == word


@given(st.lists(st.sampled_from(sorted(word for word in NETWORK.known if len(word) > 5)), min_size=2, max_size=2))
def test_every_part_is_a_known_word(parts: list[str]) -> None:
    found = LANGUAGE.parts("".join(parts))
    assert all(part in NETWORK.known or len(part) <= 4 for part in found)


@given(
    st.sampled_from(["heizung", "wartung"]), st.sampled_from(["kosten", "preis", "termin"]), st.sampled_from(["", "s"])
)
def test_two_words_of_the_company_make_a_compound_with_or_without_a_link(first: str, last: str, link: str) -> None:
    pieces = COMPANY.split(f"{first}{link}{last}")
    assert [(piece.text, piece.link) for piece in pieces] == [(first, link), (last, "")]


def test_whoever_says_nonsense_is_not_waited_for() -> None:
    assert LANGUAGE.parts("auto" * 10_000) == ()
