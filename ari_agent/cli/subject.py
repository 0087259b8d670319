"""`ari-agent subject`: what is stored about a person, for whoever answers requests of data subjects."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, get_args
from uuid import UUID

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ari_agent.calllog.reading import Row
from ari_agent.calllog.spool import look
from ari_agent.calllog.subjects import Findings, Identity, Subjects
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.cli.recording import login_name
from ari_agent.cli.subject_page import page
from ari_agent.cli.subject_recordings import SubjectRecordings
from ari_agent.config import Settings, load
from ari_agent.errors import ConfigError
from ari_agent.traces.files import AsteriskFiles, Found, Trace
from ari_agent.traces.spelling import Spelling, spelling

GOOD, WARNING = 0, 1
"""Exit statuses."""

Number = Annotated[
    str | None,
    typer.Option("--number", envvar="ARI_AGENT_NUMBER", help="The person's number; - reads it from stdin, unseen."),
]
Call = Annotated[UUID | None, typer.Option("--call", envvar="ARI_AGENT_CALL", help="Id of one call instead.")]
Ticket = Annotated[str, typer.Option("--ticket", envvar="ARI_AGENT_TICKET", help="Your file reference.")]
Checked = Annotated[
    Identity, typer.Option("--identity", envvar="ARI_AGENT_IDENTITY", help="How you checked who is asking.")
]
Received = Annotated[
    datetime | None,
    typer.Option("--received", envvar="ARI_AGENT_RECEIVED", formats=["%Y-%m-%d"], help="When it came; default today."),
]
Out = Annotated[
    Path,
    typer.Option("--out", envvar="ARI_AGENT_OUT", help="Folder for auskunft.json and auskunft.html."),
]
Yes = Annotated[bool, typer.Option("--yes", envvar="ARI_AGENT_YES", help="Erase without asking.")]

app = typer.Typer(
    name="subject",
    help="What is stored about a person: find it, hand it out, erase it. Every request is put on record by its ticket.",
    no_args_is_help=True,
)

PLACES = {
    "call": "Anrufe",
    "task": "Rückrufe und Nachrichten",
    "note": "Notizen",
    "correction": "Korrekturen an Notizen und Rückrufen",
    "wording": "Wortlaut",
    "audio": "Tonaufzeichnungen",
    "transcript": "Mitschriften",
    "contact": "Kontakte",
    "mention": "Nennungen bei anderen",
    "cdr": "CDR-Dateien von Asterisk",
    "asterisk-log": "Protokolle von Asterisk",
    "voicemail": "Mailbox von Asterisk",
    "recording": "Aufnahmen von Asterisk",
}


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whom or what a request is about."""

    spelling: Spelling | None
    call: UUID | None
    files: AsteriskFiles
    pattern: str
    """What to look for in files."""
    found: Found


@app.command()
def find(
    ticket: Ticket,
    config: Config = None,
    number: Number = None,
    call: Call = None,
    received: Received = None,
    *,
    as_json: Json = False,
) -> None:
    """Count what there is, place by place, without showing it. Exit status 1: there is nothing."""
    settings = load(config)
    _tell(asyncio.run(_find(settings, _asked(number, call), ticket, _day(received))), as_json=as_json)


@app.command()
def export(
    ticket: Ticket,
    identity: Checked,
    out: Out,
    config: Config = None,
    number: Number = None,
    call: Call = None,
    received: Received = None,
    *,
    as_json: Json = False,
) -> None:
    """Write all there is as JSON and as a page in German, which also says if it is nothing. Exit status 1: nothing."""
    settings = load(config)
    asked = _asked(number, call)
    told, recordings = asyncio.run(_export(settings, asked, ticket, _proven(identity), _day(received)))
    _write(out, told, recordings)
    _tell(told["fundstellen"], as_json=as_json)


