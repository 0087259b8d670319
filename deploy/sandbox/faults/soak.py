"""`deploy/test --soak`: calls in a row for minutes, and whether anything grows with them."""

import argparse
import asyncio
import itertools
import json
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sandbox.faults.__main__ import ERROR, ERRORS, GOOD, VIOLATED, say
from sandbox.faults.callers import NUMBERS, Caller
from sandbox.faults.campaign import collected, staff
from sandbox.faults.oracle import Violation, judge
from sandbox.faults.plan import plan
from sandbox.faults.report import Json
from sandbox.faults.stage import Stage, StageError, stage
from sandbox.faults.standing import Standing, settled, standing
from sandbox.lock import alone
from sandbox.phone import Phone

PARALLEL = 5
WARM_CALLS = 10
"""Placed before the first look: caches fill with the first calls."""
LOOKS = 10
"""In between, while no call stands."""
SETTLE_S = 20.0
"""The HTTP client keeps idle connections for 15 s."""
GROWTH_MIB, GROWTH_SHARE = 16.0, 0.05
"""What memory may grow by over a soak, whichever is more: allocators do not give everything back."""


class Soak:
    """One soak on a stage."""

    def __init__(self, found: Stage, minutes: float, seed: int) -> None:
        self._stage = found
        self._minutes = minutes
        self._calls = enumerate(plan(seed, 0).calls())
        self._dice = random.Random(f"{seed} soak")
        self.looks: list[tuple[float, int, Standing]] = []
        """Seconds since the beginning, calls so far, and what was there while no call stood."""

    async def run(self) -> None:
        """Call in waves: between two of them, nobody calls until everything has settled, and a look is taken."""
        async with staff(self._stage, 0), AsyncExitStack() as stack:
            callers = [
                Caller(await stack.enter_async_context(Phone()), self._stage.board, random.Random(index))
                for index in range(PARALLEL)
            ]
            await self._wave(callers, calls=WARM_CALLS)
            began, lasts = time.monotonic(), 60 * self._minutes
            idle = await self._look(began, None)
            for number in itertools.count(1):
                await self._wave(callers, until=began + lasts * number / LOOKS)
                await self._look(began, idle)
                if time.monotonic() - began >= lasts:
                    break

    async def _wave(self, callers: Sequence[Caller], *, calls: int | None = None, until: float = 0.0) -> None:
        """Place so many calls, or calls until a moment, and let them end."""
        left = calls

        async def keep_calling(caller: Caller) -> None:
            nonlocal left
            while (left > 0) if left is not None else (time.monotonic() < until):
                left = left - 1 if left is not None else None
                place, planned = next(self._calls)
                await caller.free()
                await caller.play(planned, NUMBERS.format(place))
                await asyncio.sleep(self._dice.uniform(0, 1))

        async with asyncio.TaskGroup() as group:
            for caller in callers:
                group.create_task(keep_calling(caller))

    async def _look(self, began: float, idle: Standing | None) -> Standing:
        await asyncio.sleep(1)
        none = await standing(self._stage)
        found = await settled(self._stage, idle or none, SETTLE_S)
        calls = len(self._stage.board.calls)
        self.looks.append((round(time.monotonic() - began, 1), calls, found))
        say(
            f"{calls} calls: agent {found.agent_mib:.0f} MiB, {found.phrases_mib:.0f} of them phrases, "
            f"workers {found.workers_mib:.0f} MiB, "
            f"{found.descriptors} descriptors, {found.tasks} tasks, {found.channels} channels"
        )
        return found


def growth(looks: Sequence[Standing]) -> list[Violation]:
    """Return what is not flat: memory by the mean of the first and the last third, all else by first and last.

    Phrases that are held up to a limit fill their place; what the agent takes beside them has to be flat.
    """
    first, last, third = looks[0], looks[-1], max(1, len(looks) // 3)
    found = [
        Violation("leak", f"{name}: {before} at the start, {after} at the end")
        for name, before, after, spare in (
            ("descriptors", first.descriptors, last.descriptors, 2),
            ("tasks", first.tasks, last.tasks, 1),
            ("channels", first.channels, last.channels, 0),
            ("bridges", first.bridges, last.bridges, 0),
        )
        if after > before + spare
    ]
    for name, values in (
        ("agent_mib without phrases", [look.agent_mib - look.phrases_mib for look in looks]),
        ("workers_mib", [look.workers_mib for look in looks]),
    ):
        before, after = sum(values[:third]) / third, sum(values[-third:]) / third
        if after - before > max(GROWTH_MIB, GROWTH_SHARE * before):
            found.append(Violation("leak", f"{name}: {before:.1f} in the first third, {after:.1f} in the last"))
    return found


async def soak(options: argparse.Namespace) -> Json:
    """Soak; nobody else may use the sandbox meanwhile."""
    with alone(say, StageError):
        say("starting Asterisk, Postgres and the agent")
        async with stage() as found:
            running = Soak(found, options.minutes, options.seed)
            await running.run()
            idle = running.looks[0][2]
            evidence = await collected(found, idle, ())
    violations = [*growth([look for _, _, look in running.looks]), *judge(evidence)]
    return {
        "minutes": options.minutes,
        "calls": len(evidence.calls),
        "log_rows": len(evidence.rows),
        "looks": [{"seconds": seconds, "calls": calls, **asdict(look)} for seconds, calls, look in running.looks],
        "violations": [asdict(violation) for violation in dict.fromkeys(violations)],
    }


def show(found: Json, console: Console) -> None:
    """Print it."""
    table = Table(
        "second", "calls", "agent MiB", "of them phrases", "workers MiB", "descriptors", "tasks", "channels", "bridges"
    )
    keys = (
        "seconds",
        "calls",
        "agent_mib",
        "phrases_mib",
        "workers_mib",
        "descriptors",
        "tasks",
        "channels",
        "bridges",
    )
    for look in found["looks"]:
        table.add_row(*(str(look[key]) for key in keys))
    console.print(table)
    for violation in found["violations"]:
        console.print(f"{violation['subject']}: {violation['what']}", style="red", markup=False)
    verdict = "not flat, or not in order" if found["violations"] else "flat"
    console.print(f"{found['calls']} calls in {found['minutes']:g} minutes, {found['log_rows']} rows: {verdict}")


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(prog="deploy/test", add_help=False)
    parser.add_argument("--soak", type=float, required=True, dest="minutes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        found = asyncio.run(soak(options))
        if options.json:
            options.json.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except ERRORS as e:
        print(f"test: {e}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return ERROR
    show(found, Console())
    return VIOLATED if found["violations"] else GOOD


if __name__ == "__main__":
    sys.exit(main())
