"""The ear on recordings whose truth is known to the sample."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import ear
from sandbox.recording import RATE, Recording, Samples, Segment


def silence(ms: float) -> Samples:
    return np.zeros(round(ms * RATE / 1000), np.int16)


def voice(ms: float, level: int = 4000) -> Samples:
    """A sound that is loud in every sample."""
    return np.resize(np.array([level, -level], np.int16), round(ms * RATE / 1000))


def sine(hertz: float, ms: float, level: float = 8192) -> Samples:
    time = np.arange(round(ms * RATE / 1000)) / RATE
    return np.rint(level * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def line_noise(samples: Samples, deviation: float = 12, seed: int = 1) -> Samples:
    noise = np.random.default_rng(seed).normal(0, deviation, len(samples))
    return np.clip(samples + noise, -32768, 32767).astype(np.int16)


def test_speech_is_found_to_the_sample_and_line_noise_is_not_speech() -> None:
    call = line_noise(np.concatenate((silence(100), voice(200), silence(400), voice(50), silence(100))))
    assert ear.speech(call) == [Segment(800, 2399), Segment(5600, 5999)]


def test_a_short_pause_belongs_to_the_speech() -> None:
    call = np.concatenate((voice(100), silence(250), voice(100)))
    assert ear.speech(call) == [Segment(0, 3599)]
    assert ear.speech(call, min_gap_ms=100) == [Segment(0, 799), Segment(2800, 3599)]


def test_silence_has_no_speech_and_no_beginning() -> None:
    assert ear.speech(line_noise(silence(500))) == []
    assert ear.speech(silence(0)) == []
    assert ear.leading_silence_ms(silence(500)) is None


def test_the_loudest_negative_sample_is_loud() -> None:
    assert ear.speech(np.array([0, -32768, 0], np.int16)) == [Segment(1, 1)]


@given(st.lists(st.tuples(st.integers(301, 900), st.integers(1, 500)), min_size=1, max_size=6))
def test_every_stretch_of_speech_is_found_whatever_the_pauses(turns: list[tuple[int, int]]) -> None:
    call = np.concatenate([part for pause, length in turns for part in (silence(pause), voice(length))])
    found = ear.speech(call)
    assert [segment.ms for segment in found] == [length for _, length in turns]
    assert all(np.all(np.abs(call[segment.first : segment.last + 1]) == 4000) for segment in found)


def test_leading_silence_is_counted_to_the_first_speech_sample() -> None:
    assert ear.leading_silence_ms(np.concatenate((silence(123), voice(10)))) == 123


def test_the_reply_is_heard_from_the_last_sample_sent_to_the_first_one_received() -> None:
    sent_last = 7999
    received = np.concatenate((silence(1000), silence(293), voice(500)))
    assert ear.heard_ms(received, sent_last) == pytest.approx(293, abs=0.2)


def test_what_was_said_before_the_caller_had_finished_is_no_reply() -> None:
    received = np.concatenate((voice(900), silence(400), voice(200)))
    assert ear.heard_ms(received, 7999) == pytest.approx(300, abs=0.2)


def test_a_reply_after_the_next_sentence_belongs_to_that_one() -> None:
    received = np.concatenate((silence(3000), voice(200)))
    assert ear.heard_ms(received, 7999, before=16000) is None
    assert ear.heard_ms(received[:20000], 7999) is None


def test_barge_in_lasts_until_the_agent_has_stopped_for_good() -> None:
    # the agent is interrupted at 1 s, makes a pause of 200 ms in the middle of a word and stops after 450 ms
    received = np.concatenate((voice(1100), silence(200), voice(150), silence(2000), voice(500)))
    assert ear.barge_in_ms(received, RATE) == pytest.approx(450, abs=0.2)


def test_an_agent_that_talks_on_has_not_let_the_caller_in() -> None:
    assert ear.barge_in_ms(voice(9000), RATE) is None


def test_a_hush_lasts_from_the_agents_last_sample_to_its_next() -> None:
    received = np.concatenate((voice(1100), silence(200), voice(150), silence(600), voice(500)))
    assert ear.hush_ms(received, RATE) == pytest.approx(600, abs=0.2)


def test_an_agent_that_talks_on_or_never_again_has_made_no_hush() -> None:
    assert ear.hush_ms(voice(9000), RATE) is None
    assert ear.hush_ms(np.concatenate((voice(1200), silence(8000))), RATE) is None


def test_there_is_nothing_to_interrupt_when_the_agent_was_silent() -> None:
    assert ear.barge_in_ms(np.concatenate((silence(1500), voice(500), silence(500))), RATE) is None


def test_a_call_that_ends_too_early_to_tell_gives_no_barge_in() -> None:
    assert ear.barge_in_ms(np.concatenate((voice(1200), silence(250))), RATE) is None


def test_a_tone_is_told_from_its_neighbours_and_from_the_voice() -> None:
    call = line_noise(np.concatenate((silence(500), sine(440, 300), silence(500))))
    assert ear.has_tone(call, 440)
    assert not ear.has_tone(call, 480)
    assert not ear.has_tone(line_noise(voice(1000)), 440)


def test_a_tone_must_be_loud_enough_and_long_enough() -> None:
    assert not ear.has_tone(sine(440, 100), 440)
    assert not ear.has_tone(sine(440, 1000, level=300), 440)
    assert ear.has_tone(sine(440, 1000, level=300), 440, level_db=-45)
    assert not ear.has_tone(silence(0), 440)


def test_the_level_of_a_tone_is_measured_in_decibels() -> None:
    levels, shares = ear.tone_levels(sine(440, 500), 440)
    assert len(levels) == 10
    assert levels == pytest.approx(-12.04, abs=0.1)
    assert shares == pytest.approx(1, abs=0.01)


def test_lost_frames_are_counted_inside_speech_only() -> None:
    tone = sine(440, 1000)
    tone[1600:1760] = 8  # 20 ms as A-law decodes silence
    tone[4000:4100] = 0  # 12.5 ms: less than a frame
    found = ear.holes(np.concatenate((silence(200), tone, silence(200))))
    assert len(found) == 1
    assert found[0].first == pytest.approx(1600 + 1600, abs=2)
    assert found[0].ms == pytest.approx(20, abs=0.5)


def test_a_pause_with_line_noise_is_no_hole() -> None:
    assert ear.holes(line_noise(np.concatenate((voice(100), silence(100), voice(100))))) == []


def test_a_summary_tells_median_tail_and_maximum() -> None:
    assert ear.summary([float(n) for n in range(1, 102)]) == ear.Summary(101, 51, 96, 101)


def test_nothing_measured_has_no_summary() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        ear.summary([])


def test_a_recording_is_saved_as_two_wavs_of_the_same_length(tmp_path: Path) -> None:
    sent, received = Recording(voice(100), silence(100), 0.0).save(tmp_path, "call")
    assert (sent.name, received.name) == ("call-sent.wav", "call-received.wav")
    assert sent.stat().st_size == received.stat().st_size == 44 + 2 * 800
