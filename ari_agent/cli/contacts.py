"""`ari-agent contacts`: whom the company knows; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ari_agent.calllog.contact_file import read_contacts
from ari_agent.calllog.contact_rows import ContactFile
from ari_agent.calllog.contacts import Changes, ContactStore, Stored
from ari_agent.calllog.phone_book import Treatment, e164
from ari_agent.cli.options import Config, Json
from ari_agent.config import Settings, load
from ari_agent.errors import AgentError
from ari_agent.task import Contact

NOTHING = 1
"""Exit status: there is no such contact, or none at all."""
_SHOWN = 20
"""Changes of one kind that people are shown; machines get all."""
_ROUTES: dict[str, str] = {"ai": "KI", "vip": "VIP", "blocked": "gesperrt"}

Number = Annotated[
    str, typer.Argument(metavar="NUMBER", help="Telephone number; - reads it from stdin, unseen by other accounts.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV (.csv, .tsv, .txt) or vCards (.vcf, .vcard).")]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        envvar="ARI_AGENT_REPLACE",
        help="Remove contacts of earlier files that are not in this one.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", envvar="ARI_AGENT_DRY_RUN", help="Only show what changes.")]

app = typer.Typer(
    name="contacts",
    help="Whom the company knows: important callers reach people at once, blocked ones nobody. What is set here by "
    "number stays, whatever a file says.",
    no_args_is_help=True,
)


@app.command("import")
def import_file(
    file: File, config: Config = None, *, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Take over a file of contacts, all of it or, when a row is wrong, nothing; shows what changes.

    CSV: the first row names the columns (Name, Vorname, Nachname, Firma, Telefon, Mobil, Route or VIP and gesperrt,
    Ziel, or in English).
    """
    settings = load(config)
    escalation = settings.escalation
    contacts = read_contacts(file, settings.company.area_code, {*escalation.targets, escalation.queue})
    for warning in contacts.warnings:
        typer.echo(warning, err=True)
    changes = asyncio.run(_import(settings, contacts, replacing=replace, storing=not dry_run))
    if as_json:
        _print_json(_changes(changes) | {"file": contacts.name, "dry_run": dry_run, "warnings": contacts.warnings})
    else:
        _show(changes)
    if dry_run:
        typer.echo("nothing was changed (--dry-run)", err=True)


@app.command("list")
def list_contacts(config: Config = None, *, as_json: Json = False) -> None:
    """List all contacts. Exit status 1: there are none."""
    stored = asyncio.run(_stored(load(config)))
    if as_json:
        _print_json([asdict(known.contact) | {"source": known.source, "at": known.imported_at} for known in stored])
    elif stored:
        _print([known.contact for known in stored], [known.source for known in stored])
    if not stored:
        typer.echo("no contacts yet", err=True)
        raise typer.Exit(NOTHING)


@app.command()
def block(number: Number, config: Config = None) -> None:
    """Turn a number away from now on, without answering it."""
    _treat(number, config, "blocked")


@app.command()
def vip(number: Number, config: Config = None) -> None:
    """Send a number straight to people from now on."""
    _treat(number, config, "vip")


@app.command()
def allow(number: Number, config: Config = None) -> None:
    """Treat a number like any other again; one that has no name is forgotten."""
    _treat(number, config, "ai")


@app.command()
def remove(number: Number, config: Config = None) -> None:
    """Forget a contact. Exit status 1: it was not known."""
    settings = load(config)
    if not asyncio.run(_remove(settings, _valid(number, settings))):
        typer.echo("no such contact", err=True)
        raise typer.Exit(NOTHING)
    typer.echo("forgotten", err=True)


def _treat(number: str, config: Path | None, route: Treatment) -> None:
    settings = load(config)
    asyncio.run(_set(settings, _valid(number, settings), route))
    typer.echo(f"from now on: {_ROUTES[route]}", err=True)


def _valid(number: str, settings: Settings) -> str:
    """Return the number as E.164. Raises AgentError, which does not repeat it."""
    written = sys.stdin.readline() if number == "-" else number
    valid = e164(written, settings.company.area_code)
    if valid is None:
        raise AgentError("that is no valid telephone number; write it in full, such as +49 89 123456")
    return valid


async def _import(settings: Settings, contacts: ContactFile, *, replacing: bool, storing: bool) -> Changes:
    async with ContactStore.open(settings.log) as store:
        if storing:
            return await store.take(contacts.contacts, contacts.name, replacing=replacing)
        return await store.preview(contacts.contacts, replacing=replacing)


async def _stored(settings: Settings) -> list[Stored]:
    async with ContactStore.open(settings.log) as store:
        contacts = (await store.contacts()).values()
    return sorted(contacts, key=lambda known: (known.contact.name, known.contact.company, known.contact.number))


async def _set(settings: Settings, number: str, route: Treatment) -> None:
    async with ContactStore.open(settings.log) as store:
        await store.treat(number, route)


async def _remove(settings: Settings, number: str) -> bool:
    async with ContactStore.open(settings.log) as store:
        return await store.remove(number)


def _changes(changes: Changes) -> dict[str, Any]:
    return {
        "new": [asdict(contact) for contact in changes.new],
        "changed": [{"before": asdict(before), "after": asdict(after)} for before, after in changes.changed],
        "removed": [asdict(contact) for contact in changes.removed],
        "unchanged": changes.unchanged,
    }


def _show(changes: Changes) -> None:
    kinds: Mapping[str, Iterable[Contact]] = {
        "neu": changes.new,
        "geändert": [after for _, after in changes.changed],
        "entfernt": changes.removed,
    }
    for kind, contacts in kinds.items():
        if some := list(contacts):
            Console().print(f"{kind}: {len(some)}")
            _print(some[:_SHOWN])
            if len(some) > _SHOWN:
                Console().print(f"… und {len(some) - _SHOWN} weitere")
    Console().print(f"unverändert: {changes.unchanged}")


def _print(contacts: list[Contact], sources: list[str] | None = None) -> None:
    table = Table("Rufnummer", "Name", "Firma", "Behandlung", "Ziel", box=SIMPLE, pad_edge=False)
    if sources is not None:
        table.add_column("Herkunft")
    for at, contact in enumerate(contacts):
        cells = [contact.number, contact.name, contact.company, _ROUTES[contact.route], contact.target or ""]
        table.add_row(*map(Text, [*cells, sources[at]] if sources is not None else cells))
    Console().print(table)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False, indent=2))
