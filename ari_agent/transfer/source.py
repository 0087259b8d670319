"""Reads an export, whoever wrote it: every file is what the manifest says, or nothing of it is used."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from ari_agent.documents.archive import measure
from ari_agent.errors import DocumentError, TransferError
from ari_agent.transfer.manifest import MANIFEST, Manifest, read
from ari_agent.transfer.package import ZIP

MOST_BYTES = 20_000_000_000
"""Of all files; a company with a thousand calls a day has it after decades."""
MOST_MANIFEST = 1_000_000
MOST_LINE = 10_000_000
"""Bytes of one row; a note has a hundredth."""
_CHUNK = 1 << 20
_AGAIN = "take the export again"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What zipfile raises for files that are none, or not whole."""


class Shelf(Protocol):
    """Where the files of an export lie."""

    def names(self) -> set[str]:
        """Return the names of all files there."""

    def open(self, name: str) -> IO[bytes]:
        """Begin to read one."""


class Source:
    """An export that was examined as a whole."""

    def __init__(self, place: str, shelf: Shelf) -> None:
        """Read the manifest and compare every file with it; blocks. Raises TransferError."""
        self.place = place
        self._shelf = shelf
        names = shelf.names()
        if MANIFEST not in names:
            raise TransferError(f"{place} is no export of ari-agent: it has no {MANIFEST}")
        with shelf.open(MANIFEST) as file:
            text = file.read(MOST_MANIFEST + 1)
        self.manifest: Manifest = read(text if len(text) <= MOST_MANIFEST else b"", place)
        self.sha256 = hashlib.sha256(text).hexdigest()
        wanted = {*self.manifest.files, MANIFEST}
        for name in sorted(wanted - names):
            raise TransferError(f"{place} lacks {name}; {_AGAIN}")
        for name in sorted(names - wanted):
            raise TransferError(f"{place} holds {name[:80]!r}, which its {MANIFEST} does not name; take it out")
        for name in self.manifest.files:
            for _ in self._chunks(name):
                pass

    def text(self, name: str) -> str:
        """Return a small file whole. Raises TransferError."""
        try:
            return b"".join(self._chunks(name)).decode()
        except UnicodeDecodeError as e:
            raise TransferError(f"{self.place}: {name} is no UTF-8; {_AGAIN}") from e

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of a file; once more it must be what the manifest says. Raises TransferError."""
        left, rows = b"", 0
        for chunk in self._chunks(name):
            *whole, left = (left + chunk).split(b"\n")
            rows += len(whole)
            yield from whole
            if len(left) > MOST_LINE:
                raise TransferError(f"{self.place}: {name}, row {rows + 1} is longer than {MOST_LINE} bytes; {_AGAIN}")
        if left or rows != self.manifest.files[name].rows:
            raise TransferError(f"{self.place}: {name} has not the rows that its {MANIFEST} counts; {_AGAIN}")

    def _chunks(self, name: str) -> Iterator[bytes]:
        """Yield a file's bytes, no more than the manifest allows, and compare their sum at the end."""
        told, seen, count = self.manifest.files[name], hashlib.sha256(), 0
        with _readable(f"{self.place}: {name}"), self._shelf.open(name) as file:
            while chunk := file.read(_CHUNK):
                count += len(chunk)
                if count > told.bytes:
                    break
                seen.update(chunk)
                yield chunk
        if count != told.bytes or seen.hexdigest() != told.sha256:
            raise TransferError(f"{self.place}: {name} is not as it was exported (SHA-256); {_AGAIN}")


@contextmanager
def source(path: Path) -> Iterator[Source]:
    """Examine an export in a folder or a ZIP file; nothing is unpacked to disk. Raises TransferError."""
    if path.is_dir():
        yield Source(path.name, _Folder(path))
    elif path.suffix.casefold() == ZIP:
        with _readable(path.name):
            archive = zipfile.ZipFile(path)
        with archive:
            yield Source(path.name, _Zip(archive, path.name))
    elif path.exists():
        raise TransferError(f"{path} is neither a folder nor named {ZIP}; name an export of ari-agent")
    else:
        raise TransferError(f"{path} does not exist")


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> set[str]:
        with _readable(self._folder.name):
            return {entry.name for entry in os.scandir(self._folder)}

    def open(self, name: str) -> IO[bytes]:
        # No link is followed: it could lead to any file of the machine. NONBLOCK: a pipe would be waited for.
        with _readable(f"{self._folder.name}: {name}"):
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise TransferError(f"{self._folder.name}: {name} is no plain file; {_AGAIN}")
        return os.fdopen(handle, "rb")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile, place: str) -> None:
        self._archive = archive
        self._place = place

    def names(self) -> set[str]:
        try:
            measure(self._archive.infolist(), self._place, MOST_BYTES, _AGAIN)
        except DocumentError as e:
            raise TransferError(str(e)) from e
        return set(self._archive.namelist())

    def open(self, name: str) -> IO[bytes]:
        with _readable(f"{self._place}: {name}"):
            return self._archive.open(name)


@contextmanager
def _readable(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise TransferError(f"{what} cannot be read: {e.strerror or 'it is damaged'}; {_AGAIN}") from e
    except _DAMAGED as e:
        raise TransferError(f"{what} is damaged; {_AGAIN}") from e
