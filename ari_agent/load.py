"""How late we are: the event loop, the audio before the recogniser, transcripts, and the first sound of phrases.

What a language model needs is not counted: its time is limited by `model.decide_s` and its queue by `model.queue`,
and beyond them the encoder decides at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import structlog

from ari_agent import metrics
from ari_agent.admission import Admission
from ari_agent.config import Calls
from ari_agent.protocols import PLAIN, Manner, Recogniser, Transcript, Utterance, Voice

log = structlog.get_logger(__name__)

SAMPLE_S = 0.1
"""Between two looks."""
FRESH_S = 10.0
"""What an engine needed for a caller so long ago says nothing about now."""


class Load:
    """Measures lag and decides by it whether new calls are taken."""

    def __init__(self, settings: Calls, behind_s: Callable[[], float]) -> None:
        """`behind_s` returns the seconds that audio waits before it is recognised."""
        self._admission = Admission(settings.lag_close_ms, settings.lag_open_ms)
        self._behind_s = behind_s
        self._recent: dict[str, deque[tuple[float, float]]] = {
            "transcript": deque(maxlen=2),
            "voice": deque(maxlen=2),
        }
        """Loop time of an answer and milliseconds that it took: the last two of each engine."""

    def admits(self) -> bool:
        """Whether a new call may be taken."""
        return self._admission.open

    def recogniser(self, recogniser: Recogniser) -> Recogniser:
        """Return the recogniser with its transcripts timed."""
        return _TimedRecogniser(recogniser, lambda ms: self._took("transcript", ms))

    def voice(self, voice: Voice) -> Voice:
        """Return the voice with the first sound of its phrases timed; to be put below a cache, not above."""
        return _TimedVoice(voice, lambda ms: self._took("voice", ms))

    async def measure(self) -> None:
        """Look again and again, for ever."""
        loop = asyncio.get_running_loop()
        metrics.ADMISSION.set(1)
        while True:
            due = loop.time() + SAMPLE_S
            await asyncio.sleep(SAMPLE_S)
            self.look(max(0.0, loop.time() - due) * 1000)

    def look(self, loop_ms: float) -> None:
        """Judge all parts now; `loop_ms`: how late the event loop has woken us."""
        now = asyncio.get_running_loop().time()
        parts = {"loop": loop_ms, "recogniser": self._behind_s() * 1000}
        parts |= {name: _lately(answers, now) for name, answers in self._recent.items()}
        for name, ms in parts.items():
            metrics.LAG.labels(name).set(ms / 1000)
        was_open = self._admission.open
        if self._admission.judge(max(parts.values()), now) == was_open:
            return
        metrics.ADMISSION.set(self._admission.open)
        late = max(parts, key=lambda name: parts[name])
        if was_open:
            log.warning("too late to take new calls; people answer them", part=late, lag_ms=round(parts[late]))
        else:
            log.info("in time again: new calls are taken", lag_ms=round(parts[late]))

    def _took(self, part: str, ms: float) -> None:
        self._recent[part].append((asyncio.get_running_loop().time(), ms))


def _lately(answers: deque[tuple[float, float]], now: float) -> float:
    """Return the milliseconds that both of the last two answers took at least: a single slow one may be chance."""
    fresh = [ms for at, ms in answers if now - at <= FRESH_S]
    return min(fresh) if len(fresh) > 1 else 0.0


class _TimedRecogniser:
    """Implements Recogniser."""

    def __init__(self, recogniser: Recogniser, took: Callable[[float], None]) -> None:
        self._recogniser = recogniser
        self._took = took

    @property
    def ready(self) -> bool:
        return self._recogniser.ready

    def utterance(self) -> AbstractAsyncContextManager[Utterance]:
        return self._utterance()

    @asynccontextmanager
    async def _utterance(self) -> AsyncIterator[Utterance]:
        async with self._recogniser.utterance() as utterance:
            yield _TimedUtterance(utterance, self._took)


class _TimedUtterance:
    """Implements Utterance."""

    def __init__(self, utterance: Utterance, took: Callable[[float], None]) -> None:
        self._utterance = utterance
        self._took = took

    def feed(self, pcm: bytes) -> None:
        self._utterance.feed(pcm)

    @property
    def partial(self) -> str:
        return self._utterance.partial

    async def finish(self) -> Transcript:
        """Pass on the transcript; one that does not come in time counts with the time it was waited for."""
        asked = _now()
        try:
            return await self._utterance.finish()
        finally:
            self._took((_now() - asked) * 1000)


class _TimedVoice:
    """Implements Voice."""

    def __init__(self, voice: Voice, took: Callable[[float], None]) -> None:
        self._voice = voice
        self._took = took

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        asked, begun = _now(), False
        async with aclosing(self._voice.speak(text, manner)) as chunks:
            async for chunk in chunks:
                if not begun:
                    begun = True
                    self._took((_now() - asked) * 1000)
                yield chunk


def _now() -> float:
    return asyncio.get_running_loop().time()
