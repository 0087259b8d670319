"""Where a caller may have left traces in Asterisk's files, found and taken away.

CDR and CEL as CSV (cdr-csv, cdr-custom, cel-custom), queue_log and the other logs with their rotated forms, voicemail,
and recordings named for the number. Records in a database of Asterisk's own are not seen here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from ari_agent.traces import records
from ari_agent.traces.masking import lines, mask

Place = Literal["cdr", "asterisk-log", "voicemail", "recording"]
Found = Callable[[str], bool]

_RECORDS = ("cdr-csv", "cdr-custom", "cel-custom")
_TIME = re.compile("[0-9]{4}-")
_COMPRESSED = {".bz2", ".xz", ".zst"}


@dataclass(frozen=True, slots=True)
class Trace:
    """One file with traces."""

    place: Place
    path: Path
    lines: tuple[str, ...]
    """What the file says of the caller; none where the file itself is the trace."""


@dataclass(frozen=True, slots=True)
class AsteriskFiles:
    """The folders of one Asterisk."""

    logs: Path
    spool: Path

    def search(self, found: Found) -> list[Trace]:
        """Return every file with traces. Raises OSError for a file that may not be read."""
        read = [Trace(place, path, tuple(_told(path, found))) for place, path in self._texts()]
        named = [Trace("recording", path, ()) for path in self.recordings() if found(path.name)]
        return [*(trace for trace in read if trace.lines), *named]

    def erase(self, trace: Trace, pattern: str, found: Found) -> int:
        """Take the traces of one file away and return how many there were. Raises OSError."""
        match trace.place:
            case "voicemail":
                remove_message(trace.path)
                return 1
            case "recording":
                trace.path.unlink(missing_ok=True)
                return 1
            case "cdr":
                return mask(trace.path, lambda line: _record(line, found))
            case "asterisk-log":
                return mask(trace.path, lambda line: [match.span() for match in re.finditer(pattern, line)])

    def unreadable(self) -> list[Path]:
        """Return the files that cannot be searched because of how they are compressed."""
        return [path for path in _files(self.logs) if path.suffix in _COMPRESSED]

    def messages(self) -> Iterator[Path]:
        """Yield the text file of every voicemail message."""
        yield from (path for path in _files(self.spool / "voicemail") if path.match("*/*/*/msg*.txt"))

    def recordings(self) -> Iterator[Path]:
        """Yield every recording of Asterisk's own."""
        yield from _files(self.spool / "monitor")

    def record_files(self) -> Iterator[Path]:
        """Yield the CDR and CEL files."""
        for folder in _RECORDS:
            yield from _files(self.logs / folder)

    def log_files(self) -> Iterator[Path]:
        """Yield the logs, rotated ones too."""
        yield from (path for path in _files(self.logs) if path.parent == self.logs)

    def _texts(self) -> Iterator[tuple[Place, Path]]:
        for path in self.record_files():
            if path.suffix not in _COMPRESSED:
                yield "cdr", path
        for path in self.log_files():
            if path.suffix not in _COMPRESSED:
                yield "asterisk-log", path
        for path in self.messages():
            yield "voicemail", path


def _files(folder: Path) -> list[Path]:
    """Return every file below a folder, none if there is no such folder. Raises OSError for what may not be entered.

    Nobody may take what our account cannot see for what is not there; Path.rglob would leave it out in silence.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    found = (Path(top, name) for top, _, names in os.walk(folder, onerror=refuse) for name in names)
    return sorted(path for path in found if not path.is_symlink())


def remove_message(text: Path) -> None:
    """Delete a voicemail message: its text and its sound. Asterisk closes the gap when the mailbox is opened next."""
    for path in sorted(text.parent.glob(f"{text.stem}.*")):
        path.unlink(missing_ok=True)


def _told(path: Path, found: Found) -> Iterator[str]:
    """Yield what the lines of a file say, in UTF-8 where they are."""
    for _, line in lines(path):
        if found(line):
            yield line.strip().encode("latin-1").decode("utf-8", "replace")


def _record(line: str, found: Found) -> list[tuple[int, int]]:
    """In a record of the caller: every field with the number, and who it says called."""
    if not found(line):
        return []
    fields = records.fields(line)
    spans = {(first, end) for first, end in fields if found(line[first:end])}
    # CEL has the caller's name in the field before the number.
    names = {before for before, number in pairwise(fields) if number in spans and not _TIME.match(line[slice(*before)])}
    return sorted(span for span in {*spans, *names, *records.of_the_caller(line)} if span[1] > span[0])
