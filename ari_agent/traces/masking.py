"""Makes what stands in a file unreadable without changing its length.

Asterisk goes on appending to its files while we do so: bytes that are already there are overwritten where they stand,
nothing is moved, and no line that is written meanwhile is lost.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

Spans = Callable[[str], list[tuple[int, int]]]
"""Which parts of a line are to be masked: first position and the one after the last."""

_ENCODING = "latin-1"
"""One character for each byte, whatever the file's encoding is."""
LONGEST_LINE = 1_000_000


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with its position in the file; a compressed file is read through. Raises OSError."""
    position = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        while line := file.readline(LONGEST_LINE):
            yield position, line.decode(_ENCODING)
            position += len(line)


def mask(path: Path, spans: Spans) -> int:
    """Mask in every line what `spans` says; return in how many lines. Raises OSError."""
    if path.suffix == ".gz":
        return _mask_compressed(path, spans)
    masked = [(position, line, parts) for position, line in lines(path) if (parts := spans(line))]
    if masked:
        with path.open("r+b") as file:
            for position, line, parts in masked:
                for first, end in parts:
                    file.seek(position + first)
                    file.write(blank(line[first:end]).encode(_ENCODING))
            file.flush()
            os.fsync(file.fileno())
    return len(masked)


def blank(text: str) -> str:
    """Return as many characters, with none of the letters and figures."""
    return re.sub(r"[^\s\"'<>,;:|()]", "x", text)


def _mask_compressed(path: Path, spans: Spans) -> int:
    """Nobody appends to a compressed file: write it anew beside itself and take its place."""
    count, new = 0, path.with_name(path.name + ".new")
    status = path.stat()
    with gzip.open(new, "wb") as file:
        for _, line in lines(path):
            parts = spans(line)
            count += bool(parts)
            for first, end in parts:
                line = line[:first] + blank(line[first:end]) + line[end:]
            file.write(line.encode(_ENCODING))
    if not count:
        new.unlink()
        return 0
    new.chmod(status.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(new, status.st_uid, status.st_gid)
    os.utime(new, (status.st_atime, status.st_mtime))
    new.replace(path)
    return count
