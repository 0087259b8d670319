"""`ari-agent retention`: delete what is older than the settings allow."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ari_agent.archive.archive import Archive
from ari_agent.calllog import retention
from ari_agent.calllog.retention import Deleted, Erased
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.config import Settings, load
from ari_agent.errors import ConfigError
from ari_agent.traces.aging import Old, age
from ari_agent.traces.files import AsteriskFiles

GOOD, WARNING = 0, 1
"""Exit statuses."""

DryRun = Annotated[bool, typer.Option("--dry-run", envvar="ARI_AGENT_DRY_RUN", help="Only count; delete nothing.")]

app = typer.Typer(name="retention", help="Delete what is older than the settings allow.", no_args_is_help=True)

_KINDS = {
    "wording": "Wortlaut",
    "audio": "Tonaufzeichnungen",
    "transcript": "Mitschriften",
    "note": "Notizen",
    "task": "erledigte Rückrufe und Nachrichten",
    "open-task": "unerledigte Rückrufe und Nachrichten",
    "caller-number": "Rufnummern der Anrufer",
    "call": "Anrufe (bleiben als Monatszahl)",
    "request": "Anfragen betroffener Personen",
    "event": "Ereignisse der Kette (bis zu einem Anker)",
    "voicemail": "Mailbox von Asterisk",
    "asterisk-log": "alte Protokolle von Asterisk",
    "cdr": "Rufnummern in den CDR-Dateien",
}


@app.callback()
def _group() -> None:
    """Delete what is older than the settings allow."""


@app.command("run")
def run_retention(config: Config = None, *, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Delete everything that is too old. Exit status 1: Asterisk's own files hold more, and are only reported."""
    settings = load(config)
    deleting = settings.retention.asterisk_files == "delete"
    now = datetime.now(UTC)
    old = _age(settings, now, delete=deleting and not dry_run)
    files = [Deleted(each.place, each.days, each.entries) for each in old] if deleting else []
    periods = settings.retention.periods()
    erased = Erased(settings.asterisk.node, _recordings(settings, now, delete=not dry_run))
    running = retention.run(settings.log, periods, now, dry=dry_run, files=files, erased=erased)
    deleted = [*asyncio.run(running), *files]
    left = [] if deleting else [each for each in old if each.entries]
    if as_json:
        values = {"dry_run": dry_run, "deleted": [asdict(each) for each in deleted], "left": [asdict(o) for o in left]}
        typer.echo(json_text(values))
    else:
        Console().print(_table(deleted))
    for each in left:
        typer.echo(
            f"{each.entries} entries of {each.place} are older than {each.days} days and were left: "
            'retention.asterisk_files = "delete" deletes them',
            err=True,
        )
    if dry_run:
        typer.echo("nothing was deleted (--dry-run)", err=True)
    raise typer.Exit(WARNING if left else GOOD)


def _recordings(settings: Settings, now: datetime, *, delete: bool) -> list[UUID]:
    """Erase the recordings that are too old, keys first, and what crashes have left; return the former."""
    archive = Archive.of(settings.recording)
    days = {"audio": settings.retention.recording_days, "transcript": settings.retention.transcript_days}
    try:
        expired = [header.ident for header in archive.expired(now, days)]
        if delete:
            for ident in expired:
                archive.erase(ident)
            archive.sweep(now)
    except OSError as e:
        raise ConfigError(f"{e.filename} cannot be used by this account: {e.strerror}; nothing else was deleted") from e
    return expired


def _age(settings: Settings, now: datetime, *, delete: bool) -> list[Old]:
    files = AsteriskFiles(settings.retention.asterisk_logs, settings.retention.asterisk_spool)
    try:
        return age(files, settings.retention, now, delete=delete)
    except OSError as e:
        raise ConfigError(f"{e.filename} cannot be used by this account: {e.strerror}; nothing else was deleted") from e


def _table(deleted: list[Deleted]) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for heading in ("Datenart", "Tage", "gelöscht"):
        table.add_column(heading)
    for each in deleted:
        table.add_row(_KINDS[each.kind], str(each.days), str(each.rows))
    return table
