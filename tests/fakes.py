"""Parts of a call whose time, words and failures are scripted. Each implements its Protocol; none waits for a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ari_agent.config import Speech
from ari_agent.decision import Decision, Situation, Topic
from ari_agent.errors import EngineError, EngineTimeout, MediaError
from ari_agent.protocols import FRAME_BYTES, FRAME_MS, PLAIN, SAMPLE_RATE, Manner, Transcript

LOUD = (3000).to_bytes(2, "little", signed=True) * (FRAME_BYTES // 2)
"""A frame that FakeActivity takes for speech."""
QUIET = bytes(FRAME_BYTES)
"""A frame of digital silence."""


def speech_settings(**changes: Any) -> Speech:
    """Return settings of the ears and the voice; the model is this folder unless named."""
    return Speech(**{"vosk_model": Path(__file__).parent, **changes})


def milliseconds(pcm: bytes) -> float:
    """Return how long slin16 lasts."""
    return len(pcm) / 2 / SAMPLE_RATE * 1000


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until something nobody announces is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - other processes set no events of ours
            await asyncio.sleep(0.001)


class FakeLine:
    """Implements Line. The test speaks for the caller; what is played is kept.

    The caller says nothing until the test says so: no frames come of themselves, so silence has to be spoken too.
    """

    def __init__(self) -> None:
        # Unbounded, because the test is the only one who writes and it ends.
        self._frames: asyncio.Queue[bytes | MediaError | None] = asyncio.Queue()
        self.played = bytearray()
        """All that was played, over all phrases."""
        self.plays: list[float] = []
        """Milliseconds of each `play` that ended or was cancelled."""
        self.playing = asyncio.Event()
        """Set while a phrase is being played."""
        self.hold_at_ms: float | None = None
        """Playback stops here and waits to be cancelled or released, as a long phrase would."""
        self.released = asyncio.Event()
        """Lets a held playback go on."""
        self._played_ms = 0.0

    def speak(self, ms: int) -> None:
        """Let the caller speak for this long."""
        self.hear(LOUD * (ms // FRAME_MS))

    def pause(self, ms: int) -> None:
        """Let the caller be silent for this long."""
        self.hear(QUIET * (ms // FRAME_MS))

    def hear(self, pcm: bytes) -> None:
        """Let the caller's phone send this audio; what does not fill the last frame is padded with silence."""
        for start in range(0, len(pcm), FRAME_BYTES):
            self._frames.put_nowait(pcm[start : start + FRAME_BYTES].ljust(FRAME_BYTES, b"\0"))

    def hang_up(self) -> None:
        """End the line after what was said so far."""
        self._frames.put_nowait(None)

    def break_off(self) -> None:
        """Let the connection break after what was said so far."""
        self._frames.put_nowait(MediaError("the connection broke"))

    async def taken(self) -> None:
        """Wait until every frame so far was taken and the taker waits for the next one."""
        await self._frames.join()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield what the caller's phone sends."""
        while (frame := await self._frames.get()) is not None:
            if isinstance(frame, MediaError):
                raise frame
            try:
                yield frame
            finally:
                self._frames.task_done()
            await asyncio.sleep(0)

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play in no time at all, or up to `hold_at_ms`; close `audio`."""
        self._played_ms = 0.0
        self.playing.set()
        try:
            async with aclosing(audio):
                async for chunk in audio:
                    await self._play(chunk)
        finally:
            self.playing.clear()
            self.plays.append(self._played_ms)

    async def _play(self, chunk: bytes) -> None:
        ms = milliseconds(chunk)
        if self.hold_at_ms is not None and self._played_ms + ms > self.hold_at_ms:
            head = chunk[: round((self.hold_at_ms - self._played_ms) * SAMPLE_RATE / 1000) * 2]
            self.played += head
            self._played_ms += milliseconds(head)
            await self.released.wait()
            self.hold_at_ms = None
            chunk = chunk[len(head) :]
        self.played += chunk
        self._played_ms += milliseconds(chunk)

    @property
    def played_ms(self) -> float:
        """Milliseconds of the current or last phrase that were played."""
        return self._played_ms


class FakeActivity:
    """Implements VoiceActivity: whatever is not digital silence is speech."""

    def __init__(self) -> None:
        self.resets = 0

    def is_speech(self, frame: bytes) -> bool:
        """Judge the frame by whether anything is in it."""
        return any(frame)

    def reset(self) -> None:
        """Count."""
        self.resets += 1


class FakeUtterance:
    """Implements Utterance: the words come one by one with the speech that is fed, 200 ms each."""

    MS_PER_WORD = 200

    def __init__(self, transcript: Transcript | EngineError, answer: asyncio.Event | None) -> None:
        self._transcript = transcript
        self._answer = answer
        self.audio = bytearray()
        self.closed = False

    def feed(self, pcm: bytes) -> None:
        """Keep the audio."""
        self.audio += pcm

    @property
    def partial(self) -> str:
        """As many words as the loud audio so far can hold."""
        if isinstance(self._transcript, EngineError):
            return ""
        loud = sum(any(self.audio[i : i + FRAME_BYTES]) for i in range(0, len(self.audio), FRAME_BYTES))
        return " ".join(self._transcript.text.split()[: loud * FRAME_MS // self.MS_PER_WORD])

    async def finish(self) -> Transcript:
        """Return or raise what the script says, as soon as the test allows it."""
        if self._answer is not None:
            await self._answer.wait()
        if isinstance(self._transcript, EngineError):
            raise self._transcript
        return self._transcript


class FakeRecogniser:
    """Implements Recogniser: understands the scripted transcripts one after another, then nothing."""

    def __init__(
        self, script: Iterable[str | Transcript | EngineError] = (), answer: asyncio.Event | None = None
    ) -> None:
        self._script = list(script)
        self._answer = answer
        self.ready = True
        self.unavailable: EngineError | None = None
        """Raised when the next utterance is opened."""
        self.utterances: list[FakeUtterance] = []

    def expect(self, entry: str | Transcript | EngineError) -> None:
        """Add the transcript of one more utterance to the script."""
        self._script.append(entry)

    @asynccontextmanager
    async def utterance(self) -> AsyncIterator[FakeUtterance]:
        """Open an utterance with the next transcript of the script."""
        if self.unavailable is not None:
            raise self.unavailable
        entry = self._script.pop(0) if self._script else Transcript("", 0.0)
        utterance = FakeUtterance(Transcript(entry, 1.0) if isinstance(entry, str) else entry, self._answer)
        self.utterances.append(utterance)
        try:
            yield utterance
        finally:
            utterance.closed = True


class FakeVoice:
    """Implements Voice: 60 ms of a constant tone per letter, in chunks of 100 ms."""

    MS_PER_LETTER = 60

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self._gate = gate
        self.spoken: list[str] = []
        """Texts in the order they were asked for."""
        self.cancelled: list[str] = []
        """Texts nobody wanted to hear to their end."""
        self.failures: dict[str, EngineError] = {}
        """Raised after the first chunk of these texts."""

    @classmethod
    def pcm(cls, text: str) -> bytes:
        """Return all the audio of the text."""
        return LOUD * (len(text) * cls.MS_PER_LETTER // FRAME_MS)

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield the audio; every chunk after the first waits for the gate."""
        self.spoken.append(text)
        pcm = self.pcm(text)
        step = FRAME_BYTES * 5
        try:
            for start in range(0, len(pcm), step):
                if start and text in self.failures:
                    raise self.failures[text]
                if start and self._gate is not None:
                    await self._gate.wait()
                yield pcm[start : start + step]
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.append(text)
            raise


