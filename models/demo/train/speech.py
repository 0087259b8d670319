"""Speak the training sentences and keep, with every wave, which phone begins at which sample."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from train.espeak import Espeak, Event, Speaker
from train.sentences import Part, Sentences, load, voices

SAMPLE_RATE = 8000
"""Of everything behind the synthesiser: the telephone's."""

SILENCE = "SIL"
"""The phone of pauses."""

BATCH = 300
"""Utterances per process; libespeak-ng crashes after some thousand changes of voice in one process."""

_PAUSES = frozenset({"_", "_:", "_::", "_!", "||"})
_GLOTTAL_STOP = "_|"  # its sound belongs to the vowel behind it
_TRIES = 3  # a crash of the library depends on the memory, not on the text: the same batch then goes through


@dataclass(frozen=True)
class Segment:
    """A phone from start to end, in samples at SAMPLE_RATE."""

    phone: str
    start: float
    end: float


@dataclass(frozen=True)
class Utterance:
    """A sentence, who spoke it, its samples at SAMPLE_RATE and its phones in order of time."""

    text: str
    voice: str
    wave: NDArray[np.int16]
    segments: tuple[Segment, ...]


def segments(events: Sequence[Event], samples: int) -> list[Segment]:
    """Return the phones of a wave of that many samples; pauses are SILENCE, glottal stops join the next phone."""
    starts: list[tuple[str, float]] = [(SILENCE, 0.0)]
    word_start: int | None = None
    glottal_start: int | None = None
    for event in events:
        if event.phone is None:
            word_start = event.sample
            continue
        if event.phone == _GLOTTAL_STOP:
            glottal_start = event.sample if word_start is None else word_start
        else:
            phone = SILENCE if event.phone in _PAUSES else event.phone
            first = next((s for s in (glottal_start, word_start) if s is not None), event.sample)
            starts.append((phone, event.sample if phone == SILENCE else first))
            glottal_start = None
        word_start = None
    bounds = pairwise([*starts, (SILENCE, samples)])
    return [Segment(phone, start, end) for (phone, start), (_, end) in bounds if end > start]


def word_phones(events: Sequence[Event]) -> list[tuple[str, ...]]:
    """Return the phones of each word that has a sound, without pauses and glottal stops."""
    words: list[list[str]] = []
    for event in events:
        if event.phone is None:
            words.append([])
        elif words and event.phone not in _PAUSES and event.phone != _GLOTTAL_STOP:
            words[-1].append(event.phone)
    return [tuple(word) for word in words if word]


def speak(espeak: Espeak, text: str, speaker: Speaker, *, warp: float = 1.0) -> Utterance:
    """Speak a text; warp above 1 plays it slower and deeper, as a longer vocal tract would sound."""
    spoken, events = espeak.speak(text, speaker)
    wave = soxr.resample(spoken.astype(np.float32), espeak.sample_rate, SAMPLE_RATE * warp)
    scale = SAMPLE_RATE * warp / espeak.sample_rate
    scaled = tuple(Segment(s.phone, s.start * scale, s.end * scale) for s in segments(events, len(spoken)))
    return Utterance(text, speaker.voice, np.clip(np.rint(wave), -32768, 32767).astype(np.int16), scaled)


def random_speaker(rng: random.Random, names: Sequence[str]) -> Speaker:
    """Return a voice with tempo and pitch as people's differ."""
    return Speaker(rng.choice(names), rng.randint(120, 225), rng.randint(15, 90), rng.randint(20, 90))


def training_utterance(index: int, seed: int, sentences: Sentences, espeak: Espeak) -> Utterance:
    """Speak the training utterance of that number; it depends on seed and number alone."""
    rng = random.Random(f"speech {seed} {index}")
    text = sentences.utterance(rng)
    speaker = random_speaker(rng, [*voices(Part.TRAINING), "de", "de"])
    warp = rng.uniform(0.88, 1.14) if rng.random() < 0.7 else 1.0
    utterance = speak(espeak, _with_pauses(text, rng), speaker, warp=warp)
    return Utterance(text, utterance.voice, utterance.wave, utterance.segments)


def held_out_utterances(count: int, part: Part, sentences: Sentences) -> list[Utterance]:
    """Speak held-out sentences with held-out voices; for measuring only."""
    rng = random.Random(f"held out {part.value}")
    espeak = Espeak()
    names = voices(part)
    return [speak(espeak, sentences.sample(rng, part), random_speaker(rng, names)) for _ in range(count)]


def generate(count: int, seed: int, folder: Path, progress: Callable[[int], None]) -> list[Path]:
    """Speak the training set into files of BATCH utterances, each made by a process of its own.

    Raises RuntimeError when a batch crashes _TRIES times.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for first in range(0, count, BATCH):
        file = folder / f"{first:06d}.npz"
        numbers = range(first, min(first + BATCH, count))
        if not any(_in_a_process(numbers, seed, file) for _ in range(_TRIES)):
            raise RuntimeError(f"libespeak-ng crashed {_TRIES} times at utterances {first} to {numbers[-1]}")
        files.append(file)
        progress(numbers[-1] + 1)
    return files


def read(files: Sequence[Path]) -> list[Utterance]:
    """Return the utterances of the files of generate()."""
    return [utterance for file in files for utterance in _read_file(file)]


def _in_a_process(numbers: range, seed: int, file: Path) -> bool:
    process = multiprocessing.get_context("spawn").Process(target=_generate_batch, args=(numbers, seed, file))
    process.start()
    process.join(timeout=300)
    if process.exitcode is None:
        process.kill()
        process.join(timeout=10)
    return process.exitcode == 0


def _generate_batch(numbers: range, seed: int, file: Path) -> None:
    sentences, espeak = load(), Espeak()
    batch = [training_utterance(number, seed, sentences, espeak) for number in numbers]
    phones = [segment for utterance in batch for segment in utterance.segments]
    np.savez(
        file,
        text=np.array([utterance.text for utterance in batch]),
        voice=np.array([utterance.voice for utterance in batch]),
        wave=np.concatenate([utterance.wave for utterance in batch]),
        wave_lengths=np.array([len(utterance.wave) for utterance in batch]),
        phone=np.array([segment.phone for segment in phones]),
        bounds=np.array([(segment.start, segment.end) for segment in phones]),
        phone_counts=np.array([len(utterance.segments) for utterance in batch]),
    )


def _read_file(file: Path) -> list[Utterance]:
    with np.load(file) as data:
        waves = np.split(data["wave"], np.cumsum(data["wave_lengths"])[:-1])
        ends = np.cumsum(data["phone_counts"])[:-1]
        names, bounds = np.split(data["phone"], ends), np.split(data["bounds"], ends)
        texts, speakers = data["text"].tolist(), data["voice"].tolist()
    return [
        Utterance(text, voice, wave, tuple(Segment(str(p), *map(float, b)) for p, b in zip(phone, bound, strict=True)))
        for text, voice, wave, phone, bound in zip(texts, speakers, waves, names, bounds, strict=True)
    ]


def _with_pauses(text: str, rng: random.Random) -> str:
    """Add punctuation, which the synthesiser speaks as pauses and melody."""
    words = text.split()
    if len(words) > 3 and rng.random() < 0.5:
        words[rng.randrange(len(words) - 1)] += ","
    if rng.random() < 0.3:
        words[-1] += rng.choice(".?")
    return " ".join(words)
