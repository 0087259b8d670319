"""From recordings and the call log to figures. Pure; audio is int16, 8 kHz; times are milliseconds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox import ear
from sandbox.recording import FRAME, RATE, Recording, Samples, Segment, loud

WINDOW = 10 * FRAME
"""Samples in which the delay of a phrase is taken as constant (200 ms): several periods of the deepest voice."""
DRIFT = RATE // 4
"""Samples by which the rest of a phrase may come earlier or later than its beginning; a longer gap is no gap."""
SAME = 0.95
"""Correlation above which a window is the phrase, unharmed: A-law alone leaves more than 0.99."""
PRESENT = 0.5
"""Correlation below which a phrase is not in a recording."""
SHIFT = FRAME // 2
"""Samples by which the delay must change to be a gap or a skip: half a frame."""
DULL = 4
"""Samples whose mean stands for each of them."""
TALKING_MS = 60.0
"""Who has made no sound for so long before or after the caller's first one is pausing: nothing to interrupt."""

Row = Mapping[str, Any]
Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """Of some values: their number, median, 95th percentile and extremes."""

    n: int
    p50: float
    p95: float
    min: float
    max: float


def distribution(values: Sequence[float]) -> Distribution | None:
    """Summarise the values to one decimal; None when there are none."""
    if not values:
        return None
    p50, p95 = np.percentile(values, [50, 95])
    return Distribution(len(values), *(round(float(x), 1) for x in (p50, p95, min(values), max(values))))


@dataclass(frozen=True)
class Question:
    """What a caller asks, and the id of the passage that answers it."""

    text: str
    source: str


def words(text: str) -> str:
    """The words alone, lower case, as a recogniser writes them."""
    return " ".join(re.findall(r"\w+", text.lower()))


def replies(asked: Sequence[Question], turns: Sequence[Row]) -> list[Row | None]:
    """For every question the turn of the log that answers it, None where none does.

    `turns`: those in which the caller spoke, in order. When there are more or fewer of them than questions, the
    longest common order of sources decides.
    """
    if len(asked) == len(turns):
        return [
            turn if turn["source"] == question.source else None for question, turn in zip(asked, turns, strict=True)
        ]
    found: list[Row | None] = [None] * len(asked)
    wanted, got = [question.source for question in asked], [turn["source"] for turn in turns]
    for block in SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks():
        found[block.a : block.a + block.size] = turns[block.b : block.b + block.size]
    return found


def barge_in(received: Samples, onset: int) -> float | None:
    """Milliseconds until the agent is silent; ValueError when it was pausing anyway, None when it spoke on."""
    near = round(TALKING_MS * RATE / 1000)
    if not len(loud(received[max(0, onset - near) : onset])) or not len(loud(received[onset : onset + near])):
        raise ValueError("the agent was not speaking")
    return ear.barge_in_ms(received, onset)


def first_word_ms(recording: Recording, answered_at: float) -> float | None:
    """Milliseconds from the answer (monotonic, in seconds) to the first sound received; exact to a frame."""
    heard = loud(recording.received)
    return (recording.started + float(heard[0]) / RATE - answered_at) * 1000 if len(heard) else None


@dataclass(frozen=True)
class Playout:
    """How a phrase arrived, compared with the phrase as it was rendered."""

    speech: Segment
    """Where it is in the recording."""
    gaps_ms: tuple[float, ...]
    """By how much its rest came later, each time."""
    skips_ms: tuple[float, ...]
    """How much of it was left out, each time."""
    damaged_ms: float
    """Frames of 20 ms in it that sound differently, those at gaps and skips included."""


def playout(received: Samples, phrase: Samples, since: int = 0) -> Playout | None:
    """Find the phrase and what became of it on its way; None when it is not there.

    A frame that came too late shows as a gap, one that was dropped as a skip; one that the phone made up, as damage.
    """
    if len(received) - since < len(phrase):
        return None
    heard, wanted = _dull(received[since:]), _dull(phrase)
    start = int(np.argmax(_likeness(heard, wanted)))
    delays, damaged = _follow(np.pad(heard, DRIFT), wanted, start + DRIFT)
    if not delays:
        return None
    steps = [step * 1000 / RATE for step in np.diff(delays) if abs(step) >= SHIFT]
    first = since + start
    return Playout(
        Segment(first, first + len(phrase) - 1 + delays[-1] - delays[0]),
        tuple(float(step) for step in steps if step > 0),
        tuple(-float(step) for step in steps if step < 0),
        damaged * FRAME * 1000 / RATE,
    )


def _follow(heard: Float, wanted: Float, start: int) -> tuple[list[int], int]:
    """The delay of every window with sound in it, and the number of damaged frames; no delays: another phrase."""
    delays: list[int] = []
    damaged, likest, delay = 0, 0.0, start
    for at in range(0, len(wanted) - WINDOW + 1, WINDOW):
        window = wanted[at : at + WINDOW]
        if not len(loud(window.astype(np.int16))):
            continue
        likeness = _likeness(heard[at + delay : at + delay + WINDOW], window)[0]
        if likeness < SAME:
            around = _likeness(heard[at + start - DRIFT : at + start + DRIFT + WINDOW], window)
            delay = start - DRIFT + int(np.argmax(around))
            likeness = np.max(around)
            damaged += _damaged(heard[at + delay : at + delay + WINDOW], window)
        likest = max(likest, float(likeness))
        delays.append(delay)
    return (delays if likest > PRESENT else []), damaged


def _dull(samples: Samples) -> Float:
    """Leave what is below 1 kHz: on a line of another sample rate a phrase may come half a sample earlier or later."""
    return np.convolve(samples.astype(np.float64), np.full(DULL, 1 / DULL), "same")


def _likeness(heard: Float, wanted: Float) -> Float:
    """Correlation coefficient, -1 to 1, of `wanted` with every stretch of `heard` that is as long."""
    size = 1 << (len(heard) + len(wanted)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)
    sums = np.concatenate(([0.0], np.cumsum(heard**2)))
    energy = sums[len(wanted) :] - sums[: -len(wanted)]
    likeness: Float = product[: len(energy)] / np.sqrt(np.maximum(energy, 1.0) * max(float(np.sum(wanted**2)), 1.0))
    return likeness


def _damaged(heard: Float, wanted: Float) -> int:
    """The number of frames in which more than half of the energy is not the phrase's."""
    gain = float(np.dot(heard, wanted) / max(float(np.dot(wanted, wanted)), 1.0))
    rest = np.sum((heard - gain * wanted).reshape(-1, FRAME) ** 2, axis=1)
    energy = np.sum(wanted.reshape(-1, FRAME) ** 2, axis=1)
    audible = energy > FRAME * 100.0**2
    return int(np.count_nonzero(audible & (rest > energy / 2 * max(gain, 0.1) ** 2)))
