"""Synthetic callers who really speak, and the recognition model that understands them."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from ari_agent.speech.audio import Leveller, Resampler, silence

REPO = Path(__file__).resolve().parents[1]
VOSK_MODEL = Path(os.environ.get("ARI_AGENT_TEST_VOSK_MODEL", REPO / "models" / "demo" / "vosk-de"))
"""A Vosk model that knows the words of SENTENCE; the demo's own unless the environment names another."""

SENTENCE = "ich möchte einen termin am montag"
_WAV_HEADER_BYTES = 44
_ESPEAK_HZ = 22_050


@cache
def says(text: str, voice: str = "de+f3", before_ms: int = 0, after_ms: int = 0) -> bytes:
    """Return slin16 of a caller who says this at -20 dBFS, with digital silence before and after; blocks."""
    command = ["espeak-ng", "-v", voice, "-s", "150", "-z", "--stdin", "--stdout"]
    wav = subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=10).stdout
    resampler = Resampler(_ESPEAK_HZ)
    speech = resampler.feed(wav[_WAV_HEADER_BYTES:]) + resampler.flush()
    return silence(before_ms) + Leveller().feed(speech) + silence(after_ms)
