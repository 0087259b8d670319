"""Writes an export as a folder or a ZIP file: under a hidden name until it is whole, for our account's eyes alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from ari_agent.durable import sync_folder
from ari_agent.errors import TransferError
from ari_agent.transfer.manifest import MANIFEST, Sum

ZIP = ".zip"


class Member:
    """A file that is being written; what goes into it is counted and summed up."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0
        self.rows: int | None = None
        """To be set for a file that has rows."""

    def write(self, text: str) -> None:
        """Add to the end."""
        data = text.encode()
        self._hash.update(data)
        self._bytes += len(data)
        self._file.write(data)

    @property
    def sum(self) -> Sum:
        """What the manifest says of it."""
        return Sum(sha256=self._hash.hexdigest(), bytes=self._bytes, rows=self.rows)


class Box(Protocol):
    """Where files can be put, one after the other."""

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Begin a file, which ends with the block."""

    def close(self) -> None:
        """Nothing more comes."""


class Package:
    """An export that is being written."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.files: dict[str, Sum] = {}
        """What has been written."""

    @contextmanager
    def member(self, name: str) -> Iterator[Member]:
        """Write a file. Raises TransferError."""
        try:
            with self._box.open(name) as file:
                member = Member(file)
                yield member
        except OSError as e:
            raise TransferError(f"{name} cannot be written: {e.strerror or e}; name another place") from e
        if name != MANIFEST:
            self.files[name] = member.sum


@contextmanager
def package(path: Path) -> Iterator[Package]:
    """Write a folder, or a ZIP file if it is named so; it has its name when the block has ended well, else it is gone.

    Raises TransferError.
    """
    _free(path)
    kind = _Zip if path.suffix.casefold() == ZIP else _Folder
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half, box = kind.begin(path)
        try:
            yield Package(box)
            box.close()
            _free(path)
            half.rename(path)
        except BaseException:
            with suppress(Exception):
                box.close()
            _gone(half)
            raise
        sync_folder(path.parent)
    except OSError as e:
        raise TransferError(f"{path} cannot be written: {e.strerror or e}; name another place") from e


def _free(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise TransferError(f"{path} exists already: name another one, or move it away")


def _gone(half: Path) -> None:
    if half.is_dir():
        shutil.rmtree(half, ignore_errors=True)
    else:
        half.unlink(missing_ok=True)


class _Folder:
    """A folder whose files are on the disk when they are closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def begin(cls, path: Path) -> tuple[Path, _Folder]:
        half = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))  # mode 0700
        return half, cls(half)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        handle = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)

    def close(self) -> None:
        sync_folder(self._folder)


class _Zip:
    """A ZIP file."""

    def __init__(self, handle: int) -> None:
        self._file = os.fdopen(handle, "wb")
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)

    @classmethod
    def begin(cls, path: Path) -> tuple[Path, _Zip]:
        handle, half = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        return Path(half), cls(handle)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        with self._archive.open(name, "w", force_zip64=True) as file:
            yield file

    def close(self) -> None:
        if not self._file.closed:
            self._archive.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
