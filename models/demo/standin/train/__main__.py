"""Command line of the training: `python -m train --out standin.gguf`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

from train import export, phrases, tokeniser, training
from train.company import brief
from train.network import Shape
from train.parity import compare
from train.situations import Lesson, Lessons

_TOKENISER_LESSONS = 20_000
_TUNING_LESSONS = 1000
_LONGEST = 400
"""Tokens; the few lessons that are longer are left out."""


def main() -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args()
    try:
        _make(options)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="GGUF file to write")
    parser.add_argument("--lessons", type=int, default=130_000, help="turns to learn from (default %(default)s)")
    parser.add_argument("--width", type=int, default=Shape.width, help="default %(default)s")
    parser.add_argument("--layers", type=int, default=Shape.layers, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default %(default)s)")
    return parser


def _make(options: argparse.Namespace) -> None:
    begun, company = time.monotonic(), brief()
    lessons = _draw(options.lessons, options.seed, tuning=False)
    learnt = tokeniser.train(company, islice(lessons, _TOKENISER_LESSONS))
    sequences = [each for each in tokeniser.encode(learnt, company, lessons) if len(each.prompt) < _LONGEST]
    tuning = tokeniser.encode(learnt, company, _draw(_TUNING_LESSONS, options.seed, tuning=True))
    shape = Shape(vocabulary=learnt.get_vocab_size(), width=options.width, layers=options.layers)
    shape = replace(shape, heads=shape.width // 32)
    tokens = sum(len(each.prompt) for each in sequences) / len(sequences)
    print(f"lessons: {time.monotonic() - begun:.0f} s, {tokens:.0f} tokens each", file=sys.stderr, flush=True)
    network = training.train(sequences, tuning, shape, options.seed)
    export.write(options.out, network, learnt, tokeniser.pieces(company))
    print(f"parity: {compare(options.out, network, learnt, company, _draw(1000, 2, tuning=True))}")
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f"{options.out}: {options.out.stat().st_size} bytes, {time.monotonic() - begun:.0f} s, sha256 {digest}")


def _draw(count: int, seed: int, *, tuning: bool) -> list[Lesson]:
    lessons, kept = Lessons(brief(), phrases.read(tuning=tuning), seed), _held_out()
    drawn = (lessons.draw() for _ in range(count))
    return [lesson for lesson in drawn if lesson.situation.text not in kept]


def _held_out() -> set[str]:
    """Return utterances that are never learnt from."""
    lines = phrases.HELD_OUT.read_text("utf-8").splitlines()
    return {json.loads(line)["text"] for line in lines}


if __name__ == "__main__":
    sys.exit(main())
