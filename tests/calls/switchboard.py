"""A caller and a receptionist whose words and timing a story scripts; the line keeps what was really heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from fakes import LOUD, QUIET, FakeActivity, FakeDecider, FakeRecogniser

from ari_agent.call import Call, Ending, Engines
from ari_agent.cli.office import company_office
from ari_agent.config import Settings
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.policy import Consultation
from ari_agent.dialogue.reach import Caller as Known
from ari_agent.dialogue.script import Script
from ari_agent.documents.reading import read
from ari_agent.errors import EngineError, MediaError
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.protocols import FRAME_BYTES, FRAME_MS, PLAIN, SAMPLE_RATE, Line, Manner, Refusal, StaffLeg, Transcript
from ari_agent.record import (
    ConsentTaken,
    DisclosurePlayed,
    Entry,
    EscalationEnded,
    NoteWritten,
    TaskTaken,
    TurnTaken,
)
from ari_agent.sealing import Sealed, opened

CALL = UUID("00000000-0000-4000-8000-000000000001")
COMPANY = "Lindner Heizungsbau"
NUMBER = "+4971112345"
DOCUMENT = Path(__file__).resolve().parents[2] / "deploy" / "sandbox" / "lindner.md"
MS_PER_LETTER = 60
"""How fast the agent speaks."""
MS_PER_WORD = 200
"""How fast the caller speaks: FakeUtterance understands one word in this time."""
AHEAD_MS = 8_000
"""As the real line: so much may wait to be played before the voice has to pause."""
PATIENCE_S = 60.0
"""What a story waits for comes within this virtual time."""

RINGING_TONE = "♪"
"""What is heard when the voice does not speak but something else does."""
PAUSE = "–"
"""What is heard between two sentences, or two rings."""

EntryT = TypeVar("EntryT", bound=Entry)


HERE = str(Path(__file__))
KNOWLEDGE = SearchKnowledge(read(DOCUMENT).passages)
SETTINGS = Settings.model_validate(
    {
        "company": {"name": COMPANY, "knowledge": str(DOCUMENT)},
        "asterisk": {"ari_password_file": HERE, "ami_password_file": HERE},
        "speech": {"vosk_model": HERE},
        "log": {"wording": True},
    }
)
"""Settings in which every path exists."""


def changed(sections: dict[str, dict[str, Any]]) -> Settings:
    """Return the settings with other values in some of their sections."""
    return SETTINGS.model_copy(
        update={name: getattr(SETTINGS, name).model_copy(update=values) for name, values in sections.items()}
    )


class Speaker:
    """Implements Voice: every sample carries the number of its text, so that a line can tell what was heard."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        """By number - 1."""
        self.failures: dict[str, EngineError] = {}
        """Raised after the first 100 ms of these texts."""
        self.closed = 0
        """Texts whose audio was asked for and is no longer wanted or at its end."""
        self.manners: dict[str, Manner] = {}
        """How each text was spoken last."""

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield the audio in chunks of 100 ms."""
        self.texts.append(text)
        self.manners[text] = manner
        sample = len(self.texts).to_bytes(2, "little")
        try:
            for chunk in range(0, len(text) * MS_PER_LETTER, 100):
                if chunk and text in self.failures:
                    raise self.failures[text]
                yield sample * (SAMPLE_RATE // 10)
        finally:
            self.closed += 1

    def text(self, pcm: bytes) -> str:
        """Return the text that this audio belongs to."""
        number = int.from_bytes(pcm[:2], "little")
        if not any(pcm):
            return PAUSE
        return self.texts[number - 1] if 0 < number <= len(self.texts) else RINGING_TONE


@dataclass(slots=True)
class Playback:
    """What one `play` brought into the caller's ear."""

    texts: list[tuple[str, float]] = field(default_factory=list)
    """With the milliseconds each lasts."""
    began_at: float | None = None
    """Loop time in seconds, while it is being played."""
    heard_ms: float = 0.0


class CallersLine:
    """Implements Line on the loop's clock: a frame every 20 ms, and playback as long as the audio lasts."""

    def __init__(self, voice: Speaker) -> None:
        self._voice = voice
        self._to_send: deque[bytes] = deque()  # the story is its only writer and ends
        self._end: list[MediaError | None] = []
        self.playbacks: list[Playback] = []
        self.listener_left = False
        """Whether whoever read the frames has stopped."""
        self.gone = False
        """Whether playing fails."""
        self.stuck = False
        """Whether what is played never ends."""

    def send(self, pcm: bytes) -> None:
        """Queue audio of the caller; between what is queued there is silence."""
        self._to_send.extend(pcm[i : i + FRAME_BYTES] for i in range(0, len(pcm), FRAME_BYTES))

    def close(self, error: MediaError | None = None) -> None:
        """End the line, or let it break."""
        self._end.append(error)
        self.gone = True

    @property
    def sending(self) -> bool:
        """Whether the caller still speaks."""
        return bool(self._to_send)

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield a frame every 20 ms."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while not self._end:
                due += FRAME_MS / 1000
                await asyncio.sleep(due - loop.time())
                yield self._to_send.popleft() if self._to_send else QUIET
            if self._end[0] is not None:
                raise self._end[0]
        finally:
            self.listener_left = True

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play for as long as the audio lasts."""
        loop, complete = asyncio.get_running_loop(), False
        playback = Playback()
        self.playbacks.append(playback)
        try:
            async with aclosing(audio):
                async for pcm in audio:
                    self._check()
                    self._append(playback, pcm, loop.time())
                    await asyncio.sleep(max(0.0, self._left_ms(playback) - AHEAD_MS) / 1000)
            while (left_ms := self._left_ms(playback)) > 0.001 or self.stuck:
                await asyncio.sleep(min(max(left_ms, 1.0), FRAME_MS) / 1000)
                self._check()
            complete = True
        finally:
            playback.heard_ms = sum(ms for _, ms in playback.texts) if complete else self._played(playback)
            playback.began_at = None

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last playback that were heard."""
        return self._played(self.playbacks[-1]) if self.playbacks else 0.0

    @property
    def idle(self) -> bool:
        """Whether nothing is being played."""
        return not self.playbacks or self.playbacks[-1].began_at is None

    @property
    def hearing(self) -> str:
        """The sentence in the caller's ear at this moment; "" when there is none."""
        if self.idle:
            return ""
        left_ms = self._played(self.playbacks[-1])
        for text, ms in self.playbacks[-1].texts:
            if left_ms < ms:
                return text
            left_ms -= ms
        return ""

    @property
    def heard(self) -> list[str]:
        """Every sentence that was heard to its end, in order, and every ring."""
        heard: list[str] = []
        for playback in self.playbacks:
            left_ms = self._played(playback)
            for text, ms in playback.texts:
                left_ms -= ms
                if left_ms >= -1e-6 and text != PAUSE:
                    heard.append(text)
        return heard

    def _append(self, playback: Playback, pcm: bytes, now: float) -> None:
        if playback.began_at is None:
            playback.began_at = now
        text, ms = self._voice.text(pcm), len(pcm) / FRAME_BYTES * FRAME_MS
        if playback.texts and playback.texts[-1][0] == text:
            ms += playback.texts.pop()[1]
        playback.texts.append((text, ms))

    def _played(self, playback: Playback) -> float:
        if playback.began_at is None:
            return playback.heard_ms
        elapsed_ms = (asyncio.get_running_loop().time() - playback.began_at) * 1000
        return min(elapsed_ms, sum(ms for _, ms in playback.texts))

    def _left_ms(self, playback: Playback) -> float:
        return sum(ms for _, ms in playback.texts) - self._played(playback)

    def _check(self) -> None:
        if self.gone:
            raise MediaError("the line is gone")


@dataclass(frozen=True, slots=True)
class Receptionist:
    """Implements StaffLeg."""

    target: str


Outcome = Refusal | StaffLeg
"""What ringing leads to."""


class Reception:
    """Implements Escalation: who is free, and what becomes of each ring."""

    def __init__(self, queues: Iterable[str]) -> None:
        self._queues = set(queues)
        self.free = True
        self.busy: set[str] = set()
        """Queues and phones without anybody free."""
        self.rung: list[str] = []
        """Queues and phones that were rung."""
        self.outcomes: deque[tuple[float, Outcome]] = deque()
        """Seconds until it is known, and what; when there is none, it rings for ever."""
        self.whispers: list[str] = []
        self.displays: list[str] = []
        self.asked: list[str] = []
        """Queues and phones whose state was asked for."""
        self.ringing = False

    def will(self, outcome: Outcome | str, after_s: float = 3.0) -> None:
        """Let the next ring end so; a word is the reason of a refusal."""
        self.outcomes.append((after_s, Refusal(outcome) if isinstance(outcome, str) else outcome))

    async def available(self, target: str) -> bool:
        """Tell whether the story has somebody free."""
        self.asked.append(target)
        await asyncio.sleep(0.01)
        return self.free and target not in self.busy

    async def ring(self, target: str, whisper: str, display: str) -> Outcome:
        """Ring until the story's outcome."""
        assert target in self._queues
        self.rung.append(target)
        self.whispers.append(whisper)
        self.displays.append(display)
        self.ringing = True
        try:
            if not self.outcomes:
                await asyncio.Event().wait()
            after_s, outcome = self.outcomes.popleft()
            await asyncio.sleep(after_s)
            return outcome
        finally:
            self.ringing = False


class Notes:
    """Implements CallLog: keeps the entries."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Keep the entry."""
        self.entries.append(entry)

    def of(self, kind: type[EntryT]) -> list[EntryT]:
        """Return the entries of one kind."""
        return [entry for entry in self.entries if isinstance(entry, kind)]


class Safe:
    """Implements Vault: keeps what it is given."""

    def __init__(self) -> None:
        self.usable = True
        self.kept: list[Sealed] = []

    def keep(self, sealed: Sealed) -> None:
        """Keep it."""
        self.kept.append(sealed)

    def opened(self, kind: str) -> bytes:
        """Return what the one recording of this kind holds."""
        (sealed,) = (sealed for sealed in self.kept if sealed.header.kind == kind)
        return b"".join(opened(b"".join(sealed.data), sealed.key))


class Caller:
    """The person on the phone, and everything a story wants to look at."""

    def __init__(self, call_settings: Settings, decider: FakeDecider | None = None) -> None:
        self.decider = decider or FakeDecider()
        model, escalation = call_settings.model, call_settings.escalation
        self.voice = Speaker()
        self.line = CallersLine(self.voice)
        self.recogniser = FakeRecogniser()
        self.reception = Reception((escalation.queue, *escalation.targets.values()))
        self.notes = Notes()
        self.safe = Safe()
        self._keys: asyncio.Queue[str | None] = asyncio.Queue()  # the story is its only writer and ends
        self.script = Script(
            COMPANY,
            KNOWLEDGE,
            wording_stored=call_settings.log.wording,
            may_keep=call_settings.recording.scope,
            question=call_settings.recording.question,
            consultation=Consultation(model.consult if decider else "never", model.answer_at, model.ask_at),
            office=company_office(call_settings),
        )
        self.wording = self.script.wording
        line: Line = self.line
        self.call = Call(
            CALL,
            line,
            self._pressed(),
            Engines(self.recogniser, self.voice, FakeActivity, decider),
            Conversation(self.script, Known(NUMBER)),
            self.reception,
            self.notes,
            call_settings,
            self.safe,
        )
        self.task: asyncio.Task[Ending]

    def starts_to_say(self, text: str | Transcript | EngineError, words: int = 3) -> None:
        """Begin to say this; an error is what becomes of the recognition of some words."""
        self.recogniser.expect(text)
        spoken = text.text if isinstance(text, Transcript) else text
        count = len(spoken.split()) if isinstance(spoken, str) else 0
        self.line.send(LOUD * ((count or words) * MS_PER_WORD // FRAME_MS))

    async def says(self, text: str | Transcript | EngineError) -> None:
        """Say this, wait for the recognition and for the agent to begin with what it replies."""
        began = len(self.line.playbacks)
        self.starts_to_say(text)
        await self.until(lambda: len(self.line.playbacks) > began or self.task.done())

    def clicks(self, ms: int) -> None:
        """Make a short noise."""
        self.line.send(LOUD * (ms // FRAME_MS))

    def presses(self, key: str) -> None:
        """Press a key of the phone."""
        self._keys.put_nowait(key)

    def hangs_up(self) -> None:
        """Put the phone down: the keys end, then the audio."""
        self._keys.put_nowait(None)

    async def hears(self, text: str) -> None:
        """Wait until a sentence with this text is in the caller's ear."""
        await self.until(lambda: text in self.line.hearing)

    async def heard_out(self) -> None:
        """Wait until the agent has nothing more to say."""
        await self.until(lambda: self.line.idle)

    async def ending(self) -> Ending:
        """Return where the caller goes."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.task

    async def killed(self) -> None:
        """Cancel the whole call from outside and wait for its end."""
        self.task.cancel()
        await asyncio.wait([self.task], timeout=PATIENCE_S)

    async def until(self, condition: Callable[[], object]) -> None:
        """Let time pass until this is so. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - time is virtual, and the story looks at many things
                await asyncio.sleep(FRAME_MS / 2000)

    @property
    def turns(self) -> list[TurnTaken]:
        """The turns in the log."""
        return self.notes.of(TurnTaken)

    @property
    def escalations(self) -> list[EscalationEnded]:
        """The escalations in the log."""
        return self.notes.of(EscalationEnded)

    @property
    def tasks(self) -> list[TaskTaken]:
        """The callbacks and messages in the log."""
        return self.notes.of(TaskTaken)

    @property
    def summaries(self) -> list[NoteWritten]:
        """The notes on the call in the log."""
        return self.notes.of(NoteWritten)

    @property
    def consents(self) -> list[tuple[str, str]]:
        """The answers to the question for consent in the log, and how they were given."""
        return [(entry.answer, entry.way) for entry in self.notes.of(ConsentTaken)]

    @property
    def disclosures(self) -> list[DisclosurePlayed]:
        """The notices in the log."""
        return self.notes.of(DisclosurePlayed)

    def heard_in_order(self, parts: Iterable[str]) -> bool:
        """Whether these sentences were heard in full, in this order, whatever came between."""
        sentences = iter(self.line.heard)
        return all(any(part in sentence for sentence in sentences) for part in parts)

    async def _pressed(self) -> AsyncIterator[str]:
        while (key := await self._keys.get()) is not None:
            yield key


@asynccontextmanager
async def a_call(
    *, greeted: bool = True, decider: FakeDecider | None = None, **sections: dict[str, Any]
) -> AsyncIterator[Caller]:
    """Play a call; at the end nobody listens to the line any more, nothing rings and no model works for it.

    The story begins after the greeting unless `greeted` is False. With a `decider` the model is asked as the settings
    say. `sections` change settings.
    """
    caller = Caller(changed(sections), decider)
    caller.task = asyncio.create_task(caller.call.run(), name="call")
    try:
        if greeted:
            await caller.hears(caller.script.greeting.rpartition(". ")[2])
            await caller.heard_out()
        yield caller
        if not caller.task.cancelled():
            await caller.ending()
        assert caller.line.listener_left
        assert not caller.reception.ringing
        assert caller.voice.closed == len(caller.voice.texts)
        assert all(utterance.closed for utterance in caller.recogniser.utterances)
        assert all(deliberation.closed for deliberation in caller.decider.deliberations)
        assert not caller.decider.working
    finally:
        caller.task.cancel()
        await asyncio.wait([caller.task])
