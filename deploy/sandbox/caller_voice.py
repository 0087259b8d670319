"""German sentences in a caller's voice: not the agent's own, and none that its demo model was trained on."""

import functools
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import soxr

from sandbox.recording import RATE, Samples, loud

VOICES = Path(__file__).resolve().parents[2] / "models" / "demo" / "voices.toml"
WORDS_PER_MINUTE = 150
PEAK = 13000
"""Loudest sample of a sentence: about 8 dB below full scale, as a near talker on a good line."""
HEADER = 44
"""Bytes before the samples in what espeak-ng writes to a pipe; their number in it is not true there."""
LIMIT = 20.0
"""Seconds for one sentence; espeak-ng needs some hundredths."""


class CallerVoiceError(Exception):
    """espeak-ng is missing, does not know the voice, or had nothing to say."""


def voices() -> list[str]:
    """The voices that the demo model has never heard, such as "de+m7"; blocks."""
    held_out = tomllib.loads(VOICES.read_text(encoding="utf-8"))["held_out"]["final"]
    return [f"de+{variant}" for variant in held_out]


def speak(text: str, voice: str, *, snr_db: float | None = None, noise_floor: float = 12.0, seed: int = 0) -> Samples:
    """The sentence at 8 kHz, cut exactly to its first and last speech sample; blocks for some hundredths of a second.

    `noise_floor`: standard deviation of the line noise under it. `snr_db`: white noise is added instead so that the
    sentence is this much stronger; outside the sentence it is the phone's noise floor that counts.
    """
    clean = _synthesise(text, voice)
    clean *= PEAK / np.max(np.abs(clean))
    spoken = loud(np.rint(clean).astype(np.int16))
    clean = clean[spoken[0] : spoken[-1] + 1]
    deviation = noise_floor if snr_db is None else float(np.sqrt(np.mean(clean**2)) / 10 ** (snr_db / 20))
    noise = np.random.default_rng(seed).normal(0, deviation, len(clean))
    noise[[0, -1]] = 0  # the first and the last speech sample stay speech
    samples: Samples = np.rint(np.clip(clean + noise, -32768, 32767)).astype(np.int16)
    return samples


def _synthesise(text: str, voice: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What espeak-ng says, at 8 kHz. The text goes through a pipe, not into the list of processes."""
    if voice.partition("+")[2] not in _variants():
        raise CallerVoiceError(f"espeak-ng does not know the voice {voice}; it would speak as the agent does")
    pcm = _espeak("-v", voice, "-s", str(WORDS_PER_MINUTE), "--stdin", "--stdout", text=text)
    rate = int.from_bytes(pcm[24:28], "little")  # the WAV header's sample rate
    samples = np.frombuffer(pcm[HEADER:], "<i2").astype(np.float64)
    if not np.any(samples):
        raise CallerVoiceError("espeak-ng had nothing to say")
    resampled: np.ndarray[tuple[int], np.dtype[np.float64]] = soxr.resample(samples, rate, RATE)
    return resampled


@functools.cache
def _variants() -> frozenset[str]:
    """Variants of a voice that this espeak-ng has; an unknown one it leaves out without a word."""
    listed = _espeak("--voices=variant").decode()
    return frozenset(word.removeprefix("!v/") for word in listed.split() if word.startswith("!v/"))


def _espeak(*arguments: str, text: str = "") -> bytes:
    try:
        done = subprocess.run(
            ["espeak-ng", *arguments], input=text.encode(), capture_output=True, timeout=LIMIT, check=True
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise CallerVoiceError("espeak-ng is missing or failed") from e
    return done.stdout
