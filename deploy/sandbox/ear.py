"""What can be heard in a recording: speech, reply times, barge-in, tones, holes. Pure; audio is int16, 8 kHz."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sandbox.recording import LOUD, RATE, Samples, Segment, loud

HOLE_MS = 20.0
"""Digital silence this long inside speech is a dropout: one lost frame."""
SILENCE_MS = 300.0
"""The other side has stopped speaking when it has been silent this long."""
BARGE_IN_LIMIT_MS = 4000.0
"""Who has not stopped speaking by then has not let the caller in."""
NOTHING = 8
"""Magnitude that A-law, which has no zero, gives back for digital silence."""
TONE_BLOCK = 400
"""Samples of one look for a tone: 50 ms, so tones 20 Hz apart are told from each other."""


@dataclass(frozen=True)
class Summary:
    """A distribution of milliseconds."""

    n: int
    p50: float
    p95: float
    max: float


def speech(samples: Samples, *, threshold: int = LOUD, min_gap_ms: float = SILENCE_MS) -> list[Segment]:
    """Stretches with |x| above `threshold`; pauses up to `min_gap_ms` belong to them. Empty when all is silence."""
    heard = loud(samples, threshold)
    if not len(heard):
        return []
    breaks = np.flatnonzero(np.diff(heard) > min_gap_ms * RATE / 1000)
    firsts = heard[np.concatenate(([0], breaks + 1))]
    lasts = heard[np.concatenate((breaks, [len(heard) - 1]))]
    return [Segment(int(first), int(last)) for first, last in zip(firsts, lasts, strict=True)]


def heard_ms(received: Samples, sent_last: int, before: int | None = None, *, threshold: int = LOUD) -> float | None:
    """Milliseconds from one's last speech sample to the first later speech sample received; None when no reply came.

    `before`: a reply counts only until this sample, as a rule the start of one's next sentence.
    """
    heard = loud(received[sent_last + 1 : before], threshold)
    return float(heard[0] + 1) * 1000 / RATE if len(heard) else None


def barge_in_ms(received: Samples, onset: int, *, threshold: int = LOUD) -> float | None:
    """Milliseconds from the caller's first speech sample to the other side's last one before it is silent for 300 ms.

    None when the other side was not speaking at `onset`, or had not stopped after four seconds.
    """
    silence, limit = round(SILENCE_MS * RATE / 1000), round(BARGE_IN_LIMIT_MS * RATE / 1000)
    if not len(loud(received[max(onset - silence, 0) : onset], threshold)):
        return None
    after = received[onset : onset + limit + silence]
    heard = loud(after, threshold)
    if not len(heard):
        return None
    ends = np.flatnonzero(np.diff(np.append(heard, len(after))) > silence)
    return float(heard[ends[0]]) * 1000 / RATE if len(ends) else None


def hush_ms(received: Samples, onset: int, *, threshold: int = LOUD) -> float | None:
    """Milliseconds of silence of the other side, which stops because one speaks; None when it speaks or is silent on.

    The silence is the first of 300 ms or more after `onset`, and ends with the next speech sample received.
    """
    stopped = barge_in_ms(received, onset, threshold=threshold)
    if stopped is None:
        return None
    last = onset + round(stopped * RATE / 1000)
    heard = loud(received[last + 1 :], threshold)
    return float(heard[0] + 1) * 1000 / RATE if len(heard) else None


def leading_silence_ms(samples: Samples, *, threshold: int = LOUD) -> float | None:
    """Milliseconds before the first speech sample; None when there is none."""
    heard = loud(samples, threshold)
    return float(heard[0]) * 1000 / RATE if len(heard) else None


def holes(samples: Samples, *, threshold: int = LOUD, min_ms: float = HOLE_MS) -> list[Segment]:
    """Runs of digital silence of at least `min_ms` inside speech.

    On a voice that never stops sounding (a tone, speech with line noise) each is a lost frame; a synthetic voice
    also makes such pauses itself, so compare with what it spoke.
    """
    found = []
    for stretch in speech(samples, threshold=threshold):
        sound = loud(samples[stretch.first : stretch.last + 1], NOTHING) + stretch.first
        found += [Segment(int(a) + 1, int(b) - 1) for a, b in pairwise(sound) if b - a - 1 >= min_ms * RATE / 1000]
    return found


def tone_levels(samples: Samples, hertz: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of every 50 ms: the level of the tone in dB below a full-scale sine, and its share of the power (0 to 1)."""
    blocks = samples[: len(samples) // TONE_BLOCK * TONE_BLOCK].reshape(-1, TONE_BLOCK).astype(np.float64)
    wave = np.exp(-2j * np.pi * hertz / RATE * np.arange(TONE_BLOCK))
    amplitude = 2 * np.abs(blocks @ wave) / TONE_BLOCK
    power = np.mean(blocks**2, axis=1)
    share = np.divide(amplitude**2 / 2, power, out=np.zeros_like(power), where=power > 0)
    return 20 * np.log10(np.maximum(amplitude, 1.0) / 32768), np.minimum(share, 1.0)


def has_tone(samples: Samples, hertz: float, *, level_db: float = -30.0, min_ms: float = 200.0) -> bool:
    """Whether a tone of at least `level_db` (full-scale sine = 0) has half of the power for `min_ms` on end."""
    levels, shares = tone_levels(samples, hertz)
    absent = np.flatnonzero(np.concatenate(([True], (levels < level_db) | (shares < 0.5), [True])))
    longest = int(np.max(np.diff(absent))) - 1
    return longest * TONE_BLOCK * 1000 / RATE >= min_ms


def summary(milliseconds: Sequence[float]) -> Summary:
    """Count, median, 95th percentile and maximum; at least one value is needed (ValueError)."""
    if not milliseconds:
        raise ValueError("nothing was measured")
    values = np.asarray(milliseconds, np.float64)
    p50, p95 = np.percentile(values, [50, 95])
    return Summary(len(values), float(p50), float(p95), float(values.max()))
