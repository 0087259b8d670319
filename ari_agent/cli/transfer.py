"""`ari-agent export` and `ari-agent import`: the company's data leave as files, and come back."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import ari_agent
from ari_agent.calllog.exporting import exporter
from ari_agent.calllog.importing import Importer, Taken
from ari_agent.cli.options import Config, Json
from ari_agent.cli.person import account
from ari_agent.cli.printing import json_text
from ari_agent.config import Settings, load
from ari_agent.errors import ConfigError, TransferError
from ari_agent.settings_file import find, problems, read
from ari_agent.transfer import manifest, settings
from ari_agent.transfer.cells import MARK, line
from ari_agent.transfer.manifest import LEFT_OUT, MANIFEST, PARTS, Manifest, What, files_of
from ari_agent.transfer.package import Package, package
from ari_agent.transfer.settings import Data, Parts
from ari_agent.transfer.source import Source, source

GOOD, WARNING = 0, 1
"""Exit statuses."""

Target = Annotated[Path, typer.Argument(metavar="FOLDER|FILE.zip", help="Must not exist yet.")]
Origin = Annotated[Path, typer.Argument(metavar="FOLDER|FILE.zip", help="What `ari-agent export` has written.")]
Chosen = Annotated[
    str, typer.Option("--what", envvar="ARI_AGENT_WHAT", help=f"Parts, with commas; default all: {','.join(PARTS)}.")
]
Person = Annotated[
    str, typer.Option("--by", envvar="ARI_AGENT_BY", help="Who does it, for the record; default: your account.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="ARI_AGENT_DRY_RUN", help="Examine and count; change nothing.")
]

_IN_FILES: tuple[What, ...] = ("settings", "escalation")
"""Parts that are no rows of the database."""
_SHOWN_EVERY = 1_000
"""Rows between two signs of progress."""

console = Console(stderr=True)


def export(target: Target, config: Config = None, *, what: Chosen = "", by: Person = "", as_json: Json = False) -> None:
    """Write knowledge, settings, notes, turns, contacts and escalation as files, readable for this account alone.

    JSON Lines to be imported again, CSV for spreadsheets, and a manifest with the SHA-256 of each. It holds personal
    data, and the call log remembers who exported what. Exit status 2: nothing was written.
    """
    parts, path = _parts(what, PARTS), find(config)
    loaded, data = load(config), read(path)
    made = asyncio.run(_export(loaded, data, target, parts, by.strip() or account()))
    secrets = settings.secrets(data)
    if as_json:
        typer.echo(json_text({"path": target, **made.model_dump(mode="json"), "secrets": secrets}))
    else:
        for name, rows in made.rows.items():
            typer.echo(f"{name}: {rows}")
    typer.echo(
        f"{target} holds {len(made.files)} files, with personal data: keep them as you keep the call log", err=True
    )
    _tell_secrets(secrets)
    for left in LEFT_OUT:
        typer.echo(f"not in it: {left}", err=True)


def import_(
    origin: Origin,
    config: Config = None,
    *,
    what: Chosen = "",
    by: Person = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take an export into this installation: all of it or nothing, nothing twice, nothing over what is there.

    A settings file is only written where there is none (--what settings,escalation first); what differs from an
    existing one is named. Exit status 1: settings are left to do by hand. 2: nothing was imported.
    """
    if find(config).exists():
        load(config)  # before anything else: a mistake in it is told first
    with source(origin) as examined:
        parts = _parts(what, examined.manifest.what)
        if missing := [part for part in parts if part not in examined.manifest.what]:
            raise TransferError(f"{origin.name} was exported without {missing[0]}; leave it out of --what")
        told: dict[str, Any] = {"dry_run": dry_run, "what": parts}
        left = _import_settings(examined, config, parts, told, dry_run=dry_run)
        if rows := tuple(part for part in parts if part not in _IN_FILES):
            taken = asyncio.run(_import(load(config), examined, rows, by.strip() or account(), dry_run=dry_run))
            told["rows"] = {name: {"new": each.new, "known": each.known} for name, each in taken.items()}
    if as_json:
        typer.echo(json_text(told))
    else:
        for name, each in told.get("rows", {}).items():
            typer.echo(f"{name}: {each['new']} new, {each['known']} known")
    if dry_run:
        typer.echo("nothing was changed (--dry-run)", err=True)
    raise typer.Exit(WARNING if left else GOOD)


