"""Words of which an engine died twice are not tried a third time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.worker.suspects import FORGIVEN_S, Suspects


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def suspects(clock: Clock) -> Suspects:
    return Suspects("llama", 5.0, clock)


def die_of(suspects: Suspects, words: str) -> None:
    with suppress(EngineUnavailable), suspects.trying(words):
        suspects.crashed()
        raise EngineUnavailable("llama", "the process ended")


def test_after_two_crashes_the_words_are_refused_and_others_are_not(suspects: Suspects) -> None:
    die_of(suspects, "gift")
    with suspects.trying("gift"):
        pass
    die_of(suspects, "gift")
    with pytest.raises(EngineUnavailable, match="twice"), suspects.trying("gift"):
        pytest.fail("it was tried")
    with suspects.trying("guten tag"):
        pass


def test_after_an_hour_they_may_be_tried_again(suspects: Suspects, clock: Clock) -> None:
    die_of(suspects, "gift")
    die_of(suspects, "gift")
    clock.now = FORGIVEN_S + 1
    assert not suspects.guilty("gift")


@pytest.mark.parametrize("given_up", [EngineTimeout("llama"), asyncio.CancelledError(), GeneratorExit()])
def test_words_at_which_it_hangs_are_counted_although_nobody_waits_any_more(
    suspects: Suspects, clock: Clock, given_up: BaseException
) -> None:
    for _ in range(2):
        with pytest.raises(type(given_up)), suspects.trying("gift"):
            raise given_up
        clock.now += 4
        suspects.crashed()
    assert suspects.guilty("gift")


def test_words_that_were_answered_or_are_long_past_are_innocent(suspects: Suspects, clock: Clock) -> None:
    for _ in range(2):
        with suspects.trying("guten tag"):
            pass
        suspects.watch("früher")
        clock.now += 6
        suspects.crashed()
        suspects.watch("anderes")
    assert not suspects.guilty("guten tag")
    assert not suspects.guilty("früher")


def test_words_that_were_only_read_ahead_count_too(suspects: Suspects) -> None:
    for _ in range(2):
        suspects.watch("gift")
        suspects.crashed()
    assert suspects.guilty("gift")
