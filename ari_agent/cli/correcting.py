"""How `ari-agent calls correct` and `ari-agent callbacks correct` ask for what is right, and store it.

Nothing of it is an option: options are seen in the list of processes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from ari_agent.calllog.correction_input import checked
from ari_agent.calllog.corrections import FIELDS, LISTS, Correctable, Corrector, Kind, Value, plain
from ari_agent.calllog.reading import Row
from ari_agent.cli.person import account
from ari_agent.cli.printing import clock, json_text
from ari_agent.config import Settings
from ari_agent.errors import ConfigError

GOOD, NOTHING, ERROR = 0, 1, 2
"""Exit statuses."""

Fields = Annotated[
    list[str] | None, typer.Argument(metavar="[FIELD]...", help="Only these fields; on a terminal the others are kept.")
]
Person = Annotated[
    str, typer.Option("--by", envvar="ARI_AGENT_BY", help="Who corrects it, to be stored; default: your account.")
]
Revision = Annotated[
    int | None,
    typer.Option(
        "--revision", envvar="ARI_AGENT_REVISION", min=0, help="The one you looked at; refused if it is not the newest."
    ),
]

LABELS = {
    "who": "Wer", "about": "Thema", "agreed": "Vereinbart", "open": "Offen", "urgency": "Dringlichkeit", "name": "Name",
    "number": "Rufnummer", "company": "Firma", "email": "E-Mail", "recipient": "Für", "matter": "Anliegen",
    "earliest": "Gewünscht ab", "latest": "Gewünscht bis",
}  # fmt: skip
"""German names of the fields."""
URGENCIES = {"low": "niedrig", "normal": "normal", "high": "hoch"}
_MISSING = {"note": "no note of such a call", "task": "no callback or message has this id"}
_MEANWHILE = "somebody corrected it meanwhile, and nothing of yours was stored: look at it again"
_MOST_INPUT = 1_000_000
"""Characters of JSON; no note has more."""


@dataclass(frozen=True, slots=True)
class Correcting:
    """What somebody wants to correct."""

    kind: Kind
    prefix: str
    fields: tuple[str, ...]
    """() for all."""
    person: str
    """"" for the account at the keyboard."""
    revision: int | None
    as_json: bool


async def correct(settings: Settings, asked: Correcting) -> int:
    """Ask for what is right, or read it from stdin as JSON; store it; return the exit status. Raises AgentError."""
    if unknown := [field for field in asked.fields if field not in FIELDS[asked.kind]]:
        raise ConfigError(f"{unknown[0]!r} is no field; name some of: {', '.join(FIELDS[asked.kind])}")
    async with Corrector.open(settings.log) as corrector:
        found = await corrector.beginning(asked.kind, asked.prefix)
        if len(found) != 1:
            typer.echo("several ids begin so: type more of it" if found else _MISSING[asked.kind], err=True)
            return ERROR if found else NOTHING
        (at,) = found
        if asked.revision not in (None, at.revision):
            raise ConfigError(_MEANWHILE)
        given = _asked_for(at, asked.fields) if sys.stdin.isatty() else _from_stdin(asked.fields)
        wanted = checked(asked.kind, given, settings.company.area_code)
        return await _store(corrector, at, wanted, asked)


async def _store(corrector: Corrector, at: Correctable, wanted: Mapping[str, Value], asked: Correcting) -> int:
    """Store what differs; ask again on a terminal when somebody else was faster."""
    changes = _differing(at, wanted)
    stored = bool(changes) and await corrector.store(at, changes, asked.person[:80].strip() or account())
    (now,) = await corrector.beginning(asked.kind, str(at.id))
    if changes and not stored:
        if not sys.stdin.isatty():
            raise ConfigError(_MEANWHILE)
        _show_others(at, now)
        if typer.confirm("Ihre Angaben trotzdem speichern?", err=True):
            return await _store(corrector, now, wanted, asked)
    if asked.as_json:
        typer.echo(json_text(_told(now)))
    typer.echo(f"corrected: {', '.join(changes)}" if stored else "nothing was corrected", err=True)
    return GOOD if stored else NOTHING


def _differing(at: Correctable, wanted: Mapping[str, Value]) -> dict[str, Value]:
    return {field: value for field, value in wanted.items() if value != at.held[field]}


def _from_stdin(fields: tuple[str, ...]) -> dict[str, object]:
    """Return the JSON object on stdin. Raises ConfigError, which repeats nothing of it."""
    text = sys.stdin.read(_MOST_INPUT + 1)
    try:
        given = json.loads(text) if len(text) <= _MOST_INPUT else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise ConfigError('stdin holds no JSON object of fields, such as {"who": "Frau Muster", "open": []}')
    if fields and (others := [name for name in given if name not in fields]):
        raise ConfigError(f"{others[0][:40]!r} was not named on the command line; leave it out, or name it there")
    return given


def _asked_for(at: Correctable, fields: tuple[str, ...]) -> dict[str, object]:
    """Ask for each field on the terminal."""
    typer.echo("Enter lässt die Angabe, wie sie ist; ein einzelner Strich (-) leert sie.", err=True)
    held = at.held
    return {
        field: _lines(field, held[field]) if field in LISTS else _text(field, held[field])
        for field in (fields or FIELDS[at.kind])
    }


def _text(field: str, held: Value) -> str | None:
    shown = shown_value(field, held)
    typed = _prompt(f"{LABELS[field]} [{shown}]" if shown else LABELS[field])
    return (held[0] if held else None) if not typed else None if typed == "-" else typed


def _lines(field: str, held: Value) -> list[str]:
    """Ask for every line there is, then for more until an empty one."""
    typed = [(line, _prompt(f"{LABELS[field]} [{line}]")) for line in held]
    lines = [new or old for old, new in typed if new != "-"]
    while more := _prompt(f"{LABELS[field]}, weitere"):
        lines.append(more)
    return lines


def _prompt(label: str) -> str:
    """Ask on stderr; stdout is for data."""
    typer.echo(f"{label}: ", nl=False, err=True)
    if not (typed := sys.stdin.readline()):
        raise typer.Abort
    return typed.strip()


def _show_others(before: Correctable, now: Correctable) -> None:
    for correction in now.corrections[len(before.corrections) :]:
        typer.echo(
            f"Inzwischen von {correction.person}: {LABELS[correction.field]}: "
            f"{shown_value(correction.field, correction.new) or '–'}",
            err=True,
        )


def shown_value(field: str, value: Value) -> str:
    """Return what a field holds as it is shown; "" for nothing."""
    if field == "urgency":
        return URGENCIES[value[0]]
    if field in ("earliest", "latest") and value:
        return clock(datetime.fromisoformat(value[0]), "%d.%m.%Y %H:%M")
    return "; ".join(value)


def corrections(task: Row) -> str:
    """Return which fields of a listed callback or message people corrected; "" for none."""
    fields = [LABELS[field] for field in FIELDS["task"] if field in task["corrected"]]
    return f"korrigiert: {', '.join(fields)}" if fields else ""


def _told(at: Correctable) -> dict[str, Any]:
    return {
        "call" if at.kind == "note" else "task": at.id,
        "revision": at.revision,
        **{field: plain(field, value) for field, value in at.held.items()},
        "corrected": {
            field: {
                "by": one.person, "at": one.at, "original": plain(field, at.original[field]),
            }
            for field, one in at.newest.items()
        },
    }  # fmt: skip
