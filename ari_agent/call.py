"""One call, from greeting to goodbye. Read this first.

    line.frames() ─► ears ─► heard ─► conversation ─► act ─► mouth ─► line.play()

Three tasks run in one TaskGroup: the ears, the keys, and the conversation, in which the mouth is a task of its own
while something is said. Being in a task is the state; cancelling it is the change: a caller who has something to say
cancels the mouth, which goes on when it was only a "mhm"; a caller who hangs up, an engine that fails or a
controller that stops ends the group. Whatever happens, `run` returns where the caller goes next, and that is a person
unless they are gone or satisfied.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import structlog

from ari_agent import metrics
from ari_agent.config import Settings
from ari_agent.consent import Consent
from ari_agent.consulting import Consulting, Words
from ari_agent.deciding import Deciding
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye, Noted
from ari_agent.dialogue.consent import stops, wants_more
from ari_agent.dialogue.conversation import Conversation
from ari_agent.errors import AgentError, EngineError, MediaError
from ari_agent.mouth import Mouth, Saying
from ari_agent.protocols import (
    CallLog,
    Decider,
    Escalation,
    Line,
    Recogniser,
    Refusal,
    StaffLeg,
    Vault,
    Voice,
    VoiceActivity,
)
from ari_agent.record import CallNoted, DisclosurePlayed, NoteWritten, TaskTaken
from ari_agent.recording import Recording
from ari_agent.ringing import Ringing
from ari_agent.speech.ears import Ears, Heard, Key, NothingSaid, Said, Silence, SpeechStarted, Weight
from ari_agent.turn import Reply, Turn

log = structlog.get_logger(__name__)

HEARD_EVENTS = 32
"""Events kept while the conversation is busy; the ears drop what comes beyond that."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller is gone."""

    outcome: ClassVar = "caller-hung-up"


@dataclass(frozen=True, slots=True)
class Solved:
    """Goodbye was said; the call can be ended."""

    outcome: ClassVar = "solved"


@dataclass(frozen=True, slots=True)
class HandOver:
    """A receptionist waits to be connected."""

    outcome: ClassVar = "handed-over"
    staff: StaffLeg
    reason: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """The dialplan's queue must take the caller."""

    outcome: ClassVar = "to-queue"
    reason: str
    """Code such as "engine-vosk" or "drain"."""


Ending = HungUp | Solved | HandOver | ToQueue
"""Where a call goes; its `outcome` is that of the call log."""


@dataclass(frozen=True, slots=True)
class Engines:
    """What all calls share."""

    recogniser: Recogniser
    voice: Voice
    activity: Callable[[], VoiceActivity]
    """Makes the voice activity detection of one line."""
    decider: Decider | None = None
    """The language model; None when policy and search decide alone."""


class _CallerGone(Exception):
    """The caller hung up: cancels everything else in the call."""


class _Dismissed(Exception):
    """The controller wants to be rid of the call."""


