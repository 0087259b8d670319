"""The keys of recordings: one file each, in a folder of their own that no backup of the recordings holds.

Who erases a key erases what it opens, in every copy there is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from ari_agent.durable import sync_folder
from ari_agent.errors import ArchiveError

KEY_BYTES = 32
_SUFFIX = ".key"


class KeyFolder:
    """All methods block, and raise ArchiveError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make the folder if there is none, and see that it is safe."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as e:
            raise ArchiveError("keys") from e
        self.check()

    def check(self) -> None:
        """See that nobody else can enter the folder."""
        try:
            status = self.folder.stat()
        except OSError as e:
            raise ArchiveError("keys") from e
        if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o077:
            raise ArchiveError("keys-open")
        if status.st_uid != os.geteuid() and os.geteuid() != 0:
            raise ArchiveError("keys-open")

    def put(self, ident: UUID, key: bytes) -> None:
        """Keep a key; when this returns it outlives a power cut."""
        self.check()
        try:
            handle = os.open(self._path(ident), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.folder)
        except OSError as e:
            with suppress(OSError):
                self._path(ident).unlink(missing_ok=True)
            raise ArchiveError("disk") from e

    def get(self, ident: UUID) -> bytes:
        """Return a key."""
        try:
            key = self._path(ident).read_bytes()
        except FileNotFoundError as e:
            raise ArchiveError("no-key") from e
        except OSError as e:
            raise ArchiveError("keys") from e
        if len(key) != KEY_BYTES:
            raise ArchiveError("no-key")
        return key

    def erase(self, ident: UUID) -> bool:
        """Overwrite and remove a key; return whether there was one."""
        path = self._path(ident)
        try:
            with path.open("r+b") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            sync_folder(self.folder)
        except FileNotFoundError:
            return False
        except OSError as e:
            raise ArchiveError("keys") from e
        return True

    def idents(self) -> Iterator[tuple[UUID, float]]:
        """Yield the recordings there is a key for, and when it was made in seconds since 1970."""
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            with suppress(ValueError, OSError):
                yield UUID(path.stem), path.stat().st_mtime

    def _path(self, ident: UUID) -> Path:
        return self.folder / f"{ident}{_SUFFIX}"
