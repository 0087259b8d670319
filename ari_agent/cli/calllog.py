"""`ari-agent calllog`: the database of the call log, for its administrator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from ari_agent.calllog import accounts, compaction
from ari_agent.calllog.backups import Kind, report
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.cli.reconciling import reconcile_calls
from ari_agent.config import load
from ari_agent.errors import ConfigError

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
    """Bring the database up to date, as ari_agent_migrate; then run `calllog roles` again."""
    for name in asyncio.run(accounts.update(load(config).log)):
        typer.echo(name)


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
