"""Memory of worker processes: one that leaks is replaced between two calls, before it costs the machine.

memory   ▁▂▃▄▅▆▇█  │limit                     │half as much again
                   └ replaced as soon as no    └ and no new call is taken until then
                     call needs it
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ari_agent import metrics
from ari_agent.worker.supervisor import Worker

_log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Seconds between two looks at the memory."""
ROOM, ROOM_MIB = 2.0, 256.0
"""Without a limit in the settings a process may take so many times what it took when it was ready, and so much more."""
LEAST = 1.25
"""It may always take so many times what it took when it was ready: a limit below would replace it for ever."""
EXHAUSTED = 1.5
"""So many times the limit is more than new calls may be added to."""


def memory_mib(pid: int) -> float | None:
    """Return the memory that is the process's own, swapped out or not; None where that cannot be told. Blocks briefly.

    Files that it has mapped, such as a model, are not counted: the kernel can take them back.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    # https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, in kB
    sizes = [int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "VmSwap:"))]
    return sum(sizes) / 1024 if sizes else None


@dataclass(slots=True)
class _Kept:
    """One process of a group."""

    worker: Worker
    most_mib: float
    """0: as much as it took when it was ready allows."""
    pid: int | None = None
    """Of the process whose memory is known."""
    loaded_mib: float = 0.0
    """What that took when it was seen ready first."""

    def limit_mib(self) -> float:
        if not self.most_mib:
            return self.loaded_mib * ROOM + ROOM_MIB
        return max(self.most_mib, self.loaded_mib * LEAST)


class Keeper:
    """Looks after the workers of one engine."""

    def __init__(
        self, workers: Sequence[Worker], most_mib: float, idle: Callable[[], bool], *, needed: bool = True
    ) -> None:
        """Of at least one worker.

        `idle` tells whether no call is served; `needed` is False when calls go on without this engine.
        """
        self.engine = workers[0].engine
        """Name of the engine."""
        self._kept = [_Kept(worker, most_mib) for worker in workers]
        self._idle = idle
        self._needed = needed

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Measure every process and replace those that take too much and that nobody needs now."""
        taken = 0.0
        for kept in self._kept:
            worker, pid = kept.worker, kept.worker.serving
            mib = None if pid is None else await asyncio.to_thread(memory_mib, pid)
            if mib is None or worker.serving != pid:
                continue
            taken += mib
            if kept.pid != pid:
                kept.pid, kept.loaded_mib = pid, mib
            worker.worn = mib > kept.limit_mib()
            worker.exhausted = mib > kept.limit_mib() * EXHAUSTED
            if worker.worn and self._spare(worker):
                _log.warning("%s: takes %d MiB of memory and is replaced", worker.engine, mib)
                metrics.REPLACED.labels(worker.engine).inc()
                worker.replace()
        metrics.WORKER_MEMORY.labels(self.engine).set(taken * 1024 * 1024)

    def _spare(self, worker: Worker) -> bool:
        """Whether no call needs the process now: nobody calls, or others do its work."""
        if self._idle() or (worker.exhausted and not self._needed):
            return True
        others = (kept.worker for kept in self._kept if kept.worker is not worker)
        return not worker.busy and any(other.ready and not other.worn for other in others)
