"""What a person at a phone hears: which of the agent's sentences, from when to when, and whether to its end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from ari_agent.config import Speech
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.sentences import split
from sandbox.recording import RATE, Samples, Segment

PIECE = RATE // 4
"""A sentence is looked for in pieces of 250 ms: a frame that is lost or doubled on the way shifts what follows."""
SHIFT = RATE // 5
"""How far a piece may be from its place in the sentence."""
LIKE = 0.6
"""Correlation above which a stretch is the piece: the same one over A-law has 0.9 and more."""
ENOUGH = 0.6
"""Share of the pieces that must be there, one of the last two among them: a phone on a busy machine loses frames."""


async def spoken(text: str, speech: Speech) -> list[Samples]:
    """Return the sentences in the agent's voice as a phone gets them: 8 kHz, without the pauses between them."""
    sentences = []
    for sentence in split(text):
        pcm = b"".join([chunk async for chunk in EspeakVoice(speech).speak(sentence)])
        sentences.append(np.rint(soxr.resample(np.frombuffer(pcm, "<i2").astype(np.float64), 16_000, RATE)))
    return [sentence.astype(np.int16) for sentence in sentences]


def find(received: Samples, sentence: Samples, since: int = 0) -> Segment | None:
    """Return where the whole sentence is in what a phone received; None when it is not in it, or broken off."""
    pieces = range(0, len(sentence) - PIECE + 1, PIECE)
    begins: list[int] = []
    for start in pieces:
        piece = sentence[start : start + PIECE]
        if np.max(np.abs(piece.astype(np.int32))) < 1000:  # a pause is everywhere
            continue
        at = _find_piece(received[since:], piece)
        begins.append(at + since - start if at is not None else -1)
    begin = int(np.median([b for b in begins if b >= 0] or [-1]))
    right = [b >= 0 and abs(b - begin) <= SHIFT for b in begins]
    if begin < 0 or not any(right[-2:]) or sum(right) < ENOUGH * len(right):
        return None
    return Segment(begin, begin + len(sentence) - 1)


def missing(received: Samples, sentence: Samples) -> float:
    """Return the share of the sentence's pieces that are nowhere in what a phone received, in whatever order."""
    pieces = [sentence[start : start + PIECE] for start in range(0, len(sentence) - PIECE + 1, PIECE)]
    loud = [piece for piece in pieces if np.max(np.abs(piece.astype(np.int32))) >= 1000]
    return sum(_find_piece(received, piece) is None for piece in loud) / len(loud)


def _find_piece(heard: Samples, piece: Samples) -> int | None:
    """Return where the piece fits best, None when it fits nowhere."""
    if len(heard) < len(piece):
        return None
    there, wanted = heard.astype(np.float64), piece.astype(np.float64)
    size = 1 << (len(there) + len(wanted)).bit_length()
    product = np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size))
    scores = np.fft.irfft(product, size)[: len(there) - len(wanted) + 1]
    likeness = scores / np.sqrt(np.maximum(_energy(there, len(wanted)), 1.0) * np.sum(wanted**2))
    best = int(np.argmax(likeness))
    return best if likeness[best] > LIKE else None


def _energy(samples: Samples | npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    sums = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    return np.asarray(sums[window:] - sums[:-window])
