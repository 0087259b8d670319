"""One call, from greeting to goodbye. Read this first.

    line.frames() ─► ears ─► heard ─► conversation ─► act ─► mouth ─► line.play()

Three tasks run in one TaskGroup: the ears, the keys, and the conversation, in which the mouth is a task of its own
while something is said. Being in a task is the state; cancelling it is the change: a caller who begins to speak
cancels the mouth; a caller who hangs up, an engine that fails or a controller that stops ends the group. Whatever
happens, `run` returns where the caller goes next, and that is a person unless they are gone or satisfied.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog

from ari_agent import metrics
from ari_agent.config import Settings
from ari_agent.consulting import Consulting, Words
from ari_agent.decision import Decision, Situation
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye
from ari_agent.dialogue.conversation import Conversation
from ari_agent.errors import AgentError, EngineError, MediaError
from ari_agent.protocols import (
    CallLog,
    Decider,
    Escalation,
    Line,
    Recogniser,
    Refusal,
    StaffLeg,
    Voice,
    VoiceActivity,
)
from ari_agent.record import CallNoted, DisclosurePlayed, EscalationEnded
from ari_agent.speech.audio import ringback, silence
from ari_agent.speech.ears import Ears, Heard, Key, Said, Silence, SpeechStarted
from ari_agent.speech.sentences import PAUSE_MS, split
from ari_agent.turn import Reply, Turn

log = structlog.get_logger(__name__)

HEARD_EVENTS = 32
"""Events kept while the conversation is busy; the ears drop what comes beyond that."""
BYTES_PER_MS = 32
PAUSE = silence(PAUSE_MS)
COMPANY_RINGS = 2
"""After so many rings, 5 s each, a waiting caller is told that we are still trying."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller is gone."""


@dataclass(frozen=True, slots=True)
class Solved:
    """Goodbye was said; the call can be ended."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A receptionist waits to be connected."""

    staff: StaffLeg
    reason: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """The dialplan's queue must take the caller."""

    reason: str
    """Code such as "engine-vosk" or "drain"."""


