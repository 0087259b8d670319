"""The acoustic model: a time-delay network from cepstra to phones, and its training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from train.features import DIMENSION, Frames

SPLICES = (1, 1, 3, 3, 3, 3)
"""Each layer sees its input at -n, 0 and +n frames of 10 ms."""

CONTEXT = sum(SPLICES)
"""Frames the network needs on either side of the one it judges: 140 ms."""

SUBSAMPLING = 3
"""One output per 30 ms; Vosk's word times are computed with this figure, whatever the model says."""

CLASSES = 2
"""Outputs per phone: its first frame, and all others (Kaldi's chain topology)."""

_WINDOW = 40  # outputs of one training example: 1.2 s
_WINDOW_FRAMES = SUBSAMPLING * (_WINDOW - 1) + 1 + 2 * CONTEXT
_BATCH = 32
_WARM_UP = 200  # steps until the full learning rate
_PEAK_RATE = 3e-3
_IGNORED = -100  # cross_entropy's mark for targets behind the end of an utterance
_PRIOR_EXAMPLES = 6000

Progress = Callable[[str], None]


class Tdnn(nn.Module):
    """Convolutions over time with ReLU and batch normalisation; the second one keeps every third frame."""

    def __init__(self, outputs: int, width: int) -> None:
        super().__init__()
        self.input_norm = nn.BatchNorm1d(DIMENSION, affine=False)
        sizes = [DIMENSION] + [width] * len(SPLICES)
        strides = [SUBSAMPLING if layer == 1 else 1 for layer in range(len(SPLICES))]
        self.layers = nn.ModuleList(
            nn.Conv1d(size, width, 3, stride=stride) for size, stride in zip(sizes, strides, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width, affine=False) for _ in SPLICES)
        self.output = nn.Conv1d(width, outputs, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map (batch, 3 * (n - 1) + 1 + 2 * CONTEXT, DIMENSION) to scores (batch, n, outputs)."""
        hidden = self.input_norm(features.transpose(1, 2))
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = norm(torch.relu(layer(hidden)))
        scores: torch.Tensor = self.output(hidden).transpose(1, 2)
        return scores


@dataclass(frozen=True)
class Trained:
    """A trained network and the mean of its posteriors, by which the decoder divides."""

    network: Tdnn
    priors: NDArray[np.float64]


class Examples:
    """Training examples cut from Frames: windows of _WINDOW outputs."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._ends = frames.ends
        self._begins = np.concatenate([[0], frames.ends[:-1]])

    def windows(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return pairs (utterance, first frame) in random order, each utterance from a random phase of the 30 ms."""
        phases = rng.integers(0, SUBSAMPLING, len(self._begins))
        lengths = self._ends - self._begins
        pairs = [
            (utterance, first)
            for utterance, (phase, length) in enumerate(zip(phases, lengths, strict=True))
            for first in range(phase, length - 10, SUBSAMPLING * _WINDOW)
        ]
        return rng.permutation(np.array(pairs, np.int64))

    def batches(self, windows: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield (features, targets) of _BATCH windows; an incomplete last batch is left out."""
        for start in range(0, len(windows) - _BATCH + 1, _BATCH):
            yield self._batch(windows[start : start + _BATCH])

    def _batch(self, windows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        utterance, first = windows[:, 0], windows[:, 1:]
        begin, end = self._begins[utterance][:, None], self._ends[utterance][:, None]
        frame = begin + first + SUBSAMPLING * np.arange(_WINDOW)
        inside = np.minimum(frame, end - 1)
        before = inside - SUBSAMPLING
        segments = self._frames.segments
        is_first = (before < begin) | (segments[np.maximum(before, begin)] != segments[inside])
        targets = CLASSES * self._frames.phones[inside].astype(np.int64) + ~is_first
        targets[frame >= end] = _IGNORED
        seen = np.clip(begin + first + np.arange(-CONTEXT, _WINDOW_FRAMES - CONTEXT), begin, end - 1)
        features = self._frames.features[seen].astype(np.float32)
        return torch.from_numpy(features), torch.from_numpy(targets)


def train(frames: Frames, phones: int, *, width: int, epochs: int, seed: int, progress: Progress) -> Trained:
    """Train with cross entropy on one thread; the same seed gives the same bits on the same machine."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(mode=True)
    rng = np.random.default_rng([seed, 1])
    examples = Examples(frames)
    network = Tdnn(CLASSES * phones, width)
    optimiser = torch.optim.AdamW(network.parameters(), lr=_PEAK_RATE, weight_decay=1e-3)
    steps = epochs * (len(examples.windows(np.random.default_rng(0))) // _BATCH)
    done, begun = 0, time.monotonic()
    for epoch in range(epochs):
        for features, targets in examples.batches(examples.windows(rng)):
            rate = _PEAK_RATE * min(1.0, (done + 1) / _WARM_UP) * max(0.02, 1 - done / max(1, steps))
            loss = _step(network, optimiser, features, targets, rate)
            done += 1
            if done % 100 == 0:
                seconds = time.monotonic() - begun
                progress(f"epoch {epoch + 1}/{epochs}  step {done}/{steps}  loss {loss:.3f}  {seconds:.0f} s")
    return Trained(network, _priors(network, examples, rng))


def _step(
    network: Tdnn, optimiser: torch.optim.Optimizer, features: torch.Tensor, targets: torch.Tensor, rate: float
) -> float:
    for group in optimiser.param_groups:
        group["lr"] = rate
    network.train()
    loss = nn.functional.cross_entropy(network(features).flatten(0, 1), targets.flatten(), ignore_index=_IGNORED)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _priors(network: Tdnn, examples: Examples, rng: np.random.Generator) -> NDArray[np.float64]:
    network.eval()
    total = np.zeros(network.output.out_channels)
    with torch.no_grad():
        for features, targets in examples.batches(examples.windows(rng)[:_PRIOR_EXAMPLES]):
            posteriors = torch.softmax(network(features), -1)[targets != _IGNORED]
            total += posteriors.double().sum(0).numpy()
    smoothed = np.maximum(total / total.sum(), 1e-5)
    return np.asarray(smoothed / smoothed.sum())