Scripted = Decision | EngineError | Callable[[Situation], Decision]
"""What a scripted model decides, or makes of the words it reads."""


class FakeDecider:
    """Implements Decider: decides what the script says; without a word in it, as `otherwise` does.

    What the calls ask is kept in the order it was asked.
    """

    def __init__(self, otherwise: Scripted = lambda situation: situation.default, limit_s: float | None = 1.5) -> None:
        self.ready = True
        self.fault: str | None = None
        self.otherwise = otherwise
        self.limit_s = limit_s
        """Later it raises EngineTimeout, as a decider has to; None for one that forgets to."""
        self._script: list[tuple[Scripted, float]] = []
        self.phrases: list[str | EngineError | float] = []
        """Sentences of every phrased answer; a number is a wait in seconds before the next."""
        self.gate = asyncio.Event()
        """Decisions wait for it while it is not set."""
        self.gate.set()
        self.read: list[Situation] = []
        """What was read ahead."""
        self.asked: list[Situation] = []
        """What was to be decided."""
        self.cancelled: list[Situation] = []
        """What was asked and then no longer wanted."""
        self.phrased: list[Topic] = []
        """What was to be phrased."""
        self.phrases_cancelled = 0
        """Phrased answers nobody wanted to hear to their end."""
        self.working = 0
        """Requests that have not ended."""
        self.deliberations: list[FakeDeliberation] = []
        self.closing_s = 0.0
        """How long it takes to leave."""

    def expect(self, decision: Scripted, after_s: float = 0.0) -> None:
        """Add a decision, or the failure, of one more request to the script, and how long it takes."""
        self._script.append((decision, after_s))

    def scripted(self) -> tuple[Scripted, float]:
        """Return what the next request comes to, and how long it takes."""
        return self._script.pop(0) if self._script else (self.otherwise, 0.0)

    async def settled(self) -> None:
        """It is."""

    @asynccontextmanager
    async def deliberation(self) -> AsyncIterator[FakeDeliberation]:
        """Take part."""
        deliberation = FakeDeliberation(self)
        self.deliberations.append(deliberation)
        try:
            yield deliberation
        finally:
            deliberation.closed = True
            await asyncio.sleep(self.closing_s)


