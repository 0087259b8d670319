"""`ari-agent calllog`: the database of the call log, for its administrator."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ari_agent.calllog import accounts, compaction
from ari_agent.calllog.backups import Kind, report
from ari_agent.calllog.rotation import Rotated, rotate
from ari_agent.calllog.sealing import Numbers
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.cli.reconciling import reconcile_calls
from ari_agent.config import Settings, load
from ari_agent.errors import ConfigError

WARNING = 1
"""Exit status."""

Install = Annotated[
    bool,
    typer.Option(
        "--install",
        envvar="ARI_AGENT_INSTALL",
        help="Run it, instead of printing it; ARI_AGENT_DATABASE names a superuser's address.",
    ),
]
AccountName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account, one per person.")]
Role = Annotated[accounts.Part, typer.Option("--role", envvar="ARI_AGENT_ROLE", help="auditor, desk or privacy.")]
Until = Annotated[
    datetime, typer.Option("--until", envvar="ARI_AGENT_UNTIL", formats=["%Y-%m-%d"], help="Last day of the account.")
]
New = Annotated[bool, typer.Option("--new", envvar="ARI_AGENT_NEW", help="First add a new key to the file.")]
What = Annotated[Kind, typer.Argument(metavar="backup|restore-test", help="What was done.")]

app = typer.Typer(
    name="calllog", help="The database of the call log: accounts, rights, updates, completeness.", no_args_is_help=True
)
app.command("reconcile")(reconcile_calls)


@app.command()
def roles(config: Config = None, *, install: Install = False) -> None:
    """Print the SQL that makes the accounts and their rights; without passwords, and good for any number of runs."""
    _print_or_run(config, accounts.roles(), install=install)
    if install:
        typer.echo(
            "accounts and rights are in place; set passwords with psql: \\password ari_agent_agent, then name that "
            "account in log.database",
            err=True,
        )


@app.command()
def account(name: AccountName, role: Role, until: Until, config: Config = None, *, install: Install = False) -> None:
    """Print the SQL that makes a personal account, without a password: its owner sets one with psql."""
    _print_or_run(config, accounts.account(name, role, until.date()), install=install)


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database up to date, as ari_agent_migrate, and seal older numbers; then run `calllog roles` again."""
    settings = load(config)
    applied, sealed = asyncio.run(accounts.update(settings.log, _numbers(settings)))
    for name in applied:
        typer.echo(name)
    if sealed:
        typer.echo(f"{sealed} numbers were sealed", err=True)


@app.command()
def rekey(config: Config = None, *, new: New = False, as_json: Json = False) -> None:
    """Seal every number with the newest key of log.number_key. Can be broken off, and run again. Exit status 1: some
    could not be opened."""
    settings = load(config)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("numbers", total=None)
        rotated = asyncio.run(
            rotate(
                settings.log,
                _numbers(settings),
                new=new,
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        )
    if as_json:
        typer.echo(json_text(asdict(rotated)))
    else:
        _show(rotated)
    if rotated.lost:
        typer.echo(f"{rotated.lost} numbers stay as they are: no key in {settings.log.number_key} opens them", err=True)
        raise typer.Exit(WARNING)


@app.command()
def compact(config: Config = None, *, as_json: Json = False) -> None:
    """Write tables anew from which something was deleted: until then its bytes are in their files."""
    tables = asyncio.run(compaction.compact(load(config).log))
    if as_json:
        typer.echo(json_text({"tables": tables}))
    else:
        for table in tables:
            typer.echo(table)


@app.command("backup")
def backup(what: What, config: Config = None) -> None:
    """Put on record that a backup was made, or that one was restored for a test."""
    asyncio.run(report(load(config).log, what, datetime.now(UTC)))


def _numbers(settings: Settings) -> Numbers:
    return Numbers(settings.log.number_key, settings.company.area_code, create=True)


def _show(rotated: Rotated) -> None:
    table = Table("Schlüssel", "Rufnummern", "in der Datei", box=SIMPLE, pad_edge=False)
    for use in rotated.keys:
        table.add_row(use.key, str(use.numbers), "ja" if use.held else "nein")
    Console().print(table)


def _print_or_run(config: Config, statements: str, *, install: bool) -> None:
    if not install:
        if config is not None:
            load(config)  # nothing of it is needed, but whoever names a file wants to know that it is good
        typer.echo(statements, nl=False)
        return
    log = load(config).log
    if "ari_agent_agent@" in log.database:
        raise ConfigError("the controller's account cannot do this: name a superuser's address in ARI_AGENT_DATABASE")
    asyncio.run(accounts.install(log, statements))
