"""Phrases that are spoken at once because they were rendered before."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from ari_agent.protocols import PLAIN, Manner, Voice
from ari_agent.speech.audio import silence
from ari_agent.speech.sentences import PAUSE_MS, split

_PAUSE = silence(PAUSE_MS)
_Spoken = tuple[str, Manner]
"""A sentence and how it is spoken: the same words sound different slow, or in another voice."""


class _Rendering:
    """A sentence on its way through the voice, for all who want to hear it."""

    def __init__(self, voice: Voice, spoken: _Spoken, keep: Callable[[_Spoken, bytes], None]) -> None:
        self.listeners = 0
        self._chunks: list[bytes] = []
        self._grown = asyncio.Event()
        self._task = asyncio.create_task(self._render(voice, spoken, keep), name="render a sentence")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the chunks from the first, as they come. Raises what the voice raises."""
        heard = 0
        while True:
            grown = self._grown
            while heard < len(self._chunks):
                heard += 1
                yield self._chunks[heard - 1]
            if self._task.done():
                self._task.result()
                return
            await grown.wait()  # the voice's own time limits end this wait

    async def aclose(self) -> None:
        """Stop the voice."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _render(self, voice: Voice, spoken: _Spoken, keep: Callable[[_Spoken, bytes], None]) -> None:
        try:
            async with aclosing(voice.speak(*spoken)) as chunks:
                async for chunk in chunks:
                    self._chunks.append(chunk)
                    self._tell()
            keep(spoken, b"".join(self._chunks))
        finally:
            self._tell()

    def _tell(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()


class CachedVoice:
    """Implements Voice over another one, sentence by sentence; what was rendered once is spoken at once.

    Phrases that were warmed stay for ever; of the others the least recently used go when `most_bytes` are exceeded.
    """

    def __init__(self, voice: Voice, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._voice = voice
        self._most_bytes = most_bytes
        self._warm: dict[_Spoken, bytes] = {}
        self._recent: OrderedDict[_Spoken, bytes] = OrderedDict()
        self._warm_bytes = self._recent_bytes = 0
        self._renderings: dict[_Spoken, _Rendering] = {}

    @property
    def held_bytes(self) -> int:
        """Memory of all phrases that are held."""
        return self._warm_bytes + self._recent_bytes

    async def warm(
        self,
        phrases: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
        manner: Manner = PLAIN,
    ) -> None:
        """Render phrases for ever, to be spoken in this manner; `progress` is told (done, all).

        Raises what the voice raises.
        """
        for done, phrase in enumerate(phrases, 1):
            for sentence in split(phrase):
                spoken = (sentence, manner)
                if spoken not in self._warm:
                    self._warm[spoken] = pcm = b"".join([chunk async for chunk in self._sentence(spoken)])
                    self._warm_bytes += len(pcm)
                    self._drop(spoken)
            if progress:
                progress(done, len(phrases))

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield PCM: sentences that are held in one chunk each, others as they are rendered.

        Raises what the voice raises; what failed is not kept.
        """
        for number, sentence in enumerate(split(text)):
            if number:
                yield _PAUSE
            async with aclosing(self._sentence((sentence, manner))) as chunks:
                async for chunk in chunks:
                    yield chunk

    def holds(self, text: str, manner: Manner = PLAIN) -> bool:
        """Whether the whole text can be spoken at once in this manner."""
        return all(self._pcm((sentence, manner)) is not None for sentence in split(text))

    async def _sentence(self, spoken: _Spoken) -> AsyncGenerator[bytes, None]:
        if (pcm := self._pcm(spoken)) is not None:
            yield pcm
            return
        rendering = self._renderings.get(spoken)
        if rendering is None:
            rendering = self._renderings[spoken] = _Rendering(self._voice, spoken, self._keep)
        rendering.listeners += 1
        try:
            async for chunk in rendering.chunks():
                yield chunk
        finally:
            rendering.listeners -= 1
            if not rendering.listeners:
                del self._renderings[spoken]  # before waiting: whoever asks now begins anew
                await rendering.aclose()

    def _pcm(self, spoken: _Spoken) -> bytes | None:
        if spoken in self._recent:
            self._recent.move_to_end(spoken)
        return self._warm.get(spoken, self._recent.get(spoken))

    def _keep(self, spoken: _Spoken, pcm: bytes) -> None:
        self._drop(spoken)
        self._recent[spoken] = pcm
        self._recent_bytes += len(pcm)
        while self._recent_bytes > self._most_bytes:
            self._recent_bytes -= len(self._recent.popitem(last=False)[1])

    def _drop(self, spoken: _Spoken) -> None:
        self._recent_bytes -= len(self._recent.pop(spoken, b""))
