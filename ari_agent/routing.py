"""The answer to the dialplan's question where a call shall go: the caller's contact, then modes and opening hours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog

from ari_agent.config import Settings
from ari_agent.errors import AgentError
from ari_agent.modes import Ai, NumberMode, Situation, Staff, mode_of, route
from ari_agent.pbx.ami import QueueState
from ari_agent.protocols import Directory

log = structlog.get_logger(__name__)

ROUTE_S = 1.0
"""The dialplan waits two seconds in all; after them the caller is in the queue, and so they are a second earlier."""
BLOCKED = "blocked"
"""The answer for callers who are turned away."""
NOT_READY, FULL, UNKNOWN = "staff-not-ready", "staff-full", "staff-unknown"
"""People answer although the settings want the agent, and why: for the dialplan's line in queue_log."""


class Queues(Protocol):
    """Knows who of a queue's members is free."""

    async def queue(self, name: str) -> QueueState:
        """Return the state of one queue. Raises AgentError when it cannot be known."""


class Routing:
    """Decides who answers a call; in any doubt it is people."""

    def __init__(
        self,
        settings: Settings,
        queues: Queues,
        directory: Directory,
        served: Callable[[], Awaitable[bool]],
        now: Callable[[], datetime],
        refused: Callable[[], Awaitable[bool]],
    ) -> None:
        """`served`: whether an agent, this one or another, serves calls at all; `now`: the time, aware.

        `refused`: whether it is certain that nobody would claim a call. Both may raise AgentError.
        """
        self._numbers = settings.hours.modes()
        self._schedules = {schedule.name: schedule.hours() for schedule in settings.hours.schedules}
        # Without settings of hours nothing about us is asked: several controllers may serve one Asterisk, and whether
        # any of them has a free slot is told by its claim. Nobody claims: the queue rings half a second later; where it
        # is certain that nobody will, at once.
        self._always = not settings.hours.numbers
        self._queue = settings.escalation.queue
        self._queues = queues
        self._directory = directory
        self._served = served
        self._now = now
        self._refused = refused

    async def answer(self, dialled: str, caller: str | None) -> str:
        """Return "ai", "ai-after-N" (seconds), "staff", "staff-WHY" or "blocked"; `caller` is None when withheld.

        Takes at most ROUTE_S, whatever hangs.
        """
        try:
            async with asyncio.timeout(ROUTE_S):
                decided = await self._decide(dialled, caller)
                # Who is offered to the agent later, after people were rung, may find a free slot then.
                return FULL if decided == str(Ai()) and await self._refused() else decided
        except (TimeoutError, AgentError) as e:
            log.warning("the route is not known; people answer", error=str(e) or "took too long")
            return UNKNOWN

    async def _decide(self, dialled: str, caller: str | None) -> str:
        contact = self._directory.find(caller) if caller else None
        if contact is not None and contact.route == "blocked":
            return BLOCKED
        if contact is not None and contact.route == "vip":
            return str(Staff())
        if self._always:
            return str(Ai())
        number = mode_of(self._numbers, dialled)
        opened = self._open(number)
        free = await self._free() if number is not None and number.mode == "human-first" and opened else None
        ready = await self._served()
        chosen = route(number, Situation(opened, free, ready))
        missed = not ready and chosen != route(number, Situation(opened, free, ready=True))
        return NOT_READY if missed else str(chosen)

    def _open(self, number: NumberMode | None) -> bool | None:
        """Return whether the company is open for callers of the number; None without a schedule."""
        if number is None or number.schedule is None:
            return None
        return self._schedules[number.schedule].is_open(self._now())

    async def _free(self) -> bool | None:
        """Return whether the queue has a free member; None for a queue that Asterisk does not know."""
        state = await self._queues.queue(self._queue)
        return state.free > 0 if state.exists else None
