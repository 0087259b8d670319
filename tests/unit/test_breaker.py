"""A server that fails is left alone for longer and longer; one request at a time finds out whether it is back."""

from __future__ import annotations

import asyncio

import pytest

from ari_agent.errors import EngineBusy, EngineError, EngineTimeout, EngineUnavailable
from ari_agent.llm.breaker import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker

GONE = EngineUnavailable("remote", "cannot be reached")


def request(breaker: Breaker, error: BaseException | None = None) -> None:
    """Make a request that ends like this."""
    with breaker.request():
        if error is not None:
            raise error


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(EngineError):
            request(breaker, EngineTimeout("remote"))


@pytest.fixture
def well() -> Breaker:
    """Return the breaker of a server that has answered its first probe."""
    breaker = Breaker("remote")
    breaker.probed(None)
    return breaker


def test_nobody_is_asked_before_the_first_probe() -> None:
    breaker = Breaker("remote")
    assert (breaker.state, breaker.fault) == ("unknown", None)
    with pytest.raises(EngineUnavailable):
        request(breaker)
    breaker.probed(GONE)
    assert (breaker.state, breaker.fault) == ("open", "remote: cannot be reached")
    breaker.probed(None)
    assert breaker.admits


def test_only_failures_in_a_row_open_it(well: Breaker) -> None:
    fail(well, FAILURES - 1)
    request(well)
    fail(well, FAILURES - 1)
    assert well.admits
    fail(well, 1)
    assert well.state == "open"
    assert not well.admits


def test_probes_count_as_failures_and_forgive_none(well: Breaker) -> None:
    """A server may tell its models and hang over every decision."""
    fail(well, FAILURES - 1)
    well.probed(None)
    fail(well, 1)
    assert well.state == "open"
    other = Breaker("remote")
    other.probed(None)
    for _ in range(FAILURES):
        assert other.admits
        other.probed(GONE)
    assert not other.admits


@pytest.mark.parametrize("error", [EngineBusy("remote"), asyncio.CancelledError(), GeneratorExit()])
def test_to_be_busy_or_no_longer_wanted_is_no_failure(well: Breaker, error: BaseException) -> None:
    for _ in range(FAILURES + 1):
        with pytest.raises(type(error)):
            request(well, error)
    fail(well, FAILURES)
    well.probed(None)
    with pytest.raises(type(error)):
        request(well, error)
    assert well.state == "half-open"
    assert well.admits  # the next one finds out


def test_one_request_at_a_time_finds_out_whether_it_is_back(well: Breaker) -> None:
    fail(well, FAILURES)
    well.probed(None)
    with well.request():
        assert not well.admits
        with pytest.raises(EngineUnavailable):
            request(well)
    assert well.state == "closed"
    assert well.fault is None


def test_pauses_double_up_to_the_longest_and_begin_anew_after_a_success(well: Breaker) -> None:
    fail(well, FAILURES)
    pauses = [well.pause_s]
    for _ in range(8):
        well.probed(None)
        fail(well, 1)
        pauses.append(well.pause_s)
    expected = [min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(9)]
    assert all(full / 2 <= pause <= full for pause, full in zip(pauses, expected, strict=True))
    well.probed(GONE)
    assert LONGEST_PAUSE_S / 2 <= well.pause_s <= LONGEST_PAUSE_S
    well.probed(None)
    request(well)
    fail(well, FAILURES)
    assert well.pause_s <= FIRST_PAUSE_S


def test_requests_that_were_on_their_way_lengthen_no_pause_and_a_late_success_ends_it(well: Breaker) -> None:
    first, second = well.request(), well.request()
    first.__enter__()
    second.__enter__()
    fail(well, FAILURES)
    pause = well.pause_s
    first.__exit__(EngineUnavailable, GONE, None)
    assert (well.state, well.pause_s) == ("open", pause)
    second.__exit__(None, None, None)
    assert well.state == "closed"