@app.command()
def erase(
    ticket: Ticket,
    identity: Checked,
    config: Config = None,
    number: Number = None,
    call: Call = None,
    received: Received = None,
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase all there is, in the database and in Asterisk's files. Exit status 1: there was nothing."""
    settings, proven, asked = load(config), _proven(identity), _asked(number, call)
    _nothing_waits(settings)
    places = asyncio.run(_find(settings, asked, ticket, _day(received)))
    if not yes:
        typer.echo(", ".join(f"{PLACES[place]}: {count}" for place, count in places.items() if count), err=True)
        typer.confirm("erase all of it?", abort=True, err=True)
    places = asyncio.run(_erase(settings, asked, ticket, proven, _day(received)))
    if any(places.values()):
        typer.echo("the files of the database hold it until `ari-agent calllog compact` has run", err=True)
    _tell(places, as_json=as_json)


@app.command("list")
def list_requests(config: Config = None, *, as_json: Json = False) -> None:
    """List the requests, what is open first. Exit status 1: one was not answered within its month."""
    settings = load(config)

    async def read() -> list[Row]:
        async with Subjects.open(settings.log) as subjects:
            return await subjects.requests()

    requests = asyncio.run(read())
    if as_json:
        typer.echo(json_text(requests))
    elif requests:
        table = Table(*("Aktenzeichen", "Eingang", "Frist", "Stand"), box=SIMPLE, pad_edge=False)
        for row in requests:
            late = " (überfällig)" if row["frist_ueberschritten"] else ""
            table.add_row(
                row["aktenzeichen"], f"{row['eingang']:%d.%m.%Y}", f"{row['frist']:%d.%m.%Y}{late}", row["stand"]
            )
        Console().print(table)
    overdue = any(row["stand"] == "offen" and row["frist_ueberschritten"] for row in requests)
    raise typer.Exit(WARNING if overdue else GOOD)


def _asked(number: str | None, call: UUID | None) -> str | UUID:
    if (number is None) == (call is None):
        raise ConfigError("name either a number (--number) or a call (--call)")
    if number is not None:
        return sys.stdin.readline().strip() if number == "-" else number
    assert call is not None  # noqa: S101 - one of both is there
    return call


def _proven(identity: Identity) -> Identity:
    if identity == "none":
        others = ", ".join(name for name in get_args(Identity) if name != "none")
        raise ConfigError(f"first check who is asking, then name how: --identity {others}")
    return identity


def _day(received: datetime | None) -> date:
    return received.date() if received else datetime.now().astimezone().date()


async def _subject(settings: Settings, subjects: Subjects, asked: str | UUID, ticket: str) -> _Subject:
    files = AsteriskFiles(settings.retention.asterisk_logs, settings.retention.asterisk_spool)
    if isinstance(asked, UUID):
        # Of one call, files are known by the channel alone: other calls of the same number are not asked for.
        row = await subjects.caller(asked)
        channel = re.escape(row["channel"]) if row and row["channel"] else "$a"
        pattern = f"(?<![0-9.]){channel}(?![0-9])"
        return _Subject(None, asked, files, pattern, lambda text: re.search(pattern, text) is not None)
    spelled = spelling(asked, settings.company.area_code)
    if spelled.found_in(ticket):
        raise ConfigError("the ticket holds the number: it is stored with the request, so name one that does not")
    return _Subject(spelled, None, files, spelled.pattern, spelled.found_in)


@dataclass(frozen=True, slots=True)
class _Request:
    """A request on record, and what there is about its subject."""

    subjects: Subjects
    row: Row
    subject: _Subject
    found: Findings
    traces: list[Trace]
    recordings: SubjectRecordings

    @property
    def places(self) -> dict[str, int]:
        return self.found.places | self.recordings.places | _counted(self.traces)


@asynccontextmanager
async def _request(settings: Settings, asked: str | UUID, ticket: str, received: date) -> AsyncIterator[_Request]:
    """Put the request on record and look for its subject everywhere."""
    async with Subjects.open(settings.log, settings.company.area_code) as subjects:
        subject = await _subject(settings, subjects, asked, ticket)
        row = await subjects.request(ticket, received)
        found, traces = await _search(subjects, subject)
        recordings = await asyncio.to_thread(SubjectRecordings.search, settings, found)
        yield _Request(subjects, row, subject, found, traces, recordings)


async def _find(settings: Settings, asked: str | UUID, ticket: str, received: date) -> dict[str, int]:
    async with _request(settings, asked, ticket, received) as request:
        await request.subjects.act(request.row["id"], "find", "none", request.places)
        return request.places


async def _export(
    settings: Settings, asked: str | UUID, ticket: str, identity: Identity, received: date
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what the person is told, and the files with it."""
    async with _request(settings, asked, ticket, received) as request:
        told = await request.subjects.export(request.found)
        opened = await asyncio.to_thread(request.recordings.opened)
        for row in request.recordings.rows:
            await request.subjects.hand_out(row["id"], login_name())
        await request.subjects.act(request.row["id"], "export", identity, request.places)
    spelled = request.subject.spelling
    page_of = {
        "verantwortlicher": settings.company.name,
        "aktenzeichen": ticket,
        "eingang": request.row["received_on"].isoformat(),
        "erstellt": datetime.now(UTC).isoformat(),
        "rufnummer": spelled.e164 if spelled else None,
        "anruf": str(asked) if isinstance(asked, UUID) else None,
        "fundstellen": request.places,
        "daten": told,
        "dateien": [{"ort": trace.place, "datei": trace.path.name, "zeilen": trace.lines} for trace in request.traces],
        "aufzeichnungen": [about for about, _ in opened],
        "fristen_in_tagen": settings.retention.periods(),
    }
    return page_of, {about["file"]: content for about, content in opened}


async def _erase(
    settings: Settings, asked: str | UUID, ticket: str, identity: Identity, received: date
) -> dict[str, int]:
    async with _request(settings, asked, ticket, received) as request:
        recordings = await asyncio.to_thread(request.recordings.erase)
        erased = await asyncio.to_thread(_erase_files, request.subject, request.traces)
        return await request.subjects.erase(
            request.found,
            request.row["id"],
            identity,
            datetime.now(UTC),
            request.recordings.places | erased,
            recordings,
        )


async def _search(subjects: Subjects, subject: _Subject) -> tuple[Findings, list[Trace]]:
    found = await subjects.find(subject.spelling, subject.call)
    try:
        traces = await asyncio.to_thread(subject.files.search, subject.found)
    except OSError as e:
        raise ConfigError(f"{e.filename} cannot be read by this account: {e.strerror}; run this as root") from e
    for path in subject.files.unreadable():
        typer.echo(f"not searched, because of how it is compressed: {path}", err=True)
    for folder in (subject.files.logs, subject.files.spool):
        if not folder.is_dir():
            typer.echo(f"not searched, because it is not there: {folder}", err=True)
    return found, traces


def _nothing_waits(settings: Settings) -> None:
    """Raise ConfigError while entries that may hold the number are not in the database yet."""
    folder = settings.log.spool
    if sum(left.entries for left in look(folder)) or list(folder.glob("*.damaged-*")):
        raise ConfigError(f"entries of the call log wait in {folder}: erase when the database has them all")


def _erase_files(subject: _Subject, traces: list[Trace]) -> dict[str, int]:
    erased = dict.fromkeys(_counted([]), 0)
    for trace in traces:
        try:
            erased[trace.place] += subject.files.erase(trace, subject.pattern, subject.found)
        except OSError as e:
            raise ConfigError(f"{trace.path} cannot be changed: {e.strerror}; run this as root, then again") from e
    return erased


def _counted(traces: list[Trace]) -> dict[str, int]:
    places = dict.fromkeys(("cdr", "asterisk-log", "voicemail", "recording"), 0)
    for trace in traces:
        places[trace.place] += len(trace.lines) if trace.place in ("cdr", "asterisk-log") else 1
    return places


def _tell(places: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_text(places))
    else:
        table = Table("Ort", "Einträge", box=SIMPLE, pad_edge=False)
        for place, count in places.items():
            table.add_row(PLACES[place], str(count))
        Console().print(table)
    if not sum(places.values()):
        typer.echo("nothing is stored", err=True)
        raise typer.Exit(WARNING)


def _write(folder: Path, told: dict[str, Any], recordings: dict[str, bytes]) -> None:
    """Write all files so that nobody else can read them."""
    texts = {"auskunft.json": json_text(told) + "\n", "auskunft.html": page(told)}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in ({name: text.encode() for name, text in texts.items()} | recordings).items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(content)
    except OSError as e:
        raise ConfigError(f"{folder} cannot be written to: {e.strerror}; name another folder with --out") from e
