"""The spool: an SQLite file on the local disk in which entries wait until the database has them.

The folder from the settings (log.spool), 0700, with one file per controller, 0600, named for its node and nothing else:

    NODE.spool            the entries in the order in which they were taken; SQLite adds -wal and -shm beside it
    NODE.lock             held by the controller that uses it
    NODE.spool.damaged-N  set aside because SQLite could not read it, N in seconds since 1970

Entries hold personal data: each is sealed as a whole with the key of callers' numbers, what the database has is
overwritten with zeros, and once nothing waits the write-ahead log is cut to nothing. All functions block, within the
disk's own time, and belong into one thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.sealing import Numbers
from ari_agent.calllog.waiting import Record, Waiting, decoded, encoded
from ari_agent.config import Fsync
from ari_agent.errors import SealingError, SpoolError

PAGE_BYTES = 4096
ROOM_BYTES = 16 * 1024 * 1024
"""SQLite tells in one word that its file is as long as it may be and that the disk is full; with more room than this
left on the disk it is the former."""
BUSY_S = 1.0
"""An administrator's sqlite3 may hold the file for so long."""

_FULL = "SQLITE_FULL"
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry and where it stands."""

    position: int
    waiting: Waiting


class Spool:
    """One controller's file. Every method but `close` raises SpoolError."""

    def __init__(self, folder: Path, node: str, megabytes: int, fsync: Fsync, numbers: Numbers) -> None:
        self._numbers = numbers
        self.path = folder / f"{node}.spool"
        self._pages = megabytes * 1024 * 1024 // PAGE_BYTES
        self._fsync = fsync
        self._file: sqlite3.Connection | None = None
        self._lock: IO[bytes] | None = None
        self.damaged: Path | None = None
        """Where an unreadable file was set aside by the last `open`."""

    def open(self) -> int:
        """Open the file, make it at the first time, and return the last position ever used in it.

        A file that cannot be read is set aside and a new one begun; one whose entries no key opens stays as it is.
        """
        self.close()
        self.damaged = None
        with self._told():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(self.path.with_suffix(".lock"))
            try:
                self._file = self._opened()
            except sqlite3.DatabaseError as e:
                if _name(e) not in _DAMAGED:
                    raise
                self.damaged = _set_aside(self.path)
                self._file = self._opened()
            self._seal()
            found = self._file.execute(QUERIES["spool_last"]).fetchone()
        return int(found[0]) if found else 0

    def append(self, batch: Sequence[Waiting]) -> int:
        """Store entries behind all others, together or not at all, and return how many of them are new."""
        rows = [
            {"id": str(one.id), "kind": one.kind, "taken_at": time.time(), "content": self._wrapped(one)}
            for one in batch
        ]
        with self._told(), self._transaction() as file:
            return file.executemany(QUERIES["spool_append"], rows).rowcount

    def oldest(self, after: int, limit: int) -> list[Spooled]:
        """Return the first entries behind a position."""
        with self._told():
            found = self._open.execute(QUERIES["spool_oldest"], {"after": after, "limit": limit}).fetchall()
            return [
                Spooled(position, Waiting(UUID(ident), self._unwrapped(UUID(ident), kind, content)))
                for position, ident, kind, content in found
            ]

    def remove(self, until: int) -> None:
        """Overwrite and forget the entries up to a position."""
        with self._told(), self._transaction() as file:
            file.execute(QUERIES["spool_remove"], {"until": until})

    def left(self, after: int) -> int:
        """Return the number of entries behind a position."""
        with self._told():
            (count, _) = self._open.execute(QUERIES["spool_left"], {"after": after}).fetchone()
        return int(count)

    def tidy(self) -> None:
        """Leave nothing of what was removed in the write-ahead log, and give room back to the disk."""
        with self._told():
            self._open.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _open(self) -> sqlite3.Connection:
        if self._file is None:
            raise SpoolError("disk")
        return self._file

    def _wrapped(self, waiting: Waiting) -> str:
        return self._numbers.wrap(waiting.id, encoded(waiting.record))

    def _unwrapped(self, ident: UUID, kind: str, content: str) -> Record:
        try:
            return decoded(kind, self._numbers.unwrap(ident, content))
        except SealingError:
            return decoded(kind, "")

    def _seal(self) -> None:
        """Seal what an older version has left in the clear. Raises SpoolError for what no key opens."""
        if not self._numbers.load():
            return
        with self._transaction() as file:
            names = [name for (name,) in file.execute(QUERIES["spool_keys"])]
            if self._numbers.missing(names):
                raise SpoolError("sealed")
            for position, ident, content in file.execute(QUERIES["spool_plain"]).fetchall():
                sealed = self._numbers.wrap(UUID(ident), content)
                file.execute(QUERIES["spool_seal"], {"position": position, "content": sealed})

    def _opened(self) -> sqlite3.Connection:
        # Made before SQLite sees it: the files that SQLite puts beside it take over its permissions.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        self.path.chmod(0o600)
        file = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for setting in (
                f"page_size = {PAGE_BYTES}",
                "auto_vacuum = FULL",
                "journal_mode = WAL",
                f"synchronous = {self._fsync}",
                "secure_delete = ON",
                f"max_page_count = {self._pages}",
            ):
                file.execute(f"PRAGMA {setting}").fetchall()
            file.execute(QUERIES["spool_create"])
            file.execute(QUERIES["spool_left"], {"after": 0}).fetchall()
        except BaseException:
            file.close()
            raise
        return file

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        file = self._open
        file.execute("BEGIN IMMEDIATE")
        try:
            yield file
            file.execute("COMMIT")
        except BaseException:
            if file.in_transaction:
                with suppress(sqlite3.Error):
                    file.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors into SpoolError; SQLite's texts stay in the cause."""
        try:
            yield
        except sqlite3.Error as e:
            name = _name(e)
            if name == _FULL:
                raise SpoolError("full" if _room(self.path.parent) > ROOM_BYTES else "disk-full") from e
            raise SpoolError("damaged" if name in _DAMAGED else "disk") from e
        except BlockingIOError as e:
            raise SpoolError("in-use") from e
        except OSError as e:
            raise SpoolError("disk-full" if e.errno == errno.ENOSPC else "disk") from e


