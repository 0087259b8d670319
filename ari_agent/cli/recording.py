"""`ari-agent calls recording`: take one recording out, opened; who did is put on record first."""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from ari_agent.archive.archive import Archive
from ari_agent.archive.export import exported
from ari_agent.calllog.recordings import Recordings
from ari_agent.cli.options import Config
from ari_agent.config import Settings, load
from ari_agent.errors import ArchiveError, ConfigError
from ari_agent.record import RecordingKind
from ari_agent.sealing import Header

NOTHING = 1
"""Exit status."""

CallId = Annotated[str, typer.Argument(metavar="CALL-ID", help="Id of the call, or how it begins.")]
Out = Annotated[
    Path,
    typer.Option("--out", envvar="ARI_AGENT_OUT", help="File to make, such as call.wav; - is stdout, for a player."),
]
Kind = Annotated[RecordingKind, typer.Option("--kind", envvar="ARI_AGENT_KIND", help="Sound as WAV, or words as text.")]


def recording(call: CallId, out: Out, config: Config = None, kind: Kind = "audio") -> None:
    """Write the recording of a call, opened, to a file. Exit status 1: there is none.

    The account of the database and that of the machine are put on record before anything is written.
    """
    settings = load(config)
    if out == Path("-") and sys.stdout.isatty():
        raise ConfigError("a recording is nothing to look at: pipe it into a player, or name a file with --out")
    found = asyncio.run(_taken(settings, call, kind))
    if found is None:
        typer.echo("nothing was recorded of this call, or it was erased", err=True)
        raise typer.Exit(NOTHING)
    if out == Path("-"):
        sys.stdout.buffer.write(found)
    else:
        write_secret(out, found)


async def _taken(settings: Settings, prefix: str, kind: RecordingKind) -> bytes | None:
    """Return the opened recording, once it is on record who takes it; None when there is none."""
    archive = Archive.of(settings.recording)
    async with Recordings.open(settings.log) as recordings:
        calls = await recordings.calls(prefix)
        if len(calls) > 1:
            raise ConfigError("several calls begin so: type more of the id")
        rows = [row for row in await recordings.of(calls[0]) if row["kind"] == kind] if calls else []
        if not rows:
            return None
        header = await asyncio.to_thread(_header, archive, rows[0]["id"], rows[0]["call"], rows[0]["node"])
        plain = await asyncio.to_thread(archive.read, header)
        await recordings.hand_out(header.ident, login_name())
    return exported(header, plain)


def _header(archive: Archive, ident: UUID, call: UUID, node: str) -> Header:
    try:
        for header in archive.of_calls([call]):
            if header.ident == ident:
                return header
    except OSError as e:
        raise ConfigError(f"{e.filename} cannot be read by this account: {e.strerror}; run this as root") from e
    raise ConfigError(f"{ArchiveError('gone')}: it was made by {node}")


def login_name() -> str:
    """Return who has logged in to this machine, also behind sudo."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file so that nobody else can read it. Raises ConfigError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except FileExistsError as e:
        raise ConfigError(f"{path} is there already; name another file with --out") from e
    except OSError as e:
        raise ConfigError(f"{path} cannot be written to: {e.strerror}; name another file with --out") from e
