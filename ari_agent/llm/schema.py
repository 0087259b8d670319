"""The record of a decision as a JSON schema for servers that write JSON, and what they wrote as a record again. Pure.

A server may know no schema, or take it for a hint: what it wrote is a record only if it could have been chosen.
"""

from __future__ import annotations

import json
from typing import Any

from ari_agent.llm.choices import Choices, Chosen, Question, Value, choose

NAME = "decision"
"""Name of the schema."""


class Records:
    """The records that are possible: as a schema, and read from what a server wrote."""

    def __init__(self, choices: Choices) -> None:
        """`choices` must admit an act."""
        self._choices = choices
        self._forms = _forms(choices)
        self.schema: dict[str, Any] = {"anyOf": [_object(form) for form in self._forms]}
        """The schema of all of them, in keywords that every server knows (https://json-schema.org)."""

    def read(self, text: str) -> Chosen:
        """Return the record that a server wrote; fields that do not belong to its act are left unread.

        Raises ValueError, which does not quote the text.
        """
        try:
            written = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("it is no JSON") from None
        if not isinstance(written, dict):
            raise ValueError("it is no object")  # noqa: TRY004 - what comes over a network is no mistake of a type
        chosen = choose(self._choices, lambda question: _pick(question, written))
        if any(not _same(written.get(name, value), value) for name, value in chosen.items()):
            raise ValueError("it chooses where there is no choice")
        return chosen

    def alternatives(self, chosen: Chosen) -> dict[str, tuple[Value, ...]]:
        """Return what act and source of a record could have been instead."""
        form = next(form for form in self._forms if chosen["act"] in form["act"])
        acts = tuple(act for form in self._forms for act in form["act"])
        return {"act": acts} | {field: form[field] for field in ("source",) if field in form}


def _forms(choices: Choices) -> list[dict[str, tuple[Value, ...]]]:
    """Return for each act what its fields may hold, in the order of the record."""
    begun = choices.question({})
    if begun is None or begun.field != "act":
        return [_form(choices, choices.complete({}))]
    return [_form(choices, {"act": alternative.value}) for alternative in begun.alternatives]


def _form(choices: Choices, begun: Chosen) -> dict[str, tuple[Value, ...]]:
    """Walk through the questions of one act; what may be answered never depends on an answer but the act."""
    asked: dict[str, tuple[Value, ...]] = {}
    while question := choices.question(begun):
        asked[question.field] = tuple(alternative.value for alternative in question.alternatives)
        begun = {**choices.complete(begun), question.field: asked[question.field][0]}
    return {field: asked.get(field, (value,)) for field, value in choices.complete(begun).items()}


def _pick(question: Question, written: dict[str, object]) -> Value:
    value = written.get(question.field)
    for alternative in question.alternatives:
        if _same(value, alternative.value):
            return alternative.value
    raise ValueError(f"its {question.field} is none of those that are allowed")


def _same(value: object, allowed: Value) -> bool:
    return type(value) is type(allowed) and value == allowed  # to Python True is 1


def _object(form: dict[str, tuple[Value, ...]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            field: {"type": "string" if isinstance(values[0], str) else "integer", "enum": list(values)}
            for field, values in form.items()
        },
        "required": list(form),
        "additionalProperties": False,
    }
