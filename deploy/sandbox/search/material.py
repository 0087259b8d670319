"""What is searched and what is asked: the decision set's tuning part, three imported documents, and a large company."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ari_agent.documents.reading import read
from ari_agent.knowledge.passage import Passage, slug
from sandbox.settings import REPO

DECISIONS = REPO / "tests" / "decisions"
IMPORTED = REPO / "tests" / "search"
TRAIN = REPO / "models" / "encoder-de" / "train"
DOCUMENTS = {"stadtwerke": "stadtwerke.docx", "sanitaetshaus": "sanitaetshaus.pdf", "verleih": "verleih.xlsx"}

Part = Literal["tune", "held_out"]
_PLACES = 4  # of the large company, in each of which it has every topic of the training
_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller says."""

    text: str
    sources: frozenset[str]
    """Ids of the passages that answer it, each by itself; empty where the document does not answer it."""


@dataclass(frozen=True, slots=True)
class Case:
    """A company and its callers."""

    name: str
    passages: tuple[Passage, ...]
    asked: tuple[Asked, ...]


def decisions() -> tuple[Case, ...]:
    """Return the questions of the decision set's tuning part, answered or not, by company."""
    lines = (DECISIONS / "tune.jsonl").read_text("utf-8").splitlines()
    items = [item for item in map(json.loads, lines) if item["kind"] in ("question", "outside")]
    cases = []
    for path in sorted((DECISIONS / "companies").glob("*.md")):
        asked = [Asked(one["text"], frozenset(one["sources"])) for one in items if one["company"] == path.stem]
        cases.append(Case(path.stem, read(path).passages, tuple(asked)))
    return tuple(cases)


def imported(part: Part) -> tuple[Case, ...]:
    """Return the three imported documents with their callers of that part."""
    callers: dict[tuple[str, str], list[Asked]] = {}
    for line in (IMPORTED / "utterances.txt").read_text("utf-8").splitlines():
        if line.startswith("## "):
            company, of_part = line.removeprefix("## ").split()
            current = callers.setdefault((company, of_part), [])
        elif " | " in line and not line.startswith("#"):
            ids, text = line.split(" | ")
            current.append(Asked(text, frozenset(ids.split(",")) - {"-"}))
    return tuple(
        Case(company, read(IMPORTED / file).passages, tuple(callers[company, part]))
        for company, file in DOCUMENTS.items()
    )


@cache
def large(count: int) -> Case:
    """Return a company of that many passages: every topic of the training, in several places; three ways to ask each.

    Other ways to ask are its callers; whom they mean is not counted, only how long it takes.
    """
    places = (TRAIN / "gazetteer" / "orte.txt").read_text("utf-8").splitlines()[1 : _PLACES + 1]
    topics = list(_topics())
    passages: dict[str, Passage] = {}
    for place in places:
        for title, text, wordings in topics:
            passage = Passage(slug(f"{title} {place}"), f"{title} {place.title()}", text, tuple(wordings[:3]))
            passages.setdefault(passage.id, passage)
    asked = tuple(Asked(wording, frozenset()) for _, _, wordings in topics for wording in wordings[3:4])
    return Case("large", tuple(passages.values())[:count], asked)


def _topics() -> Iterator[tuple[str, str, list[str]]]:
    for path in sorted((TRAIN / "topics").glob("*.txt")):
        for block in re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            lines = [_SLOT.sub("", line).strip() for line in block.splitlines()[1:]]
            titles = [line[1:].strip() for line in lines if line.startswith("=")]
            texts = [line[1:].strip() for line in lines if line.startswith(">")]
            wordings = [line for line in lines if line and line[0] not in "=>~#"]
            for title in titles[:2]:
                yield title, texts[0], wordings
