"""The acoustic features of the model and the phone of every frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray

from train.augment import Heard, augment
from train.speech import SAMPLE_RATE, SILENCE, Segment, Utterance

DIMENSION = 40
"""Cepstral coefficients per frame, and mel bins."""

LOW_HZ, HIGH_HZ = 60, -200
"""Edges of the mel bins; the upper one counts down from half the sample rate."""

FRAME_SHIFT = 80
"""Samples between the beginnings of two frames: 10 ms."""

_FRAME_LENGTH = 200  # 25 ms, Kaldi's default


@dataclass(frozen=True)
class Frames:
    """Features of all utterances, one behind the other."""

    features: NDArray[np.float16]
    """Shape (frames, DIMENSION)."""
    phones: NDArray[np.int16]
    """Per frame: index in the phone table."""
    segments: NDArray[np.int16]
    """Per frame: running number of its phone within the utterance; tells "a a" from "a"."""
    ends: NDArray[np.int64]
    """Per utterance: number of the frame behind its last one."""

    def save(self, path: Path) -> None:
        """Write to an .npz file."""
        np.savez(path, features=self.features, phones=self.phones, segments=self.segments, ends=self.ends)


def load(path: Path) -> Frames:
    """Read what save() wrote."""
    with np.load(path) as data:
        return Frames(data["features"], data["phones"], data["segments"], data["ends"])


def mfcc_configuration() -> str:
    """Return conf/mfcc.conf: the same settings as mfcc() for Vosk."""
    return (
        f"--sample-frequency={SAMPLE_RATE}\n--use-energy=false\n--num-mel-bins={DIMENSION}\n"
        f"--num-ceps={DIMENSION}\n--low-freq={LOW_HZ}\n--high-freq={HIGH_HZ}\n--dither=0\n"
    )


def mfcc(wave: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return cepstra of shape (frames, DIMENSION), as Kaldi computes them; no frame for less than 25 ms."""
    options = kaldi_native_fbank.MfccOptions()
    options.frame_opts.samp_freq = SAMPLE_RATE
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = DIMENSION
    options.mel_opts.low_freq, options.mel_opts.high_freq = LOW_HZ, HIGH_HZ
    options.num_ceps = DIMENSION
    options.use_energy = False
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(SAMPLE_RATE, wave.astype(np.float32).tolist())
    computer.input_finished()
    rows = [computer.get_frame(index) for index in range(computer.num_frames_ready)]
    return np.array(rows, np.float32).reshape(-1, DIMENSION)


def compute(
    utterances: Sequence[Utterance], phones: Sequence[str], seed: int, progress: Callable[[int], None]
) -> Frames:
    """Augment every utterance and return its frames; noise depends on seed and number of the utterance alone."""
    index = {phone: number for number, phone in enumerate(phones)}
    features, labels, numbers, lengths = [], [], [], []
    for count, utterance in enumerate(utterances):
        heard = augment(utterance, utterances, np.random.default_rng([seed, count]))
        cepstra = mfcc(heard.wave)
        label, number = _labels(utterance.segments, heard, len(cepstra), index)
        features.append(cepstra.astype(np.float16))
        labels.append(label)
        numbers.append(number)
        lengths.append(len(cepstra))
        progress(count + 1)
    return Frames(np.concatenate(features), np.concatenate(labels), np.concatenate(numbers), np.cumsum(lengths))


def _labels(
    segments: Sequence[Segment], heard: Heard, frames: int, index: dict[str, int]
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return per frame the phone at its middle and that phone's running number."""
    names, ends = [SILENCE], [float(heard.lead)]
    for segment in (*segments, Segment(SILENCE, 0, np.inf)):
        if names[-1] == segment.phone == SILENCE:
            ends[-1] = segment.end + heard.lead
        else:
            names.append(segment.phone)
            ends.append(segment.end + heard.lead)
    middles = np.arange(frames) * FRAME_SHIFT + _FRAME_LENGTH // 2
    numbers = np.searchsorted(ends, middles, side="right")
    return np.array([index[name] for name in names], np.int16)[numbers], numbers.astype(np.int16)
