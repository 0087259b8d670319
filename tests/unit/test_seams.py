"""Where a sentence that was cut off is taken up again."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from fakes import speech_settings
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.speech.audio import level_dbfs
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.seams import AGAIN_MS, LEAST_MS, seam

BYTES_PER_MS = 32


def sound(ms: int, level: int = 4000) -> bytes:
    return np.resize(np.array([level, -level], "<i2"), ms * BYTES_PER_MS // 2).tobytes()


def test_near_the_beginning_all_is_said_again() -> None:
    assert seam(sound(1000) + sound(200, 0) + sound(1500), 2000) == 0.0


def test_it_goes_on_after_the_last_pause() -> None:
    pcm = sound(1500) + sound(150, 0) + sound(1000) + sound(150, 0) + sound(3000)
    assert seam(pcm, 4200) == 1500 + 150 + 1000 + 150 - 20


def test_the_closure_of_a_plosive_is_no_pause() -> None:
    pcm = sound(2000) + sound(150, 0) + sound(500) + sound(60, 0) + sound(2000)
    assert seam(pcm, 3900) == 2000 + 150 - 20


def test_a_pause_just_before_the_cut_is_too_late() -> None:
    pcm = sound(2000) + sound(150, 0) + sound(1400) + sound(150, 0) + sound(2000)
    assert seam(pcm, 3750) == 2000 + 150 - 20


def test_without_a_pause_it_is_the_quietest_place() -> None:
    pcm = sound(3000) + sound(40, 1500) + sound(1500)
    assert 3000 <= seam(pcm, 4000) < 3040


def test_no_audio_is_said_from_the_beginning() -> None:
    assert seam(b"", 5000) == 0.0


@given(st.lists(st.tuples(st.integers(20, 900), st.integers(0, 9000)), max_size=12), st.integers(0, 9000))
def test_never_is_more_said_again_than_two_seconds_nor_anything_lost(parts: list[tuple[int, int]], cut: int) -> None:
    pcm = b"".join(sound(ms, level) for ms, level in parts)
    cut_ms = min(cut, len(pcm) / BYTES_PER_MS)
    begin = seam(pcm, cut_ms)
    assert begin == 0.0 or LEAST_MS <= cut_ms - begin <= AGAIN_MS + 30
    assert begin > 0.0 or cut_ms <= AGAIN_MS


@pytest.mark.parametrize("cut_ms", range(2500, 6500, 500))
def test_the_agents_own_voice_goes_on_where_it_is_quiet(cut_ms: int) -> None:
    text = "Wir sind montags bis donnerstags von acht bis siebzehn Uhr, und freitags von acht bis fünfzehn Uhr, da."

    async def spoken() -> bytes:
        return b"".join([chunk async for chunk in EspeakVoice(speech_settings()).speak(text)])

    pcm = asyncio.run(spoken())
    begin = int(seam(pcm, cut_ms)) * BYTES_PER_MS
    assert level_dbfs(pcm[begin : begin + 10 * BYTES_PER_MS]) < level_dbfs(pcm) - 15
