"""The voice of espeak-ng: not beautiful, but on every Debian, with no model to load."""

from __future__ import annotations

import asyncio
import struct
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

from ari_agent.config import Speech
from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.protocols import PLAIN, Manner
from ari_agent.speech.audio import Leveller, Resampler, duration_ms, lead_bytes
from ari_agent.worker.process import end
from ari_agent.worker.suspects import Suspects

_ENGINE = "espeak-ng"
_HEADER = struct.Struct(
    "<4s4x4s4sIHHIIHH4sI"
)  # http://soundfile.sapp.org/doc/WaveFormat/; the lengths in it are made up
_READ_BYTES = 16 * 1024
_FIRST_MS = 200  # the leveller has to know the voice before its first word is out; costs 1 ms
_SILENT_DBFS = -50.0

_T = TypeVar("_T")


class EspeakVoice:
    """Implements Voice: one process per phrase, killed when nobody listens any more."""

    def __init__(self, settings: Speech, program: str = "espeak-ng") -> None:
        self._program = program
        self._voices = {"de": settings.voice, "en": settings.voice_english}
        self._wpm, self._slow_wpm = settings.voice_wpm, settings.slow_wpm
        self._limit_s = settings.voice_s
        self._suspects = Suspects(_ENGINE, 0.0)
        """Texts that the program did not survive."""

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield PCM of the text at 16 kHz and about -20 dBFS, without silence around it; nothing for an empty text.

        The manner chooses the voice and the words per minute of the settings.
        Raises EngineUnavailable when the program is missing or fails, or died of this text twice; EngineTimeout when it
        is silent for `voice_s`.
        """
        with self._suspects.trying(text):
            async with aclosing(self._spoken(text, manner)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _spoken(self, text: str, manner: Manner) -> AsyncGenerator[bytes, None]:
        process = await self._start(text, manner)
        try:
            async for chunk in self._condition(process):
                yield chunk
            if status := await self._within_limit(process.wait()):
                if status < 0:  # by a signal; what else fails is not the text's fault
                    self._suspects.blame(text)
                raise EngineUnavailable(_ENGINE, f"ended with status {status}; is the voice of the settings installed?")
        finally:
            await end(process)

    async def _start(self, text: str, manner: Manner) -> Process:
        # The text goes through stdin: arguments are visible to every user of the machine. -z: no pause at the end.
        wpm = self._slow_wpm if manner.slow else self._wpm
        speech = ["-v", self._voices[manner.language], "-s", str(wpm), "-b", "1", "-z", "--stdin", "--stdout"]
        try:
            process = await asyncio.create_subprocess_exec(
                self._program, *speech, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        except FileNotFoundError as e:
            raise EngineUnavailable(_ENGINE, f"{self._program} is missing; install the package espeak-ng") from e
        except OSError as e:
            raise EngineUnavailable(_ENGINE, f"cannot be started: {e.strerror}") from e
        if process.stdin is not None:
            process.stdin.write(text.encode())
            process.stdin.close()
        return process

    async def _condition(self, process: Process) -> AsyncGenerator[bytes, None]:
        stdout = process.stdout
        if stdout is None:
            return
        try:
            header = await self._within_limit(stdout.readexactly(_HEADER.size))
        except asyncio.IncompleteReadError:
            return  # no sound at all: the exit status tells whether that is an error
        resampler, leveller = Resampler(_sample_rate(header)), Leveller()
        first = b""
        begun = False
        while data := await self._within_limit(stdout.read(_READ_BYTES)):
            pcm = resampler.feed(data)
            if not begun:
                first += pcm
                first = first[lead_bytes(first, _SILENT_DBFS) :]
                if duration_ms(first) < _FIRST_MS:
                    continue
                begun, pcm = True, first
            yield leveller.feed(pcm)
        if rest := (b"" if begun else first) + resampler.flush():
            yield leveller.feed(rest)

    async def _within_limit(self, wait: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._limit_s):
                return await wait
        except TimeoutError as e:
            raise EngineTimeout(_ENGINE, f"no sound within {self._limit_s:g} s") from e


def _sample_rate(header: bytes) -> int:
    """Return the rate in hertz. Raises EngineUnavailable when the header is not that of 16-bit mono PCM."""
    riff, wave, fmt, _, form, channels, rate, _, _, bits, data, _ = _HEADER.unpack(header)
    if (riff, wave, fmt, form, channels, bits, data) != (b"RIFF", b"WAVE", b"fmt ", 1, 1, 16, b"data"):
        raise EngineUnavailable(_ENGINE, "its sound is not 16-bit mono PCM")
    return int(rate)
