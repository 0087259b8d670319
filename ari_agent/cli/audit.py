"""`ari-agent audit`: whether the call log is as it was written, and the anchors outside the database that prove it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import typer

from ari_agent.calllog import audit
from ari_agent.calllog.audit import Report
from ari_agent.calllog.chain import FAULTS
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.config import Log, load

GOOD, WARNING, ERROR = 0, 1, 2
"""Exit statuses."""

app = typer.Typer(name="audit", help="Whether the call log is as it was written.", no_args_is_help=True)


@app.command()
def verify(config: Config = None, *, as_json: Json = False) -> None:
    """Examine chain, seals and anchors. Exit status: 0 as written, 1 so far as can be known without anchors, 2 not."""
    raise typer.Exit(_verify(load(config).log, as_json=as_json))


@app.command()
def anchor(config: Config = None, *, as_json: Json = False) -> None:
    """Sign the newest event's number and hash, and keep them in log.anchors and the system's journal.

    With log.stamp_url it also gets a time stamp. Exit status 1: no journal took it, or it got no time stamp.
    """
    made = asyncio.run(audit.anchor(load(config).log))
    one = made.anchor
    if as_json:
        typer.echo(json_text({**asdict(one), "journal": made.announced, "stamped": made.stamped}))
    else:
        typer.echo(f"Anker: Nummer {one.number}, Hash {one.hash}, Kette {one.chain}")
    if not made.announced:
        typer.echo("the anchor is in its file; neither journald nor syslogd took it", err=True)
    if made.trouble:
        typer.echo(
            f"the anchor is in its file, without a time stamp; the next run tries again: {made.trouble}", err=True
        )
    raise typer.Exit(GOOD if made.announced and not made.trouble else WARNING)


def _verify(log: Log, *, as_json: bool) -> int:
    report = asyncio.run(audit.verify(log))
    if as_json:
        typer.echo(json_text(_figures(report)))
    else:
        for line in _lines(report):
            typer.echo(line)
    if not report.holds:
        return ERROR
    if report.anchored.newest is None:
        typer.echo(
            "no anchor: whether the end was cut off cannot be known; run `ari-agent audit anchor` hourly", err=True
        )
        return WARNING
    return GOOD


def _figures(report: Report) -> dict[str, object]:
    database, anchored = report.database, report.anchored
    return {
        "ok": report.holds,
        "chain": database.head.chain,
        "first": database.head.first,
        "last": database.head.number,
        "hash": database.head.hash,
        "faults": [asdict(fault) for fault in database.faults],
        "seals": {
            "sealed": database.sealed,
            "erased": database.erased,
            "faults": [asdict(fault) for fault in database.seal_faults],
        },
        "anchors": {
            "examined": anchored.examined,
            "forgotten": anchored.forgotten,
            "holds_to": anchored.holds_to,
            "stamped": anchored.stamped,
            "stamped_to": anchored.stamped_to,
            "stamped_at": anchored.stamped_at,
            "newest": asdict(anchored.newest) if anchored.newest else None,
            "faults": [asdict(fault) for fault in anchored.faults],
        },
    }


def _lines(report: Report) -> list[str]:
    database, anchored = report.database, report.anchored
    faults = [
        f"Ereignis {fault.number}: {fault.finding}"
        for fault in (*database.faults, *database.seal_faults, *anchored.faults)[:FAULTS]
    ]
    head = database.head
    anchors = f"{anchored.examined} Anker geprüft" + (
        f", bestätigt bis Nummer {anchored.holds_to}" if anchored.holds_to is not None else ""
    )
    if anchored.stamped_at is not None:
        anchors += (
            f"; Zeitstempel {anchored.stamped}, der neueste bei Nummer {anchored.stamped_to}, {anchored.stamped_at}"
        )
    return [
        f"Kette {head.chain}: Ereignisse {head.first} bis {head.number}, "
        + ("in Ordnung" if not database.faults else "nicht in Ordnung"),
        f"Siegel: {database.sealed}, davon {database.erased} ohne Salz, weil gelöscht wurde",
        anchors,
        *faults,
    ]
