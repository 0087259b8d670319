"""Command line of the training: make the encoder, score it, or compare its texts with the evaluation set."""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ari_agent.errors import AgentError
from ari_agent.knowledge.network import RANKER_INPUTS, Network
from train import calibration, corpus, evaluation, export, overlap, training
from train.batches import vocabulary
from train.corpus import Corpus, Topic
from train.training import Model, Stage

WIDTH, HEAD_WIDTH, HIDDEN, SEED = 64, 64, 96, 1
STAGES = (Stage(1500, 3e-3, 1), Stage(2500, 2e-3, 2))
FOLD_STAGES = (Stage(700, 3e-3, 1),)
"""The encoder that never sees half of the topics is only there to weigh the ranker; it need not be as good."""
UNSEEN, SEEN = (150, 5), (100, 9)
"""Invented companies and their seed: asked about what the encoder of the fold never saw, and what the whole one saw."""


def main() -> int:
    """Run the command given on the command line; return the exit status."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    try:
        options.run(options)
    except (OSError, ValueError, AgentError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    model = commands.add_parser("encoder", help="make everything from nothing (about 20 minutes on one core)")
    model.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    model.add_argument("--hurry", type=int, default=1, help="divide all steps and companies by this, for a try")
    model.set_defaults(run=_encoder)
    scores = commands.add_parser("scores", help="score a finished model on invented companies; prints JSON")
    scores.add_argument("--model", type=Path, required=True)
    scores.set_defaults(run=_scores)
    texts = commands.add_parser("overlap", help="list training texts that are nearly those of the evaluation set")
    texts.add_argument("--decisions", type=Path, required=True, help="folder with tune.jsonl and companies/")
    texts.set_defaults(run=_overlap)
    return parser


def in_fold(topic: Topic) -> bool:
    """Tell whether the encoder of the fold may learn from the topic; topics of one name are on one side."""
    return zlib.crc32(topic.name.encode()) % 2 == 0


def _encoder(options: argparse.Namespace) -> None:
    known = corpus.load()
    topics = {topic.key for topic in known.topics}
    fold = {topic.key for topic in known.topics if in_fold(topic)}
    whole, half = (
        _train(known, keys, stages, options.hurry) for keys, stages in ((topics, STAGES), (fold, FOLD_STAGES))
    )
    cases = calibration.cases(known, Network(half), topics - fold, UNSEEN[0] // options.hurry, UNSEEN[1])
    cases += calibration.cases(known, Network(whole), topics, SEEN[0] // options.hurry, SEEN[1])
    export.write(options.out, whole | calibration.weigh(cases, SEED).arrays())


def _train(known: Corpus, topics: set[str], stages: tuple[Stage, ...], hurry: int) -> export.Arrays:
    """Return the arrays of an encoder that knows these topics, with a ranker that weighs nothing yet."""
    began = time.monotonic()
    model = Model(WIDTH, HEAD_WIDTH, HIDDEN, SEED)
    for stage in stages:
        hurried = Stage(max(2, stage.steps // hurry), stage.rate, stage.seed)
        training.train(model, known, topics, hurried, lambda line: print(line, flush=True))
    print(f"{len(topics)} topics, {time.monotonic() - began:.0f} s", flush=True)
    blank = calibration.Ranker([calibration.Case(np.zeros((1, RANKER_INPUTS), np.float32), ())])
    return export.arrays(model.matcher, model.head, known, vocabulary(known)) | blank.arrays()


def _scores(options: argparse.Namespace) -> None:
    figures: dict[str, Any] = evaluation.scores(corpus.load(), options.model)
    print(json.dumps(figures, indent=2, ensure_ascii=False, sort_keys=True))


def _overlap(options: argparse.Namespace) -> None:
    for near in overlap.find(corpus.load(), options.decisions):
        print(f"{near.trained}  ≈  {near.evaluated}")


if __name__ == "__main__":
    sys.exit(main())