@dataclass(frozen=True, slots=True)
class Left:
    """What one controller's file holds, as another process sees it."""

    node: str
    entries: int
    oldest_at: float | None
    """Seconds since 1970."""


def look(folder: Path) -> list[Left]:
    """Return what every controller's file in a folder holds, changing nothing. Raises SpoolError."""
    found = []
    try:
        for path in sorted(folder.glob("*.spool")):
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as file:
                count, oldest_at = file.execute(QUERIES["spool_left"], {"after": 0}).fetchone()
            found.append(Left(path.stem, count, oldest_at))
    except (sqlite3.Error, OSError) as e:
        raise SpoolError("disk") from e
    return found


def _room(folder: Path) -> int:
    """Return the bytes that are free for us on a folder's disk; none when that cannot be found out."""
    with suppress(OSError):
        state = os.statvfs(folder)
        return state.f_bavail * state.f_frsize
    return 0


def _name(e: sqlite3.Error) -> str:
    """Return SQLite's name of an error without its extension, such as SQLITE_IOERR."""
    return "_".join(str(getattr(e, "sqlite_errorname", "")).split("_")[:2])


def _locked(path: Path) -> IO[bytes]:
    """Open a file and hold it for this process alone. Raises BlockingIOError when another one has it."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _set_aside(path: Path) -> Path:
    """Rename an unreadable file and what SQLite keeps beside it; what it holds may be saved by hand."""
    aside = path.with_name(f"{path.name}.damaged-{time.time():.0f}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
