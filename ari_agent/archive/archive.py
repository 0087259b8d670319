"""The folder of recordings, and the keys apart from it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from ari_agent.archive.keys import KeyFolder
from ari_agent.errors import ArchiveError
from ari_agent.keeping import RecordingSettings
from ari_agent.record import RecordingKind
from ari_agent.sealing import LONGEST_HEADER, Header, Sealed, header_of, opened

SUFFIXES: Mapping[RecordingKind, str] = {"audio": ".audio", "transcript": ".transcript"}
PART = ".part"
"""A file that is not whole yet."""
ROOM = 100_000_000
"""Bytes that have to be free: what others need of the disk is more important."""


class Archive:
    """All methods block, and raise ArchiveError."""

    def __init__(self, folder: Path, keys: KeyFolder) -> None:
        self.folder = folder
        self.keys = keys

    @classmethod
    def of(cls, settings: RecordingSettings) -> Self:
        """Return the archive that the settings name."""
        return cls(settings.folder, KeyFolder(settings.keys))

    def make(self) -> None:
        """Make both folders if they are missing, and see that a recording could be kept now."""
        self.keys.make()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK) or not os.access(self.keys.folder, os.W_OK):
                raise ArchiveError("disk")
            room = min(shutil.disk_usage(folder).free for folder in (self.folder, self.keys.folder))
        except OSError as e:
            raise ArchiveError("disk") from e
        if room < ROOM:
            raise ArchiveError("disk-full")

    def store(self, sealed: Sealed) -> None:
        """Put a recording on the disk, its key first: without a key there never was a recording."""
        header = sealed.header
        path = self._path(header)
        part = path.with_name(path.name + PART)
        self.keys.put(header.ident, sealed.key)
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                for data in sealed.data:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        except OSError as e:
            self.keys.erase(header.ident)
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise ArchiveError("disk") from e

    def headers(self) -> Iterator[Header]:
        """Yield what each recording that is here says openly of itself."""
        for path in self._files():
            with path.open("rb") as file:
                begin = file.read(LONGEST_HEADER)
            with suppress(ArchiveError):
                yield header_of(begin)

    def of_calls(self, calls: Iterator[UUID] | list[UUID]) -> list[Header]:
        """Return what there is of some calls, the oldest first."""
        wanted = set(calls)
        return sorted((h for h in self.headers() if h.call in wanted), key=lambda header: header.began)

    def read(self, header: Header) -> bytes:
        """Return what a recording holds, opened: slin16 with two channels, or lines of JSON."""
        key = self.keys.get(header.ident)
        try:
            data = self._path(header).read_bytes()
        except OSError as e:
            raise ArchiveError("gone") from e
        return b"".join(opened(data, key))

    def erase(self, ident: UUID) -> bool:
        """Erase the key, which erases every copy, then the file; return whether there was any of both."""
        found = self.keys.erase(ident)
        for suffix in SUFFIXES.values():
            for name in (f"{ident}{suffix}", f"{ident}{suffix}{PART}"):
                try:
                    (self.folder / name).unlink()
                    found = True
                except FileNotFoundError:
                    pass
                except OSError as e:
                    raise ArchiveError("disk") from e
        return found

    def expired(self, now: datetime, days: Mapping[str, int]) -> list[Header]:
        """Return what is older than its kind may become."""
        return [header for header in self.headers() if header.began <= now - timedelta(days=days[header.kind])]

    def sweep(self, now: datetime) -> int:
        """Erase what a crash has left for a day: keys without a recording, files that never became whole."""
        whole = {header.ident for header in self.headers()}
        old = now.timestamp() - timedelta(days=1).total_seconds()
        left = [ident for ident, made in self.keys.idents() if ident not in whole and made < old]
        for ident in left:
            self.erase(ident)
        return len(left)

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.suffix in SUFFIXES.values())

    def _path(self, header: Header) -> Path:
        return self.folder / f"{header.ident}{SUFFIXES[header.kind]}"
