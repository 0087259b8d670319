"""Training on one core: every prompt is read once, and only the records are learnt."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from train.network import Llama, Shape
from train.tokeniser import Encoded

BATCH = 64
RATE = 3e-3
WARMUP = 150
SMOOTHING = 0.02
"""Keeps probabilities honest enough to tell a doubtful answer from a sure one."""
_SORTED_BATCHES = 32
"""So many batches are sorted by length together; less padding, still mixed."""


def train(sequences: Sequence[Encoded], tuning: Sequence[Encoded], shape: Shape, seed: int) -> Llama:
    """Return a network that has read each sequence once. Shapes: see `Shape`."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    network = Llama(shape)
    matrices = [p for p in network.parameters() if p.dim() > 1]
    vectors = [p for p in network.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98))
    order = list(_batches(sequences, random.Random(seed)))
    begun, losses = time.monotonic(), []
    for step, batch in enumerate(order):
        for group in optimiser.param_groups:
            group["lr"] = RATE * _rate(step, len(order))
        loss = _loss(network, batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
        if step % 400 == 399 or step == len(order) - 1:
            right = accuracy(network, tuning)
            told = (
                f"step {step + 1} of {len(order)}, {time.monotonic() - begun:.0f} s, loss {np.mean(losses[-200:]):.3f}"
            )
            print(f"{told}, tuning: {right:.3f} right", file=sys.stderr, flush=True)
    return network.eval()


def accuracy(network: Llama, sequences: Sequence[Encoded]) -> float:
    """Return the share of sequences whose act and whose next field, the passage or the intent, are the likeliest."""
    network.eval()
    right = 0
    with torch.no_grad():
        for batch in _batches(sequences, random.Random(0)):
            tokens, targets = _padded(batch)
            chosen = network.logits(network(tokens)).argmax(-1)
            for row, sequence in enumerate(batch):
                at = len(sequence.prompt) - 1
                right += bool((chosen[row, at : at + 2] == targets[row, at : at + 2]).all())
    network.train()
    return right / len(sequences)


def _loss(network: Llama, batch: Sequence[Encoded]) -> Tensor:
    tokens, targets = _padded(batch)
    with torch.autocast("cpu", torch.bfloat16):
        hidden = network(tokens)
    learnt = targets >= 0
    logits = network.logits(hidden[learnt].float())
    return functional.cross_entropy(logits, targets[learnt], label_smoothing=SMOOTHING)


def _padded(batch: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Return tokens and what each position has to foretell, both (batch, time); -1 where nothing is learnt."""
    longest = max(len(sequence.prompt) + len(sequence.record) - 1 for sequence in batch)
    tokens = torch.zeros((len(batch), longest), dtype=torch.long)
    targets = torch.full((len(batch), longest), -1, dtype=torch.long)
    for row, sequence in enumerate(batch):
        whole = [*sequence.prompt, *sequence.record]
        tokens[row, : len(whole) - 1] = torch.tensor(whole[:-1])
        targets[row, len(sequence.prompt) - 1 : len(whole) - 1] = torch.tensor(sequence.record)
    return tokens, targets


def _batches(sequences: Sequence[Encoded], rng: random.Random) -> Iterator[list[Encoded]]:
    order = list(sequences)
    rng.shuffle(order)
    for start in range(0, len(order), BATCH * _SORTED_BATCHES):
        window = sorted(order[start : start + BATCH * _SORTED_BATCHES], key=lambda sequence: len(sequence.prompt))
        batches = [window[at : at + BATCH] for at in range(0, len(window), BATCH)]
        rng.shuffle(batches)
        yield from batches


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARMUP) * max(0.02, 0.5 * (1 + math.cos(math.pi * step / steps)))
