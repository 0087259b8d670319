"""How `ari-agent knowledge` makes versions: shown, agreed to, measured, and stored as a whole or not at all."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.cli import knowledge_shown as shown
from ari_agent.cli import suggesting
from ari_agent.cli.company import company_gate, company_today
from ari_agent.cli.knowledge_views import NOTHING, console, existing
from ari_agent.cli.person import account
from ari_agent.cli.printing import json_text
from ari_agent.cli.suggesting import Choosing
from ari_agent.config import Settings
from ari_agent.documents.company import Collection, collect, files
from ari_agent.errors import ConfigError, DocumentError
from ari_agent.knowledge.version import Draft, Version, compare, in_force, keep_accepted

MOST_NOTE = 1000
"""Characters of a note."""
NONE_TODAY = "none of the passages may be said today; compare their days and company.audiences"


class Asking:
    """Whether a new version is stored, and why."""

    def __init__(self, note: str = "", *, yes: bool, dry_run: bool, as_json: bool) -> None:
        """Raises ConfigError when nobody could be asked, and when the note is too long."""
        check_note(note)
        self.note = note
        self.dry_run = dry_run
        self.as_json = as_json
        self._yes = yes
        if not yes and not dry_run and (as_json or not sys.stdin.isatty()):
            raise ConfigError("there is nobody to ask whether to store it: add --yes, or --dry-run to see what changes")

    def agreed(self) -> bool:
        """Ask, unless that was answered on the command line."""
        return not self.dry_run and (self._yes or typer.confirm("Store this as what callers hear?", err=True))


def collected(paths: list[Path]) -> Collection:
    """Read the documents, with a display on a terminal. Raises DocumentError."""
    columns = (SpinnerColumn(), TextColumn("reading {task.description}", markup=False), TimeElapsedColumn())
    found = files(paths)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("")
        return collect(found, lambda name: progress.update(task, description=name))


async def import_collection(settings: Settings, collection: Collection, asking: Asking) -> int:
    """Make what was read a version; return the exit status. Raises DocumentError, CallLogError."""
    async with KnowledgeStore.open(settings.log) as store:
        base = await store.version()
        passages, accepted = keep_accepted(collection.passages, base.draft.accepted if base else {})
        sources = tuple((source.name, source.sha256) for source in collection.sources)
        draft = Draft("import", account(), asking.note, passages, sources, accepted)
        if not in_force(passages, company_today(settings), settings.company.audiences):
            raise DocumentError(NONE_TODAY)
        return await _store(store, draft, base, asking, settings, collection.warnings)


async def go_back(settings: Settings, number: int, asking: Asking) -> int:
    """Store a version that equals an old one; return the exit status. Raises DocumentError, CallLogError."""
    async with KnowledgeStore.open(settings.log) as store:
        old, base = await existing(store, number), await store.version()
        draft = replace(old.draft, action="rollback", author=account(), note=asking.note, restores=old.number)
        return await _store(store, draft, base, asking, settings)


async def suggest_questions(
    settings: Settings, ident: str | None, choosing: Choosing, note: str, *, as_json: bool
) -> int:
    """Store the questions that were accepted; return the exit status. Raises AgentError."""
    async with KnowledgeStore.open(settings.log) as store:
        base = await existing(store, None)
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


async def _store(
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


def check_note(note: str) -> None:
    """Raise ConfigError when the note is too long."""
    if len(note) > MOST_NOTE:
        raise ConfigError(f"--note has {len(note)} characters; {MOST_NOTE} are kept at most")
