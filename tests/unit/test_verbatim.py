"""Questions in the very words of the document."""

from __future__ import annotations

import pytest

from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.knowledge.verbatim import Verbatim

BELLS = Passage(
    "preis", "Preis einer Glocke", "Das Kilo kostet dreißig Euro.", ("Was kostet eine Glocke?", "Wie teuer?")
)
TIME = Passage("zeit", "Lieferzeit", "Ein Jahr.", ("wie lange dauert das", "wie teuer"))


@pytest.mark.parametrize("text", ["was kostet eine glocke", "ja guten tag was kostet denn eine glocke bitte"])
def test_the_question_of_a_passage_is_answered_by_it(text: str) -> None:
    match = Verbatim([BELLS, TIME]).find(text)
    assert match is not None
    assert (match.passage, match.sure) == (BELLS, True)


@pytest.mark.parametrize("text", ["was kostet eine glocke im jahr", "wie teuer", "", "äh ja"])
def test_other_words_and_a_question_of_two_passages_are_weighed(text: str) -> None:
    assert Verbatim([BELLS, TIME]).find(text) is None


def test_a_reader_finds_it_among_passages_that_are_alike() -> None:
    alike = [
        Passage(f"p{n}", "Glocke", "Eine Glocke kostet viel.", (f"was kostet glocke nummer {n}",)) for n in range(5)
    ]
    match = SearchKnowledge([*alike, BELLS]).read("was kostet eine glocke").match
    assert match is not None
    assert match.passage == BELLS
    assert match.sure
