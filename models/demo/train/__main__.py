"""Command line of the training: make a model, or only its graph anew."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from train import digest, features, graph, lexicon, nnet3, phones, sentences, speech, tdnn

T = TypeVar("T")

_TEXT_SENTENCES = 20_000
"""Sentences from which the language model is estimated."""

_MODEL_CONFIGURATION = """\
--min-active=200
--max-active=1500
--beam=10.0
--lattice-beam=3.0
--acoustic-scale=0.5
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""
# Wider beams do not lower the error, but make lattices of noise explode: 40 times the computing time was seen.


def main() -> int:
    """Run the command given on the command line; return the exit status."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    model = commands.add_parser("model", help="make everything from nothing (about 5 minutes on one core)")
    model.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    model.add_argument("--work", type=Path, help="keep speech, features and timings here (default: thrown away)")
    model.add_argument("--utterances", type=int, default=9000, help="training utterances (default %(default)s)")
    model.add_argument("--epochs", type=int, default=5, help="passes through them (default %(default)s)")
    model.add_argument("--width", type=int, default=192, help="units per layer (default %(default)s)")
    model.add_argument("--seed", type=int, default=1, help="of everything random (default %(default)s)")
    model.set_defaults(run=_model)
    again = commands.add_parser("graph", help="new words or sentences for a model that exists (seconds)")
    again.add_argument("--model", type=Path, required=True, help="folder of the model; its graph/ is replaced")
    again.add_argument("--strict", action="store_true", help="without held-out sentences, to measure honestly")
    again.add_argument("--unknown-cost", type=float, default=graph.UNKNOWN_PHONE_COST, help="default %(default)s")
    again.set_defaults(run=_graph)
    return parser


def _model(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="train-") as folder:
        work = options.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        seconds: dict[str, float] = {}
        known = sentences.load()
        files = _timed(seconds, "speech", lambda: _speak(options, work))
        spoken = [utterance for utterance in speech.read(files) if len(utterance.wave) > speech.SAMPLE_RATE // 4]
        words = _timed(seconds, "lexicon", lambda: lexicon.pronounce(known.vocabulary()))
        used = {segment.phone for utterance in spoken for segment in utterance.segments}
        table = phones.table(used.union(*words.values()))
        frames = _timed(seconds, "features", lambda: _features(options, spoken, table, work))
        trained = _timed(seconds, "training", lambda: _train(options, frames, table))
        (options.out / "am").mkdir(parents=True, exist_ok=True)
        (options.out / "am" / "final.mdl").write_bytes(nnet3.model(trained, table))
        _write_configuration(options.out)
        text = known.language_model_text(_TEXT_SENTENCES, strict=False)
        build = graph.build
        _timed(seconds, "graph", lambda: build(options.out / "graph", words, table, text, graph.UNKNOWN_PHONE_COST))
        if options.work:
            (work / "seconds.json").write_text(json.dumps(seconds, indent=2) + "\n", encoding="utf-8")
    print(f"{options.out}: {len(words)} words, sha256 {digest.tree(options.out)}")


def _speak(options: argparse.Namespace, work: Path) -> list[Path]:
    show = _progress("speech", options.utterances)
    return speech.generate(options.utterances, options.seed, work / "speech", show)


def _features(
    options: argparse.Namespace, spoken: list[speech.Utterance], table: phones.PhoneTable, work: Path
) -> features.Frames:
    frames = features.compute(spoken, table.names, options.seed, _progress("features", len(spoken)))
    if options.work:
        frames.save(work / "features.npz")
    return frames


def _train(options: argparse.Namespace, frames: features.Frames, table: phones.PhoneTable) -> tdnn.Trained:
    return tdnn.train(
        frames, len(table.names), width=options.width, epochs=options.epochs, seed=options.seed, progress=_say
    )


def _write_configuration(model: Path) -> None:
    (model / "conf").mkdir(parents=True, exist_ok=True)
    (model / "conf" / "mfcc.conf").write_text(features.mfcc_configuration(), encoding="utf-8")
    (model / "conf" / "model.conf").write_text(_MODEL_CONFIGURATION, encoding="utf-8")


def _graph(options: argparse.Namespace) -> None:
    folder = options.model / "graph"
    known = sentences.load()
    words = lexicon.pronounce(known.vocabulary())
    text = known.language_model_text(_TEXT_SENTENCES, strict=options.strict)
    graph.build(folder, words, phones.read(folder), text, options.unknown_cost)
    print(f"{options.model}: {len(words)} words, sha256 {digest.tree(options.model)}")


def _timed(seconds: dict[str, float], name: str, step: Callable[[], T]) -> T:
    begun = time.monotonic()
    result = step()
    seconds[name] = round(time.monotonic() - begun, 1)
    _say(f"{name}: {seconds[name]} s")
    return result


def _progress(name: str, total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        if done % speech.BATCH == 0 or done == total:
            _say(f"{name}: {done} of {total}")

    return show


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
