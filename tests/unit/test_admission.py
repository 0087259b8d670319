"""The door for new calls: closed by lag that lasts, open again only after a while in time."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from ari_agent.admission import CLOSE_AFTER_S, OPEN_AFTER_S, Admission

STEP_S = 0.1


def states(lags: Iterable[float], close_ms: float = 500, open_ms: float = 200) -> list[bool]:
    """Return whether calls are taken after each lag, measured ten times a second."""
    door = Admission(close_ms, open_ms)
    return [door.judge(lag, number * STEP_S) for number, lag in enumerate(lags)]


def test_in_time_the_door_stays_open() -> None:
    assert all(states([0, 499] * 50))


def test_a_hiccup_refuses_nobody() -> None:
    assert all(states([0, 5000, 5000, 0, 5000, 0]))


def test_lag_that_lasts_closes_the_door() -> None:
    found = states([500] * 10)
    assert found.index(False) == round(CLOSE_AFTER_S / STEP_S)


def test_between_the_thresholds_nothing_changes() -> None:
    assert not any(states([600] * 10 + [300] * 100)[10:])
    assert all(states([300] * 100))


def test_the_door_opens_after_three_seconds_in_time_and_not_before() -> None:
    found = states([600] * 10 + [200] * 40)
    assert not any(found[5:40])
    assert found[10:].index(True) == round(OPEN_AFTER_S / STEP_S)


def test_who_falls_behind_again_waits_the_whole_time_anew() -> None:
    found = states([600] * 10 + [0] * 29 + [201] + [0] * 29)
    assert not any(found[5:])


@given(st.lists(st.floats(0, 2000), max_size=300))
def test_between_two_changes_lies_at_least_the_time_that_each_needs(lags: list[float]) -> None:
    found = states(lags)
    changes = [n for n in range(1, len(found)) if found[n] != found[n - 1]]
    for earlier, later in zip([0, *changes], changes, strict=False):
        needed = OPEN_AFTER_S if found[later] else CLOSE_AFTER_S
        assert (later - earlier) * STEP_S > needed - STEP_S


@given(st.lists(st.floats(0, 2000), max_size=300))
def test_while_closed_every_reading_of_the_last_seconds_in_time_is_needed_to_open(lags: list[float]) -> None:
    found = states(lags)
    for n in range(1, len(found)):
        if found[n] and not found[n - 1]:
            assert all(lag <= 200 for lag in lags[n - round(OPEN_AFTER_S / STEP_S) + 1 : n + 1])
