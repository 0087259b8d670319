"""`ari-agent knowledge`: what callers may hear, version by version; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from collections.abc import Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.cli import knowledge_shown as shown
from ari_agent.cli import suggesting
from ari_agent.cli.chat import as_recognised
from ari_agent.cli.company import company_gate, company_knowledge, company_passages, company_today
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.cli.suggesting import Choosing
from ari_agent.config import Settings, load
from ari_agent.documents.company import Collection, collect, files
from ari_agent.errors import ConfigError, DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match
from ari_agent.knowledge.version import Draft, Gate, Version, compare, in_force, keep_accepted, plain

NOTHING = 1
"""Exit status: there is nothing to show, or it was not confirmed."""
MOST_NOTE = 1000
"""Characters of a note."""
TOP = 3
"""Passages that a search shows."""
NONE_TODAY = "none of the passages may be said today; compare their days and company.audiences"
_VERDICTS = {
    "sure": "the first is said at once",
    "possible": "callers are asked whether they mean the first",
    "unknown": "callers hear that this is not known",
}

Yes = Annotated[bool, typer.Option("--yes", envvar="ARI_AGENT_YES", help="Do not ask.")]
Note = Annotated[str, typer.Option("--note", envvar="ARI_AGENT_NOTE", help="Why, for the list of versions.")]
Number = Annotated[int | None, typer.Option("--version", envvar="ARI_AGENT_VERSION", help="Default: the newest.")]
DryRun = Annotated[bool, typer.Option("--dry-run", envvar="ARI_AGENT_DRY_RUN", help="Show what would change, only.")]

app = typer.Typer(name="knowledge", help="What callers may hear, from your documents.", no_args_is_help=True)
console = Console(stderr=True, highlight=False)


@app.command("import")
def import_documents(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Documents, or folders of them.")],
    config: Config = None,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Make all that these documents hold, and nothing else, what callers may hear. Exit status 1: not confirmed."""
    settings = load(config)
    asking = Asking(note, yes=yes, dry_run=dry_run, as_json=as_json)
    _run(_import(settings, _collect(paths), asking))


@app.command()
def versions(config: Config = None, *, as_json: Json = False) -> None:
    """List the versions, the newest first: it is in force. Exit status 1: nothing was ever imported."""
    _run(_versions(load(config), as_json=as_json))


