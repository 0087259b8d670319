"""What the scoring program counts, with an agent whose decisions are scripted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ari_agent.knowledge.passage import Passage
from sandbox.decisions.chat import Turn
from sandbox.decisions.score import Score, hear

PASSAGES = (
    Passage("kosten", "Kosten der Wartung", "Hundert Euro."),
    Passage("dauer", "Dauer der Wartung", "Eine Stunde."),
    Passage("wartung", "Wartung", "Jedes Jahr."),
)
ANSWER = Turn("answer", "kosten", "passage", "normal", "Hundert Euro.", 1.0)
WRONG = replace(ANSWER, source="dauer")
CONFIRM = Turn("ask", "kosten", "confirm", "normal", "Geht es um Kosten der Wartung?", 1.0)
WHICH = Turn("ask", "dauer", "which", "normal", "Geht es um Dauer der Wartung oder um Kosten der Wartung?", 1.0)
UNKNOWN = Turn("ask", None, "unknown", "normal", "Das weiß ich leider nicht.", 1.0)
PERSON = Turn("escalate", None, "fault", "high", "Gerne.", 1.0)
QUESTION = {"text": "was kostet das", "kind": "question", "acts": ["answer"], "sources": ["kosten"], "urgent": False}


class Scripted:
    """Implements Agent: decides as told, and notes what was said."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = list(turns)
        self.said: list[str] = []

    def begin(self) -> None:
        self.said.append("")

    def say(self, text: str) -> Turn:
        self.said.append(text)
        return self.turns.pop(0)


def heard(item: Mapping[str, Any], *turns: Turn) -> tuple[Score, list[str], bool]:
    score, agent = Score(), Scripted(*turns)
    _, good = hear(agent, item, PASSAGES, score)
    return score, agent.said, good


@pytest.mark.parametrize(
    ("turns", "said", "right", "later", "wrong"),
    [
        ([ANSWER], [], 1, 1, 0),
        ([WRONG], [], 0, 0, 1),
        ([CONFIRM, ANSWER], ["ja"], 0, 1, 0),
        ([WHICH, ANSWER], ["Kosten der Wartung"], 0, 1, 0),
        ([WHICH, WRONG], ["Kosten der Wartung"], 0, 0, 0),
        ([replace(CONFIRM, reply="Geht es um Dauer der Wartung?")], [], 0, 0, 0),
        ([UNKNOWN], [], 0, 0, 0),
    ],
)
def test_a_question_counts_by_the_passage_that_is_spoken_at_once_or_after_one_ask_back(
    turns: list[Turn], said: list[str], right: int, later: int, wrong: int
) -> None:
    score, told, good = heard(QUESTION, *turns)
    assert told == ["", QUESTION["text"], *said]
    assert (score.counts["right"], score.counts["right_later"], score.counts["wrong"]) == (right, later, wrong)
    assert good is (right == 1)


def test_a_title_within_another_title_is_not_taken_for_it() -> None:
    item = {**QUESTION, "sources": ["wartung"]}
    score, told, _ = heard(item, replace(CONFIRM, reply="Geht es um Wartungsverträge?"))
    assert (told, score.counts["right_later"]) == (["", "was kostet das"], 0)


def test_an_answer_to_an_outside_question_is_false() -> None:
    item = {**QUESTION, "kind": "outside", "acts": ["ask"], "sources": []}
    assert heard(item, ANSWER)[0].share("false answers") == 1.0
    assert heard(item, CONFIRM)[0].share("false answers") == 0.0


def test_trouble_counts_when_a_person_is_brought_and_told_that_it_is_urgent() -> None:
    item = {**QUESTION, "kind": "fault", "acts": ["escalate"], "sources": [], "urgent": True}
    assert heard(item, PERSON)[0].share("urgent recall") == 1.0
    calm = heard(item, replace(PERSON, urgency="normal"))[0]
    assert (calm.share("escalation recall"), calm.share("urgent recall")) == (1.0, 0.0)


def test_what_nothing_was_said_about_has_no_share() -> None:
    assert Score().share("act") == 0.0
    assert Score().fields()["ms_p50"] == 0.0
