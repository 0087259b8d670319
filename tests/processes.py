"""Processes as Linux shows them, for tests that kill, stop and count them."""

from __future__ import annotations

import os
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether the process runs or is stopped; False once it is dead, reaped or not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def children(of: int | None = None) -> set[int]:
    """Return the ids of a process's live child processes, our own if none is named."""
    listed = (path.read_text() for path in Path(f"/proc/{of or os.getpid()}/task").glob("*/children"))
    return {int(pid) for line in listed for pid in line.split() if alive(int(pid))}


def descendants(of: int) -> set[int]:
    """Return the ids of all live processes that come from this one."""
    found = children(of)
    return found.union(*(descendants(child) for child in found))
