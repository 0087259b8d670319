"""Measure word error rates with the real Vosk: held-out voices, held-out sentences, a telephone line.

A program of its own: vosk and kaldifst each carry an OpenFst, and a process that loads both crashes or hangs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from vosk import KaldiRecognizer, Model, SetLogLevel

from train import digest, telephone
from train.augment import babble, coloured
from train.espeak import Espeak, Speaker
from train.sentences import HERE, UNKNOWN, Part, Sentences, load, voices
from train.speech import SAMPLE_RATE, Utterance, held_out_utterances, speak

NOISES_DB: tuple[float | None, ...] = (None, 20.0, 10.0)
"""Signal-to-noise ratios that are measured; None is a line without noise."""

_LEVEL = 2000  # standard deviation of the speech, about -24 dBFS
_CHUNK_BYTES = SAMPLE_RATE // 50 * 2  # 20 ms, as a telephone delivers it
_BABBLE_SHARE = 0.5  # beside pink noise


@dataclass
class Score:
    """What went wrong in one condition."""

    utterances: int = 0
    words: int = 0
    errors: int = 0
    wrong_utterances: int = 0

    @property
    def wer(self) -> float:
        """Word error rate in per cent."""
        return 100 * self.errors / max(1, self.words)

    def add(self, spoken: str, heard: str) -> None:
        """Count one utterance."""
        errors = edit_distance(spoken.split(), heard.split())
        self.utterances += 1
        self.words += len(spoken.split())
        self.errors += errors
        self.wrong_utterances += errors > 0

    def report(self) -> dict[str, float]:
        """Return all figures for JSON."""
        return asdict(self) | {"wer_percent": round(self.wer, 2)}


Row = tuple[str, dict[str, Score]]
"""Title of a test set and its score by condition."""


class Ear:
    """A Vosk model that hears waves in 20 ms pieces."""

    def __init__(self, model: Path) -> None:
        SetLogLevel(-1)
        self._model = Model(str(model))

    def hear(self, wave: NDArray[np.int16]) -> str:
        """Return the recognised words, [unk] among them."""
        recogniser = KaldiRecognizer(self._model, SAMPLE_RATE)
        data = wave.tobytes()
        chunks = (data[start : start + _CHUNK_BYTES] for start in range(0, len(data), _CHUNK_BYTES))
        results = [recogniser.Result() for chunk in chunks if recogniser.AcceptWaveform(chunk)]
        results.append(recogniser.FinalResult())
        return " ".join(filter(None, (json.loads(result)["text"] for result in results)))


def line(wave: NDArray[np.int16], snr_db: float | None, pool: Sequence[Utterance], seed: int) -> NDArray[np.int16]:
    """Return what arrives over a telephone line: 0.3 s of silence, the speech, 0.5 s of silence, and the noise.

    Every other seed has a line with gentle edges, the rest one with steep edges.
    """
    speech = wave.astype(np.float64)
    quiet = np.zeros(SAMPLE_RATE // 10)
    heard = np.concatenate([*[quiet] * 3, speech * (_LEVEL / (speech.std() + 1)), *[quiet] * 5])
    if snr_db is not None:
        rng = np.random.default_rng([seed, 2])
        mixed = coloured(len(heard), 0.5, rng) + _BABBLE_SHARE * babble(len(heard), pool, 1, rng)
        heard += mixed / mixed.std() * _LEVEL * 10 ** (-snr_db / 20)
    passed = telephone.band(heard) if seed % 2 else telephone.steep_band(heard, 300, 3400)
    heard = telephone.a_law(passed)
    return np.clip(np.rint(heard), -32768, 32767).astype(np.int16)


def score(ear: Ear, utterances: Sequence[Utterance], snr_db: float | None) -> tuple[Score, list[tuple[str, str, str]]]:
    """Return the score of one condition and the wrong utterances as (voice, spoken, heard)."""
    total, wrong = Score(), []
    for number, utterance in enumerate(utterances):
        heard = ear.hear(line(utterance.wave, snr_db, utterances, number))
        total.add(utterance.text, heard)
        if heard != utterance.text:
            wrong.append((utterance.voice, utterance.text, heard))
    return total, wrong


def questions(sentences: Sentences, part: Part) -> list[Utterance]:
    """Return every question of the company's document by every voice of the part, at normal tempo and pitch."""
    espeak = Espeak()
    return [speak(espeak, text, Speaker(voice)) for text in sentences.questions for voice in voices(part)]


