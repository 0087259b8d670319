"""The mouth of a call: says a reply sentence by sentence, falls silent, and goes on with the sentence that was cut off.

sentences   Wir sind montags bis donnerstags von acht bis siebzehn Uhr da. │ Kann ich sonst noch etwas für Sie tun?
caller                                       "mhm"
heard       Wir sind montags bis donnerstags v            bis donnerstags von acht bis siebzehn Uhr da. │ Kann ich …
                                             └ silent ┘   └ goes on, from a pause or a quiet place before the cut
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager

from ari_agent.consulting import Words
from ari_agent.protocols import Line, Manner, Voice
from ari_agent.speech.audio import ringback, silence
from ari_agent.speech.ears import Ears
from ari_agent.speech.seams import seam
from ari_agent.speech.sentences import PAUSE_MS, split
from ari_agent.turn import Reply

BYTES_PER_MS = 32
PAUSE = silence(PAUSE_MS)
FALSE_STARTS = 3
"""After falling silent for nothing so often in one reply only words silence us: noise must not chop what we say."""
AHEAD_MS = 500
"""So much that is new has to be heard before anything but words silences us again."""
COMPANY_RINGS = 2
"""After so many rings, 5 s each, a waiting caller is told that we are still trying."""


class Mouth:
    """Speaks to one caller, one reply at a time."""

    def __init__(self, line: Line, voice: Voice, ears: Ears, manner: Callable[[], Manner]) -> None:
        self.line = line
        self.saying_now: Saying | None = None
        self._voice = voice
        self._ears = ears
        self._manner = manner

    @asynccontextmanager
    async def saying(
        self, words: Words, reply: Reply, then: AsyncGenerator[bytes, None] | None = None
    ) -> AsyncIterator[Saying]:
        """Say the words, and play what comes `then`, while the block runs; failures of the voice end the block too."""
        with ExitStack() as afterwards:
            async with asyncio.TaskGroup() as tasks:
                self.saying_now = saying = Saying(self, tasks, words, reply, then)
                afterwards.callback(saying.forget)
                try:
                    yield saying
                finally:
                    self.saying_now = None
                saying.stop()

    async def say(self, text: str, reply: Reply) -> None:
        """Say the text to its end, whatever the caller does."""
        async with self.saying(text, reply) as saying:
            await saying.ended

    def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Return the text as the caller wants to hear it."""
        return self._voice.speak(text, self._manner())

    async def company(self, word: str) -> AsyncGenerator[bytes, None]:
        """Yield the ringing tone and, now and then, word that we are still trying, for as long as somebody listens."""
        while True:
            for pcm in ringback(COMPANY_RINGS):
                yield pcm
            async with aclosing(self.speak(word)) as speech:
                async for pcm in speech:
                    yield pcm

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Let the ears know that it is we who speak."""
        self._ears.agent_speaking(speaking=True)
        try:
            yield
        finally:
            self._ears.agent_speaking(speaking=False)


class Saying:
    """A reply that is being said."""

    def __init__(
        self,
        mouth: Mouth,
        tasks: asyncio.TaskGroup,
        words: Words,
        reply: Reply,
        then: AsyncGenerator[bytes, None] | None,
    ) -> None:
        self.reply = reply
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """Loop time in seconds at which all was said."""
        self.heeded = False
        """Whether somebody listens to what the caller says meanwhile, and so may let us fall silent."""
        self._mouth = mouth
        self._tasks = tasks
        self._then = then
        self._sentences: list[str] = split(words) if isinstance(words, str) else []
        self._more = asyncio.Event()
        self._composing = None if isinstance(words, str) else tasks.create_task(self._compose(words), name="words")
        self._first = 0  # the sentence with which the current playback begins
        self._rendered = 0  # so many sentences have all their audio in it
        self._kept: dict[int, list[bytes]] = {}  # audio of the sentences so far: as long as one reply
        self._whole: set[int] = set()  # numbers of those that have all of it there
        self._false_starts = 0
        self._silent_at: float | None = None
        self._playing = tasks.create_task(self._play(), name="mouth")

    @property
    def speaking(self) -> bool:
        """Whether the caller hears us."""
        return not self._playing.done()

    @property
    def composing(self) -> bool:
        """Whether more sentences are still to come from whoever makes them."""
        return self._composing is not None and not self._composing.done()

    @property
    def heard(self) -> str:
        """What the caller has heard of it so far."""
        return self.reply.heard(self._mouth.line.played_ms)

    @property
    def yields(self) -> bool:
        """Whether a mere sound of the caller is worth falling silent for."""
        if not self._false_starts:
            return self.heeded
        new_ms = self.reply.skipped_ms + self._mouth.line.played_ms - self.reply.heard_ms
        return self.heeded and self._false_starts < FALSE_STARTS and new_ms >= AHEAD_MS

    def begun_before_end(self, began_at: float) -> bool:
        """Tell whether we had more to say at this loop time."""
        return not self.ended.done() or began_at < self.ended.result()

    def in_last_sentence(self, at: float) -> bool:
        """Tell whether the last sentence had begun at this loop time."""
        return not self.composing and self._place(at)[0] >= len(self._sentences) - 1

    def sentence_at(self, at: float) -> int:
        """Return the number of the sentence in the caller's ear at this loop time; so many were heard to their end."""
        return self._place(at)[0]

    async def fall_silent(self) -> None:
        """Stop speaking and return when nothing is heard of us any more."""
        if self.speaking:
            self._playing.cancel()
            await asyncio.wait({self._playing})  # as long as two short messages to Asterisk take
            self.reply.interrupted = True

    def go_on(self) -> None:
        """Speak again, a little before where we were cut off; nothing when we are not silent."""
        if self.speaking or self.ended.done():
            return
        place, heard_ms = self._place(asyncio.get_running_loop().time())
        if place == self._first:  # cut off again, perhaps before anything new
            heard_ms = max(heard_ms, self.reply.heard_ms)
        whole = self._sentences[self._first : place]
        self.reply.begin_anew(" ".join(filter(None, [self.reply.heard_before, *whole])))
        if heard_ms:
            pcm = b"".join(self._kept[place])
            self.reply.parts = [(self._sentences[place], len(pcm) / BYTES_PER_MS)]
            self.reply.heard_ms, self.reply.skipped_ms = heard_ms, seam(pcm, heard_ms)
        self.reply.interrupted = False
        self._false_starts += 1
        self._first = self._rendered = place
        self._playing = self._tasks.create_task(self._play(), name="mouth")

    def no_more(self) -> None:
        """Let no more sentences be made: the caller has something to say."""
        if self._composing is not None:
            self._composing.cancel()

    def stop(self) -> None:
        """End it, wherever we are."""
        self.no_more()
        self._playing.cancel()

    def forget(self) -> None:
        """Let go of the audio: what is left of a reply refers to itself and is collected hundreds of calls later."""
        self._kept.clear()
        self._whole.clear()

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        self._silent_at = None
        try:
            with self._mouth.speaking():
                await self._mouth.line.play(self._audio())
        finally:
            self._silent_at = loop.time()
        self.ended.set_result(self._silent_at)
        if self.reply.ended is not None:
            self.reply.ended()

    async def _audio(self) -> AsyncGenerator[bytes, None]:
        parts, skip = self.reply.parts, round(self.reply.skipped_ms) * BYTES_PER_MS
        within = bool(parts)  # a sentence that was cut off
        while (sentence := await self._next()) is not None:
            if parts and not within:
                parts.append(("", PAUSE_MS))
                yield PAUSE
            if not within:
                parts.append((sentence, 0.0))
            within, ms = False, 0.0
            async with aclosing(self._speech(self._rendered, sentence)) as speech:
                async for pcm in speech:
                    self.reply.first_audio_at = self.reply.first_audio_at or asyncio.get_running_loop().time()
                    ms += len(pcm) / BYTES_PER_MS
                    parts[-1] = (sentence, max(ms, parts[-1][1]))
                    if skip < len(pcm):
                        yield pcm[skip:]
                    skip = max(0, skip - len(pcm))
            self._rendered += 1
        if self._then is not None:
            async with aclosing(self._then):
                async for pcm in self._then:
                    yield pcm

    async def _speech(self, number: int, sentence: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of a sentence, and keep it: said a second time it has to be the same."""
        if number in self._whole:
            yield b"".join(self._kept[number])
            return
        kept = self._kept[number] = []
        async with aclosing(self._mouth.speak(sentence)) as speech:
            async for pcm in speech:
                kept.append(pcm)
                yield pcm
        self._whole.add(number)

    async def _next(self) -> str | None:
        """Return the next sentence to be rendered, as soon as it is made; None after the last."""
        while self._rendered >= len(self._sentences) and self.composing:
            self._more.clear()
            await self._more.wait()  # whoever makes the words has time limits of their own
        return self._sentences[self._rendered] if self._rendered < len(self._sentences) else None

    async def _compose(self, words: AsyncGenerator[str, None]) -> None:
        # A list without limit: whoever phrases an answer ends after a few sentences.
        try:
            async with aclosing(words):
                async for sentence in words:
                    self._sentences.append(sentence)
                    self._more.set()
        finally:
            self._more.set()

    def _place(self, at: float) -> tuple[int, float]:
        """Return the number of the sentence in the caller's ear at this loop time, and its milliseconds heard by then.

        Before the playback it is the first sentence, between two sentences the next one.
        """
        until = asyncio.get_running_loop().time() if self._silent_at is None else self._silent_at
        left_ms = self.reply.skipped_ms + self._mouth.line.played_ms - max(0.0, until - at) * 1000
        number = self._first
        for sentence, ms in self.reply.parts:
            if left_ms < ms or (sentence and number == self._rendered):  # more of it may be on its way
                return number, max(0.0, min(left_ms, ms)) if sentence else 0.0
            left_ms -= ms
            number += bool(sentence)
        return number, 0.0
