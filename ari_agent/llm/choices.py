"""What a model may choose, as text: the record of a decision, field by field. Pure; knows no model and no tokens.

    {"act":"answer","source":3,"intent":"termin","urgency":"normal"}
    {"act":"escalate","intent":"","urgency":"high","target":"empfang"}
    {"act":"goodbye"}

Fields that do not apply to an act are left out, and one with a single value is no choice. A model never writes: it is
asked which of the `alternatives` goes on most likely, so what is not among them cannot be decided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ari_agent.decision import URGENCIES, ActName, Brief, Decision

Value = str | int
"""A name, or the number of a passage as the prompt lists it, from 1."""
Chosen = Mapping[str, Value]
"""Values by field, in the order of the record."""

FIELDS: dict[ActName, tuple[str, ...]] = {
    "answer": ("source", "intent", "urgency"),
    "ask": ("source", "intent", "urgency"),
    "message": ("intent", "urgency", "target"),
    "escalate": ("intent", "urgency", "target"),
    "smalltalk": (),
    "goodbye": (),
}
"""What is told of each act, in this order."""


class Alternative(NamedTuple):
    """One value of a field."""

    value: Value
    text: str
    """The record from its first letter through this value and whatever must follow it, up to the next choice."""


class Question(NamedTuple):
    """A field to choose."""

    field: str
    alternatives: tuple[Alternative, ...]
    """At least two; no text is the beginning of another."""


class Choices:
    """The records that are possible with a company's brief when these acts are allowed."""

    def __init__(self, brief: Brief, acts: Sequence[ActName]) -> None:
        self._values: dict[str, tuple[Value, ...]] = {
            "act": tuple(act for act in acts if brief.topics or "source" not in FIELDS[act]),
            "source": tuple(range(1, len(brief.topics) + 1)),
            "intent": ("", *(intent.name for intent in brief.intents)),
            "urgency": URGENCIES,
            "target": brief.targets,
        }

    @property
    def any(self) -> bool:
        """Whether any act is possible at all."""
        return bool(self._values["act"])

    def question(self, chosen: Chosen) -> Question | None:
        """Return the next field to choose, None when the record is complete."""
        begun = self._forced(chosen)
        field = self._next(begun)
        if field is None:
            return None
        texts = (Alternative(value, self._text({**begun, field: value})) for value in self._values[field])
        return Question(field, tuple(texts))

    def complete(self, chosen: Chosen) -> Chosen:
        """Return what was chosen and what there was no choice about."""
        return self._forced(chosen)

    def _forced(self, chosen: Chosen) -> dict[str, Value]:
        """Add fields that have a single value, up to the next choice."""
        found = dict(chosen)
        while (field := self._next(found)) and len(self._values[field]) == 1:
            found[field] = self._values[field][0]
        return found

    def _next(self, chosen: Chosen) -> str | None:
        if "act" not in chosen:
            return "act"
        fields = FIELDS[_act(chosen)]
        return next((field for field in fields if field not in chosen and self._values[field]), None)

    def _text(self, chosen: Chosen) -> str:
        begun = self._forced(chosen)
        written = "{" + ",".join(_field(name, value) for name, value in begun.items())
        following = self._next(begun)
        if following is None:
            return written + "}"
        quote = '"' if isinstance(self._values[following][0], str) else ""
        return f'{written},"{following}":{quote}'


def choose(choices: Choices, pick: Callable[[Question], Value]) -> Chosen:
    """Return the complete record to which these picks lead."""
    chosen: dict[str, Value] = {}
    while question := choices.question(chosen):
        chosen = {**choices.complete(chosen), question.field: pick(question)}
    return choices.complete(chosen)


def record(chosen: Chosen) -> str:
    """Return a complete record as the model would write it."""
    return "{" + ",".join(_field(name, value) for name, value in chosen.items()) + "}"


def decision(chosen: Chosen, brief: Brief, confidence: float, by: str) -> Decision:
    """Return a complete record as a decision. Raises ValueError when it does not fit the brief."""
    act = _act(chosen)
    source, intent, target = chosen.get("source"), chosen.get("intent", ""), chosen.get("target")
    urgency = next((level for level in URGENCIES if level == chosen.get("urgency", "normal")), None)
    known = {"", *(entry.name for entry in brief.intents)}
    if urgency is None or intent not in known or not (target is None or target in brief.targets):
        raise ValueError("the record names something that the brief does not have")
    topic = None
    if "source" in FIELDS[act]:
        if not isinstance(source, int) or not 1 <= source <= len(brief.topics):
            raise ValueError("the record names a passage that the brief does not have")
        topic = brief.topics[source - 1].id
    return Decision(
        act=act,
        source=topic,
        intent=str(intent),
        urgency=urgency,
        target=None if target is None else str(target),
        confidence=confidence,
        by=by,
    )


def _act(chosen: Chosen) -> ActName:
    found = next((act for act in FIELDS if act == chosen.get("act")), None)
    if found is None:
        raise ValueError("the record names no act")
    return found


def _field(name: str, value: Value) -> str:
    return f'"{name}":{json.dumps(value, ensure_ascii=False)}'
