"""What of Asterisk's files is older than the settings allow, and taking it away."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ari_agent.keeping import RetentionSettings
from ari_agent.traces import records
from ari_agent.traces.files import AsteriskFiles, remove_message
from ari_agent.traces.masking import lines, mask

_ROTATED = re.compile(r"\.\d+(\.gz|\.bz2|\.xz|\.zst)?$|-\d{8}(\.gz|\.bz2|\.xz|\.zst)?$")
_LEFT_AT = re.compile(r"^origtime=(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Old:
    """What of one kind is too old."""

    place: str
    """"voicemail", "asterisk-log" or "cdr"."""
    days: int
    entries: int


def age(files: AsteriskFiles, settings: RetentionSettings, now: datetime, *, delete: bool) -> list[Old]:
    """Return what is too old, and delete it if so asked. Raises OSError."""
    return [
        Old("voicemail", settings.voicemail_days, _voicemail(files, now, settings.voicemail_days, delete=delete)),
        Old("asterisk-log", settings.asterisk_log_days, _logs(files, now, settings.asterisk_log_days, delete=delete)),
        Old("cdr", settings.cdr_days, _records(files, now, settings.cdr_days, delete=delete)),
    ]


def _voicemail(files: AsteriskFiles, now: datetime, days: int, *, delete: bool) -> int:
    old = [path for path in files.messages() if _left_at(path) <= now - timedelta(days=days)]
    return _taken(old, remove_message, delete=delete)


def _logs(files: AsteriskFiles, now: datetime, days: int, *, delete: bool) -> int:
    rotated = [path for path in files.log_files() if _ROTATED.search(path.name)]
    old = [path for path in rotated if _written_at(path) <= now - timedelta(days=days)]
    return _taken(old, Path.unlink, delete=delete)


def _records(files: AsteriskFiles, now: datetime, days: int, *, delete: bool) -> int:
    def spans(line: str) -> list[tuple[int, int]]:
        at = records.begun(line)
        if at is None or at > now - timedelta(days=days):
            return []
        return [(a, b) for a, b in records.of_the_caller(line) if re.search(r"[^x\s\"'<>,;:|()]", line[a:b])]

    paths = [path for path in files.record_files() if path.suffix == ".csv"]
    if delete:
        return sum(mask(path, spans) for path in paths)
    return sum(bool(spans(line)) for path in paths for _, line in lines(path))


def _taken(old: list[Path], take: Callable[[Path], None], *, delete: bool) -> int:
    if delete:
        for path in old:
            take(path)
    return len(old)


def _left_at(message: Path) -> datetime:
    told = _LEFT_AT.search(message.read_text(encoding="utf-8", errors="replace"))
    return datetime.fromtimestamp(int(told.group(1)), UTC) if told else _written_at(message)


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
