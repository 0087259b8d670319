"""The threshold of the answer gate, from the company's own questions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ari_agent.documents.reading import read
from ari_agent.knowledge.calibration import FEWEST, HIGHEST, LIMIT, Calibration, calibrate
from ari_agent.knowledge.encoder import EncoderKnowledge
from ari_agent.knowledge.network import load
from ari_agent.knowledge.outside import OUTSIDE
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match, Reading
from ari_agent.knowledge.search import SearchKnowledge

REPO = Path(__file__).parents[2]
NETWORK = load(REPO / "models" / "encoder-de")
LINDNER = read(REPO / "deploy" / "sandbox" / "lindner.md").passages
PRACTICE = read(REPO / "tests" / "decisions" / "companies" / "zahn.md").passages


def encoder(passages: Sequence[Passage], answer: float | None) -> EncoderKnowledge:
    return EncoderKnowledge(passages, NETWORK, answer=answer)


def search(passages: Sequence[Passage], answer: float | None) -> SearchKnowledge:
    return SearchKnowledge(passages, known=NETWORK.known, answer=answer)


def test_a_document_of_few_questions_keeps_the_usual_threshold_and_says_why() -> None:
    result = calibrate(LINDNER[:3], encoder)
    assert result.answer is None
    assert not result.calibrated
    assert str(FEWEST) in result.reason
    assert result.chosen == result.default


def test_a_threshold_rises_only_where_it_costs_no_right_answer() -> None:
    result = calibrate(PRACTICE, encoder, fewest=10)
    assert result.calibrated
    assert result.answer == result.chosen.threshold
    assert result.default.threshold < result.chosen.threshold <= result.default.threshold + HIGHEST
    assert result.chosen.false < result.default.false
    assert result.chosen.right == result.default.right
    assert result.default.false_rate > LIMIT


def test_the_same_document_gives_the_same_threshold() -> None:
    assert calibrate(PRACTICE, encoder, fewest=10) == calibrate(PRACTICE, encoder, fewest=10)


class Scripted:
    """A reader that finds the right passage with one certainty, and something in every tenth other question too."""

    def __init__(self, passages: Sequence[Passage], answer: float | None, right: float, other: float) -> None:
        self.answer = 0.5 if answer is None else answer
        self._passages = {passage.title: passage for passage in passages}
        self._right, self._other = right, other

    def read(self, text: str, last: str = "") -> Reading:
        passage, certainty = self._passages.get(text.partition(" ")[0]), self._right
        if passage is None:
            passage, certainty = next(iter(self._passages.values())), self._other if len(text) % 10 == 0 else 0.0
        return Reading(Match(passage, certainty, None, sure=certainty >= self.answer, possible=True))


THIRTY = [Passage(f"p{n}", f"p{n}", "Ja.", (f"p{n} eins", f"p{n} zwei")) for n in range(30)]


def test_a_threshold_rises_just_above_what_is_answered_falsely() -> None:
    result = calibrate(THIRTY, lambda passages, answer: Scripted(passages, answer, right=0.9, other=0.6))
    assert result.calibrated
    assert result.answer == pytest.approx(0.61)
    assert result.chosen.false_rate == 0.0
    assert result.chosen.recall == 1.0


def test_a_threshold_stays_where_right_answers_would_be_lost_too() -> None:
    result = calibrate(THIRTY, lambda passages, answer: Scripted(passages, answer, right=0.55, other=0.6))
    assert result.answer is None
    assert "would cost right answers" in result.reason
    assert result.chosen.false_rate > LIMIT


class Watched:
    """A reader that notes what it is asked, and whether it knows that very question."""

    def __init__(self, passages: Sequence[Passage], answer: float | None, heard: list[tuple[str, bool]]) -> None:
        self._reader = search(passages, answer)
        self._known = {question for passage in passages for question in passage.questions}
        self._heard = heard
        self.answer = self._reader.answer

    def read(self, text: str, last: str = "") -> Reading:
        self._heard.append((text, text in self._known))
        return self._reader.read(text, last)


def test_every_way_to_ask_is_asked_of_readers_that_do_not_know_it() -> None:
    heard: list[tuple[str, bool]] = []
    result = calibrate(LINDNER, lambda passages, answer: Watched(passages, answer, heard), fewest=1)
    own = [question for passage in LINDNER for question in passage.questions]
    assert result.default.asked == len(own)
    assert sorted(text for text, _ in heard if text not in OUTSIDE) == sorted(own * 2)
    assert not any(known for _, known in heard)


def test_the_figures_are_json() -> None:
    summary = json.loads(json.dumps(calibrate(PRACTICE, search, fewest=10).summary))
    assert {"calibrated", "reason", "threshold", "chosen", "default"} == set(summary)
    assert summary["chosen"]["outside"] >= len(OUTSIDE)
    assert 0 <= summary["default"]["recall"] <= 1


def test_a_single_passage_is_no_trouble() -> None:
    assert isinstance(calibrate(LINDNER[:1], search, fewest=1), Calibration)


def test_the_questions_of_nobody_are_none_of_the_training_and_none_of_the_evaluation() -> None:
    train = (REPO / "models" / "encoder-de" / "train" / "phrases" / "outside.txt").read_text("utf-8").splitlines()
    tuning = (REPO / "tests" / "decisions" / "tune.jsonl").read_text("utf-8").splitlines()
    tune = [json.loads(line)["text"] for line in tuning]
    assert not {*OUTSIDE} & {*train, *tune}
    assert len(OUTSIDE) == len(set(OUTSIDE)) > 150
