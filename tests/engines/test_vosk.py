"""The real Vosk in its worker process, on real synthetic speech."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from callers import SENTENCE, VOSK_MODEL, says
from fakes import FakeLine, speech_settings

from ari_agent.config import Speech
from ari_agent.errors import EngineUnavailable
from ari_agent.protocols import FRAME_BYTES, Transcript, Utterance
from ari_agent.speech.audio import silence
from ari_agent.speech.ears import Ears, Heard, Said, SpeechStarted
from ari_agent.speech.vad import SpeechGate
from ari_agent.speech.vosk import VoskRecogniser

SETTINGS = speech_settings(vosk_model=VOSK_MODEL, transcript_s=5)
SPEECH = says(SENTENCE, before_ms=300, after_ms=300)


@pytest.fixture
async def recogniser() -> AsyncIterator[VoskRecogniser]:
    async with VoskRecogniser(SETTINGS) as recogniser:
        await recogniser.wait_ready()
        yield recogniser


def feed(utterance: Utterance, pcm: bytes) -> None:
    for start in range(0, len(pcm), FRAME_BYTES):
        utterance.feed(pcm[start : start + FRAME_BYTES])


async def understand(recogniser: VoskRecogniser, pcm: bytes) -> Transcript:
    async with recogniser.utterance() as utterance:
        feed(utterance, pcm)
        return await utterance.finish()


async def test_a_sentence_is_understood_without_blocking(recogniser: VoskRecogniser, blocking: BlockBuster) -> None:
    transcript = await understand(recogniser, SPEECH)
    assert transcript.text == SENTENCE
    assert 0.5 < transcript.confidence <= 1


async def test_words_come_while_they_are_spoken(recogniser: VoskRecogniser) -> None:
    seen = [""]
    async with recogniser.utterance() as utterance:
        for start in range(0, len(SPEECH), FRAME_BYTES):
            utterance.feed(SPEECH[start : start + FRAME_BYTES])
            await asyncio.sleep(0.002)  # ten times as fast as a caller
            if utterance.partial != seen[-1]:
                seen.append(utterance.partial)
        await utterance.finish()
    assert len(seen) > 3
    assert all(len(one.split()) <= len(other.split()) + 1 for one, other in pairwise(seen))
    assert seen[-1].startswith(SENTENCE.split()[0])


async def test_a_pause_inside_an_utterance_loses_no_words(recogniser: VoskRecogniser) -> None:
    transcript = await understand(recogniser, SPEECH + silence(2000) + SPEECH)
    assert transcript.text == f"{SENTENCE} {SENTENCE}"


async def test_silence_is_no_word(recogniser: VoskRecogniser) -> None:
    assert await understand(recogniser, silence(1000)) == Transcript("", 0.0)
    async with recogniser.utterance() as utterance:
        assert await utterance.finish() == Transcript("", 0.0)


async def test_callers_at_the_same_time_do_not_hear_each_other(recogniser: VoskRecogniser) -> None:
    results = await asyncio.gather(*(understand(recogniser, silence(100 * n) + SPEECH) for n in range(5)))
    assert {result.text for result in results} == {SENTENCE}


async def test_utterances_go_to_the_least_busy_process() -> None:
    settings = SETTINGS.model_copy(update={"vosk_workers": 2})
    async with VoskRecogniser(settings) as recogniser:
        await recogniser.wait_ready()
        async with recogniser.utterance(), recogniser.utterance():
            assert [worker.busy for worker in recogniser.workers] == [1, 1]
        assert [worker.busy for worker in recogniser.workers] == [0, 0]
        recogniser.workers[0].worn = True  # and rather not to one that is to be replaced
        async with recogniser.utterance(), recogniser.utterance():
            assert [worker.busy for worker in recogniser.workers] == [0, 2]


async def test_before_the_model_is_loaded_it_is_unavailable() -> None:
    async with VoskRecogniser(SETTINGS) as recogniser:
        assert not recogniser.ready
        with pytest.raises(EngineUnavailable, match="still loading"):
            async with recogniser.utterance():
                pass
        await recogniser.wait_ready()
        assert recogniser.ready


async def test_a_folder_without_a_model_is_named_with_the_remedy(tmp_path: Path) -> None:
    async with VoskRecogniser(speech_settings(vosk_model=tmp_path, load_s=2)) as recogniser:
        with pytest.raises(EngineUnavailable, match=r"holds no Vosk model; name its folder in speech\.vosk_model"):
            await recogniser.wait_ready()
        assert recogniser.fault is not None


async def heard_by_ears(settings: Speech, recogniser: VoskRecogniser, pcm: bytes) -> list[Heard]:
    line = FakeLine()
    sense, ahead = (lambda text: text == SENTENCE), (lambda _: None)
    ears = Ears(line, SpeechGate(), recogniser, settings, 8, sense, ahead, lambda *_: "turn")
    heard: asyncio.Queue[Heard] = asyncio.Queue(10)
    listening = asyncio.ensure_future(ears.listen(heard))
    async with asyncio.timeout(10):
        for start in range(0, len(pcm), FRAME_BYTES):
            line.hear(pcm[start : start + FRAME_BYTES])
            await asyncio.sleep(0.004)  # five times as fast as a caller
        events = [await heard.get(), await heard.get()]
        line.hang_up()
        await listening
    return events


async def test_the_ears_hear_a_caller_out_and_end_the_turn_early(recogniser: VoskRecogniser) -> None:
    pcm = says(SENTENCE, before_ms=1000, after_ms=1200)
    started, said = await heard_by_ears(SETTINGS, recogniser, pcm)
    assert started == SpeechStarted()
    assert isinstance(said, Said)
    assert said.transcript.text == SENTENCE
    assert SETTINGS.end_ms <= said.end_of_turn_ms < SETTINGS.end_open_ms
