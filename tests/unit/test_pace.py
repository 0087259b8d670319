"""Playing by the clock, in virtual time: when each frame goes out, and what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_time import VirtualTimeLoop

from ari_agent.errors import MediaError
from ari_agent.metrics import HELD_UP
from ari_agent.pbx.pace import AHEAD_FRAMES, LATE_S, Pace

SIZE = 8
"""Bytes of a frame here."""
SILENCE = bytes(SIZE)


class Channel:
    """What was sent, with the time of each frame; the machine can be made busy at a frame."""

    def __init__(self) -> None:
        self.pace = Pace(self._send, SIZE)
        self.frames: list[bytes] = []
        self.at_ms: list[float] = []
        self.busy_s: dict[int, float] = {}
        """By number of the frame: how long nothing else gets to run after it."""

    @property
    def loud(self) -> bytes:
        """What was sent, without silence."""
        return b"".join(self.frames).replace(b"\0", b"")

    def _send(self, frame: bytes) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        self.at_ms.append(round(loop.time() * 1000, 6))
        self.frames.append(frame)
        loop._clock.now_s += self.busy_s.get(len(self.frames) - 1, 0.0)


def play(story: Callable[[Channel], Awaitable[None]], busy_s: dict[int, float] | None = None) -> Channel:
    """Play a story beside a running pace."""

    async def run() -> Channel:
        channel = Channel()
        channel.busy_s = busy_s or {}
        sending = asyncio.create_task(channel.pace.run())
        await story(channel)
        sending.cancel()
        await asyncio.wait([sending])
        return channel

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(run())


async def phrase(*chunks: bytes, every_s: float = 0.0) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        await asyncio.sleep(every_s)
        yield chunk


async def nothing(_: Channel) -> None:
    await asyncio.sleep(1.99)


def test_without_a_phrase_silence_goes_out_every_20_ms_and_never_drifts() -> None:
    async def minutes(_: Channel) -> None:
        await asyncio.sleep(599.99)

    channel = play(minutes)
    assert set(channel.frames) == {SILENCE}
    assert channel.at_ms == pytest.approx([n * 20 for n in range(30_000)], abs=0.01)


@pytest.mark.parametrize("late_s", [0.005, 0.019, 0.03, LATE_S])
def test_a_short_delay_is_made_up_for_and_the_clock_stays(late_s: float) -> None:
    channel = play(nothing, {10: late_s})
    assert channel.at_ms[20:] == pytest.approx([n * 20 for n in range(20, 100)])
    assert len(channel.frames) == 100


def test_after_a_long_delay_the_clock_begins_anew_and_no_burst_goes_out() -> None:
    channel = play(nothing, {10: 0.5})
    assert channel.at_ms[11:14] == pytest.approx([700, 720, 740])
    assert min(b - a for a, b in zip(channel.at_ms, channel.at_ms[1:], strict=False)) == pytest.approx(20)


def test_a_phrase_that_is_held_up_is_said_to_its_end() -> None:
    async def speak(channel: Channel) -> None:
        await channel.pace.play(phrase(b"a" * SIZE * 50))

    before = HELD_UP._value.get()
    channel = play(speak, {10: 0.5, 30: 0.03})
    assert channel.loud == b"a" * SIZE * 50
    assert channel.pace.played_ms == 1000
    assert HELD_UP._value.get() == before + 1  # the caller heard the long delay only


def test_a_delay_in_silence_is_no_hole() -> None:
    before = HELD_UP._value.get()
    play(nothing, {10: 0.5})
    assert HELD_UP._value.get() == before


@given(st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\0", b"x")), max_size=12))
@settings(deadline=None)
def test_what_is_played_is_what_was_given_frame_by_frame_whatever_its_chunks(chunks: list[bytes]) -> None:
    over: list[float] = []

    async def speak(channel: Channel) -> None:
        await asyncio.sleep(0.05)
        await channel.pace.play(phrase(*chunks))
        over.append(asyncio.get_running_loop().time() * 1000)

    channel, whole = play(speak), b"".join(chunks)
    first = 3
    sent = b"".join(channel.frames[first:])
    assert sent[: len(whole)] == whole
    assert not any(sent[len(whole) :])
    assert channel.pace.played_ms == pytest.approx(len(whole) / SIZE * 20)
    frames = -(-len(whole) // SIZE)
    assert over == pytest.approx([60 + frames * 20 if whole else 50])  # when the last frame is over


def test_a_cancelled_phrase_is_silence_in_the_next_frame_and_tells_how_much_was_sent() -> None:
    closed = []

    async def speech() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"a" * SIZE * 10
        finally:
            closed.append(True)

    async def interrupt(channel: Channel) -> None:
        speaking = asyncio.create_task(channel.pace.play(speech()))
        await asyncio.sleep(0.51)
        speaking.cancel()
        await asyncio.wait([speaking])
        assert speaking.cancelled()
        await asyncio.sleep(0.2)

    channel = play(interrupt)
    assert channel.frames[1:26] == [b"a" * SIZE] * 25  # until 500 ms
    assert not any(b"".join(channel.frames[26:]))
    assert channel.pace.played_ms == 25 * 20
    assert closed == [True]


def test_the_next_phrase_begins_in_the_next_frame() -> None:
    async def two(channel: Channel) -> None:
        speaking = asyncio.create_task(channel.pace.play(phrase(b"a" * 1000)))
        await asyncio.sleep(0.105)
        speaking.cancel()
        await asyncio.wait([speaking])
        await channel.pace.play(phrase(b"b" * SIZE))

    channel = play(two)
    assert channel.frames[5:7] == [b"a" * SIZE, b"b" * SIZE]
    assert channel.pace.played_ms == 20


def test_a_voice_slower_than_its_words_leaves_silence_between_them_and_none_of_it_counts() -> None:
    async def slow(channel: Channel) -> None:
        await channel.pace.play(phrase(b"a" * SIZE * 2 + b"b", b"b" * (SIZE - 1), every_s=0.2))

    channel = play(slow)
    assert channel.loud == b"a" * SIZE * 2 + b"b" * SIZE
    assert [f for f in channel.frames if f != SILENCE] == [b"a" * SIZE, b"a" * SIZE, b"b" * SIZE]
    assert channel.pace.played_ms == 60


def test_little_is_taken_before_it_is_due() -> None:
    taken = 0

    async def speech() -> AsyncGenerator[bytes, None]:
        nonlocal taken
        while True:
            taken += 1
            yield b"a" * SIZE

    async def listen(channel: Channel) -> None:
        speaking = asyncio.create_task(channel.pace.play(speech()))
        await asyncio.sleep(10.01)
        speaking.cancel()
        await asyncio.wait([speaking])

    play(listen)
    assert taken <= 501 + AHEAD_FRAMES + 1


@pytest.mark.parametrize("endless", [True, False])
def test_a_phrase_that_nobody_sends_any_more_is_an_error(endless: bool) -> None:
    async def stopped(channel: Channel) -> None:
        speaking = asyncio.create_task(channel.pace.play(phrase(*[b"a" * SIZE * 200] * (50 if endless else 1))))
        await asyncio.sleep(0.1)
        channel.pace.stop()
        with pytest.raises(MediaError, match="closed during a playback"):
            await speaking
        with pytest.raises(MediaError):
            await channel.pace.play(phrase(b"a"))

    play(stopped)
