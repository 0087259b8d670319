"""Arithmetic on PCM."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.speech.audio import (
    QUIETEST_DBFS,
    Leveller,
    Resampler,
    duration_ms,
    lead_bytes,
    level_dbfs,
    ringback,
    silence,
    trim_silence,
)


def sine(ms: float, dbfs: float, hz: float = 440, rate: int = 16_000) -> bytes:
    time = np.arange(round(rate * ms / 1000)) / rate
    return np.round(np.sin(2 * np.pi * hz * time) * 2**0.5 * 10 ** (dbfs / 20) * 32768).astype("<i2").tobytes()


def test_level_of_a_sine_is_its_root_mean_square() -> None:
    assert level_dbfs(sine(200, -20)) == pytest.approx(-20, abs=0.05)


def test_nothing_and_silence_have_the_quietest_level() -> None:
    assert level_dbfs(b"") == level_dbfs(silence(20)) == QUIETEST_DBFS


def test_the_loudest_samples_do_not_overflow() -> None:
    assert level_dbfs(b"\x00\x80" * 320) == pytest.approx(0, abs=0.01)


def test_trimming_keeps_the_sound_and_a_little_around_it() -> None:
    sound = sine(300, -20)
    trimmed = trim_silence(silence(500) + sound + silence(700), keep_ms=20)
    assert sound in trimmed
    assert duration_ms(trimmed) == 340


def test_trimming_silence_leaves_nothing() -> None:
    assert trim_silence(silence(300)) == b""
    assert lead_bytes(silence(300), -50) == len(silence(300))


@given(st.integers(0, 60), st.integers(0, 60))
def test_trimming_never_touches_what_is_loud(before: int, after: int) -> None:
    sound = sine(100, -12)
    trimmed = trim_silence(silence(before * 7) + sound + silence(after * 7))
    # a block of 10 ms that is partly silent may be cut only where it is silent
    assert sound in trimmed


def test_ringing_tone_is_one_second_of_425_hertz_and_four_of_silence() -> None:
    tone, pause, *rest = ringback(2)
    assert (duration_ms(tone), duration_ms(pause), len(rest)) == (1000, 4000, 2)
    spectrum = np.abs(np.fft.rfft(np.frombuffer(tone, "<i2")))
    assert int(spectrum.argmax()) == 425  # a second of audio: one bin per hertz
    assert level_dbfs(tone) == pytest.approx(-20, abs=0.2)
    assert not any(pause)


def test_ringing_tone_does_not_click() -> None:
    samples = np.frombuffer(next(ringback(1)), "<i2").astype(int)
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50


def alike(one: bytes, other: bytes) -> bool:
    """Whether two recordings differ by no more than the resampler's dither, which is random."""
    samples = [np.frombuffer(pcm, "<i2").astype(int) for pcm in (one, other)]
    return len(one) == len(other) and bool(np.abs(samples[0] - samples[1]).max() <= 2)


def resampled(pcm: bytes, cuts: list[int]) -> bytes:
    resampler = Resampler(22_050)
    out = b""
    for start, end in zip([0, *cuts], [*cuts, len(pcm)], strict=True):
        out += resampler.feed(pcm[start:end])
    return out + resampler.flush()


@given(st.lists(st.integers(0, 22_050), max_size=8).map(sorted))
def test_resampling_in_pieces_is_resampling_at_once(cuts: list[int]) -> None:
    pcm = sine(500, -12, rate=22_050)
    assert alike(resampled(pcm, cuts), resampled(pcm, []))


def test_resampling_keeps_length_level_and_pitch() -> None:
    out = resampled(sine(1000, -20, rate=22_050), [])
    assert duration_ms(out) == pytest.approx(1000, abs=1)
    assert level_dbfs(out) == pytest.approx(-20, abs=0.1)
    assert int(np.abs(np.fft.rfft(np.frombuffer(out, "<i2"))).argmax()) == pytest.approx(440, abs=1)


def test_a_flushed_resampler_remembers_nothing() -> None:
    pcm = sine(200, -12, rate=22_050)
    resampler = Resampler(22_050)
    first = resampler.feed(pcm + b"\x01") + resampler.flush()
    assert alike(resampler.feed(pcm) + resampler.flush(), first)


@pytest.mark.parametrize("dbfs", [-38, -26, -20, -6])
def test_every_voice_is_brought_to_one_level_without_clipping(dbfs: float) -> None:
    leveller = Leveller(-20)
    out = b"".join(leveller.feed(sine(200, dbfs)) for _ in range(5))
    assert level_dbfs(out) == pytest.approx(-20, abs=0.5)
    assert np.abs(np.frombuffer(out, "<i2").astype(int)).max() < 32_767


def test_pauses_do_not_make_the_leveller_louder() -> None:
    leveller = Leveller(-20)
    leveller.feed(sine(200, -20))
    leveller.feed(silence(3000))
    assert level_dbfs(leveller.feed(sine(200, -20))) == pytest.approx(-20, abs=0.5)


def test_a_sudden_shout_is_bent_not_clipped() -> None:
    leveller = Leveller(-20)
    leveller.feed(sine(400, -36))
    shout = np.frombuffer(leveller.feed(sine(20, -4)), "<i2").astype(int)
    assert np.abs(shout).max() < 32_767


def test_a_leveller_of_nothing_returns_nothing() -> None:
    assert Leveller().feed(b"") == b""
    assert Leveller().feed(silence(20)) == silence(20)
