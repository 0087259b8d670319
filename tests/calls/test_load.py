"""What is measured of lag, and that nothing else closes the door for new calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import FakeRecogniser, FakeVoice
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from ari_agent.config import Calls
from ari_agent.errors import EngineTimeout
from ari_agent.load import FRESH_S, Load
from ari_agent.protocols import PLAIN, Manner

SETTINGS = Calls(lag_close_ms=500, lag_open_ms=200)


class Backlog:
    """Audio that waits before the recogniser."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


class SlowVoice:
    """Implements Voice: the first sound takes its time."""

    def __init__(self, first_s: float) -> None:
        self.first_s = first_s

    async def speak(self, text: str, manner: Manner = PLAIN) -> AsyncGenerator[bytes, None]:
        """Yield two chunks; the second comes late too, which is nobody's lag: the first is being played meanwhile."""
        await asyncio.sleep(self.first_s)
        yield b"1"
        await asyncio.sleep(2)
        yield b"2"


@asynccontextmanager
async def measuring(load: Load) -> AsyncIterator[None]:
    task = asyncio.create_task(load.measure())
    try:
        yield
    finally:
        task.cancel()


def lag(part: str) -> float | None:
    return REGISTRY.get_sample_value("ari_agent_lag_seconds", {"part": part})


async def test_an_idle_machine_takes_calls() -> None:
    load = Load(SETTINGS, Backlog())
    async with measuring(load):
        await asyncio.sleep(60)
    assert load.admits()
    assert REGISTRY.get_sample_value("ari_agent_admission_open") == 1


async def test_audio_that_waits_closes_the_door_and_one_log_line_names_the_part() -> None:
    backlog = Backlog()
    load = Load(SETTINGS, backlog)
    with capture_logs() as lines:
        async with measuring(load):
            backlog.s = 0.6
            await asyncio.sleep(1)
            assert not load.admits()
            assert lag("recogniser") == 0.6
            assert REGISTRY.get_sample_value("ari_agent_admission_open") == 0
            backlog.s = 0.1
            await asyncio.sleep(2.5)
            assert not load.admits()
            await asyncio.sleep(1)
            assert load.admits()
    assert [(line["log_level"], line.get("part")) for line in lines] == [("warning", "recogniser"), ("info", None)]


async def test_an_event_loop_that_wakes_late_again_and_again_closes_the_door() -> None:
    load = Load(SETTINGS, Backlog())
    load.look(700)
    await asyncio.sleep(0.6)
    assert load.admits()
    load.look(700)
    assert not load.admits()


async def test_two_slow_transcripts_in_a_row_close_the_door_and_one_does_not() -> None:
    for answers, closed in (((0.7, 0.1), False), ((0.1, 0.7), False), ((0.7, 0.8), True)):
        load, gate = Load(SETTINGS, Backlog()), asyncio.Event()
        recogniser = load.recogniser(FakeRecogniser(["ja", "nein"], gate))
        async with measuring(load):
            for seconds in answers:
                gate.clear()
                asyncio.get_running_loop().call_later(seconds, gate.set)
                async with recogniser.utterance() as utterance:
                    utterance.feed(b"")
                    assert utterance.partial == ""
                    assert (await utterance.finish()).text in ("ja", "nein")
            await asyncio.sleep(1)
        assert load.admits() is not closed, answers


async def test_transcripts_that_never_come_count_too() -> None:
    load = Load(SETTINGS, Backlog())
    failing = FakeRecogniser([EngineTimeout("vosk", "no result"), EngineTimeout("vosk", "no result")])
    assert load.recogniser(failing).ready
    for _ in range(2):
        async with load.recogniser(failing).utterance() as utterance:
            with pytest.raises(EngineTimeout):
                await utterance.finish()
    load.look(0)
    assert lag("transcript") is not None


async def test_what_an_engine_needed_long_ago_says_nothing_about_now() -> None:
    load = Load(SETTINGS, Backlog())
    voice = load.voice(SlowVoice(0.7))
    for _ in range(2):
        assert [chunk async for chunk in voice.speak("a")] == [b"1", b"2"]
    load.look(0)
    assert lag("voice") == pytest.approx(0.7)
    await asyncio.sleep(FRESH_S)
    load.look(0)
    assert lag("voice") == 0


async def test_who_stops_listening_stops_the_voice() -> None:
    inner = FakeVoice()
    speech = Load(SETTINGS, Backlog()).voice(inner).speak("lang")
    await anext(speech)
    await speech.aclose()
    assert inner.cancelled == ["lang"]