@app.command()
def show(
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Default: the newest.")] = None,
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show all that a version says."""
    _run(_show(load(config), version, as_json=as_json))


@app.command()
def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="A version.")],
    after: Annotated[int | None, typer.Argument(metavar="[B]", help="Another; default: the newest.")] = None,
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show how what is said differs between two versions."""
    _run(_diff(load(config), before, after, as_json=as_json))


@app.command()
def rollback(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version to go back to.")],
    config: Config = None,
    *,
    yes: Yes = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Store a new version that equals an old one. Exit status 1: not confirmed."""
    settings = load(config)
    _run(_rollback(settings, version, Asking(note, yes=yes, dry_run=False, as_json=as_json)))


@app.command("list")
def list_passages(config: Config = None, *, version: Number = None, as_json: Json = False) -> None:
    """List the passages, where they stand, and whether callers may hear them today."""
    _run(_list(load(config), version, as_json=as_json))


@app.command()
def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What a caller says, in quotes.")],
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show which passages the configured engine finds for words. Exit status 1: none."""
    _run(_search(load(config), words, as_json=as_json))


@app.command()
def suggest(
    config: Config = None,
    *,
    passage: Annotated[
        str | None, typer.Option("--passage", envvar="ARI_AGENT_PASSAGE", help="Id of the only passage.")
    ] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", envvar="ARI_AGENT_ACCEPT_ALL", help="Store all that may be proposed.")
    ] = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Let the language model propose questions of callers; those you accept are stored. Exit status 1: none was."""
    settings = load(config)
    _check_note(note)
    _run(_suggest(settings, passage, Choosing(accept_all=accept_all, as_json=as_json), note, as_json=as_json))


class Asking:
    """Whether a new version is stored, and why."""

    def __init__(self, note: str = "", *, yes: bool, dry_run: bool, as_json: bool) -> None:
        """Raises ConfigError when nobody could be asked, and when the note is too long."""
        _check_note(note)
        self.note = note
        self.dry_run = dry_run
        self.as_json = as_json
        self._yes = yes
        if not yes and not dry_run and (as_json or not sys.stdin.isatty()):
            raise ConfigError("there is nobody to ask whether to store it: add --yes, or --dry-run to see what changes")

    def agreed(self) -> bool:
        """Ask, unless that was answered on the command line."""
        return not self.dry_run and (self._yes or typer.confirm("Store this as what callers hear?", err=True))


async def _import(settings: Settings, collection: Collection, asking: Asking) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        base = await store.version()
        passages, accepted = keep_accepted(collection.passages, base.draft.accepted if base else {})
        sources = tuple((source.name, source.sha256) for source in collection.sources)
        draft = Draft("import", account(), asking.note, passages, sources, accepted)
        if not in_force(passages, company_today(settings), settings.company.audiences):
            raise DocumentError(NONE_TODAY)
        return await store_draft(store, draft, base, asking, settings, collection.warnings)


async def store_draft(
    store: KnowledgeStore,
    draft: Draft,
    base: Version | None,
    asking: Asking,
    settings: Settings,
    warnings: tuple[str, ...] = (),
) -> int:
    """Show what would change, ask, and store the version; return the exit status. Raises CallLogError."""
    before = base.passages if base else ()
    changes = compare(before, draft.passages)
    for warning in warnings:
        console.print(warning, markup=False, style="yellow")
    if not asking.as_json:
        shown.show_difference(Console(highlight=False), before, draft.passages)
    counts = f"{len(changes.new)} new, {len(changes.changed)} changed, {len(changes.removed)} removed"
    console.print(f"{len(draft.passages)} passages: {counts}")
    number, declined = None, False
    if not changes:
        console.print(f"version {base.number if base else 0} says all that already; nothing is stored")
    elif not asking.dry_run:
        declined = not await asyncio.to_thread(asking.agreed)
        if not declined:
            number = await store.store(await _measured(settings, draft), base)
    if asking.as_json:
        told = {"version": number, "passages": len(draft.passages), **shown.changes_as_json(changes)}
        typer.echo(json_text({**told, "sources": draft.sources, "warnings": warnings}))
    if number is not None:
        console.print(f"stored as version {number}; a running agent notices within half a minute")
    return NOTHING if declined else 0


async def _measured(settings: Settings, draft: Draft) -> Draft:
    """Return the version with the certainty from which on its passages are spoken."""
    callers = in_force(draft.passages, company_today(settings), settings.company.audiences)
    if not callers:
        return draft
    with console.status("the company's own questions are asked"):
        gate = await asyncio.to_thread(company_gate, settings, callers)
    console.print(f"{gate.engine}: {gate.reason}", markup=False)
    return replace(draft, gate=gate)


async def _versions(settings: Settings, *, as_json: bool) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        rows = await store.versions()
    if as_json:
        typer.echo(json_text([{"version": row.pop("number"), **row} for row in rows]))
    elif rows:
        Console().print(shown.version_table(rows))
    else:
        console.print("nothing was imported yet: calls use the documents of company.knowledge")
    return 0 if rows else NOTHING


async def _show(settings: Settings, number: int | None, *, as_json: bool) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        version = await _version(store, number)
    if as_json:
        typer.echo(json_text(shown.version_as_json(version)))
    else:
        console.print(shown.version_line(version), markup=False)
        shown.show_passages(Console(highlight=False), version.passages)
    return 0


async def _diff(settings: Settings, before: int, after: int | None, *, as_json: bool) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        old, new = await _version(store, before), await _version(store, after)
    if as_json:
        changes = shown.changes_as_json(compare(old.passages, new.passages))
        typer.echo(json_text({"before": old.number, "after": new.number, **changes}))
    else:
        shown.show_difference(Console(highlight=False), old.passages, new.passages)
    return 0


async def _rollback(settings: Settings, number: int, asking: Asking) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        old, base = await _version(store, number), await store.version()
        draft = replace(old.draft, action="rollback", author=account(), note=asking.note, restores=old.number)
        return await store_draft(store, draft, base, asking, settings)


async def _list(settings: Settings, number: int | None, *, as_json: bool) -> int:
    passages, _ = await _passages(settings, number)
    today = in_force(passages, company_today(settings), settings.company.audiences)
    if as_json:
        ids = {passage.id for passage in today}
        typer.echo(json_text([{**plain(passage), "today": passage.id in ids} for passage in passages]))
    else:
        Console().print(shown.passage_table(passages, today))
    return 0


async def _search(settings: Settings, words: str, *, as_json: bool) -> int:
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


async def _suggest(settings: Settings, ident: str | None, choosing: Choosing, note: str, *, as_json: bool) -> int:
    async with KnowledgeStore.open(settings.log) as store:
        base = await _version(store, None)
    proposals, accepted = await suggesting.suggest(settings, base, ident, choosing, console)
    number = None
    if accepted:  # connected anew: the model may have taken hours
        async with KnowledgeStore.open(settings.log) as store:
            draft = suggesting.with_accepted(base, accepted, account(), note)
            number = await store.store(await _measured(settings, draft), base)
    if as_json:
        told = [{**asdict(proposal), "accepted": proposal in accepted} for proposal in proposals]
        typer.echo(json_text({"version": number, "proposals": told}))
    refused = sum(proposal.refused is not None for proposal in proposals)
    console.print(f"{len(proposals)} questions proposed, {refused} of them not usable, {len(accepted)} accepted")
    if number is not None:
        console.print(f"stored as version {number}; a running agent notices within half a minute")
    return 0 if accepted or (as_json and proposals) else NOTHING


def _verdict(match: Match | None) -> Literal["sure", "possible", "unknown"]:
    if match is None or not (match.sure or match.possible):
        return "unknown"
    return "sure" if match.sure else "possible"


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


async def _version(store: KnowledgeStore, number: int | None) -> Version:
    version = await store.version(number)
    if version is None:
        raise DocumentError(_no_version(number))
    return version


def _no_version(number: int | None) -> str:
    if number is None:
        return "nothing was imported yet; `ari-agent knowledge import` does"
    return f"there is no version {number} of the knowledge; `ari-agent knowledge versions` lists them"


def _collect(paths: list[Path]) -> Collection:
    columns = (SpinnerColumn(), TextColumn("reading {task.description}", markup=False), TimeElapsedColumn())
    found = files(paths)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("")
        return collect(found, lambda name: progress.update(task, description=name))


def _check_note(note: str) -> None:
    if len(note) > MOST_NOTE:
        raise ConfigError(f"--note has {len(note)} characters; {MOST_NOTE} are kept at most")


def account() -> str:
    """Return the account of the person at the keyboard: who called sudo, where it was called."""
    try:
        name = os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's number without a name
        name = f"uid {os.getuid()}"
    return name[:80]


def _run(command: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(command))
