"""What is recorded of a call."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import get_args
from uuid import UUID

import pytest

from ari_agent.record import Entry

KINDS = get_args(Entry)
PERSONAL = {"caller", "caller_text", "agent_text"}
"""Fields that may hold what belongs to a person."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_entry_says_which_call_and_when(kind: type) -> None:
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    assert types["call"] == UUID.__name__
    assert types["at"] == datetime.__name__
    assert kind.__doc__


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_entry_does_not_change_once_it_is_written(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(kind, "__slots__")


def test_personal_fields_are_these_and_may_be_left_empty() -> None:
    found = {field.name: field.type for kind in KINDS for field in dataclasses.fields(kind) if field.name in PERSONAL}
    assert found == dict.fromkeys(PERSONAL, "str | None")
