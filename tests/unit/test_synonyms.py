"""Words that mean the same in a company: what stands beside its passages, and that callers may say either."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.knowledge.encoder import EncoderKnowledge
from ari_agent.knowledge.network import load
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.knowledge.synonyms import widen

NETWORK = load(Path(__file__).parents[2] / "models" / "encoder-de")
GROUPS = (("Zwacke", "Klubbe", "kleiner Greifer"), ("Abholung", "Mitnahme"))
PASSAGES = (
    Passage("zwacken", "Preis der Zwacken", "Sie kosten acht Euro.", ("was kostet eine zwacke",)),
    Passage("schleifen", "Zwackenschliff", "Der Schliff kostet drei Euro."),
    Passage("abholung", "Abholung", "Ihre bestellte Zwacke liegt am Tor bereit."),
    Passage("zeiten", "Öffnungszeiten", "Wir sind montags bis freitags da.", ("wann haben sie offen",)),
)


def test_a_passage_gets_the_other_words_as_further_questions() -> None:
    widened = widen(PASSAGES, GROUPS)
    assert set(widened[0].questions) == {
        "was kostet eine zwacke",
        "was kostet eine klubbe",
        "was kostet eine kleiner greifer",
        "preis der klubbe",
        "preis der kleiner greifer",
    }
    assert widened[2].text.startswith(PASSAGES[2].text)
    assert {"klubbe", "kleiner", "greifer"} <= set(widened[2].text.split())
    assert widened[3] == PASSAGES[3]


def test_a_part_of_a_compound_has_synonyms_too() -> None:
    widened = widen(PASSAGES, (("Schliff", "Politur"),), frozenset({"zwacke", "schliff"}))
    assert widened[1].questions == ("zwacken politur",)


def test_the_caller_hears_only_what_the_company_wrote() -> None:
    for knowledge in (SearchKnowledge(PASSAGES, GROUPS), EncoderKnowledge(PASSAGES, NETWORK, (), GROUPS)):
        assert knowledge.passages == PASSAGES
        match = knowledge.read("was kostet eine klubbe").match
        assert match is not None
        assert match.passage is PASSAGES[0]


@pytest.mark.parametrize(
    ("said", "passage"),
    [
        ("was kostet eine klubbe", "zwacken"),
        ("preis für einen kleinen greifer", "zwacken"),
        ("wo ist die mitnahme", "abholung"),
    ],
)
def test_both_readers_understand_either_word(said: str, passage: str) -> None:
    for knowledge in (SearchKnowledge(PASSAGES, GROUPS), EncoderKnowledge(PASSAGES, NETWORK, (), GROUPS)):
        assert knowledge.ranked(said, 1)[0][0].id == passage


@pytest.mark.parametrize("said", ["klubbe", "mitnahme", "was kostet eine klubbe"])
def test_the_encoder_is_surer_of_a_word_that_the_settings_explain(said: str) -> None:
    explained = EncoderKnowledge(PASSAGES, NETWORK, (), GROUPS).ranked(said, 1)[0][1]
    alone = EncoderKnowledge(PASSAGES, NETWORK).ranked(said, 1)[0][1]
    assert explained > alone + 0.2


def test_without_synonyms_the_other_word_tells_search_nothing() -> None:
    match = SearchKnowledge(PASSAGES).match("klubbe")
    assert match is None


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), max_size=4))
def test_any_settings_leave_titles_and_ids_alone(groups: list[list[str]]) -> None:
    for passage, widened in zip(PASSAGES, widen(PASSAGES, groups), strict=True):
        assert (widened.id, widened.title) == (passage.id, passage.title)
        assert widened.questions[: len(passage.questions)] == passage.questions
        assert len(widened.questions) <= len(passage.questions) + 40
