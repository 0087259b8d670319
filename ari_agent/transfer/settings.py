"""The settings file in an export: what was set, without what stands in files of its own."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from ari_agent.errors import TransferError

ESCALATION = ("escalation", "intents")
"""Tables of the settings that make the file escalation.toml."""
_SECRET = re.compile(r"(^|_)(password|key|secret|token)(_file)?$")
"""Names of keys that name a file with a secret."""

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """A settings file, taken apart: every key stands in one of the parts."""

    settings: Data
    escalation: Data
    synonyms: list[list[str]]
    """Words that mean the same in this company; they belong to the knowledge."""


def apart(data: Mapping[str, Any]) -> Parts:
    """Return the parts of a settings file."""
    settings = {name: table for name, table in data.items() if name not in ESCALATION}
    company = dict(settings.get("company", {}))
    synonyms = company.pop("synonyms", [])
    if "company" in settings:
        settings["company"] = company
    return Parts(settings, {name: data[name] for name in ESCALATION if name in data}, synonyms)


def together(parts: Parts) -> Data:
    """Return the settings file that these parts make."""
    data = {**parts.settings, **parts.escalation}
    if parts.synonyms:
        data["company"] = {**data.get("company", {}), "synonyms": parts.synonyms}
    return data


def secrets(data: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return which setting names which file with a secret."""
    return [
        {"setting": key, "file": str(value)}
        for key, value in sorted(_leaves(data))
        if _SECRET.search(key.rpartition(".")[2])
    ]


def differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Return the keys, with their dots, that are not the same in two settings files."""
    one, two = dict(_leaves(here)), dict(_leaves(there))
    return sorted(key for key in one.keys() | two.keys() if one.get(key) != two.get(key))


def to_toml(data: Data) -> str:
    """Return the text of a settings file."""
    return tomli_w.dumps(data)


def from_toml(text: str, place: str) -> Data:
    """Return the tables of a settings file in an export. Raises TransferError."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as e:
        raise TransferError(f"{place} is not valid TOML; take the export again") from e


def from_json(text: str, place: str) -> list[list[str]]:
    """Return the synonyms of an export. Raises TransferError."""
    try:
        groups = json.loads(text)
    except (ValueError, RecursionError):
        groups = None
    if isinstance(groups, list) and all(
        isinstance(group, list) and all(isinstance(word, str) for word in group) for group in groups
    ):
        return groups
    raise TransferError(f"{place} holds no lists of words; take the export again")


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