Ending = HungUp | Solved | HandOver | ToQueue


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
    ) -> None:
        self.ident = ident
        self.turns = 0
        self._line = line
        self._keys = keys
        self._voice = engines.voice
        self._conversation = conversation
        self._consulting = Consulting(conversation, engines.decider, settings.model)
        self._escalation = escalation
        self._log = call_log
        self._settings = settings
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(HEARD_EVENTS)
        self._decided_from = 0.0  # loop time of the last words or key that the decision is about
        self._dismissal: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._ears = Ears(
            line,
            engines.activity(),
            engines.recogniser,
            settings.speech,
            settings.calls.silence_s,
            conversation.makes_sense,
            self._consulting.read_ahead,
        )

    async def run(self) -> Ending:
        """Talk to the caller until they go elsewhere; never raises for anything that can happen in a call."""
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

    def dismiss(self, reason: str) -> None:
        """End the AI's part soon: the caller is told to wait a moment and goes to the queue."""
        if not self._dismissal.done():
            self._dismissal.set_result(reason)

    async def _converse(self) -> Ending:
        await self._disclose()
        heard: Heard | Refusal = await self._say_and_listen(self._conversation.script.greeting)
        while True:
            heard, act = await self._decide(heard)
            decide_ms = (asyncio.get_running_loop().time() - self._decided_from) * 1000
            async with self._turn(heard, act, decide_ms) as reply:
                match act:
                    case Answer():
                        heard = await self._say_and_listen(self._consulting.words(act), reply)
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

    async def _decide(self, heard: Heard | Refusal) -> tuple[Heard | Refusal, Act]:
        """Return what was heard, with all that the caller added while it was being decided, and the act."""
        self._decided_from = asyncio.get_running_loop().time()
        match heard:
            case Said():
                return await self._decide_words(heard)
            case Key(digit):
                return heard, self._conversation.key(digit)
            case Refusal(reason):
                return heard, self._conversation.refused(reason)
            case _:
                return heard, self._conversation.silent()

    async def _decide_words(self, said: Said) -> tuple[Heard | Refusal, Act]:
        """Decide after words; a caller who goes on speaking meanwhile is heard out, and all of it is decided anew."""
        while True:
            decided = self._conversation.said(said.transcript.text)
            if not isinstance(decided, Situation):
                return said, decided
            async with asyncio.TaskGroup() as group:
                consulting = group.create_task(self._consulting.ask(decided), name="decider")
                heard = await self._heard_before(consulting)
                consulting.cancel()
            if heard is None:
                return said, self._conversation.decided(decided, consulting.result())
            while isinstance(heard, SpeechStarted | Silence):
                heard = await self._heard.get()
            if not isinstance(heard, Said):
                return await self._decide(heard)
            said = said.and_then(heard)
            self._decided_from = asyncio.get_running_loop().time()

    async def _heard_before(self, task: asyncio.Task[Decision | None]) -> Heard | None:
        """Return what is heard of the caller before the task ends, None when nothing is; silence is no news."""
        while not task.done():
            listening = asyncio.create_task(self._heard.get())
            try:
                await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
                if listening.done() and not isinstance(listening.result(), Silence):
                    return listening.result()
            finally:
                listening.cancel()
        return None

    async def _disclose(self) -> None:
        """Say first that an AI speaks, and for whom; what the caller says meanwhile is kept for afterwards."""
        notice = self._conversation.script.notice
        with self._speaking():
            await self._line.play(self._audio(notice, Reply()))
        digest = hashlib.sha256(notice.encode()).hexdigest()
        self._log.write(DisclosurePlayed(self.ident, _now(), self._line.played_ms, digest))

    async def _say_and_listen(self, text: Words, reply: Reply | None = None) -> Heard:
        """Say the words and return what the caller says or presses next; beginning to speak silences us at once."""
        reply = reply or Reply()
        async with self._mouth(text, reply) as mouth:
            while True:
                heard = await self._heard.get()
                if isinstance(heard, Silence) and not mouth.done():
                    continue
                reply.interrupted |= not mouth.done()
                if not isinstance(heard, SpeechStarted):
                    return heard
                mouth.cancel()

    async def _say_goodbye(self, text: str, reply: Reply) -> Heard | None:
        """Say goodbye; None when the caller let us finish."""
        async with self._mouth(text, reply) as mouth:
            listening = asyncio.create_task(self._heard.get())
            try:
                await asyncio.wait({mouth, listening}, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    return None
            finally:
                listening.cancel()
            reply.interrupted = not mouth.done()
            mouth.cancel()
            heard = listening.result()
            while isinstance(heard, SpeechStarted | Silence):
                heard = await self._heard.get()
            return heard

    async def _escalate(self, act: Escalate, reply: Reply) -> HandOver | Refusal:
        """Ring a receptionist while the caller hears what happens, and then the ringing tone."""
        target, loop = self._settings.escalation.station_of(act.target), asyncio.get_running_loop()
        started = loop.time()
        if act.before:
            async with self._mouth(act.before, reply) as mouth:
                await mouth
            reply.heard_before, reply.parts = reply.heard(self._line.played_ms), []
        if not await self._escalation.available(target):
            result: StaffLeg | Refusal = Refusal("nobody-free")
        else:
            async with self._mouth(act.text, reply, then=self._keep_company()):
                result = await self._escalation.ring(target, act.whisper, act.display)
        code = result.reason if isinstance(result, Refusal) else "accepted"
        waited_ms = (loop.time() - started) * 1000
        self._log.write(EscalationEnded(self.ident, _now(), target, act.reason, code, waited_ms))
        if not isinstance(result, Refusal):
            return HandOver(result, act.reason)
        while not self._heard.empty():  # what the caller said to the ringing tone is no answer to what comes now
            self._heard.get_nowait()
        return result

    async def _keep_company(self) -> AsyncGenerator[bytes, None]:
        """Yield the ringing tone and, now and then, word that we are still trying, until somebody answers."""
        while True:
            for pcm in ringback(COMPANY_RINGS):
                yield pcm
            async with aclosing(self._voice.speak(self._conversation.script.wording.still_connecting)) as speech:
                async for pcm in speech:
                    yield pcm

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
        moment = self._conversation.script.wording.moment
        log.warning("the call goes to the queue", reason=reason)
        try:
            async with asyncio.timeout(self._settings.speech.voice_s + len(moment) / 10):
                await self._line.play(self._voice.speak(moment))
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
                self._log.write(turn.entry(self.ident, reply, played_ms, wording=wording))

        # An escalation has several sentences and is over when somebody took the call, or nobody did.
        reply = Reply(None if isinstance(act, Escalate) else record)
        try:
            yield reply
        finally:
            record()

    @asynccontextmanager
    async def _mouth(
        self, text: Words, reply: Reply, then: AsyncGenerator[bytes, None] | None = None
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Speak in a task that ends with the block; failures of the voice end the block too."""
        async with asyncio.TaskGroup() as group:
            mouth = group.create_task(self._speak(text, reply, then), name="mouth")
            yield mouth
            mouth.cancel()

    async def _speak(self, text: Words, reply: Reply, then: AsyncGenerator[bytes, None] | None) -> None:
        try:
            with self._speaking():
                await self._line.play(self._audio(text, reply, then))
        finally:
            if reply.ended is not None:
                reply.ended()

    async def _audio(
        self, text: Words, reply: Reply, then: AsyncGenerator[bytes, None] | None = None
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(_sentences(text)) as sentences:
            async for sentence in sentences:
                if reply.parts:
                    reply.parts.append(("", PAUSE_MS))
                    yield PAUSE
                reply.parts.append((sentence, 0.0))
                async with aclosing(self._voice.speak(sentence)) as speech:
                    async for pcm in speech:
                        reply.first_audio_at = reply.first_audio_at or asyncio.get_running_loop().time()
                        reply.parts[-1] = (sentence, reply.parts[-1][1] + len(pcm) / BYTES_PER_MS)
                        yield pcm
        if then is not None:
            async with aclosing(then):
                async for pcm in then:
                    yield pcm

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        self._ears.agent_speaking(speaking=True)
        try:
            yield
        finally:
            self._ears.agent_speaking(speaking=False)

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


async def _sentences(words: Words) -> AsyncGenerator[str, None]:
    """Yield the sentences of a text, or those that come."""
    if isinstance(words, str):
        for sentence in split(words):
            yield sentence
        return
    async with aclosing(words):
        async for sentence in words:
            yield sentence


def _each(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error


def _now() -> datetime:
    return datetime.now(UTC)
