"""Both sides of a call side by side: what was really played, where it was played, and nothing else."""

from __future__ import annotations

import numpy as np

from ari_agent.protocols import FRAME_BYTES, FRAME_MS
from ari_agent.speech.tracks import Tracks

CALLER = b"\x01\x00" * (FRAME_BYTES // 2)
HELD_BACK_MS = 100


def agent(ms: int, value: int = 7) -> bytes:
    return value.to_bytes(2, "little") * (ms * 16)


def channels(blocks: list[bytes]) -> tuple[list[int], list[int]]:
    both = np.frombuffer(b"".join(blocks), "<i2").reshape(-1, 2)
    return both[:, 0].tolist(), both[:, 1].tolist()


def heard_ms(right: list[int], value: int = 7) -> float:
    return right.count(value) / 16


def listen(tracks: Tracks, frames: int, played_ms: float = 0.0, step_ms: float = FRAME_MS) -> list[bytes]:
    """So many frames of the caller come while the agent goes on speaking."""
    return [tracks.block(CALLER, played_ms + step_ms * (number + 1)) for number in range(frames)]


def test_a_caller_alone_is_on_the_left() -> None:
    left, right = channels(listen(Tracks(), 10, step_ms=0.0))
    assert left == [1] * 10 * 320
    assert not any(right)


def test_the_agent_is_heard_once_and_in_one_piece_a_little_later() -> None:
    tracks = Tracks()
    tracks.begin()
    tracks.made(agent(1000))  # all of it at once, as a phrase from memory
    blocks = listen(tracks, 50)
    tracks.end(1000.0)
    blocks += listen(tracks, 20, 1000.0, 0.0)
    left, right = channels(blocks)
    assert len(left) == len(right) == 70 * 320
    assert heard_ms(right) == 1000
    first, last = right.index(7), len(right) - right[::-1].index(7)
    assert last - first == 1000 * 16
    assert first / 16 <= HELD_BACK_MS


def test_a_playback_that_is_cut_off_is_taken_as_far_as_it_was_heard() -> None:
    tracks = Tracks()
    tracks.begin()
    tracks.made(agent(5000))
    blocks = listen(tracks, 10)
    tracks.end(215.0)
    blocks += listen(tracks, 20, 215.0, 0.0)
    tracks.begin()
    tracks.made(agent(400, 9))
    blocks += listen(tracks, 20)
    tracks.end(400.0)
    blocks += listen(tracks, 20, 400.0, 0.0)
    _, right = channels(blocks)
    assert heard_ms(right) == 215
    assert heard_ms(right, 9) == 400


def test_steps_of_the_line_that_do_not_fit_the_frames_leave_no_holes() -> None:
    tracks = Tracks()
    tracks.begin()
    tracks.made(agent(2000))
    blocks = [tracks.block(CALLER, played) for played in [0, 23, 31, 64, 79, 95, 127, 139, *range(160, 2001, 20)]]
    tracks.end(2000.0)
    blocks += listen(tracks, 10, 2000.0, 0.0)
    _, right = channels(blocks)
    first = right.index(7)
    assert right[first : first + 2000 * 16] == [7] * 2000 * 16


def test_a_phone_that_sends_nothing_while_it_hears_loses_nothing_of_the_agent() -> None:
    tracks = Tracks()
    tracks.begin()
    tracks.made(agent(8000))
    blocks = [tracks.block(CALLER, 20.0), tracks.block(CALLER, 6000.0)]  # silence suppressed for six seconds
    tracks.end(6000.0)
    blocks += listen(tracks, 40, 6000.0, 0.0)
    left, right = channels(blocks)
    assert heard_ms(right) == 6000
    assert left.count(1) == 42 * 320


def test_no_more_than_what_was_made_is_taken_whatever_the_line_says() -> None:
    tracks = Tracks()
    tracks.begin()
    tracks.made(agent(100))
    blocks = listen(tracks, 30, 500.0)
    tracks.end(9000.0)
    _, right = channels([*blocks, *listen(tracks, 10, 9000.0, 0.0)])
    assert heard_ms(right) == 100
