"""The evaluation set of decisions is well formed.

A failure names ids and line numbers, never an utterance: whoever tunes must not read the untouched part.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ari_agent.documents import reading
from ari_agent.knowledge.passage import Passage

DIRECTORY = Path(__file__).parents[1] / "decisions"
COMPANIES = ("zahn", "edv", "kfz", "haus", "glocke")
FILES = {"tune": (210, 42), "untouched": (105, 21)}
"""The least number of utterances of a file, and of each company in it."""

FIELDS = {
    "id": str,
    "company": str,
    "text": str,
    "kind": str,
    "asr": bool,
    "acts": list,
    "sources": list,
    "urgent": bool,
}
ACTS = {"answer", "ask", "message", "escalate", "smalltalk", "goodbye"}
SHARES = {
    "question": (42, 50),
    "outside": (11, 17),
    "person": (4, 8),
    "emergency": (3, 6),
    "fault": (3, 7),
    "anger": (3, 6),
    "lawyer": (1, 4),
    "bereavement": (1, 4),
    "accident": (1, 4),
    "distress": (1, 4),
    "message": (2, 6),
    "goodbye": (1, 4),
    "smalltalk": (1, 4),
    "askai": (0.5, 3),
    "privacy": (0.5, 3),
    "unclear": (1, 4),
    "injection": (3, 6),
    "repeat": (0.5, 3),
}
"""Least and greatest share of each kind of utterance in a file, in percent."""

ALWAYS_ESCALATED = {"person", "emergency", "fault", "anger", "lawyer", "bereavement", "accident", "distress"}
ALWAYS_URGENT = {"emergency", "fault", "accident"}
RECOGNISED = re.compile(r"(?:[a-zäöüß]+|\[unk\])(?: (?:[a-zäöüß]+|\[unk\]))*")
"""What a speech recogniser gives: lower-case words without punctuation, [unk] for an unknown one."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of a file. Its text is not in the repr, so pytest cannot print it."""

    id: str
    company: str
    text: str = field(repr=False)
    kind: str
    asr: bool
    acts: tuple[str, ...]
    sources: tuple[str, ...]
    urgent: bool


def lines_with_wrong_fields(name: str) -> list[int]:
    wrong = []
    for number, line in enumerate((DIRECTORY / f"{name}.jsonl").read_text("utf-8").splitlines(), 1):
        entry = json.loads(line)
        types = {key: type(value) for key, value in entry.items()}
        if types.pop("note", str) is not str or types != FIELDS:
            wrong.append(number)
    return wrong


def read(name: str) -> list[Utterance]:
    utterances = []
    for line in (DIRECTORY / f"{name}.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        entry.pop("note", None)
        entry["acts"], entry["sources"] = tuple(entry["acts"]), tuple(entry["sources"])
        utterances.append(Utterance(**entry))
    return utterances


def passages(company: str) -> tuple[Passage, ...]:
    return reading.read(DIRECTORY / "companies" / f"{company}.md").passages


@pytest.mark.parametrize("name", FILES)
def test_every_line_has_the_fields_of_the_readme(name: str) -> None:
    wrong = lines_with_wrong_fields(name)
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_kinds_acts_and_companies_are_known(name: str) -> None:
    wrong = [
        u.id
        for u in read(name)
        if u.kind not in SHARES or u.company not in COMPANIES or not u.acts or not ACTS.issuperset(u.acts)
    ]
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_texts_look_as_a_recogniser_gives_them(name: str) -> None:
    wrong = [u.id for u in read(name) if not RECOGNISED.fullmatch(u.text)]
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_sources_are_passages_of_the_company(name: str) -> None:
    known = {company: {passage.id for passage in passages(company)} for company in COMPANIES}
    wrong = [u.id for u in read(name) if not known[u.company].issuperset(u.sources)]
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_an_answer_is_accepted_only_with_its_source(name: str) -> None:
    wrong = [u.id for u in read(name) if ("answer" in u.acts) != bool(u.sources)]
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_the_acts_fit_the_kind(name: str) -> None:
    wrong = [
        u.id
        for u in read(name)
        if (u.kind == "question" and u.acts != ("answer",))
        or (u.kind == "outside" and "answer" in u.acts)
        or (u.kind in ALWAYS_ESCALATED and u.acts != ("escalate",))
        or (u.kind in ALWAYS_URGENT and not u.urgent)
        or (u.urgent and u.acts != ("escalate",))
    ]
    assert not wrong


def test_no_id_is_used_twice() -> None:
    ids = Counter(u.id for name in FILES for u in read(name))
    twice = [i for i, count in ids.items() if count > 1]
    assert not twice


def test_no_text_is_used_twice_not_even_across_the_files() -> None:
    ids: dict[str, list[str]] = {}
    for name in FILES:
        for u in read(name):
            ids.setdefault(u.text, []).append(u.id)
    twice = [same for same in ids.values() if len(same) > 1]
    assert not twice


@pytest.mark.parametrize("name", FILES)
def test_each_file_and_each_company_has_enough_utterances(name: str) -> None:
    of_file, of_company = FILES[name]
    count = Counter(u.company for u in read(name))
    assert count.total() >= of_file
    assert min(count[company] for company in COMPANIES) >= of_company


@pytest.mark.parametrize("name", FILES)
def test_the_share_of_each_kind_is_within_its_bounds(name: str) -> None:
    count = Counter(u.kind for u in read(name))
    shares = {kind: 100 * count[kind] / count.total() for kind in SHARES}
    wrong = {kind: share for kind, share in shares.items() if not SHARES[kind][0] <= share <= SHARES[kind][1]}
    assert not wrong


@pytest.mark.parametrize("name", FILES)
def test_about_a_third_has_recognition_errors(name: str) -> None:
    marked = [u.asr for u in read(name)]
    assert 0.27 <= sum(marked) / len(marked) <= 0.4


@pytest.mark.parametrize("company", COMPANIES)
def test_a_document_is_as_a_busy_admin_writes_it(company: str) -> None:
    document = passages(company)
    without_questions = sum(not passage.questions for passage in document)
    assert 16 <= len(document) <= 20
    assert 0.25 <= without_questions / len(document) <= 0.4