def out_of_domain(part: Part, path: Path = HERE / "out_of_domain.txt") -> list[Utterance]:
    """Return sentences about something else by every voice of the part."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    espeak = Espeak()
    texts = lines[0::2] if part is Part.TUNING else lines[1::2]
    return [speak(espeak, text, Speaker(voice)) for text in texts for voice in voices(part)]


def false_words(ear: Ear, utterances: Sequence[Utterance]) -> dict[str, int]:
    """Return how many words of strange speech came out as known words that nobody said."""
    spoken = false = unknown = 0
    for number, utterance in enumerate(utterances):
        words = utterance.text.split()
        heard = ear.hear(line(utterance.wave, None, utterances, number)).split()
        spoken += len(words)
        unknown += heard.count(UNKNOWN)
        false += sum(word != UNKNOWN and word not in words for word in heard)
    return {"utterances": len(utterances), "words": spoken, "false_words": false, "unknown": unknown}


def edit_distance(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """Return the least number of words replaced, added and left out."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(spoken, 1):
        diagonal, row[0] = row[0], count
        for column, other in enumerate(heard, 1):
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
    return row[-1]


def noise_name(snr_db: float | None) -> str:
    """Return the name of a condition in tables and JSON."""
    return "clean" if snr_db is None else f"{snr_db:.0f} dB"


def table(rows: Iterable[Row]) -> str:
    """Return word error rates as a table for people."""
    names = [noise_name(snr) for snr in NOISES_DB]
    lines = [f"{'word error rate, %':44}" + "".join(f"{name:>9}" for name in names)]
    for title, scores in rows:
        cells = "".join(f"{scores[name].wer:9.2f}" if name in scores else f"{'':9}" for name in names)
        lines.append(f"{title:44}{cells}")
    return "\n".join(lines)


def measure(ear: Ear, part: Part, count: int, *, show_errors: bool) -> tuple[list[Row], dict[str, int]]:
    """Return the scores of held-out sentences and of the document's questions, and of speech about something else."""
    known, rows = load(), []
    sets = {
        "held-out sentences": held_out_utterances(count, part, known),
        "questions of the document": questions(known, part),
    }
    for title, utterances in sets.items():
        scores = {}
        for snr_db in NOISES_DB:
            scores[noise_name(snr_db)], wrong = score(ear, utterances, snr_db)
            for voice, spoken, heard in wrong if show_errors else ():
                print(f"{title}, {noise_name(snr_db)} | {voice} | {spoken} | {heard}", file=sys.stderr)
        rows.append((title, scores))
    return rows, false_words(ear, out_of_domain(part))


def main() -> int:
    """Measure, print a table, write JSON if asked; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=main.__doc__)
    parser.add_argument("--model", type=Path, default=HERE / "vosk-de", help="default: the committed model")
    parser.add_argument("--part", choices=["tuning", "final"], default="tuning", help="default %(default)s")
    parser.add_argument("--count", type=int, default=300, help="held-out utterances (default %(default)s)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--errors", action="store_true", help="show on stderr what was heard wrong")
    options = parser.parse_args()
    part = Part(options.part)
    rows, strange = measure(Ear(options.model), part, options.count, show_errors=options.errors)
    print(table(rows))
    print("out of domain: " + ", ".join(f"{value} {name}" for name, value in strange.items()))
    if options.json:
        figures = {title: {name: score.report() for name, score in scores.items()} for title, scores in rows}
        report = {"part": part.value, "model_sha256": digest.tree(options.model), "figures": figures}
        text = json.dumps(report | {"out_of_domain": strange}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