class FakeDeliberation:
    """Implements Deliberation by its decider's script; whoever uses it against its contract fails."""

    def __init__(self, decider: FakeDecider) -> None:
        self._decider = decider
        self._busy = False
        self.closed = False

    def ahead(self, situation: Situation) -> None:
        """Note it."""
        assert not self.closed, "read ahead after the end of the call"
        self._decider.read.append(situation)

    async def decide(self, situation: Situation) -> Decision:
        """Return or raise what the script says."""
        decider = self._decider
        decider.asked.append(situation)
        entry, after_s = decider.scripted()
        try:
            with self._request():
                async with asyncio.timeout(decider.limit_s):
                    await asyncio.sleep(after_s)
                    await decider.gate.wait()
        except TimeoutError:
            raise EngineTimeout("fake") from None
        except asyncio.CancelledError:
            decider.cancelled.append(situation)
            raise
        if isinstance(entry, EngineError):
            raise entry
        return entry if isinstance(entry, Decision) else entry(situation)

    async def phrase(self, situation: Situation, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield what the script says."""
        decider = self._decider
        decider.phrased.append(topic)
        with self._request():
            try:
                for entry in decider.phrases:
                    if isinstance(entry, EngineError):
                        raise entry
                    if isinstance(entry, str):
                        yield entry
                    else:
                        await asyncio.sleep(entry)
            except (asyncio.CancelledError, GeneratorExit):
                decider.phrases_cancelled += 1
                raise

    @contextmanager
    def _request(self) -> Iterator[None]:
        assert not self.closed, "asked after the end of the call"
        assert not self._busy, "asked by two tasks at a time"
        self._busy = True
        self._decider.working += 1
        try:
            yield
        finally:
            self._busy = False
            self._decider.working -= 1
