"""A campaign: calls in parallel, one fault after the other, and all that was seen."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import psycopg

from ari_agent.calllog.sealing import Numbers
from sandbox.agent import LogLine
from sandbox.faults import database
from sandbox.faults.callers import NUMBERS, Caller
from sandbox.faults.desks import USERS, Desk, staffed
from sandbox.faults.evidence import Evidence, FaultSeen, Leftovers
from sandbox.faults.injector import Injector
from sandbox.faults.plan import Plan
from sandbox.faults.stage import Stage, password
from sandbox.faults.standing import Standing, settled, standing
from sandbox.faults.supervisor import marked, orphans
from sandbox.phone import Phone

SETTLE_S = 25.0
"""Until everything is over after the last call; the HTTP client keeps idle connections for 15 s."""
LOOK_S = 0.2
APART_S = (0.0, 1.5)
"""Between two calls of one phone."""
DEAD_S = 12.0
"""How long the processes of a controller that was stopped may take to end."""

NO_DESCRIPTORS = "socket.accept() out of system resource"
"""How asyncio complains, with a traceback, when it may open no more connections: true, and no mistake of ours."""

Tell = Callable[[str], None]


class Campaign:
    """One run of a plan on a stage."""

    def __init__(self, stage: Stage, plan: Plan, parallel: int, tell: Tell) -> None:
        self._stage = stage
        self._plan = plan
        self._parallel = parallel
        self._tell = tell
        self._faults: list[FaultSeen] = []
        self._calls = enumerate(plan.calls())
        self._placed = 0
        self._harmless = False
        """Whether all faults are injected."""

    async def run(self) -> Evidence:
        """Play it; returns what was seen. The agent is stopped at the end."""
        idle = await standing(self._stage)
        async with staff(self._stage, self._plan.seed) as desks, AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(self._caller(index)) for index in range(self._parallel)]
            injector = Injector(self._stage, desks, self._plan.seed)
            async with asyncio.TaskGroup() as group:
                for index, caller in enumerate(callers):
                    group.create_task(self._call(caller, index, injector))
                await self._inject(injector)
                self._harmless = True
                self._tell(f"{len(self._faults)} faults injected; the calls come to their ends")
        return await collected(self._stage, idle, self._faults)

    @asynccontextmanager
    async def _caller(self, index: int) -> AsyncIterator[Caller]:
        async with Phone() as phone:
            yield Caller(phone, self._stage.board, random.Random(f"{self._plan.seed} caller {index}"))

    async def _call(self, caller: Caller, index: int, injector: Injector) -> None:
        """Have one phone place calls as long as more are needed."""
        dice = random.Random(f"{self._plan.seed} pauses {index}")
        while not self._harmless or self._placed < self._plan.least_calls:
            place, planned = next(self._calls)
            number = NUMBERS.format(place)
            self._placed += 1
            injector.playing[number] = caller
            await caller.free()
            await caller.play(planned, number)
            del injector.playing[number]
            await asyncio.sleep(dice.uniform(*APART_S))

    async def _inject(self, injector: Injector) -> None:
        for planned in self._plan.faults:
            await asyncio.sleep(planned.pause_s)
            seen = await injector.inject(planned)
            self._faults.append(seen)
            done, of = len(self._faults), len(self._plan.faults)
            calls = len(self._stage.board.calls)
            self._tell(
                f"fault {done} of {of}: {seen.kind} ({seen.moment}), {len(seen.hit)} calls; {calls} calls so far"
            )


@asynccontextmanager
async def staff(stage: Stage, seed: int) -> AsyncIterator[list[Desk]]:
    """Have the receptionists at work. Raises what made one of them stop working."""
    async with AsyncExitStack() as stack:
        desks = []
        for user in USERS:
            phone = await stack.enter_async_context(Phone())
            desks.append(Desk(phone, user, password(user), stage.board, seed))
        await staffed(desks)
        serving = [asyncio.create_task(desk.serve(), name="receptionist") for desk in desks]
        try:
            yield desks
        finally:
            for task in serving:
                task.cancel()
            ends = await asyncio.gather(*serving, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end


async def collected(stage: Stage, idle: Standing, faults: Sequence[FaultSeen]) -> Evidence:
    """Wait until all is over, stop the agent, and gather what is to be judged."""
    supervisor, watchdog, server = stage.supervisor, stage.watchdog, stage.database
    await asyncio.gather(supervisor.ready(), watchdog.ready())
    now = await settled(stage, idle, SETTLE_S)
    channels, bridges = await asyncio.gather(stage.observer.channels(), stage.observer.bridges())
    left = await asyncio.to_thread(orphans, stage.mark, supervisor.now.pid, watchdog.now.pid)
    await _written(stage)
    status = await supervisor.stop() or await watchdog.stop()
    outlived = await _dead(stage)
    lines = [line for run in (*supervisor.runs, *watchdog.runs) for line in run.lines()]
    return Evidence(
        calls=tuple(stage.board.calls.values()),
        faults=tuple(faults),
        opened=frozenset(str(line["call"]) for line in lines if line["event"] == "call opened"),
        rows=tuple(await asyncio.to_thread(_with_callers, stage, await server.rows(database.CALLS))),
        refused=(await server.rows(database.REFUSED))[0]["number"],
        mistakes=tuple(str(line.get("exception") or line["event"]) for line in lines if _is_mistake(line)),
        controllers=len(supervisor.runs),
        leftovers=Leftovers(
            channels=tuple(channel["name"] for channel in channels),
            bridges=tuple(bridge["name"] or bridge["id"] for bridge in bridges),
            orphans=tuple(left),
            after_stop=tuple(outlived),
            descriptors=(idle.descriptors, now.descriptors),
            tasks=(idle.tasks, now.tasks),
            active=now.active,
            exit_status=status,
        ),
    )


def _with_callers(stage: Stage, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows of calls with their callers' numbers opened."""
    numbers = Numbers(stage.settings.log.number_key)
    numbers.require()
    return [{**row, "caller": row["caller"] and numbers.open("call", row["id"], row["caller"])} for row in rows]


async def _written(stage: Stage) -> None:
    """Give the call log time to write what waits."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        with suppress(psycopg.Error):
            rows = await stage.database.rows(database.CALLS)
            if all(row["closed_at"] for row in rows):
                return
        await asyncio.sleep(LOOK_S)


async def _dead(stage: Stage) -> list[str]:
    """Return the processes that outlive the agent's stop."""
    until = time.monotonic() + DEAD_S
    while True:
        left = await asyncio.to_thread(marked, stage.mark)
        if not left or time.monotonic() > until:
            return list(left.values())
        await asyncio.sleep(LOOK_S)


def _is_mistake(line: LogLine) -> bool:
    if str(line["event"]).startswith(NO_DESCRIPTORS):
        return False
    return "exception" in line or str(line["event"]).startswith("Traceback")
