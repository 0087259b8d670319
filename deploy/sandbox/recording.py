"""What a phone keeps of a call: both directions as int16 samples on one clock."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE = 8000
"""Samples per second of every phone."""
FRAME = 160
"""Samples in one tick of the phone's conference bridge (20 ms)."""
LOUD = 300
"""A sample is speech when its magnitude is above this; the line noise of a phone stays below it."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech; both ends are indices of speech samples and belong to it."""

    first: int
    last: int

    @property
    def ms(self) -> float:
        """Length in milliseconds."""
        return (self.last - self.first + 1) * 1000 / RATE


@dataclass(frozen=True)
class Recording:
    """Both directions of one call; an index is the same moment in both."""

    sent: Samples
    received: Samples
    started: float
    """Monotonic time of sample 0 in seconds, comparable between the phones of one machine to about 20 ms."""

    def save(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write `<name>-sent.wav` and `<name>-received.wav` and return their paths; blocks."""
        paths = directory / f"{name}-sent.wav", directory / f"{name}-received.wav"
        for path, samples in zip(paths, (self.sent, self.received), strict=True):
            write_wav(path, samples)
        return paths


def loud(samples: Samples, threshold: int = LOUD) -> npt.NDArray[np.intp]:
    """Indices of the speech samples: |x| above `threshold`."""
    return np.flatnonzero(np.abs(samples.astype(np.int32)) > threshold)


def write_wav(path: Path, samples: Samples) -> None:
    """Write samples as a mono WAV; blocks."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
