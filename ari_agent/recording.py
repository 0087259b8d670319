"""What is kept of one call: nothing before its caller has agreed, and nothing any more once they think better of it.

line.frames() ─► ears            line.play(audio)
       └── tee ─► caller │ agent ◄── tee ──┘          both sides, sealed in memory with a key of this recording
                       └──► vault, when the AI's part is over

Sound is sealed a second at a time, words turn by turn, so that memory holds hardly anything else. Nothing is on the
disk before the end: a recording that is stopped, or whose controller dies, never was anywhere. While people are rung
nothing is taken, and of what a receptionist says or hears nothing ever passes here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from uuid import uuid4

from ari_agent.keeping import RecordingSettings
from ari_agent.protocols import SAMPLE_RATE, Line, Vault
from ari_agent.record import ConsentTaken
from ari_agent.sealing import Header, Sealed, Sealer
from ari_agent.speech.tracks import Tracks

BYTES_PER_S = SAMPLE_RATE * 2 * 2
"""Two channels of slin16."""


class Recording:
    """Of one call."""

    def __init__(self, settings: RecordingSettings, vault: Vault | None) -> None:
        self._settings = settings
        self._vault = vault
        self._sound: _Sound | None = None
        self._words: _Words | None = None
        self._paused = False

    @property
    def possible(self) -> bool:
        """Whether the caller is to be asked: the settings want it, and there is a place for it."""
        return self._settings.scope is not None and self._vault is not None and self._vault.usable

    @property
    def on(self) -> bool:
        """Whether something of this call is or will be kept."""
        return self._sound is not None or self._words is not None

    def line(self, line: Line) -> Line:
        """Return the line, with a tee in it where the settings ask for sound; it takes nothing until `begin`."""
        return _TeedLine(line, self) if self._settings.enabled else line

    def begin(self, consent: ConsentTaken) -> None:
        """Keep what comes from now on."""
        if self._settings.enabled:
            self._sound = _Sound(Sealer(Header.of(uuid4(), "audio", consent)), self._settings.longest_s)
        if self._settings.transcript:
            self._words = _Words(Sealer(Header.of(uuid4(), "transcript", consent)), self._settings.longest_s)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take nothing while people are rung; what is being played then is not taken to its end either."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def said(self, caller: str | None, agent: str) -> None:
        """Take the words of a turn."""
        if self._words is not None:
            self._words.add(caller, agent)

    def drop(self) -> None:
        """Forget everything, the keys with it."""
        self._sound = self._words = None

    def close(self) -> None:
        """Hand over what there is; the AI's part of the call has ended."""
        sound, words = self._sound, self._words
        self.drop()
        if self._vault is None:
            return
        if sound is not None:
            self._vault.keep(sound.finish())
        if words is not None:
            self._vault.keep(words.finish())

    @property
    def sound(self) -> _Sound | None:
        """What takes sound at this moment."""
        return None if self._paused or self._sound is None or self._sound.full else self._sound


class _Sound:
    """Both sides of a call, sealed second by second, up to the limit."""

    def __init__(self, sealer: Sealer, longest_s: float) -> None:
        self.tracks = Tracks()
        self._sealer = sealer
        self._most_bytes = round(longest_s * BYTES_PER_S)
        self._open = bytearray()

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return self._sealer.plain_bytes + len(self._open) >= self._most_bytes

    def hear(self, frame: bytes, played_ms: float) -> None:
        """Take a frame of the caller, and what the agent has said meanwhile."""
        self._open += self.tracks.block(frame, played_ms)
        if len(self._open) >= BYTES_PER_S:
            self._seal()

    def finish(self) -> Sealed:
        self._seal()
        return self._sealer.finish(self._sealer.plain_bytes / BYTES_PER_S * 1000)

    def _seal(self) -> None:
        if self._open:
            self._sealer.add(bytes(self._open))
            self._open.clear()


class _Words:
    """What was said, a line of JSON for each side of a turn: seconds since the beginning, who, and the words."""

    def __init__(self, sealer: Sealer, longest_s: float) -> None:
        self._sealer = sealer
        self._longest_s = longest_s
        self._began_at = asyncio.get_running_loop().time()

    def add(self, caller: str | None, agent: str) -> None:
        if self._seconds >= self._longest_s:
            return
        for who, text in (("caller", caller), ("agent", agent)):
            if text:
                line = {"s": round(self._seconds, 1), "who": who, "text": text}
                self._sealer.add(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def finish(self) -> Sealed:
        return self._sealer.finish(min(self._seconds, self._longest_s) * 1000)

    @property
    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._began_at


class _TeedLine:
    """A line of which both directions are taken while a recording is on; implements Line."""

    def __init__(self, line: Line, recording: Recording) -> None:
        self._line = line
        self._recording = recording

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield what the line does."""
        async for frame in self._line.frames():
            if (sound := self._recording.sound) is not None:
                sound.hear(frame, self._line.played_ms)
            yield frame

    async def play(self, audio: AsyncGenerator[bytes, None]) -> None:
        """Play as the line does; a playback that began before the recording is no part of it."""
        if (sound := self._recording.sound) is None:
            await self._line.play(audio)
            return
        sound.tracks.begin()
        try:
            await self._line.play(_told(audio, sound.tracks))
        finally:
            sound.tracks.end(self._line.played_ms)

    @property
    def played_ms(self) -> float:
        """As the line says."""
        return self._line.played_ms


async def _told(audio: AsyncGenerator[bytes, None], tracks: Tracks) -> AsyncGenerator[bytes, None]:
    """Yield the audio, and tell the tracks of it."""
    async with aclosing(audio):
        async for pcm in audio:
            tracks.made(pcm)
            yield pcm
