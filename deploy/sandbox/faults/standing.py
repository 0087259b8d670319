"""How much of everything is there at a moment: descriptors, tasks, memory, channels."""

import asyncio
import urllib.request
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from sandbox.bench.stage import WORKERS
from sandbox.bench.usage import PROC, family, memory_mib, runs
from sandbox.faults.stage import METRICS_PORT, Stage

TASKS, ACTIVE, PHRASES = "ari_agent_tasks", "ari_agent_active_calls", "ari_agent_phrases_bytes"
ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """One look."""

    descriptors: int
    tasks: int
    active: int
    """Calls that the controller serves."""
    agent_mib: float
    """Proportional set size of the controller, and of its workers together."""
    workers_mib: float
    phrases_mib: float
    """Of the controller's memory: phrases that it holds to say them again, up to a limit."""
    channels: int
    """Asterisk's."""
    bridges: int


async def standing(stage: Stage) -> Standing:
    """Take stock. Raises OSError or aiohttp.ClientError when the agent or Asterisk does not answer."""
    figures = await asyncio.to_thread(_figures)
    channels, bridges = await asyncio.gather(stage.observer.channels(), stage.observer.bridges())
    pid = stage.supervisor.now.pid
    return Standing(
        descriptors=await asyncio.to_thread(descriptors, pid),
        tasks=round(figures[TASKS]),
        active=round(figures[ACTIVE]),
        agent_mib=await asyncio.to_thread(memory_mib, pid),
        workers_mib=await asyncio.to_thread(_workers_mib, pid),
        phrases_mib=round(figures[PHRASES] / 1024 / 1024, 1),
        channels=len(channels),
        bridges=len(bridges),
    )


async def settled(stage: Stage, idle: Standing, limit_s: float, look_s: float = 0.25) -> Standing:
    """Wait until there is no more of anything than when it was idle, at most so long; return the last look."""
    loop = asyncio.get_running_loop()
    until = loop.time() + limit_s
    while True:
        with suppress(OSError, aiohttp.ClientError):
            now = await standing(stage)
            if not exceeded(now, idle) or loop.time() > until:
                return now
        await asyncio.sleep(look_s)


def exceeded(now: Standing, idle: Standing) -> bool:
    """Tell whether there is more than there was."""
    return bool(
        now.descriptors > idle.descriptors
        or now.tasks > idle.tasks
        or now.active
        or now.channels
        or now.bridges
    )  # fmt: skip


def descriptors(process: int) -> int:
    """Return how many files a process has open. Raises OSError."""
    return len(list((PROC / str(process) / "fd").iterdir()))


def _workers_mib(controller: int) -> float:
    ours = family(controller)
    workers = [process for process in ours if any(runs(process, module) for module in WORKERS.values())]
    return round(sum(memory_mib(process) for process in workers), 1)


def _figures() -> dict[str, float]:
    """Return the agent's own figures that have no label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS_PORT}/metrics", timeout=ANSWER_S) as answer:
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}
