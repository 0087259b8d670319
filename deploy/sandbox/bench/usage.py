"""CPU and memory of groups of processes, from /proc; Linux only."""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
"""Units of CPU time per second in /proc."""


@dataclass(frozen=True)
class Usage:
    """What a group of processes used between two looks."""

    cpu_percent_of_core: float
    memory_mib: float
    """At the end; proportional set size: pages that several processes share count once in all."""


@dataclass(frozen=True)
class Look:
    """CPU time in ticks and memory in KiB of every process of interest, at one moment."""

    at: float
    ticks: Mapping[int, int]
    memory_kib: Mapping[int, int]


def look(processes: Iterable[int]) -> Look:
    """Take stock; a process that has ended is left out. Blocks for about a millisecond per process."""
    ticks, memory = {}, {}
    for process in processes:
        with suppress(OSError):
            fields = _stat(process)
            memory[process] = _pss_kib((PROC / str(process) / "smaps_rollup").read_text())
            ticks[process] = int(fields[11]) + int(fields[12])
    return Look(time.monotonic(), ticks, memory)


def between(before: Look, after: Look, group: Iterable[int]) -> Usage:
    """What the group used; a process that was not there before began with nothing."""
    members = [process for process in group if process in after.ticks]
    ticks = sum(after.ticks[process] - before.ticks.get(process, 0) for process in members)
    seconds = after.at - before.at
    memory = sum(after.memory_kib[process] for process in members) / 1024
    return Usage(round(100 * ticks / TICKS / seconds, 1), round(memory, 1))


def memory_mib(process: int) -> float:
    """The proportional set size of a process now, 0 when it has ended; blocks for about a millisecond."""
    return round(sum(look([process]).memory_kib.values()) / 1024, 1)


def family(root: int) -> set[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError):
            children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, todo = set(), [root]
    while todo:
        found.add(process := todo.pop())
        todo += children.get(process, [])
    return found


def runs(process: int, module: str) -> bool:
    """Whether this argument stands on its command line."""
    try:
        return module.encode() in (PROC / str(process) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _stat(process: int) -> list[str]:
    """The fields of stat behind the name, which may hold blanks: state, parent, …"""
    return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()


def _pss_kib(rollup: str) -> int:
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
