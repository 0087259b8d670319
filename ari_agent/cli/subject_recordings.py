"""Recordings of a data subject's calls: those that lie on this machine, and those the database knows of elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import typer

from ari_agent.archive.archive import Archive
from ari_agent.archive.export import SUFFIXES, exported
from ari_agent.calllog.reading import Row
from ari_agent.calllog.subjects import Findings
from ari_agent.config import Settings
from ari_agent.errors import ArchiveError, ConfigError
from ari_agent.sealing import Header


@dataclass(frozen=True, slots=True)
class SubjectRecordings:
    """All methods block."""

    archive: Archive
    rows: list[Row]
    """What the database knows and this machine is responsible for."""
    headers: dict[UUID, Header]
    """What lies here, also when the database does not know of it."""

    @classmethod
    def search(cls, settings: Settings, found: Findings) -> Self:
        """Look for recordings of the calls that were found; say where else there are some. Raises ConfigError."""
        archive = Archive.of(settings.recording)
        try:
            headers = {header.ident: header for header in archive.of_calls(found.calls)}
        except OSError as e:
            raise ConfigError(f"{e.filename} cannot be read by this account: {e.strerror}; run this as root") from e
        ours = [row for row in found.recordings if row["id"] in headers or row["node"] == settings.asterisk.node]
        for node in sorted({row["node"] for row in found.recordings} - {row["node"] for row in ours}):
            typer.echo(f"recordings lie on {node} and are not reached from here: run this there too", err=True)
        return cls(archive, ours, headers)

    @property
    def places(self) -> dict[str, int]:
        """How many there are, by kind."""
        kinds = {row["id"]: row["kind"] for row in self.rows} | {h.ident: h.kind for h in self.headers.values()}
        return {kind: sum(each == kind for each in kinds.values()) for kind in SUFFIXES}

    def opened(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return each recording with what the page tells of it. Raises ConfigError."""
        lasted = {row["id"]: row["duration_ms"] for row in self.rows}
        return [
            (
                {
                    "id": ident,
                    "call": header.call,
                    "kind": header.kind,
                    "at": header.began,
                    "duration_ms": lasted.get(ident, 0.0),
                    "file": f"aufzeichnung-{ident}{SUFFIXES[header.kind]}",
                },
                exported(header, self._read(header)),
            )
            for ident, header in self.headers.items()
        ]

    def erase(self) -> list[UUID]:
        """Erase all that lies here, keys first; return whose rows may go. Raises ConfigError."""
        try:
            for ident in self.headers:
                self.archive.erase(ident)
        except ArchiveError as e:
            raise ConfigError(f"{e}; nothing else was erased: run this as root, then again") from e
        return [*{*self.headers, *(row["id"] for row in self.rows)}]

    def _read(self, header: Header) -> bytes:
        try:
            return self.archive.read(header)
        except ArchiveError as e:
            raise ConfigError(f"{e}; run this as root, or as the agent's account") from e
