"""A version of a company's knowledge: what calls may use from one import to the next, and how two of them differ."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from ari_agent.knowledge.passage import EVERYBODY, Passage

Action = Literal["import", "suggest", "rollback"]
"""What made a version."""
Accepted = Mapping[str, tuple[str, ...]]
"""By the id of a passage those of its questions that a model proposed and a person accepted."""

_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-ZÄÖÜ„])")


@dataclass(frozen=True, slots=True)
class Gate:
    """From which certainty on a passage is spoken, measured on the company's own questions."""

    engine: str
    """What reads callers' words with it: "search" or "encoder"; another has its usual threshold."""
    answer: float | None
    """None where the usual threshold stays."""
    reason: str
    """A sentence for the administrator."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A version before it is stored."""

    action: Action
    author: str
    """Account that made it."""
    note: str
    passages: tuple[Passage, ...]
    """With the accepted questions."""
    sources: tuple[tuple[str, str], ...]
    """Names of the files and their sha256."""
    accepted: Accepted = field(default_factory=dict)
    restores: int | None = None
    """Number of the version that it is equal to."""
    gate: Gate | None = None
    """None where nothing was measured."""

    @property
    def sha256(self) -> str:
        """Checksum of what calls use."""
        return checksum(self.passages, self.accepted)


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version."""

    number: int
    """From 1; the highest is in force."""
    at: datetime
    draft: Draft

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Its passages in the order of the documents."""
        return self.draft.passages


@dataclass(frozen=True, slots=True)
class Changes:
    """How one set of passages differs from another."""

    new: tuple[Passage, ...]
    changed: tuple[tuple[Passage, Passage], ...]
    """Before and after."""
    removed: tuple[Passage, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.new or self.changed or self.removed)


def compare(before: Sequence[Passage], after: Sequence[Passage]) -> Changes:
    """Return what differs, by id; a passage that stands elsewhere in its document is the same."""
    old, new = ({passage.id: passage for passage in passages} for passages in (before, after))
    return Changes(
        tuple(passage for passage in after if passage.id not in old),
        tuple((old[passage.id], passage) for passage in after if passage.id in old and old[passage.id] != passage),
        tuple(passage for passage in before if passage.id not in new),
    )


def in_force(passages: Sequence[Passage], day: date, audiences: Sequence[str]) -> tuple[Passage, ...]:
    """Return those that may be said on this day to callers, who belong to these audiences."""
    heard = {EVERYBODY, *(" ".join(audience.casefold().split()) for audience in audiences)}
    return tuple(passage for passage in passages if passage.valid_on(day) and passage.audience in heard)


def keep_accepted(passages: Sequence[Passage], accepted: Accepted) -> tuple[tuple[Passage, ...], Accepted]:
    """Return passages that were read anew with the questions that were accepted for them, and those that still count.

    A question that the document now has itself is no longer an accepted one.
    """
    kept = {
        passage.id: tuple(one for one in accepted[passage.id] if one not in passage.questions)
        for passage in passages
        if passage.id in accepted
    }
    kept = {ident: questions for ident, questions in kept.items() if questions}
    return tuple(with_questions(passage, kept.get(passage.id, ())) for passage in passages), kept


def with_questions(passage: Passage, more: Sequence[str]) -> Passage:
    """Return the passage with further questions."""
    return from_plain({**plain(passage), "questions": [*passage.questions, *more]})


def lines(passage: Passage) -> list[str]:
    """Return what is said and what stands beside it, a line per sentence, for people and for their comparisons."""
    shown = [f"## {passage.title} [{passage.id}]"]
    shown += [f"Frage: {question}" for question in passage.questions]
    for name, day in (("Gültig ab", passage.valid_from), ("Gültig bis", passage.valid_until)):
        shown += [f"{name}: {day:%d.%m.%Y}"] if day else []
    shown += [f"Zielgruppe: {passage.audience}"] if passage.audience != EVERYBODY else []
    return [*shown, *_SENTENCE.split(passage.text)]


def plain(passage: Passage) -> dict[str, Any]:
    """Return the passage as JSON knows it."""
    return {
        "id": passage.id,
        "title": passage.title,
        "text": passage.text,
        "questions": list(passage.questions),
        "valid_from": passage.valid_from and passage.valid_from.isoformat(),
        "valid_until": passage.valid_until and passage.valid_until.isoformat(),
        "audience": passage.audience,
        "source": passage.source,
        "page": passage.page,
        "row": passage.row,
    }


def from_plain(value: Mapping[str, Any]) -> Passage:
    """Return the passage of such a JSON object; dates may be dates already. Raises KeyError, TypeError, ValueError."""
    first, last = (
        date.fromisoformat(day) if isinstance(day, str) else day for day in (value["valid_from"], value["valid_until"])
    )
    known = {name: value[name] for name in ("id", "title", "text", "audience", "source", "page", "row")}
    return Passage(questions=tuple(value["questions"]), valid_from=first, valid_until=last, **known)


def checksum(passages: Sequence[Passage], accepted: Accepted) -> str:
    """Return the sha256 of passages and accepted questions, in hexadecimal: equal for what calls cannot tell apart."""
    told = [{**plain(passage), "accepted": list(accepted.get(passage.id, ()))} for passage in passages]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
