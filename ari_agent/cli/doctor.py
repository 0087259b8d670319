"""`ari-agent doctor`: what is wrong, and the remedy."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ari_agent.cli.company import company_passages
from ari_agent.config import load
from ari_agent.ops.doctor import examine
from ari_agent.ops.finding import Finding, Level

_SIGNS = {Level.GOOD: "[green]✔[/]", Level.WARNING: "[yellow]![/]", Level.ERROR: "[red]✘[/]"}


def doctor(
    config: Annotated[Path | None, typer.Option("--config", envvar="ARI_AGENT_CONFIG", help="Settings file.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", envvar="ARI_AGENT_JSON", help="For machines.")] = False,
) -> None:
    """Examine Asterisk, dialplan, queue, engines, models and database. Exit status: 0 good, 1 warnings, 2 errors."""
    findings = asyncio.run(examine(load(config), company_passages))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        _print(findings)
    raise typer.Exit(max(finding.level for finding in findings))


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in findings:
        table.add_row(_SIGNS[finding.level], finding.what, finding.found)
        if finding.remedy:
            table.add_row("", "", f"→ {finding.remedy}")
    Console().print(table)
