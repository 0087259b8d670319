"""Whether llama.cpp reads the same tokens from the file as the training did, and computes the same from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from ari_agent.decision import Brief
from ari_agent.llm.batch import Row
from ari_agent.llm.choices import record
from ari_agent.llm.context import Context
from ari_agent.llm.reading import Reading
from train import tokeniser
from train.network import Llama
from train.situations import Lesson

_COMPARED = 100
"""Prompts whose logits are compared; tokens are compared in all."""
_ROOM = 400


@dataclass(slots=True)
class Parity:
    """What differs."""

    prompts: int = 0
    mismatches: int = 0
    """Prompts or records with other tokens."""
    compared: int = 0
    same_choice: int = 0
    """Prompts with the same likeliest token."""
    greatest_difference: float = 0.0
    """Of any logit; eight-bit weights against 32-bit ones."""


def compare(path: Path, network: Llama, learnt: Tokenizer, brief: Brief, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Compare the file with the network it came from. Raises CannotLoad."""
    context = Context(path, tokens=network.shape.context, sequences=1, threads=1)
    reading = Reading(context, brief)
    found = Parity()
    for lesson, ours in zip(lessons, tokeniser.encode(learnt, brief, lessons), strict=True):
        if len(ours.prompt) >= _ROOM:
            continue
        turn = reading.turn(lesson.situation.text, lesson.situation.history, _ROOM)
        theirs = [*reading.fixed, *turn]
        found.prompts += 1
        found.mismatches += theirs != ours.prompt or reading.spoken(record(lesson.chosen)) != ours.record[:-1]
        if found.compared < _COMPARED:
            found.compared += 1
            _compare_logits(context, network, theirs, found)
    return asdict(found)


def _compare_logits(context: Context, network: Llama, tokens: Sequence[int], found: Parity) -> None:
    context.drop(0)
    context.decode([Row(token, at, 0, at == len(tokens) - 1) for at, token in enumerate(tokens)])
    theirs = torch.from_numpy(context.logits(len(tokens) - 1).copy())
    with torch.no_grad():
        ours = network.logits(network(torch.tensor([tokens])))[0, -1]
    found.same_choice += int(ours.argmax() == theirs.argmax())
    found.greatest_difference = max(found.greatest_difference, round(float((ours - theirs).abs().max()), 3))
