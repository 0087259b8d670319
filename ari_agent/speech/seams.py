"""Where to go on with a sentence that was cut off, so that nothing is lost and no word begins in its middle. Pure.

level   ▂▆▇▅▆▇▃▁▁▁▂▇▆▇▇▂▆▇▆▅▇▆▇
                  │         └ cut
                  └ after the last pause, at most two seconds before; else at the quietest place
"""

from __future__ import annotations

import numpy as np

from ari_agent.protocols import SAMPLE_RATE

AGAIN_MS = 2000
"""Most that is said a second time."""
LEAST_MS = 400
"""Least: the ends of the last words are lost on the way to the phone, and to a listener who speaks."""
_BLOCK_MS = 10
_PAUSE_MS = 80
"""A shorter hole is part of speech: the closure of a plosive lasts up to 60 ms."""
_QUIET = 0.03
"""Share of the loudest block's amplitude below which a block is a pause: some 30 dB."""
_BEFORE_MS = 20
"""So much of the pause is said again: soft first sounds are below that level."""


def seam(pcm: bytes, cut_ms: float) -> float:
    """Return from how many milliseconds on to say the sentence again that was heard up to `cut_ms`.

    `pcm`: slin16 of the sentence, from its beginning at least to the cut. 0: from the beginning, where that is near.
    """
    if cut_ms <= AGAIN_MS:
        return 0.0
    first = int((cut_ms - AGAIN_MS) // _BLOCK_MS)
    levels = _levels(pcm)
    near = levels[first : int((cut_ms - LEAST_MS) // _BLOCK_MS)]
    if not near.size:
        return 0.0
    quiet, blocks = near < _QUIET * float(np.max(levels)), _PAUSE_MS // _BLOCK_MS
    for end in range(near.size, blocks - 1, -1):
        if quiet[end - blocks : end].all():
            return float((first + end) * _BLOCK_MS - _BEFORE_MS)
    return float((first + int(np.argmin(near))) * _BLOCK_MS)


def _levels(pcm: bytes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the mean amplitude of every whole block."""
    block = SAMPLE_RATE * _BLOCK_MS // 1000
    samples = np.abs(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64))
    whole = samples[: samples.size // block * block]
    return np.asarray(whole.reshape(-1, block).mean(axis=1))
