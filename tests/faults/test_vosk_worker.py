"""Recognition whose process dies, hangs, babbles, or is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from callers import SENTENCE, VOSK_MODEL, says
from fakes import speech_settings, until
from processes import alive

from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.protocols import FRAME_BYTES
from ari_agent.speech.vosk import VoskRecogniser, VoskUtterance
from ari_agent.worker import keeper
from ari_agent.worker.keeper import Keeper

TRANSCRIPT_S = 1.0
AT_ONCE_S = TRANSCRIPT_S / 2  # by the death that was seen, and not by the limit of a transcript
SETTINGS = speech_settings(vosk_model=VOSK_MODEL, transcript_s=TRANSCRIPT_S)
SPEECH = says(SENTENCE, before_ms=300, after_ms=300)
HALF = SPEECH[: len(SPEECH) // 2]


@pytest.fixture
async def recogniser() -> AsyncIterator[VoskRecogniser]:
    async with VoskRecogniser(SETTINGS) as recogniser:
        await recogniser.wait_ready()
        yield recogniser


def process(recogniser: VoskRecogniser) -> int:
    pid = recogniser.workers[0].pid
    assert pid is not None
    return pid


async def speak_on(utterance: VoskUtterance) -> None:
    """Speak until it fails."""
    while True:
        utterance.feed(bytes(FRAME_BYTES))
        await asyncio.sleep(0.02)


async def assert_understands(recogniser: VoskRecogniser) -> None:
    await recogniser.wait_ready()
    async with recogniser.utterance() as utterance:
        utterance.feed(SPEECH)
        assert (await utterance.finish()).text == SENTENCE


async def test_killed_while_a_caller_speaks_the_call_knows_at_once_and_the_next_is_understood(
    recogniser: VoskRecogniser,
) -> None:
    async with recogniser.utterance() as utterance:
        utterance.feed(HALF)
        os.kill(process(recogniser), signal.SIGKILL)
        killed = time.perf_counter()
        with pytest.raises(EngineUnavailable):
            await asyncio.wait_for(speak_on(utterance), 5)
        assert time.perf_counter() - killed < AT_ONCE_S
        assert not recogniser.ready
    await assert_understands(recogniser)


async def test_killed_while_a_transcript_is_awaited_every_call_knows_at_once(recogniser: VoskRecogniser) -> None:
    async with recogniser.utterance() as one, recogniser.utterance() as other:
        os.kill(process(recogniser), signal.SIGSTOP)
        waiting = [asyncio.ensure_future(utterance.finish()) for utterance in (one, other)]
        await asyncio.sleep(0)
        os.kill(process(recogniser), signal.SIGKILL)
        killed = time.perf_counter()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert time.perf_counter() - killed < AT_ONCE_S
    assert [type(result) for result in results] == [EngineUnavailable] * 2
    await assert_understands(recogniser)


async def test_a_hanging_process_is_a_time_out_and_then_replaced(recogniser: VoskRecogniser) -> None:
    hanging = process(recogniser)
    async with recogniser.utterance() as utterance:
        utterance.feed(HALF)
        os.kill(hanging, signal.SIGSTOP)
        asked = time.perf_counter()
        with pytest.raises(EngineTimeout):
            await utterance.finish()
        assert time.perf_counter() - asked > 0.9 * TRANSCRIPT_S
        with pytest.raises(EngineUnavailable):
            await asyncio.wait_for(speak_on(utterance), 10)
    await assert_understands(recogniser)
    assert process(recogniser) != hanging
    assert not alive(hanging)


async def test_how_long_audio_waits_is_known_while_it_waits_and_afterwards(recogniser: VoskRecogniser) -> None:
    for _ in range(3):
        assert recogniser.behind_s() < 0.3
        await asyncio.sleep(0.1)
    os.kill(process(recogniser), signal.SIGSTOP)
    recogniser.behind_s()
    await asyncio.sleep(0.6)
    assert recogniser.behind_s() > 0.5
    os.kill(process(recogniser), signal.SIGCONT)
    await until(lambda: recogniser.workers[0]._asked_at is None)
    assert 0.5 < recogniser.behind_s() < 2  # what was measured last stands until the next answer
    await until(lambda: recogniser.behind_s() < 0.3)
    await assert_understands(recogniser)


async def test_a_process_that_dies_again_and_again_is_started_again_and_again(recogniser: VoskRecogniser) -> None:
    for _ in range(3):
        os.kill(process(recogniser), signal.SIGKILL)
        await until(lambda: not recogniser.ready)
        await recogniser.wait_ready()
    await assert_understands(recogniser)


async def test_a_process_with_far_too_much_memory_serves_who_calls_and_nobody_new_and_is_then_replaced(
    recogniser: VoskRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    calling, worker, taken = True, recogniser.workers[0], keeper.memory_mib(process(recogniser))
    assert taken is not None
    keeping, first = Keeper(recogniser.workers, taken, lambda: not calling), process(recogniser)
    await keeping.look()
    assert (recogniser.ready, recogniser.fault) == (True, None)
    async with recogniser.utterance() as utterance:
        utterance.feed(HALF)
        monkeypatch.setattr(keeper, "memory_mib", lambda pid: taken * (3 if pid == first else 1))  # Vosk does not leak
        await keeping.look()
        assert (recogniser.ready, "memory" in str(recogniser.fault)) == (False, True)
        assert worker.serving == first
        utterance.feed(SPEECH[len(HALF) :])
        assert (await utterance.finish()).text == SENTENCE
    async with recogniser.utterance() as utterance:  # the same call goes on
        utterance.feed(SPEECH)
        assert (await utterance.finish()).text == SENTENCE
    calling = False
    await keeping.look()
    await assert_understands(recogniser)
    assert (recogniser.ready, process(recogniser) != first) == (True, True)
    assert not alive(first)


PARENT = """
import asyncio, sys
from pathlib import Path
from ari_agent.config import Speech
from ari_agent.speech.vosk import VoskRecogniser

async def main():
    async with VoskRecogniser(Speech(vosk_model=Path(sys.argv[1]))) as recogniser:
        await recogniser.wait_ready()
        print(recogniser.workers[0].pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("hangs", [False, True])
async def test_no_process_outlives_a_service_that_was_killed(tmp_path: Path, *, hangs: bool) -> None:
    program = tmp_path / "service.py"
    program.write_text(PARENT)
    service = await asyncio.create_subprocess_exec(sys.executable, str(program), str(VOSK_MODEL), stdout=PIPE)
    assert service.stdout is not None
    async with asyncio.timeout(20):
        orphan = int(await service.stdout.readline())
        if hangs:
            os.kill(orphan, signal.SIGSTOP)
        service.kill()
        await service.wait()
        await until(lambda: not alive(orphan))


async def test_a_process_that_died_in_two_calls_takes_no_third_one() -> None:
    settings = SETTINGS.model_copy(update={"vosk_deaths": 2})
    async with VoskRecogniser(settings) as recogniser:
        for _ in range(2):
            await until(lambda: recogniser.ready, 30)
            async with recogniser.utterance() as utterance:
                os.kill(process(recogniser), signal.SIGKILL)
                with pytest.raises(EngineUnavailable):
                    await speak_on(utterance)
        await until(lambda: "out of service" in (recogniser.fault or ""))
        assert not recogniser.ready  # and so the controller claims nothing, and people answer