class Call:
    """The AI's part of one call."""

    def __init__(
        self,
        ident: UUID,
        line: Line,
        keys: AsyncIterator[str],
        engines: Engines,
        conversation: Conversation,
        escalation: Escalation,
        call_log: CallLog,
        settings: Settings,
        vault: Vault | None = None,
    ) -> None:
        """`vault` is where recordings go; None when none are made."""
        self.ident = ident
        self.turns = 0
        self._recording = Recording(settings.recording, vault)
        self._line = line = self._recording.line(line)
        self._keys = keys
        self._conversation = conversation
        self._consulting = Consulting(conversation, engines.decider, settings.model)
        self._log = call_log
        self._settings = settings
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(HEARD_EVENTS)
        self._deciding = Deciding(conversation, self._consulting, self._heard)
        self._dismissal: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ears = Ears(
            line,
            engines.activity(),
            engines.recogniser,
            settings.speech,
            settings.calls.silence_s,
            conversation.makes_sense,
            self._read_ahead,
            self._interrupts,
        )
        self._mouth = Mouth(line, engines.voice, self._ears, lambda: conversation.manner)
        self._consent = Consent(ident, self._mouth, self._heard, conversation, self._recording, call_log)
        self._ringing = Ringing(ident, self._mouth, escalation, call_log, settings.escalation)

    async def run(self) -> Ending:
        """Talk to the caller until they go elsewhere; never raises for anything that can happen in a call."""
        outcome = ToQueue.outcome
        try:
            ending = await self._live()
            outcome = ending.outcome
            return ending
        finally:
            self._recording.close()
            if outcome != HandOver.outcome:  # whether that succeeds is known later
                self.close(outcome)

    def dismiss(self, reason: str) -> None:
        """End the AI's part soon: the caller is told to wait a moment and goes to the queue."""
        if not self._dismissal.done():
            self._dismissal.set_result(reason)

    def close(self, outcome: str) -> None:
        """Write down, once, what is left of the call for whoever deals with it next; a hand-over's end calls this.

        Who talks to a person tells them what they had begun to leave with us.
        """
        if outcome != HandOver.outcome and (task := self._conversation.unfinished()):
            self._log.write(TaskTaken(self.ident, _now(), uuid4(), task))
        if note := self._conversation.note(outcome):
            self._log.write(NoteWritten(self.ident, _now(), note))

    async def _live(self) -> Ending:
        ending: Ending = ToQueue("bug")
        try:
            async with asyncio.timeout(self._settings.calls.longest_s), asyncio.TaskGroup() as tasks:
                helpers = [
                    tasks.create_task(self._listen(), name="ears"),
                    tasks.create_task(self._collect_keys(), name="keys"),
                    tasks.create_task(self._await_dismissal(), name="dismissal"),
                ]
                async with self._consulting.opened():
                    ending = await self._converse()
                for helper in helpers:
                    helper.cancel()
        except* (_CallerGone, _Dismissed, TimeoutError, AgentError) as group:
            ending = await self._break_off(list(_each(group)))
        return ending

    async def _converse(self) -> Ending:
        await self._disclose()
        heard: Heard | Refusal | None = await self._consent.ask()
        heard = heard or await self._say_and_listen(self._consent.opening(self._conversation.greeting))
        while True:
            heard, act = await self._deciding.decide(await self._heed_stop(heard))
            async with self._turn(heard, act, self._deciding.ms) as reply:
                match act:
                    case Answer():
                        heard = await self._say_and_listen(self._consulting.words(act), reply)
                    case Noted():
                        self._log.write(TaskTaken(self.ident, _now(), uuid4(), act.task))
                        heard = await self._say_and_listen(act.text, reply)
                    case Ask():
                        heard = await self._say_and_listen(act.text, reply)
                    case Goodbye():
                        after = await self._say_goodbye(act.text, reply)
                        if after is None:
                            return Solved()
                        heard = after
                    case Escalate():
                        outcome = await self._escalate(act, reply)
                        if isinstance(outcome, HandOver):
                            return outcome
                        heard = outcome

    async def _disclose(self) -> None:
        """Say first that an AI speaks, and for whom; what the caller says meanwhile is kept for afterwards."""
        notice = self._conversation.script.notice
        await self._mouth.say(notice, Reply())
        digest = hashlib.sha256(notice.encode()).hexdigest()
        self._log.write(DisclosurePlayed(self.ident, _now(), self._line.played_ms, digest))

    async def _heed_stop(self, heard: Heard | Refusal) -> Heard | Refusal:
        """Erase the recording where the caller wants that, at once, and say so; return what is to be decided on."""
        while self._settings.recording.scope and isinstance(heard, Said) and stops(heard.transcript.text):
            told = self._consent.withdraw()
            if wants_more(heard.transcript.text):
                await self._mouth.say(told, Reply())
                break
            heard = await self._say_and_listen(f"{told} {self._conversation.last_text}")
        return heard

    async def _say_and_listen(self, words: Words, reply: Reply | None = None) -> Heard:
        """Say the words and return what the caller says or presses next."""
        async with self._mouth.saying(words, reply or Reply()) as saying:
            return await self._hear(saying)

    async def _say_goodbye(self, text: str, reply: Reply) -> Heard | None:
        """Say goodbye; None when the caller let us finish."""
        async with self._mouth.saying(text, reply) as saying:
            hearing = asyncio.create_task(self._hear(saying))
            first: set[asyncio.Future[Any]] = {hearing, saying.ended}
            try:
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
                return hearing.result() if hearing.done() else None
            finally:
                hearing.cancel()

    async def _hear(self, saying: Saying) -> Heard:
        """Return what the caller says or presses next; who only says "mhm" meanwhile is no more than listening."""
        saying.heeded = True
        while True:
            heard = await self._heard.get()
            match heard:
                case SpeechStarted(text):
                    await saying.fall_silent()
                    if not self._conversation.is_backchannel(text, last_sentence=False):
                        saying.no_more()
                    self._conversation.replied(saying.heard)  # so far: the model may read what the caller says ahead
                case NothingSaid():
                    saying.go_on()
                case Silence() if saying.speaking:
                    pass
                case Said(transcript, began_at=began_at) if saying.begun_before_end(began_at) and (
                    self._conversation.is_backchannel(transcript.text, last_sentence=saying.in_last_sentence(began_at))
                ):
                    saying.go_on()
                case _:
                    saying.reply.interrupted |= not saying.ended.done()
                    return heard

    def _interrupts(self, text: str, spoken_ms: float, began_at: float) -> Weight:
        """Weigh what a caller utters into our words: words are a turn, any sound is a reason to wait for them.

        A sound without words is none for long, nor when we have just fallen silent for nothing.
        """
        saying, speech = self._mouth.saying_now, self._settings.speech
        last_sentence = saying is not None and saying.in_last_sentence(began_at)
        if not self._conversation.is_backchannel(text, last_sentence=last_sentence):
            return "turn"
        waits = saying is not None and saying.yields and speech.hold_ms <= spoken_ms < speech.doubt_ms
        return "doubt" if waits else "nothing"

    def _read_ahead(self, partial: str) -> None:
        saying = self._mouth.saying_now
        if saying is None or not saying.composing:  # the model does one thing at a time for a call
            self._consulting.read_ahead(partial)

    async def _escalate(self, act: Escalate, reply: Reply) -> HandOver | Refusal:
        if act.before:
            await self._mouth.say(act.before, reply)
            reply.begin_anew(reply.heard(self._line.played_ms))
        with self._recording.paused():
            result = await self._ringing.reach(act, reply, self._conversation.wording.still_connecting)
        if not isinstance(result, Refusal):
            return HandOver(result, act.reason)
        while not self._heard.empty():  # what the caller said to the ringing tone is no answer to what comes now
            self._heard.get_nowait()
        return result

    async def _break_off(self, causes: list[BaseException]) -> Ending:
        """Return where the caller goes after what ended the conversation; several things may happen in one moment."""
        if any(isinstance(cause, _CallerGone) for cause in causes):
            return HungUp()  # and whatever else broke, broke because of that
        match causes[0]:
            case _Dismissed() as dismissed:
                return await self._give_up(str(dismissed))
            case TimeoutError():
                return await self._give_up("too-long")
            case EngineError(engine=engine):
                return await self._give_up(f"engine-{engine}")
            case _:
                return await self._give_up("media")

    async def _give_up(self, reason: str) -> Ending:
        """Tell the caller to wait a moment, from memory, and let the queue take them."""
        moment = self._conversation.wording.moment
        log.warning("the call goes to the queue", reason=reason)
        try:
            async with asyncio.timeout(self._settings.speech.voice_s + len(moment) / 10):
                await self._line.play(self._mouth.speak(moment))
        except (AgentError, TimeoutError):
            self._log.write(CallNoted(self.ident, _now(), "moment-not-played"))
        return ToQueue(reason)

    @asynccontextmanager
    async def _turn(self, heard: Heard | Refusal, act: Act, decide_ms: float) -> AsyncIterator[Reply]:
        """Record the turn as soon as its reply has ended, also when it was interrupted or the caller hung up."""
        self.turns += 1
        decision = self._conversation.decision
        metrics.DECISIONS.labels(decision.by if decision else "rules", act.name).inc()
        metrics.DECIDE_SECONDS.observe(decide_ms / 1000)
        turn = Turn(self.turns, heard, act, decision, decide_ms, asyncio.get_running_loop().time())
        recorded = False

        def record() -> None:
            nonlocal recorded
            if not recorded:
                recorded = True
                played_ms, wording = self._line.played_ms, self._settings.log.wording
                self._conversation.replied(reply.heard(played_ms))
                self._recording.said(turn.words, reply.heard(played_ms))
                self._log.write(turn.entry(self.ident, reply, played_ms, wording=wording))

        # An escalation has several sentences and is over when somebody took the call, or nobody did.
        reply = Reply(None if isinstance(act, Escalate) else record)
        try:
            yield reply
        finally:
            record()

    async def _listen(self) -> None:
        await self._ears.listen(self._heard)
        raise MediaError("the line was closed, and nobody hung up")

    async def _collect_keys(self) -> None:
        """Pass on the keys; their end is the end of the caller."""
        async for digit in self._keys:
            if not self._heard.full():
                self._heard.put_nowait(Key(digit))
        raise _CallerGone

    async def _await_dismissal(self) -> None:
        raise _Dismissed(await self._dismissal)


def _each(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error


def _now() -> datetime:
    return datetime.now(UTC)
