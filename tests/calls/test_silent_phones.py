"""Phones that send nothing while their owner is silent, or at all: turns end, and callers are asked, as ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from fakes import LOUD, QUIET, FakeActivity, FakeLine, FakeRecogniser, speech_settings

from ari_agent.pbx.incoming import Incoming
from ari_agent.protocols import FRAME_MS
from ari_agent.speech.ears import Ears, Heard, Said, Silence, SpeechStarted

GAP_S = 0.12
"""As in the settings."""
SPEECH = speech_settings(start_ms=60, end_ms=240, end_open_ms=800)
WORDS = "wann haben sie geöffnet"


class PhoneLine(FakeLine):
    """A line whose frames come as those of a phone do."""

    def __init__(self) -> None:
        super().__init__()
        self.incoming = Incoming()

    def frames(self) -> AsyncIterator[bytes]:
        return self.incoming.frames()


@dataclass
class Phone:
    """A phone whose frames come by the clock, as long as it sends any."""

    line: PhoneLine = field(default_factory=PhoneLine)
    heard: asyncio.Queue[Heard] = field(default_factory=lambda: asyncio.Queue(32))

    async def sends(self, frame: bytes, ms: int) -> None:
        for _ in range(ms // FRAME_MS):
            self.line.incoming.put(frame)
            await asyncio.sleep(FRAME_MS / 1000)

    async def hears_in(self, kind: type[Heard]) -> float:
        """Wait for what is heard next, which is of this kind; return after how many seconds."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(60):
            assert isinstance(await self.heard.get(), kind)
        return loop.time() - began


@asynccontextmanager
async def phone() -> AsyncIterator[Phone]:
    one = Phone()
    ears = Ears(
        one.line, FakeActivity(), FakeRecogniser([WORDS, WORDS]), SPEECH, 8.0, lambda text: text == WORDS,
        lambda _: None, lambda *_: "turn",
    )  # fmt: skip
    async with asyncio.TaskGroup() as tasks:
        clock = tasks.create_task(one.line.incoming.keep_time(GAP_S))
        tasks.create_task(ears.listen(one.heard))
        yield one
        clock.cancel()
        one.line.incoming.end(None)


async def test_the_turn_of_a_caller_whose_phone_falls_silent_with_them_ends_a_gap_later_than_any_other() -> None:
    async with phone() as caller:
        for _ in range(2):
            await caller.sends(LOUD, 800)
            await caller.hears_in(SpeechStarted)
            assert await caller.hears_in(Said) == pytest.approx(0.24 + GAP_S, abs=0.03)
            await asyncio.sleep(3)  # and when it speaks again, it is heard again


async def test_a_caller_whose_phone_sends_nothing_at_all_is_asked_like_one_who_is_silent() -> None:
    async with phone() as caller:
        for _ in range(3):
            assert await caller.hears_in(Silence) == pytest.approx(8.0, abs=0.03)


@pytest.mark.parametrize("every_s", [0.16, 0.4, 5.0])
async def test_a_phone_that_sends_now_and_then_in_silence_is_no_slower_clock(every_s: float) -> None:
    """As codecs with comfort noise do (AMR, Opus), and phones that want to be seen alive."""
    async with phone() as caller:
        began = asyncio.get_running_loop().time()
        while caller.heard.empty():
            await caller.sends(QUIET, 20)
            await asyncio.sleep(every_s - 0.02)
        assert asyncio.get_running_loop().time() - began == pytest.approx(8.0, abs=every_s + 0.1)


async def test_frames_that_come_late_lose_nothing_and_the_end_of_the_line_is_the_end() -> None:
    incoming = Incoming()
    clock = asyncio.create_task(incoming.keep_time(GAP_S))
    for _ in range(3):
        incoming.put(LOUD)
    await asyncio.sleep(0.5)
    incoming.put(LOUD)
    await asyncio.sleep(0.1)  # shorter than a gap
    incoming.put(LOUD)
    clock.cancel()
    incoming.end(None)
    frames = [frame async for frame in incoming.frames()]
    await asyncio.wait([clock])
    loud = [number for number, frame in enumerate(frames) if frame == LOUD]
    assert frames.count(QUIET) == len(frames) - 5
    assert loud == [0, 1, 2, loud[3], loud[3] + 1]
    assert len(frames) * FRAME_MS == pytest.approx((0.5 - GAP_S) * 1000 + 100, abs=30)


async def test_a_phone_that_is_late_for_a_moment_does_not_end_its_callers_sentence() -> None:
    async with phone() as caller:
        await caller.sends(LOUD, 800)  # all words of it: they make sense
        await caller.hears_in(SpeechStarted)
        await asyncio.sleep(0.3)
        for _ in range(15):
            caller.line.incoming.put(LOUD)  # what is late comes at once
        await caller.sends(LOUD, 200)
        assert caller.heard.empty()
        await caller.hears_in(Said)
