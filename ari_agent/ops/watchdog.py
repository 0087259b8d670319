"""Takes care of callers whose controller is dead, stopped or hung: they go on to the dialplan's queue and mailbox.

It watches every controller that has given signs of life in the runtime folder, and asks Asterisk only about those that
give none. What it does is safe to be done twice, by a second watchdog or by a controller that comes back: each call is
taken away once, and who comes later finds it gone. A controller that lives is never interfered with: after Asterisk
was asked, and before anything is touched, the sign of life is read again. Whatever a new controller has in its hands
came into them after it had said that it serves; so nothing of it can be in an answer that is acted upon.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from ari_agent import systemd
from ari_agent.asterisk import Watch
from ari_agent.errors import AriError
from ari_agent.heartbeat import SUFFIX, Beat, read
from ari_agent.pbx.ari import Ari
from ari_agent.reconcile import Leftovers, clear, look

log = structlog.get_logger(__name__)

NAME = "watchdog"
"""Of the watchdog's own sign of life, for doctor."""
CONTROLLERS = f"ari_agent_*{SUFFIX}"
SELDOM_S = 5.0
"""Between two looks at a dead controller of which nothing is left: it gets no new calls."""

Condition = Literal["serving", "starting", "dead", "hung"]


@dataclass(slots=True)
class _Controller:
    """What is known of one controller."""

    ari: Ari
    stamp: float = math.nan
    silent_s: float = 0.0
    """How long its stamp has not changed, as we saw it: time in which we ourselves were stopped does not count."""
    condition: Condition = "serving"
    talked: set[str] = field(default_factory=set)
    """Channels of people who were seen talking to each other since it stopped serving."""
    empty_at: float | None = None
    """Time of the last look, if nothing of it was left then."""
    complaint: str = ""

    def listen(self, beat: Beat, passed_s: float, after_s: float) -> Condition:
        """Return how the controller is, `passed_s` after the last time."""
        self.silent_s = self.silent_s + passed_s if beat.at == self.stamp else 0.0
        self.stamp = beat.at
        if not beat.locked or beat.phase == "ended":
            return "dead"
        if beat.phase == "starting":
            return "starting"
        return "hung" if self.silent_s > after_s else "serving"


class Watchdog:
    """Watches the controllers of one machine that serve one Asterisk."""

    def __init__(
        self, settings: Watch, client: Callable[[str], Ari], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`client` returns an ARI client for the application of this name, `clock` seconds."""
        self._settings = settings.watchdog
        self._context = settings.asterisk.context
        self._client = client
        self._clock = clock
        self._every_s = settings.watchdog.heartbeat_s / 2
        self._controllers: dict[Path, _Controller] = {}
        self._looked_at: float | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self.look()
            systemd.notify(systemd.ALIVE)
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Look once at every controller and clear away what dead and hung ones left; what fails is tried next time."""
        now = self._clock()
        passed_s = 0.0 if self._looked_at is None else min(now - self._looked_at, 2 * self._every_s)
        self._looked_at = now
        async with asyncio.TaskGroup() as group:
            for path in sorted(self._settings.runtime.glob(CONTROLLERS)):
                if (beat := read(path)) is not None:
                    group.create_task(self._examine(path, beat, passed_s))

    async def _examine(self, path: Path, beat: Beat, passed_s: float) -> None:
        controller = self._controllers.setdefault(path, _Controller(self._client(path.stem)))
        condition = controller.listen(beat, passed_s, self._settings.after_s)
        if condition != controller.condition:
            log.warning("a controller's condition", app=controller.ari.app, pid=beat.pid, condition=condition)
            controller.condition, controller.empty_at = condition, None
        if condition == "serving":
            controller.talked.clear()
            return
        if controller.empty_at is not None and self._clock() - controller.empty_at < SELDOM_S:
            return
        try:
            await self._clear(path, controller, beat)
            controller.complaint = ""
        except AriError as e:
            if str(e) != controller.complaint:
                log.warning("Asterisk cannot be asked for lost callers", app=controller.ari.app, error=str(e))
            controller.complaint = str(e)

    async def _clear(self, path: Path, controller: _Controller, beat: Beat) -> None:
        found = (await look(controller.ari)).after_talking(controller.talked)
        again = read(path)
        if again is None or (again.serving and again.at != beat.at):
            return  # it serves, again or since this moment
        controller.talked.update(*found.talking.values())
        if found:
            _tell(controller, found)
            await clear(controller.ari, self._context, found)
        gone = controller.condition == "dead" and not found and not found.talking
        controller.empty_at = self._clock() if gone else None


def _tell(controller: _Controller, found: Leftovers) -> None:
    log.warning(
        "calls taken from a controller that serves no more",
        app=controller.ari.app,
        condition=controller.condition,
        callers_to_queue=len(found.callers),
        channels_ended=len(found.ours),
        bridges_destroyed=len(found.bridges),
        talking_left_alone=len(found.talking),
    )
