"""Voice activity with the real Silero network, on real synthetic speech."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from callers import SENTENCE, says

from ari_agent.errors import EngineUnavailable
from ari_agent.protocols import FRAME_BYTES, FRAME_MS
from ari_agent.speech.audio import silence
from ari_agent.speech.turns import Ended, Started, TurnDetector
from ari_agent.speech.vad import SpeechGate

START_MS = 60
BARGE_IN_MS = 200
"""From the caller's first sample to the start of a turn; the PBX needs 50 ms more to fall silent."""


def noise(ms: int, dbfs: float, seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).standard_normal(16 * ms) * 32768 * 10 ** (dbfs / 20)
    return bytes(np.clip(samples, -32768, 32767).astype("<i2"))


def hum(ms: int, dbfs: float) -> bytes:
    wave = np.sin(2 * np.pi * 425 * np.arange(16 * ms) / 16_000) * 2**0.5 * 32768 * 10 ** (dbfs / 20)
    return bytes(wave.astype("<i2"))


def mixed(one: bytes, other: bytes) -> bytes:
    size = max(len(one), len(other)) // 2
    samples = [np.pad(np.frombuffer(pcm, "<i2").astype(int), (0, size - len(pcm) // 2)) for pcm in (one, other)]
    return bytes(np.clip(samples[0] + samples[1], -32768, 32767).astype("<i2"))


def verdicts(gate: SpeechGate, pcm: bytes) -> list[bool]:
    whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
    return [gate.is_speech(pcm[i : i + FRAME_BYTES]) for i in range(0, whole, FRAME_BYTES)]


@pytest.mark.parametrize("voice", ["de", "de+f3", "de+m3"])
@pytest.mark.parametrize("word", ["ja", "stopp", "mitarbeiter", "hallo"])
@pytest.mark.parametrize("floor_dbfs", [-96, -55])
def test_a_turn_starts_soon_after_the_first_sample(voice: str, word: str, floor_dbfs: float) -> None:
    gate, turns = SpeechGate(), TurnDetector(START_MS, end_open_ms=800, longest_s=30)
    pcm = mixed(says(word, voice, 2000, 500), noise(4000, floor_dbfs))
    begun = [frame for frame, speech in enumerate(verdicts(gate, pcm)) if isinstance(turns.feed(speech), Started)]
    assert len(begun) == 1
    assert 0 < (begun[0] + 1) * FRAME_MS - 2000 <= BARGE_IN_MS


def test_a_sentence_is_one_turn_and_its_end_is_found() -> None:
    gate, turns = SpeechGate(), TurnDetector(START_MS, end_open_ms=800, longest_s=30)
    speech = says(SENTENCE, before_ms=1000)
    ends_ms = len(speech) / 32
    seen = [
        (turns.feed(verdict), (i + 1) * FRAME_MS) for i, verdict in enumerate(verdicts(gate, speech + silence(1500)))
    ]
    edges = [(type(event), ms) for event, ms in seen if isinstance(event, Started | Ended)]
    assert [kind for kind, _ in edges] == [Started, Ended]
    assert ends_ms + 600 < edges[1][1] < ends_ms + 1000


@pytest.mark.parametrize(
    "sound", [noise(6000, -35), noise(6000, -55), hum(6000, -25), silence(6000)], ids=["loud", "soft", "hum", "digital"]
)
def test_no_turn_starts_without_a_voice(sound: bytes) -> None:
    gate, turns = SpeechGate(), TurnDetector(START_MS, end_open_ms=800, longest_s=30)
    assert not any(turns.feed(verdict) for verdict in verdicts(gate, sound))


def test_the_network_is_asked_only_when_something_is_heard() -> None:
    gate = SpeechGate()
    verdicts(gate, noise(10_000, -55))
    assert gate.asked == 0
    verdicts(gate, noise(20_000, -40))  # a fan is learned within seconds
    learned = gate.asked
    verdicts(gate, noise(10_000, -40))
    assert gate.asked == learned < 300


def test_a_caller_is_understood_above_the_noise_that_was_learned() -> None:
    gate = SpeechGate()
    verdicts(gate, noise(20_000, -40))
    assert sum(verdicts(gate, mixed(says(SENTENCE), noise(2500, -40, 2)))) > 50


def test_a_reset_gate_judges_like_a_new_one() -> None:
    used, fresh = SpeechGate(), SpeechGate()
    pcm = says(SENTENCE, before_ms=500, after_ms=500)
    verdicts(used, noise(3000, -40) + pcm[:20_000])
    used.reset()
    fresh.reset()
    assert verdicts(used, pcm) == verdicts(fresh, pcm)


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="640"):
        SpeechGate().is_speech(b"\0" * 320)


def test_a_model_that_cannot_be_opened_is_an_engine_that_is_not_there() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(EngineUnavailable, match="vad"):
            SpeechGate()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
