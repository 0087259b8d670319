"""Ringing for a person: one station after the other, while the caller hears what happens and then the ringing tone."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID

from ari_agent.dialogue.acts import Escalate
from ari_agent.intents import EscalationSettings
from ari_agent.mouth import Mouth
from ari_agent.protocols import CallLog, Escalation, Refusal, StaffLeg
from ari_agent.record import EscalationEnded
from ari_agent.turn import Reply

STATIONS = 3
"""So many are tried for one caller at most, and none any more after so many times `escalation.ring_s`."""


class Ringing:
    """Brings one caller's wish for a person to the stations of the settings."""

    def __init__(
        self, call: UUID, mouth: Mouth, escalation: Escalation, call_log: CallLog, settings: EscalationSettings
    ) -> None:
        self._call = call
        self._mouth = mouth
        self._escalation = escalation
        self._log = call_log
        self._settings = settings

    async def reach(self, act: Escalate, reply: Reply, still_trying: str) -> StaffLeg | Refusal:
        """Return the first receptionist who takes the call, else why the last station did not.

        Nothing is promised before somebody is known to be free, or nothing can be known of them.
        """
        loop, refusal = asyncio.get_running_loop(), Refusal("nobody-free")
        until = loop.time() + STATIONS * self._settings.ring_s
        async with AsyncExitStack() as waiting:
            for station in self._stations(act):
                began = loop.time()
                if began >= until:
                    break
                result: StaffLeg | Refusal = Refusal("nobody-free")
                if await self._escalation.available(station):
                    if self._mouth.saying_now is None:
                        company = self._mouth.company(still_trying)
                        await waiting.enter_async_context(self._mouth.saying(act.text, reply, company))
                    result = await self._escalation.ring(station, act.whisper, act.display)
                self._note(act, station, result, (loop.time() - began) * 1000)
                if not isinstance(result, Refusal):
                    return result
                refusal = result
        return refusal

    def _stations(self, act: Escalate) -> list[str]:
        """Return whom to try, nobody twice."""
        names = act.stations or (act.target,)
        return list(dict.fromkeys(map(self._settings.station_of, names)))[:STATIONS]

    def _note(self, act: Escalate, station: str, result: StaffLeg | Refusal, waited_ms: float) -> None:
        code = result.reason if isinstance(result, Refusal) else "accepted"
        self._log.write(EscalationEnded(self._call, datetime.now(UTC), station, act.reason, code, waited_ms))
