"""What `ari-agent knowledge` shows of versions; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
from typing import Literal

import typer
from rich.console import Console

from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.cli import knowledge_shown as shown
from ari_agent.cli.chat import as_recognised
from ari_agent.cli.company import company_knowledge, company_passages, company_today
from ari_agent.cli.printing import json_text
from ari_agent.config import Settings
from ari_agent.errors import DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match
from ari_agent.knowledge.version import Gate, Version, compare, in_force, plain

NOTHING = 1
"""Exit status: there is nothing to show, or it was not confirmed."""
TOP = 3
"""Passages that a search shows."""
_VERDICTS = {
    "sure": "the first is said at once",
    "possible": "callers are asked whether they mean the first",
    "unknown": "callers hear that this is not known",
}

console = Console(stderr=True, highlight=False)


async def show_versions(settings: Settings, *, as_json: bool) -> int:
    """Print the versions; return the exit status. Raises CallLogError."""
    async with KnowledgeStore.open(settings.log) as store:
        rows = await store.versions()
    if as_json:
        typer.echo(json_text([{"version": row.pop("number"), **row} for row in rows]))
    elif rows:
        Console().print(shown.version_table(rows))
    else:
        console.print("nothing was imported yet: calls use the documents of company.knowledge")
    return 0 if rows else NOTHING


async def show_version(settings: Settings, number: int | None, *, as_json: bool) -> int:
    """Print a version; return the exit status. Raises DocumentError, CallLogError."""
    async with KnowledgeStore.open(settings.log) as store:
        version = await existing(store, number)
    if as_json:
        typer.echo(json_text(shown.version_as_json(version)))
    else:
        console.print(shown.version_line(version), markup=False)
        shown.show_passages(Console(highlight=False), version.passages)
    return 0


async def show_diff(settings: Settings, before: int, after: int | None, *, as_json: bool) -> int:
    """Print how two versions differ; return the exit status. Raises DocumentError, CallLogError."""
    async with KnowledgeStore.open(settings.log) as store:
        old, new = await existing(store, before), await existing(store, after)
    if as_json:
        changes = shown.changes_as_json(compare(old.passages, new.passages))
        typer.echo(json_text({"before": old.number, "after": new.number, **changes}))
    else:
        shown.show_difference(Console(highlight=False), old.passages, new.passages)
    return 0


async def show_list(settings: Settings, number: int | None, *, as_json: bool) -> int:
    """Print a version's passages; return the exit status. Raises DocumentError, CallLogError."""
    passages, _ = await _passages(settings, number)
    today = in_force(passages, company_today(settings), settings.company.audiences)
    if as_json:
        ids = {passage.id for passage in today}
        typer.echo(json_text([{**plain(passage), "today": passage.id in ids} for passage in passages]))
    else:
        Console().print(shown.passage_table(passages, today))
    return 0


async def show_search(settings: Settings, words: str, *, as_json: bool) -> int:
    """Print what is found for the words; return the exit status. Raises DocumentError, CallLogError."""
    every, gate = await _passages(settings, None)
    passages = in_force(every, company_today(settings), settings.company.audiences)
    knowledge = company_knowledge(settings, passages, gate)
    text = as_recognised(words)
    ranked, match = knowledge.ranked(text, TOP), knowledge.read(text).match
    verdict = _verdict(match)
    found = [
        {"id": passage.id, "title": passage.title, "confidence": round(confidence, 3), "text": passage.text}
        for passage, confidence in ranked
        if confidence > 0
    ]
    if as_json:
        told = {"engine": knowledge.engine, "verdict": verdict, "answer": match and match.passage.id}
        typer.echo(json_text({**told, "found": found}))
    else:
        Console().print(shown.found_table(found))
        console.print(f"{knowledge.engine}: {_VERDICTS[verdict]}", markup=False)
    return 0 if verdict != "unknown" else NOTHING


async def existing(store: KnowledgeStore, number: int | None) -> Version:
    """Return a version, by default the one in force. Raises DocumentError when there is none, CallLogError."""
    version = await store.version(number)
    if version is None:
        raise DocumentError(_no_version(number))
    return version


async def _passages(settings: Settings, number: int | None) -> tuple[tuple[Passage, ...], Gate | None]:
    """Return the passages of a version and its gate; of the newest, or of the documents while there is none."""
    async with KnowledgeStore.open(settings.log) as store:
        version = await store.version(number)
    if version is not None:
        return version.passages, version.draft.gate
    if number is not None:
        raise DocumentError(_no_version(number))
    console.print("nothing was imported yet: these are the documents of company.knowledge")
    return await asyncio.to_thread(company_passages, settings.company.knowledge), None


def _verdict(match: Match | None) -> Literal["sure", "possible", "unknown"]:
    if match is None or not (match.sure or match.possible):
        return "unknown"
    return "sure" if match.sure else "possible"


def _no_version(number: int | None) -> str:
    if number is None:
        return "nothing was imported yet; `ari-agent knowledge import` does"
    return f"there is no version {number} of the knowledge; `ari-agent knowledge versions` lists them"
