"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad a finding is; the worst is the exit status."""

    GOOD = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined."""

    what: str
    level: Level
    found: str
    remedy: str = ""
