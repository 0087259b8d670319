"""A file that is appended to and rotated by logrotate, read line by line; nothing in it stops the reading."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path

LONGEST_LINE = 100_000
"""Bytes; Asterisk's lines have some hundred."""
NAMED = 100
"""So many broken lines are named, the rest only counted."""
_ROTATED = re.compile(r"[.-][0-9]+(\.(gz|bz2|xz|zst))?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line and where it stands."""

    path: Path
    number: int
    """From 1."""
    text: str

    def __str__(self) -> str:
        """Return the place, and nothing of what stands there."""
        return f"{self.path}:{self.number}"


@dataclass(slots=True)
class Report:
    """What could not be read."""

    broken: int = 0
    """Lines that are none of Asterisk's."""
    named: list[str] = field(default_factory=list)
    """File, line and what is wrong of the first of them, and whole files that cannot be read."""
    _doubts: list[tuple[object, str]] = field(default_factory=list)

    def tell(self, where: object, why: str) -> None:
        """Count a line, a row or a file; neither text holds anything of what stands in it."""
        self.broken += 1
        if len(self.named) < NAMED:
            self.named.append(f"{where}: {why}")

    def doubt(self, where: object, why: str) -> None:
        """Note a line that has no time, until the next one tells whether it is of the time that is asked for."""
        self._doubts.append((where, why))

    def settle(self, *, recent: bool) -> None:
        """Count the lines in doubt, or forget them because they are older than what is asked for."""
        for doubt in self._doubts if recent else ():
            self.tell(*doubt)
        self._doubts.clear()


def lines(path: Path, since: datetime, report: Report) -> Iterator[Line]:
    """Yield the lines of a file and of its rotated forms that were written after a time. Raises OSError.

    The file itself has to be there; a rotated one that cannot be read is reported.
    """
    for old in _rotated(path):
        with suppress(FileNotFoundError):  # logrotate has given it another name meanwhile
            if old.stat().st_mtime >= since.timestamp():
                yield from _older(old, report)
    yield from _lines(path, growing=True)


def _older(path: Path, report: Report) -> Iterator[Line]:
    try:
        yield from _lines(path, growing=False)
    except (OSError, EOFError, lzma.LZMAError) as e:
        report.tell(path, e.strerror if isinstance(e, OSError) and e.strerror else "cannot be unpacked")


def _lines(path: Path, *, growing: bool) -> Iterator[Line]:
    with _open(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if growing and len(line) < LONGEST_LINE and not line.endswith(b"\n"):
                return  # it is being written at this moment
            if text.strip():
                yield Line(path, number, text)


def _open(path: Path) -> BufferedIOBase:
    match path.suffix:
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
        case ".zst":
            raise OSError(0, "cannot be unpacked, zstd is not supported")
        case _:
            return path.open("rb")


def _rotated(path: Path) -> list[Path]:
    """Return the rotated forms, the oldest first; none where the folder is not there."""
    if not path.parent.is_dir():
        return []
    begin = path.name
    found = [
        other
        for other in path.parent.iterdir()
        if other.name.startswith(begin) and _ROTATED.fullmatch(other.name[len(begin) :])
    ]
    return sorted(found, key=lambda other: other.stat().st_mtime)
