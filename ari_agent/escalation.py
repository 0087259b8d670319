"""The way to a person: ring a queue or a phone while the caller waits, whisper, key 1 or 2, connect.

caller ══ bridge ══ AI                    Local/<queue>@ari-agent-queue/n ══ Queue() ══ receptionist
            │                             or PJSIP/<phone>
            │                                        │ answered: enters our application
            │                            whisper ──► │ ◄── key 1
            └────────────── one bridge ──────────────┘      key 2, silence, hang-up: the AI is back with the caller
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from ari_agent.config import Settings
from ari_agent.errors import AgentError, AmiUnavailable, AriError, ChannelGone
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari, settle
from ari_agent.pbx.events import Entered, Left
from ari_agent.pbx.leg import Leg, settle_hang_up
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Refusal, Voice

log = structlog.get_logger(__name__)

RING_SLACK_S = 2.0
"""How much later than its own time limit Asterisk may report that nobody answered."""


@dataclass(frozen=True, slots=True)
class Receptionist:
    """A receptionist who pressed 1 and waits for the caller."""

    target: str
    leg: Leg


class QueueEscalation:
    """Escalation through app_queues and single phones, for one call; what it opened is hung up when its block ends."""

    def __init__(
        self, ari: Ari, ami: Ami, transport: Transport, voice: Voice, settings: Settings, call: str, number: str
    ) -> None:
        self._ari = ari
        self._ami = ami
        self._transport = transport
        self._voice = voice
        self._settings = settings
        self._call = call
        self._number = number
        stations = settings.escalation
        self._stations = frozenset({stations.queue, *stations.targets.values()})
        self._far_legs = AsyncExitStack()
        self._they_talk = False
        """Whether we are leaving while two people talk."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._far_legs.aclose()

    async def available(self, target: str) -> bool:
        """Tell whether somebody there is free; True when that cannot be known, because ringing costs nothing."""
        return await (self._phone_is_free(target) if _is_phone(target) else self._queue_has_free_members(target))

    async def ring(self, target: str, whisper: str, display: str) -> Receptionist | Refusal:
        """Ring the queue or phone and wait for a receptionist to take the call; nothing but those of the settings."""
        if target not in self._stations:  # whatever went wrong before: no call ever leaves for anywhere else
            log.error("a station that the settings do not name is not rung")
            return Refusal("unavailable")
        async with AsyncExitStack() as far_leg:
            try:
                taken = await self._ring(far_leg, target, whisper, display)
            except ChannelGone:
                taken = Refusal("no-key")
            except AgentError as e:
                log.warning("escalation failed", error=str(e))
                taken = Refusal("unavailable")
            if isinstance(taken, Receptionist):
                self._far_legs = far_leg.pop_all()
            return taken

    async def connect(self, caller: Leg, staff: Receptionist) -> None:
        """Let the two talk, without us, until one of them hangs up.

        Cancellation leaves them talking: they need no controller.
        Raises ChannelGone when the receptionist has hung up before.
        """
        await staff.leg.silence()
        await caller.silence()
        await self._ari.add_to_bridge(caller.bridge, staff.leg.channel)
        await settle(self._ari.destroy_bridge(staff.leg.bridge))
        try:
            await _first_to_leave(caller, staff.leg)
        except asyncio.CancelledError:
            caller.leave_alone()
            self._they_talk = True
            raise

    async def _queue_has_free_members(self, queue: str) -> bool:
        try:
            return (await self._ami.queue(queue)).free > 0
        except AmiUnavailable as e:
            log.warning("queue state unknown", error=str(e))
            return True

    async def _phone_is_free(self, phone: str) -> bool:
        try:
            return await self._ari.is_free(phone)
        except ChannelGone:
            log.warning("Asterisk does not know a phone of the settings; compare escalation.targets", phone=phone)
            return False
        except AriError as e:
            log.warning("phone state unknown", error=str(e))
            return True

    async def _ring(self, far_leg: AsyncExitStack, target: str, whisper: str, display: str) -> Receptionist | Refusal:
        channel = self._ari.new_id("staff")
        limits = self._settings.escalation
        events = far_leg.enter_context(self._ari.watch(channel))
        far_leg.push_async_callback(self._hang_up, channel)
        await self._ari.originate(
            channel,
            target if _is_phone(target) else f"Local/{target}@{self._settings.asterisk.context}-queue/n",
            f"staff-leg,{self._call}",
            f'"{display}" <{self._number or "anonym"}>',
            limits.ring_s,
        )
        try:
            async with asyncio.timeout(limits.ring_s + RING_SLACK_S):
                while not isinstance(event := await events.get(), Entered):
                    if isinstance(event, Left):
                        return Refusal("no-answer")
        except TimeoutError:
            return Refusal("no-answer")
        opening = Leg.open(self._ari, self._transport, channel, self._settings.calls.setup_s)
        leg = await far_leg.enter_async_context(opening)
        refusal = await self._ask(leg, whisper)
        return refusal or Receptionist(target, leg)

    async def _ask(self, leg: Leg, whisper: str) -> Refusal | None:
        """Whisper and wait for the key; None means accepted. The keys work while we still whisper."""
        answer = asyncio.create_task(_answer(leg), name="receptionist's key")
        speaking = asyncio.create_task(leg.line.play(self._voice.speak(whisper)), name="whisper")
        try:
            await asyncio.wait({answer, speaking}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({answer}, timeout=self._settings.escalation.key_s)
            return answer.result() if answer.done() else Refusal("no-key")
        finally:
            answer.cancel()
            speaking.cancel()
            await asyncio.wait({answer, speaking})
            if not speaking.cancelled() and (error := speaking.exception()):
                log.warning("the whisper could not be played", error=str(error))

    async def _hang_up(self, channel: str) -> None:
        if not self._they_talk:
            await settle_hang_up(self._ari, channel)


def _is_phone(station: str) -> bool:
    return "/" in station


async def _answer(leg: Leg) -> Refusal | None:
    async for key in leg.keys():
        match key:
            case "1":
                return None
            case "2":
                return Refusal("declined")
    return Refusal("no-key")


async def _first_to_leave(*legs: Leg) -> None:
    leaving = {asyncio.create_task(leg.gone()) for leg in legs}
    try:
        await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in leaving:
            task.cancel()
