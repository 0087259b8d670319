"""Arithmetic on PCM: levels, silence, tones, sample rates. Everything is mono, signed 16-bit little-endian."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import soxr

from ari_agent.protocols import SAMPLE_RATE

QUIETEST_DBFS = -96.0
"""The level of digital silence: one step of 16 bits, so that no level is minus infinity."""
_FULL_SCALE = 32768.0
_BLOCK_MS = 10  # resolution of levels within a recording; shorter blocks cut a low voice between two of its periods

Samples = npt.NDArray[np.int16]


def duration_ms(pcm: bytes, rate: int = SAMPLE_RATE) -> float:
    """Return how long the audio lasts, in milliseconds."""
    return len(pcm) / 2 / rate * 1000


def silence(ms: float, rate: int = SAMPLE_RATE) -> bytes:
    """Return digital silence of this many milliseconds."""
    return bytes(round(rate * ms / 1000) * 2)


def level_dbfs(pcm: bytes) -> float:
    """Return the level in dB below a full-scale square wave: 0 is the loudest, -96 digital silence or no audio."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if not samples.size:
        return QUIETEST_DBFS
    return _to_dbfs(float(np.dot(samples, samples)) / samples.size)


def lead_bytes(pcm: bytes, below_dbfs: float, rate: int = SAMPLE_RATE) -> int:
    """Return how many bytes of silence the audio begins with, in blocks of 10 ms; all of it if nothing is loud."""
    block = rate * _BLOCK_MS // 1000 * 2
    for start in range(0, len(pcm), block):
        if level_dbfs(pcm[start : start + block]) >= below_dbfs:
            return start
    return len(pcm)


def trim_silence(pcm: bytes, below_dbfs: float = -50.0, keep_ms: int = 20, rate: int = SAMPLE_RATE) -> bytes:
    """Return the audio without its silent beginning and end, `keep_ms` of each kept; b"" when it is all silent."""
    block = rate * _BLOCK_MS // 1000 * 2
    loud = [i for i in range(0, len(pcm), block) if level_dbfs(pcm[i : i + block]) >= below_dbfs]
    if not loud:
        return b""
    keep = rate * keep_ms // 1000 * 2
    return pcm[max(0, loud[0] - keep) : loud[-1] + block + keep]


def ringback(rings: int, rate: int = SAMPLE_RATE) -> Iterator[bytes]:
    """Yield the German ringing tone ("Freiton"), tone and pause as separate chunks of 1 s and 4 s."""
    # ITU-T E.180 / Supplement 2 (https://www.itu.int/rec/T-REC-E.180), Germany: 425 Hz, 1 s on, 4 s off
    tone = _tone(425.0, 1.0, -20.0, rate)
    for _ in range(rings):
        yield tone
        yield silence(4000, rate)


class Resampler:
    """Converts a stream from one sample rate to another, keeping its state so that no seam is heard between chunks.

    `live`: what is fed in frames of 20 ms comes out in frames of 20 ms, up to 30 ms later; it is collected otherwise.
    """

    def __init__(self, from_hz: int, to_hz: int = SAMPLE_RATE, *, live: bool = False) -> None:
        # soxr filters with variable rate in the time domain, and in blocks of 40 ms and more without.
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16", quality="HQ", vr=live)
        self._odd = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return what can be converted so far; half a sample at the end waits for its other half."""
        pcm = self._odd + pcm
        whole = len(pcm) // 2 * 2
        self._odd = pcm[whole:]
        return self._convert(pcm[:whole], last=False)

    def flush(self) -> bytes:
        """Return the rest and be ready for another recording."""
        rest = self._convert(b"", last=True)
        self._stream.clear()
        self._odd = b""
        return rest

    def _convert(self, pcm: bytes, *, last: bool) -> bytes:
        converted: Samples = self._stream.resample_chunk(np.frombuffer(pcm, "<i2"), last)
        return converted.tobytes()


class Leveller:
    """Brings a streamed voice to one loudness without clipping.

    The gain follows the mean level of the speech so far, so the first chunk should hold some tenths of a second.
    """

    def __init__(self, target_dbfs: float = -20.0, most_db: float = 20.0) -> None:
        self._target = target_dbfs
        self._most = most_db
        self._energy = 0.0
        self._samples = 0
        self._gain: float | None = None

    def feed(self, pcm: bytes) -> bytes:
        """Return the chunk (whole samples) at the wanted level."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        if not samples.size:
            return b""
        self._listen(samples)
        gain = self._wanted_gain()
        begin = gain if self._gain is None else self._gain
        self._gain = gain
        loud = samples * np.linspace(begin, gain, samples.size, dtype=np.float32)  # a ramp: a step would click
        return _limit(loud).astype("<i2").tobytes()

    def _listen(self, samples: npt.NDArray[np.float32]) -> None:
        block = SAMPLE_RATE * _BLOCK_MS // 1000
        for start in range(0, samples.size, block):
            part = samples[start : start + block]
            energy = float(np.dot(part, part))
            if _to_dbfs(energy / part.size) > -50:  # pauses between words say nothing about the voice
                self._energy += energy
                self._samples += part.size

    def _wanted_gain(self) -> float:
        if not self._samples:
            return 1.0
        db = self._target - _to_dbfs(self._energy / self._samples)
        return float(10 ** (max(-self._most, min(self._most, db)) / 20))


def _limit(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bend what exceeds 70 % of full scale smoothly towards it, where clipping would crackle."""
    knee = 0.7 * _FULL_SCALE
    room = 0.99 * _FULL_SCALE - knee
    size = np.abs(samples)
    over = np.maximum(size - knee, 0)
    bent = np.minimum(size, knee) + room * np.tanh(over / room)
    return np.asarray(np.sign(samples) * bent, np.float32)


def _tone(hz: float, seconds: float, dbfs: float, rate: int) -> bytes:
    time = np.arange(round(rate * seconds)) / rate
    wave = np.sin(2 * np.pi * hz * time) * np.sqrt(2) * 10 ** (dbfs / 20) * _FULL_SCALE
    fade = np.minimum(1.0, np.minimum(time, seconds - time) / 0.005)  # 5 ms: an abrupt edge clicks
    samples: Samples = np.round(wave * fade).astype("<i2")
    return samples.tobytes()


def _to_dbfs(mean_square: float) -> float:
    return max(QUIETEST_DBFS, 10 * float(np.log10(max(mean_square, 1e-9) / _FULL_SCALE**2)))
