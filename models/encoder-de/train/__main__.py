"""Command line of the training: make the encoder, score it, or compare its texts with the evaluation set."""

from __future__ import annotations

import argparse
import json
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ari_agent.errors import AgentError
from ari_agent.knowledge.network import RANKER_INPUTS, Network
from train import calibration, corpus, evaluation, export, overlap, training
from train.batches import vocabulary
from train.corpus import Corpus
from train.training import Model, Stage

WIDTH, HEAD_WIDTH, HIDDEN, SEED = 64, 64, 96, 1
STAGES = (Stage(1500, 3e-3, 1), Stage(2500, 2e-3, 2), Stage(1500, 1.5e-3, 3))
FOLD_STAGES = (Stage(700, 3e-3, 1),)
"""The encoder that never sees half of the topics and phrases only serves to weigh the ranker."""
UNSEEN, SEEN = (110, 5), (60, 9)
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
    model = commands.add_parser("encoder", help="make everything from nothing (about 25 minutes on one core)")
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


def in_fold(text: str) -> bool:
    """Tell whether the encoder of the fold may learn from a topic of this name, or from this phrase."""
    return zlib.crc32(text.encode()) % 2 == 0


def halves(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """Return the corpus with the phrases that the encoder of the fold learns from, and with the others."""
    learnt, kept_back = (
        {kind: tuple(p for p in lines if in_fold(p) is inside) for kind, lines in corpus.phrases.items()}
        for inside in (True, False)
    )
    return replace(corpus, phrases=learnt), replace(corpus, phrases=kept_back)


def _encoder(options: argparse.Namespace) -> None:
    known = corpus.load()
    topics = {topic.key for topic in known.topics}
    fold = {topic.key for topic in known.topics if in_fold(topic.name)}
    learnt, kept_back = halves(known)
    whole = _train(known, topics, STAGES, options.hurry)
    half = _train(learnt, fold, FOLD_STAGES, options.hurry)
    cases = calibration.cases(kept_back, Network(half), topics - fold, UNSEEN[0] // options.hurry, UNSEEN[1])
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
    arrays = export.arrays(model.matcher, model.head, known, vocabulary(known)) | blank.arrays()
    return arrays | {"topics": export.topics(arrays, known, topics)}


def _scores(options: argparse.Namespace) -> None:
    figures: dict[str, Any] = evaluation.scores(corpus.load(), options.model)
    print(json.dumps(figures, indent=2, ensure_ascii=False, sort_keys=True))


def _overlap(options: argparse.Namespace) -> None:
    for near in overlap.find(corpus.load(), options.decisions):
        print(f"{near.trained}  ≈  {near.evaluated}")


if __name__ == "__main__":
    sys.exit(main())
