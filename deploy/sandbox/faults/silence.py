"""Stretches of a recording in which nothing could be heard. Pure; audio is int16, 8 kHz."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.recording import RATE, Samples, loud


@dataclass(frozen=True, slots=True)
class Silence:
    """A stretch without a sound, in seconds on the clock of whoever asks."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end - self.begin


def silences(received: Samples, started: float, *, least_s: float = 1.0) -> list[Silence]:
    """Return every stretch of `least_s` and more without a loud sample; `started` is the time of sample 0."""
    heard = np.concatenate(([-1], loud(received), [len(received)]))
    gaps = np.diff(heard)
    places = np.flatnonzero(gaps > least_s * RATE)
    return [Silence(started + int(heard[i] + 1) / RATE, started + int(heard[i + 1]) / RATE) for i in places]


def longest(silent: Sequence[Silence], begin: float, end: float) -> float:
    """Return how long the longest stretch lasts of which a part lies between two moments; 0 when there is none."""
    return max((s.seconds for s in silent if s.end > begin and s.begin < end), default=0.0)