def _parts(what: str, default: tuple[What, ...]) -> tuple[What, ...]:
    named = {name.strip() for name in what.split(",")} - {""}
    if unknown := sorted(named - set(PARTS)):
        raise ConfigError(f"--what: {unknown[0]!r} is no part of an export; name some of: {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in named) if named else default


async def _export(loaded: Settings, data: Data, target: Path, what: tuple[What, ...], person: str) -> Manifest:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    with package(target) as made, _progress("writing") as progress:
        async with exporter(loaded.log, what, person) as rows:
            _write_settings(made, data, what)
            await rows.write(made, progress)
        files = {name: made.files[name] for name in files_of(what)}
        listed = Manifest(program=f"ari-agent {ari_agent.__version__}", made_at=made_at, what=what, files=files)
        with made.member(MANIFEST) as member:
            member.write(manifest.written(listed))
    return listed


def _write_settings(made: Package, data: Data, what: tuple[What, ...]) -> None:
    parts = settings.apart(data)
    texts = {
        "synonyms.json": json.dumps(parts.synonyms, ensure_ascii=False, indent=1) + "\n",
        "settings.toml": settings.to_toml(parts.settings),
        "secrets.json": json.dumps(settings.secrets(data), ensure_ascii=False, indent=1) + "\n",
        "escalation.toml": settings.to_toml(parts.escalation),
        "escalation.csv": MARK + "".join(map(line, _escalation_rows(parts))),
    }
    for name in files_of(what):
        if name in texts:
            with made.member(name) as member:
                member.write(texts[name])


def _escalation_rows(parts: Parts) -> Iterator[list[Any]]:
    yield ["intent", "urgency", "hours", "targets"]
    for row in parts.escalation.get("escalation", {}).get("table", []):
        yield [row.get("intent", "*"), row.get("urgency", "*"), row.get("hours", "*"), ", ".join(row["targets"])]


def _tell_secrets(secrets: list[dict[str, str]]) -> None:
    for each in secrets:
        typer.echo(f"to be set again: {each['setting']}, in {each['file']}", err=True)


def _import_settings(
    examined: Source, config: Path | None, what: tuple[What, ...], told: dict[str, Any], *, dry_run: bool
) -> bool:
    """Write a settings file where there is none, and tell what differs where there is one; whether anything is left.

    Raises ConfigError when rows would have to go where no settings say.
    """
    path = find(config)
    if path.exists():
        here = read(path)
        told["settings_differ"] = settings.differing(here, settings.together(_exported(examined, what, here)))
        for key in told["settings_differ"]:
            typer.echo(f"{path}: {key} is not as it was exported, and is left as it is", err=True)
        return bool(told["settings_differ"])
    if set(what) - {*_IN_FILES} or "settings" not in what:
        raise ConfigError(f"{path} does not exist: import it first (--what settings,escalation), then set its secrets")
    # The synonyms too: a settings file that is there is never changed afterwards.
    more: tuple[What, ...] = ("knowledge",) if "knowledge" in examined.manifest.what else ()
    there = settings.together(_exported(examined, (*what, *more), {}))
    told["settings_written"] = str(path)
    if not dry_run:
        _put(path, settings.to_toml(there))
        typer.echo(f"{path} was written", err=True)
    _tell_secrets(settings.secrets(there))
    faults = _faults(there, path)
    for fault in faults:
        typer.echo(fault, err=True)
    return bool(faults)


def _exported(examined: Source, what: tuple[What, ...], here: Data) -> Parts:
    """Return the parts of the settings that are imported; those of this installation stand for the others."""
    own = settings.apart(here)
    synonyms, place = own.synonyms, examined.place
    if "knowledge" in what:
        synonyms = settings.from_json(examined.text("synonyms.json"), f"{place}: synonyms.json")
    tables = {
        name: settings.from_toml(examined.text(f"{name}.toml"), f"{place}: {name}.toml")
        for name in _IN_FILES
        if name in what
    }
    return Parts(tables.get("settings", own.settings), tables.get("escalation", own.escalation), synonyms)


def _faults(data: Data, path: Path) -> list[str]:
    """Return what has to be put right before the settings can be used."""
    try:
        Settings.model_validate(data, context={"folder": path.parent})
    except ValidationError as e:
        return problems(e, f"{path}: ", Settings).splitlines()
    return []


def _put(path: Path, text: str) -> None:
    """Write a file that nobody else can read, whole or not at all. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, half = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.link(half, path)  # fails where somebody else has made one meanwhile
        finally:
            with suppress(OSError):
                Path(half).unlink()
    except OSError as e:
        raise ConfigError(f"{path} cannot be written: {e.strerror}; name another settings file with --config") from e


async def _import(
    loaded: Settings, examined: Source, what: tuple[What, ...], person: str, *, dry_run: bool
) -> dict[str, Taken]:
    with _progress("reading") as progress:
        async with Importer.open(loaded.log, loaded.company.area_code) as importer:
            return await importer.take(examined, what, person, progress, dry=dry_run)


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[str, int], None]]:
    """A display on a terminal."""
    columns = (SpinnerColumn(), TextColumn(f"{doing} {{task.description}}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        task = shown.add_task("")

        def tell(name: str, rows: int) -> None:
            if rows % _SHOWN_EVERY == 0:
                shown.update(task, description=f"{name}: {rows}")

        yield tell
