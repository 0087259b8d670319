"""`ari-agent calllog reconcile`: whether every call that Asterisk recorded is in the call log; files what is not."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ari_agent.calllog.completeness import Reconciled, reconcile, window
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import clock, json_text
from ari_agent.config import load

GOOD, WARNING = 0, 1
"""Exit statuses."""

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
From = Annotated[
    datetime | None,
    typer.Option("--from", envvar="ARI_AGENT_FROM", formats=_FORMATS, help="Calls that began then; local time."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", envvar="ARI_AGENT_TO", formats=_FORMATS, help="Calls that began before; not later than now."),
]


def reconcile_calls(config: Config = None, since: From = None, until: To = None, *, as_json: Json = False) -> None:
    """Compare the call log with Asterisk's CDR and queue_log and file missing calls with their cause.

    Exit status 1: something is missing or different without an explanation, or a line of Asterisk's is unreadable.
    """
    settings, now = load(config), datetime.now(UTC)
    wanted = window(settings.cdr, now, _aware(since), _aware(until))
    result = asyncio.run(reconcile(settings, wanted, now))
    if as_json:
        typer.echo(json_text(_figures(result)))
    else:
        _print(result)
    for line in result.unreadable:
        typer.echo(line, err=True)
    raise typer.Exit(GOOD if result.whole else WARNING)


def _aware(moment: datetime | None) -> datetime | None:
    """Return a moment with the machine's time zone where none is given."""
    return None if moment is None else moment.astimezone(UTC)


def _figures(result: Reconciled) -> dict[str, object]:
    return {
        "number": result.number,
        "whole": result.whole,
        "from": result.window.since,
        "to": result.window.until,
        "calls": result.calls,
        "entries": result.entries,
        "filed": result.filed,
        "withdrawn": result.withdrawn,
        "unexplained": result.unexplained,
        "broken": result.broken,
        "unreadable": result.unreadable,
        "rolled_back": result.rolled_back,
        "causes": dict(result.causes),
        "findings": [{**asdict(finding), "explained": finding.explained} for finding in result.findings],
    }


def _print(result: Reconciled) -> None:
    span = f"{clock(result.window.since, '%d.%m.%Y %H:%M')} bis {clock(result.window.until, '%d.%m.%Y %H:%M')}"
    typer.echo(
        f"Abgleich {result.number}, Anrufe vom {span}: " + ("vollständig" if result.whole else "nicht vollständig")
    )
    typer.echo(
        f"Telefonanlage: {result.calls}, Anrufprotokoll: {result.entries}, nachgetragen: {result.filed}, "
        f"zurückgenommen: {result.withdrawn}, ungeklärt: {result.unexplained}, unlesbare Zeilen: {result.broken}"
    )
    if result.findings:
        table = Table("Beginn", "Anruf", "Ursache", "", box=SIMPLE, pad_edge=False)
        for finding in result.findings:
            table.add_row(
                clock(finding.at, "%d.%m. %H:%M:%S"),
                str(finding.call)[:8] if finding.call else "–",
                result.words[finding.cause],
                "" if finding.explained else "ungeklärt",
            )
        Console().print(table)
