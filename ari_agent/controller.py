"""From a call in the dialplan to its record: broadcast → claim → Call → hand over, hang up or queue → log.

One controller serves one Asterisk; several may serve the same one, each under its own application name: Asterisk gives
a broadcast call to the first that claims it. We claim only with a free slot and loaded engines; otherwise we stay
silent, and the dialplan goes on to the staff queue.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import structlog

from ari_agent import metrics
from ari_agent.call import Call, Ending, Engines, HandOver, Solved, ToQueue
from ari_agent.config import APPS, Settings
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.reach import Caller
from ari_agent.dialogue.script import Script
from ari_agent.errors import AgentError, AriError, ChannelGone, NoTransport
from ari_agent.escalation import QueueEscalation, Receptionist
from ari_agent.pbx.agi import route_server
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari, settle
from ari_agent.pbx.events import Broadcast, Bypassed, Connected, Disconnected, Entered, Event, Replaced
from ari_agent.pbx.leg import Leg
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import CallLog, Directory, Vault
from ari_agent.reconcile import FALLBACK, attend, reconcile, rescue
from ari_agent.record import CallAnswered, CallClosed, CallOpened
from ari_agent.routing import Routing

log = structlog.get_logger(__name__)

OFFER_S = 0.4
"""How long a call waits for its turn to be connected: the dialplan offers it for 0.5 s."""
HAND_BACK_S = 5.0
"""On stop, after the drain: how long callers may take to hear "Einen Moment bitte" and reach the queue."""


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pbx:
    """Asterisk, as the controller uses it."""

    ari: Ari
    ami: Ami
    transport: Transport


@dataclass(slots=True)
class _Result:
    """How a call ended, for the log; until it has, that we stopped in the middle of it."""

    outcome: str = "to-queue"
    reason: str = "stopped"
    escalated_to: str | None = None
    turns: int = 0


class Controller:
    """Serves the calls of one Asterisk."""

    def __init__(
        self,
        settings: Settings,
        pbx: Pbx,
        engines: Engines,
        script: Callable[[], Script],
        call_log: CallLog,
        directory: Directory,
        *,
        vault: Vault | None = None,
        admits: Callable[[], bool] = lambda: True,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """`script` returns what a new call knows, `admits` whether the machine can carry one more; `vault`: see Call.

        `now` returns the time, aware: what opening hours and the call log go by.
        """
        self._settings = settings
        self._ari = pbx.ari
        self._ami = pbx.ami
        self._transport = pbx.transport
        self._engines = engines
        self._script = script
        self._log = call_log
        self._directory = directory
        self._vault = vault
        self._admits = admits
        self._now = now
        self._routing = Routing(settings, pbx.ami, directory, self._served, now, self._refused)
        self._busy = 0
        """Slots in use, a call that is just being claimed included."""
        self._connecting = asyncio.Semaphore(settings.calls.connecting)
        """A burst is connected a few at a time: all at once would each take too long, and claims come too late."""
        self._calls: set[Call] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        """Everything that serves a call."""
        self._stopping = asyncio.Event()
        self._connected_before = False
        self._bypassed_at = -math.inf
        """When callers who talk to the AI were last sent to the queue, in the event loop's time."""

    @property
    def active(self) -> int:
        """Calls being served."""
        return self._busy

    @property
    def ready(self) -> bool:
        """Whether a new call would be claimed."""
        return self._refusal() is None

    def stop(self) -> None:
        """Refuse new calls from now on and let `run` end when those that talk are done or the drain limit is over."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve calls until `stop`. Raises AgentError when the FastAGI port is taken."""
        asterisk = self._settings.asterisk
        routes = route_server(asterisk.agi_host, asterisk.agi_port, asterisk.request_s, self._routing.answer)
        async with routes as answering:
            listening = asyncio.create_task(self._listen(), name="events")
            stopping = asyncio.create_task(self._stopping.wait(), name="stop")
            try:
                await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    answering.close()  # a controller that takes over answers on the same port, or nobody does
                    await self._drain()
            finally:
                stopping.cancel()
                await _cancel(self._tasks)
                await _cancel({listening})
            if not listening.cancelled():
                listening.result()  # a mistake in the event loop ends the controller with its traceback

    def _able(self) -> bool:
        """Whether we serve calls at all, with a free slot or without: another controller may have one."""
        return not self._stopping.is_set() and self._engines.recogniser.ready and self._transport.usable

    async def _served(self) -> bool:
        """Whether an agent serves calls: also one that takes over from us while we end. Raises AriError."""
        return self._able() or await self._others()

    def _refusal(self) -> str | None:
        """Return why a new call is not taken, None when it is."""
        if not self._able():
            return "not-ready"
        if self._busy >= self._settings.calls.slots:
            return "full"
        return None if self._admits() else "lag"

    async def _refused(self) -> bool:
        """Whether it is certain that nobody would claim a call now. Raises AriError when that cannot be known."""
        reason = self._refusal()
        if reason is None or await self._others():
            return False
        metrics.REFUSED.labels(reason).inc()
        return True

    async def _others(self) -> bool:
        """Whether another controller serves this Asterisk."""
        return any(app.startswith(APPS) and app != self._ari.app for app in await self._ari.applications())

    async def _listen(self) -> None:
        async for event in self._ari.events():
            await self._handle(event)

    async def _handle(self, event: Event) -> None:
        match event:
            case Broadcast() | Entered(_, ("inbound", *_)) if (reason := self._refusal()) is not None:
                metrics.REFUSED.labels(reason).inc()
                if isinstance(event, Entered):
                    self._start(settle(self._to_queue(event.channel)))
            case Broadcast(channel):
                self._start(self._claim(channel), slots=1)
            case Entered(_, ("inbound", *_)):
                # An older Asterisk hands calls to us without asking.
                self._start(self._take(event), slots=1)
            case Entered(channel, _):
                # A far leg that was answered after we had given up on it.
                self._start(settle(self._ari.hang_up(channel)))
            case Bypassed():
                log.warning("bypassed: the queue takes all calls", active=self._busy)
                self._bypassed_at = asyncio.get_running_loop().time()
                self._dismiss("bypass")
            case Connected():
                log.info("connected to Asterisk", app=self._ari.app)
                await self._choose_transport()
                try:
                    if self._connected_before:
                        await rescue(self._ari, self._settings.asterisk.context)
                    else:
                        await self._take_over()
                    self._connected_before = True
                except AriError as e:
                    log.warning("cleaning up has to wait for the next connection", error=str(e))
            case Replaced():
                # It has sent the callers who were ours to the queue; whether they hang up is told to it alone.
                log.error("another controller has our name: give every controller its own asterisk.node")
                self._dismiss("replaced")
            case Disconnected(reason):
                log.warning("no connection to Asterisk; callers go to the queue", reason=reason)
            case _:
                pass

    async def _choose_transport(self) -> None:
        try:
            await self._transport.choose(self._ari)
        except NoTransport as e:
            log.error("calls go to the queue", reason=str(e))  # noqa: TRY400 - no mistake of the program
        except AriError as e:
            log.warning("the audio's transport is chosen with the next call", error=str(e))

    async def _take_over(self) -> None:
        talking = await reconcile(self._ari, self._settings.asterisk.context)
        for bridge, people in talking.items():
            self._start(attend(self._ari, bridge, people))

    def _start(self, work: Coroutine[None, None, None], *, slots: int = 0) -> None:
        """Run work of a call; its slot is taken at once, so that a burst of calls cannot take more than there are."""
        self._busy += slots
        metrics.ACTIVE_CALLS.inc(slots)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, slots))

    def _ended(self, task: asyncio.Task[None], slots: int) -> None:
        self._busy -= slots
        metrics.ACTIVE_CALLS.dec(slots)
        self._tasks.discard(task)

    async def _claim(self, channel: str) -> None:
        """Claim a broadcast call; if it is ours, serve it."""
        async with AsyncExitStack() as connecting:
            if not await self._may_connect(connecting):
                return
            try:
                with self._ari.watch(channel) as events:
                    if not await self._ari.claim(channel):
                        return
                    async with asyncio.timeout(self._settings.calls.claim_s):
                        entered = await events.get()
            except TimeoutError:
                log.warning("Asterisk did not hand over a claimed call")
                await settle(self._to_queue(channel))
            except AriError as e:
                log.warning("claiming failed", error=str(e))
            else:
                if isinstance(entered, Entered):
                    await self._serve(entered, connecting)

    async def _take(self, entered: Entered) -> None:
        """Serve a call that was given to us unasked, or give it back."""
        async with AsyncExitStack() as connecting:
            if await self._may_connect(connecting):
                await self._serve(entered, connecting)
            else:
                await settle(self._to_queue(entered.channel))

    async def _may_connect(self, connecting: AsyncExitStack) -> bool:
        """Wait for our turn to connect a call, which lasts until the stack is closed; False when it does not come."""
        try:
            async with asyncio.timeout(OFFER_S):
                await connecting.enter_async_context(self._connecting)
        except TimeoutError:
            metrics.REFUSED.labels("connecting").inc()
            return False
        return True

    async def _serve(self, entered: Entered, connecting: AsyncExitStack) -> None:
        ident = uuid4()
        structlog.contextvars.bind_contextvars(call=str(ident))
        log.info("call opened")
        self._log.write(self._opened(ident, entered))
        result = _Result()
        try:
            await self._converse(ident, entered, connecting, result)
        except ChannelGone:
            result.outcome, result.reason = "caller-hung-up", "during-setup"
            await settle(self._to_queue(entered.channel))  # in case it was something else of ours that is gone
        except AgentError as e:
            log.warning("the call cannot be served", error=str(e))
            result.outcome, result.reason = "to-queue", "setup-failed"
        except Exception:  # the edge of a call: a mistake of ours must not cost the caller the queue
            log.exception("mistake in our program")
            result.outcome, result.reason = "to-queue", "bug"
        finally:
            if result.outcome == "to-queue":
                await settle(self._to_queue(entered.channel))
            closed = result.outcome, result.reason, result.turns, result.escalated_to
            self._log.write(CallClosed(ident, self._now(), *closed))
            metrics.CALLS.labels(result.outcome, result.reason).inc()
            log.info("call closed", outcome=result.outcome, reason=result.reason, turns=result.turns)

    async def _converse(self, ident: UUID, entered: Entered, connecting: AsyncExitStack, result: _Result) -> None:
        settings, began = self._settings, asyncio.get_running_loop().time()
        pbx = (self._ari, self._ami, self._transport)
        escalation = QueueEscalation(*pbx, self._engines.voice, settings, str(ident), entered.caller)
        async with escalation, Leg.open(self._ari, self._transport, entered.channel, settings.calls.setup_s) as leg:
            await connecting.aclose()
            setup_ms = (asyncio.get_running_loop().time() - began) * 1000
            self._log.write(CallAnswered(ident, self._now(), setup_ms))
            conversation = Conversation(self._script(), caller=self._caller(entered), now=self._now)
            shared = (self._log, settings, self._vault)
            call = Call(ident, leg.line, leg.keys(), self._engines, conversation, escalation, *shared)
            self._calls.add(call)
            if began < self._bypassed_at:  # while the call was being connected
                call.dismiss("bypass")
            try:
                ending = await call.run()
            finally:
                self._calls.discard(call)
                result.turns = call.turns
            try:
                await self._finish(ending, leg, escalation, result)
            finally:
                if isinstance(ending, HandOver):
                    call.close(result.outcome)

    async def _finish(self, ending: Ending, leg: Leg, escalation: QueueEscalation, result: _Result) -> None:
        match ending:
            case HandOver(Receptionist() as staff, reason):
                # Noted before the two talk: they go on talking when we are stopped meanwhile.
                result.outcome, result.reason, result.escalated_to = "handed-over", reason, staff.target
                try:
                    await escalation.connect(leg, staff)
                except ChannelGone:
                    result.outcome, result.reason, result.escalated_to = "to-queue", "receptionist-gone", None
                else:
                    await settle(self._ari.hang_up(leg.channel))
            case Solved():
                result.outcome, result.reason = "solved", "goodbye"
                await settle(self._ari.hang_up(leg.channel))
            case ToQueue(reason):
                result.outcome, result.reason = "to-queue", reason
            case _ if await self._ari.goes_on(leg.channel):
                # By the watchdog, while we were stopped or hung; or by an administrator.
                result.outcome, result.reason = "to-queue", "taken"
            case _:
                result.outcome, result.reason = "caller-hung-up", "caller"

    def _caller(self, entered: Entered) -> Caller:
        """Return who calls, with the contact of the number, which may be anybody's in truth."""
        contact = self._directory.find(entered.caller) if entered.caller else None
        return Caller(entered.caller, contact, _dialled(entered))

    def _opened(self, ident: UUID, entered: Entered) -> CallOpened:
        node, caller, test = self._settings.asterisk.node, entered.caller or None, "test" in entered.args[2:]
        return CallOpened(ident, self._now(), node, entered.channel, _dialled(entered), caller, test)

    async def _to_queue(self, channel: str) -> None:
        await self._ari.continue_in(channel, self._settings.asterisk.context, FALLBACK)

    async def _drain(self) -> None:
        """Let calls end; those that last longer than the limit go to the queue, people who talk go on talking."""
        log.info("stopping: no new calls", active=self._busy)
        await _wait(self._tasks, self._settings.calls.drain_s)
        self._dismiss("drain")
        if self._calls:
            await _wait(self._tasks, HAND_BACK_S)

    def _dismiss(self, reason: str) -> None:
        for call in list(self._calls):
            call.dismiss(reason)


def _dialled(entered: Entered) -> str:
    """Return the second argument that the dialplan gave: "inbound", the number dialled, and "test" or nothing."""
    return (*entered.args, "")[1]


async def _wait(tasks: Collection[asyncio.Task[None]], limit_s: float) -> None:
    if tasks:
        await asyncio.wait(list(tasks), timeout=limit_s)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()
    if tasks:
        await asyncio.wait(list(tasks))
