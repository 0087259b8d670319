"""What a telephone line does to speech: the band of 300 to 3400 Hz and A-law at 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Wave = NDArray[np.float64]
"""Samples at 8 kHz in the range of 16-bit integers."""

_SAMPLE_RATE = 8000
_FULL_SCALE = 32768.0
_A = 87.6  # ITU-T G.711, the European law
_STEPS = 127  # quantisation steps on either side of zero


def a_law(wave: Wave) -> Wave:
    """Compress to 8 bits by the A-law curve and expand again (the curve itself, not G.711's segments)."""
    level = np.clip(wave / _FULL_SCALE, -1, 1)
    size, divisor = np.abs(level), 1 + np.log(_A)
    packed = np.where(size < 1 / _A, _A * size, 1 + np.log(np.maximum(_A * size, 1e-9))) / divisor
    packed = np.round(packed * _STEPS) / _STEPS
    expanded = np.where(packed < 1 / divisor, packed * divisor / _A, np.exp(packed * divisor - 1) / _A)
    result: Wave = np.sign(level) * expanded * _FULL_SCALE
    return result


def steep_band(wave: Wave, low_hz: float, high_hz: float, edge_hz: float = 50) -> Wave:
    """Return the wave without anything outside the band, as digital filters and changes of the sample rate leave it.

    Nothing at all outside is another sound to the features than the little that band() lets through: a model that
    never heard it takes such silence for speech.
    """
    frequency = np.fft.rfftfreq(len(wave), 1 / _SAMPLE_RATE)
    gain = np.interp(frequency, [low_hz - edge_hz, low_hz, high_hz, high_hz + edge_hz], [0, 1, 1, 0])
    result: Wave = np.fft.irfft(np.fft.rfft(wave) * gain, len(wave))
    return result


def band(wave: Wave, low_hz: float = 300, high_hz: float = 3400, order: int = 4) -> Wave:
    """Return the wave as a telephone line of that band passes it."""
    sections = signal.butter(order, [low_hz, high_hz], "bandpass", fs=_SAMPLE_RATE, output="sos")
    result: Wave = signal.sosfilt(sections, wave)
    return result
