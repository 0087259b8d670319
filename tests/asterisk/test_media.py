"""The media line on a real Asterisk, looped back by Echo(): what is played comes back, when and as long as we say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest
import pytest_asyncio
from fakes import until

from ari_agent.errors import ChannelGone
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.leg import Leg
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import FRAME_MS

from .conftest import Sandbox
from .people import nothing_left
from .test_ari import APP, listening, settings

LONG_S = 21.0
"""Asterisk's queue holds 18 s and drops what comes beyond 20."""
ECHO = f"channels?endpoint=Local/2901@from-trunk/n&app={APP}&channelId="


@asynccontextmanager
async def looped(ari: Ari, transport: Transport, sandbox: Sandbox, channel: str) -> AsyncIterator[Leg]:
    """A leg whose far end sends back what it hears."""
    with ari.watch(channel) as events:
        await asyncio.to_thread(sandbox.ari, "POST", ECHO + channel)
        async with asyncio.timeout(5):
            await events.get()
    async with Leg.open(ari, transport, channel, 5) as leg:
        yield leg
    with suppress(ChannelGone):
        await ari.hang_up(channel)


@pytest_asyncio.fixture
async def leg(sandbox: Sandbox) -> AsyncIterator[Leg]:
    values = settings(sandbox)
    async with (
        listening(values) as (ari, _),
        Transport.open(values) as transport,
        looped(ari, transport, sandbox, "looped") as leg,
    ):
        yield leg
    await nothing_left(sandbox)


async def tone(seconds: float, *chunks: float) -> AsyncGenerator[bytes, None]:
    """440 Hz in chunks of these seconds each, again and again."""
    made = 0.0
    while made < seconds:
        for length in chunks or (1.0,):
            clock = np.arange(round(min(length, seconds - made) * 16_000)) / 16_000
            yield np.rint(8000 * np.sin(2 * np.pi * 440 * clock)).astype("<i2").tobytes()
            made += length


class Heard:
    """What comes back over a line, frame by frame, with the time of each."""

    def __init__(self, leg: Leg) -> None:
        self.loud_at: list[float] = []
        self._task = asyncio.create_task(self._listen(leg))

    @property
    def loud_ms(self) -> int:
        return len(self.loud_at) * FRAME_MS

    async def _listen(self, leg: Leg) -> None:
        async for frame in leg.line.frames():
            if np.max(np.abs(np.frombuffer(frame, "<i2").astype(np.int32))) > 1000:
                self.loud_at.append(time.monotonic())

    async def quiet(self, ms: float = 200) -> None:
        """Wait until nothing loud has come for so long."""
        await until(lambda: self.loud_at and time.monotonic() - self.loud_at[-1] > ms / 1000)

    async def more_than(self, ms: int) -> None:
        """Wait until more than so much has been loud."""
        await until(lambda: self.loud_ms > ms)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest_asyncio.fixture
async def heard(leg: Leg) -> AsyncIterator[Heard]:
    heard = Heard(leg)
    yield heard
    await heard.stop()


async def test_a_phrase_longer_than_asterisks_queue_is_played_to_its_end(leg: Leg, heard: Heard) -> None:
    started = time.monotonic()
    async with asyncio.timeout(40):
        await leg.line.play(tone(LONG_S, LONG_S))  # in one piece
    assert time.monotonic() - started > LONG_S - 0.5  # it is waited for to its end
    assert leg.line.played_ms == LONG_S * 1000
    await heard.quiet()
    assert heard.loud_ms == pytest.approx(LONG_S * 1000, abs=200)


async def test_a_cancelled_phrase_is_silent_within_three_frames_and_says_how_much_was_played(
    leg: Leg, heard: Heard
) -> None:
    late, wrong = [], []
    for wait_s in (0.31, 0.52, 0.44, 0.63, 0.57):
        before = heard.loud_ms
        speaking = asyncio.create_task(leg.line.play(tone(10)))
        await heard.more_than(before)
        await asyncio.sleep(wait_s)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        cancelled = time.monotonic()
        await heard.quiet()
        late.append((heard.loud_at[-1] - cancelled) * 1000)
        wrong.append(leg.line.played_ms - (heard.loud_ms - before))
    assert sorted(late)[2] <= 60, late
    assert max(late) <= 150, late  # the way through Echo() and a busy machine included
    assert max(map(abs, wrong)) <= 120, wrong


async def test_phrases_one_after_the_other_do_not_run_into_each_other(leg: Leg, heard: Heard) -> None:
    for seconds in (0.11, 0.25, 0.333):  # no multiples of a frame
        before = heard.loud_ms
        await leg.line.play(tone(seconds, 0.05))
        await heard.quiet()
        assert heard.loud_ms - before == pytest.approx(seconds * 1000, abs=45)
        assert leg.line.played_ms == pytest.approx(seconds * 1000, abs=1)


async def test_an_empty_phrase_ends_at_once(leg: Leg) -> None:
    async with asyncio.timeout(1):
        await leg.line.play(tone(0))
    assert leg.line.played_ms == 0
