"""The training texts of the encoder: well formed, and none of them from the evaluation set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ari_agent.documents.reading import read
from ari_agent.knowledge.features import words
from ari_agent.knowledge.network import KINDS

REPO = Path(__file__).parents[2]
TRAIN = REPO / "models" / "encoder-de" / "train"
DECISIONS = REPO / "tests" / "decisions"
TOPICS = sorted((TRAIN / "topics").glob("*.txt"))
PHRASES = sorted(path for path in (TRAIN / "phrases").glob("*.txt") if path.stem != "slots")
FEWEST = 5
"""Words from which a text belongs to somebody: "auf wiederhören" and "wo kann ich parken" are everybody's."""


def lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def evaluated() -> Iterator[str]:
    """Return the texts of the tuning part and of the companies; the untouched part is not opened."""
    for line in lines(DECISIONS / "tune.jsonl"):
        yield json.loads(line)["text"]
    for path in (DECISIONS / "companies").glob("*.md"):
        for passage in read(path).passages:
            yield from (passage.text, *passage.questions)


def letters(text: str) -> str:
    return "".join(words(text))


def test_no_training_text_is_one_of_the_evaluation_set() -> None:
    known = {letters(text) for text in evaluated() if len(words(text)) >= FEWEST}
    trained = [line.lstrip("> ") for path in (*TOPICS, *PHRASES) for line in lines(path)]
    assert [text for text in trained if letters(text) in known] == []


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_every_topic_has_a_title_a_passage_and_wordings(path: Path) -> None:
    blocks = re.split(r"^##[^#]", path.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(blocks) > 5
    for block in blocks:
        name, *rest = [line.strip() for line in block.splitlines() if line.strip()]
        marks = {line[0] if line[0] in "=>~#" else "" for line in rest}
        assert {"=", ">", ""} <= marks, name


def test_there_are_phrases_of_every_kind_of_turn() -> None:
    assert {path.stem for path in PHRASES} == set(KINDS)
    assert min(len(lines(path)) for path in PHRASES) >= 50
