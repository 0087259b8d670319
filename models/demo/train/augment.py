"""Rooms, levels, noises and telephone lines, drawn at random, around clean synthetic speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from train import telephone
from train.speech import SAMPLE_RATE, Utterance
from train.telephone import Wave


@dataclass(frozen=True)
class Heard:
    """An utterance as it arrives, and the sample at which the speaker's wave begins in it."""

    wave: NDArray[np.int16]
    lead: int


def augment(utterance: Utterance, pool: Sequence[Utterance], rng: np.random.Generator) -> Heard:
    """Return the utterance at a random level, in a random room, noise and line; pool gives babble."""
    lead, tail = int(SAMPLE_RATE * rng.uniform(0, 0.6)), int(SAMPLE_RATE * rng.uniform(0.1, 0.8))
    level = 32768 * 10 ** (rng.uniform(-38, -12) / 20)
    speech = utterance.wave.astype(np.float64)
    wave = np.concatenate([np.zeros(lead), speech * (level / (speech.std() + 1)), np.zeros(tail)])
    if rng.random() < 0.3:
        wave = _reverberate(wave, rng)
    if rng.random() < 0.5:
        wave = signal.lfilter([1, rng.uniform(-0.6, 0.3)], [1], wave)
        wave *= level / (wave[lead : len(wave) - tail].std() + 1)
    if rng.random() < 0.75:
        wave += noise(len(wave), pool, rng) * (level * 10 ** (-rng.uniform(4, 40) / 20))
    elif rng.random() < 0.5:
        # The other half keeps digital silence, as a line with voice detection sends it.
        wave += rng.standard_normal(len(wave)) * rng.uniform(0.3, 4)
    wave = _on_a_line(wave, rng)
    if rng.random() < 0.6:
        wave = telephone.a_law(wave)
    return Heard(np.clip(np.rint(wave), -32768, 32767).astype(np.int16), lead)


def _on_a_line(wave: Wave, rng: np.random.Generator) -> Wave:
    kind = rng.random()
    if kind < 0.5:
        return telephone.band(wave, rng.uniform(150, 350), rng.uniform(3100, 3800), int(rng.integers(2, 5)))
    if kind < 0.8:
        return telephone.steep_band(wave, rng.uniform(0, 350), rng.uniform(3200, 3950))
    return wave


def noise(length: int, pool: Sequence[Utterance], rng: np.random.Generator) -> Wave:
    """Return noise of standard deviation 1: hiss, rumble, mains hum or other people's speech."""
    match rng.choice(["white", "pink", "brown", "hum", "babble"]):
        case "white":
            wave = rng.standard_normal(length)
        case "pink":
            wave = coloured(length, 0.5, rng)
        case "brown":
            wave = coloured(length, 1.0, rng)
        case "hum":
            wave = _hum(length, rng) + 0.1 * rng.standard_normal(length)
        case _:
            wave = babble(length, pool, int(rng.integers(1, 6)), rng) + 0.05 * rng.standard_normal(length)
    return _normalised(wave)


def coloured(length: int, slope: float, rng: np.random.Generator) -> Wave:
    """Return noise whose amplitude falls with frequency to the power of slope (0.5 is pink, 1 is brown)."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(np.arange(len(spectrum)), 20)
    return _normalised(np.fft.irfft(spectrum / frequency**slope, length))


def babble(length: int, pool: Sequence[Utterance], voices: int, rng: np.random.Generator) -> Wave:
    """Return that many people of the pool speaking at once, each about as loud as standard deviation 1."""
    wave = np.zeros(length)
    for _ in range(voices):
        other = pool[int(rng.integers(len(pool)))].wave.astype(np.float64)
        turned = np.roll(other / (other.std() + 1), int(rng.integers(len(other))))
        wave += np.resize(turned, length) * rng.uniform(0.3, 1)
    return wave


def _normalised(wave: Wave) -> Wave:
    result: Wave = wave / (wave.std() + 1e-9)
    return result


def _hum(length: int, rng: np.random.Generator) -> Wave:
    time = np.arange(length) / SAMPLE_RATE
    mains = rng.uniform(48, 62)
    wave = np.zeros(length)
    for harmonic in range(1, int(rng.integers(3, 20))):
        wave += np.sin(2 * np.pi * mains * harmonic * time + rng.uniform(0, 6)) / harmonic
    return wave


def _reverberate(wave: Wave, rng: np.random.Generator) -> Wave:
    length = int(rng.uniform(0.02, 0.15) * SAMPLE_RATE)
    room = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5))
    room *= rng.uniform(0.05, 0.35) / np.sqrt((room**2).sum())
    room[0] += 1
    result: Wave = signal.fftconvolve(wave, room)[: len(wave)]
    return result
