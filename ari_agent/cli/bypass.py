"""`ari-agent bypass`: put people back on the telephone, at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.config import APPS, load
from ari_agent.ops.bypass import Bypass
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari

app = typer.Typer(
    name="bypass", help="Let people take all calls, without the AI; a switch in Asterisk.", no_args_is_help=True
)

_APP = f"{APPS}cli"
"""Never connected, so that no controller's place is taken."""


@app.command()
def on(config: Config = None, *, as_json: Json = False) -> None:
    """Send every caller to the queue: new ones at once, those who talk to the AI within seconds."""
    asyncio.run(_switch(config, on=True, as_json=as_json))


@app.command()
def off(config: Config = None, *, as_json: Json = False) -> None:
    """Let the AI take calls again."""
    asyncio.run(_switch(config, on=False, as_json=as_json))


@app.command()
def status(config: Config = None, *, as_json: Json = False) -> None:
    """Say whether the AI is bypassed. Exit status 1: it is."""
    bypassed = asyncio.run(_status(config))
    typer.echo(json_text({"bypass": bypassed}) if as_json else ("on" if bypassed else "off"))
    raise typer.Exit(int(bypassed))


async def _switch(config: Path | None, *, on: bool, as_json: bool) -> None:
    asterisk = load(config).asterisk
    async with Ari.open(asterisk, _APP) as ari:
        told = await Bypass(asterisk, ari, Ami(asterisk)).switch(on=on)
    if as_json:
        typer.echo(json_text({"bypass": on, "controllers": told}))
    elif on:
        typer.echo(f"People take all calls now; {told} controllers hand theirs over.", err=True)
    else:
        typer.echo("The AI takes calls again.", err=True)


async def _status(config: Path | None) -> bool:
    asterisk = load(config).asterisk
    async with Ari.open(asterisk, _APP) as ari:
        return await Bypass(asterisk, ari, Ami(asterisk)).is_on()
