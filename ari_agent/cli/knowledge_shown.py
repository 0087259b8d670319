"""How versions of the knowledge and their differences look, for people and for machines."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ari_agent.knowledge.passage import EVERYBODY, Passage
from ari_agent.knowledge.version import Changes, Draft, Version, lines, plain

_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_ACTIONS = {"import": "Einlesen", "suggest": "Fragen angenommen", "rollback": "Rückkehr zu"}


def changes_as_json(changes: Changes) -> dict[str, Any]:
    """Return what differs as JSON knows it."""
    return {
        "new": [plain(passage) for passage in changes.new],
        "changed": [{"before": plain(before), "after": plain(after)} for before, after in changes.changed],
        "removed": [plain(passage) for passage in changes.removed],
    }


def version_as_json(version: Version) -> dict[str, Any]:
    """Return a version as JSON knows it."""
    draft = version.draft
    passages = [{**plain(passage), "accepted": draft.accepted.get(passage.id, ())} for passage in draft.passages]
    return {"version": version.number, "at": version.at, **_head(draft), "passages": passages}


def _head(draft: Draft) -> dict[str, Any]:
    return {
        "action": draft.action,
        "author": draft.author,
        "note": draft.note,
        "restores": draft.restores,
        "sources": [{"name": name, "sha256": sha256} for name, sha256 in draft.sources],
        "sha256": draft.sha256,
        "gate": draft.gate and asdict(draft.gate),
    }


def difference(before: Sequence[Passage], after: Sequence[Passage]) -> Iterator[str]:
    """Yield a unified diff of what is said, passage by passage in the order of the new ones, then those removed."""
    old = {passage.id: passage for passage in before}
    for passage in after:
        earlier = old.pop(passage.id, None)
        yield from _unified(passage.id, lines(earlier) if earlier else [], lines(passage))
    for passage in old.values():
        yield from _unified(passage.id, lines(passage), [])


def show_difference(console: Console, before: Sequence[Passage], after: Sequence[Passage]) -> None:
    """Print the diff, coloured on a terminal."""
    for line in difference(before, after):
        bold = "bold" if line.startswith(("+++", "---")) else _STYLES.get(line[:1], "")
        console.print(Text(line, bold), soft_wrap=True)


def show_passages(console: Console, passages: Sequence[Passage]) -> None:
    """Print what is said, as the diff has it."""
    for passage in passages:
        title, *rest = lines(passage)
        console.print(Text(title, "bold"), soft_wrap=True)
        console.print(Text("\n".join(rest)), soft_wrap=True)
        console.print(Text(place(passage), "dim"))


def passage_table(passages: Sequence[Passage], said_today: Sequence[Passage]) -> Table:
    """Return a table of passages, where they come from, and which of them callers may hear today."""
    table = Table("Kennung", "Titel", "gültig", "Zielgruppe", "Quelle", "heute", "Fragen", box=SIMPLE, pad_edge=False)
    today = {passage.id for passage in said_today}
    for passage in passages:
        table.add_row(
            passage.id,
            Text(passage.title),
            _validity(passage),
            "" if passage.audience == EVERYBODY else passage.audience,
            Text(place(passage)),
            "ja" if passage.id in today else "nein",
            str(len(passage.questions)),
        )
    return table


def version_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of versions, the newest first."""
    table = Table("Stand", "gespeichert", "von", "Vorgang", "Texte", "+", "~", "-", "Dateien", "Bemerkung", box=SIMPLE)
    for row in rows:
        action = _ACTIONS[row["action"]] + (f" {row['restores']}" if row["restores"] else "")
        counts = (row["passages"], row["added"], row["changed"], row["removed"])
        sources = ", ".join(source["name"] for source in row["sources"])
        when = row["at"].astimezone().strftime("%d.%m.%Y %H:%M")
        table.add_row(
            str(row["number"]), when, Text(row["author"]), action, *map(str, counts), Text(sources), Text(row["note"])
        )
    return table


def found_table(found: Sequence[dict[str, Any]]) -> Table:
    """Return a table of what a search found, the best first."""
    table = Table("Kennung", "Titel", "Sicherheit", "Text", box=SIMPLE, pad_edge=False)
    for row in found:
        table.add_row(row["id"], Text(row["title"]), f"{row['confidence']:.2f}", Text(row["text"]))
    return table


def version_line(version: Version) -> str:
    """Return who made a version, when and from what."""
    draft = version.draft
    what = _ACTIONS[draft.action] + (f" {draft.restores}" if draft.restores else "")
    about = [f"Stand {version.number}", version.at.astimezone().strftime("%d.%m.%Y %H:%M"), draft.author, what]
    about += [f"{name} ({sha256[:12]})" for name, sha256 in draft.sources]
    return ", ".join(about) + (f": {draft.note}" if draft.note else "")


def place(passage: Passage) -> str:
    """Return where a passage stands in the documents."""
    where = [passage.source]
    where += [f"Seite {passage.page}"] if passage.page else []
    where += [f"Zeile {passage.row}"] if passage.row else []
    return ", ".join(where)


def _validity(passage: Passage) -> str:
    days = [f"{name} {day:%d.%m.%Y}" for name, day in (("ab", passage.valid_from), ("bis", passage.valid_until)) if day]
    return " ".join(days)


def _unified(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    files = (name if before else "/dev/null", name if after else "/dev/null")
    return difflib.unified_diff(before, after, *files, lineterm="")
