"""Cleaning up: to its end whatever happens, and nothing of ours is swallowed."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from ari_agent.errors import AriRejected, AriUnavailable, ChannelGone
from ari_agent.pbx.ari import settle, version


class CleanUp:
    """One clean-up that takes until it is told to end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.done = False
        self._error = error

    async def run(self) -> None:
        """Wait, then fail or be done."""
        self.begun.set()
        await self.may_end.wait()
        if self._error:
            raise self._error
        self.done = True


async def done() -> None:
    """Clean up at once."""


async def fail(error: Exception) -> None:
    """Fail at once."""
    raise error


async def test_all_clean_ups_run() -> None:
    both = CleanUp(), CleanUp()
    for one in both:
        one.may_end.set()
    await settle(*(one.run() for one in both))
    assert all(one.done for one in both)


async def test_nothing_to_clean_up_is_fine() -> None:
    await settle()


async def test_what_is_already_gone_is_not_worth_a_word() -> None:
    with capture_logs() as lines:
        await settle(fail(ChannelGone("DELETE /channels/{channelId}: 404")), done())
    assert lines == []


@pytest.mark.parametrize(
    "error", [AriUnavailable("away"), AriRejected(500, "DELETE /bridges/{bridgeId}", "overloaded")]
)
async def test_what_fails_is_logged_and_the_rest_is_cleaned_up(error: Exception) -> None:
    other = CleanUp()
    other.may_end.set()
    with capture_logs() as lines:
        await settle(fail(error), other.run())
    assert [line["event"] for line in lines] == ["clean-up failed"]
    assert other.done


async def test_a_mistake_of_ours_is_raised_after_the_rest_is_cleaned_up() -> None:
    other = CleanUp()
    other.may_end.set()
    with pytest.raises(KeyError):
        await settle(fail(KeyError("id")), other.run())
    assert other.done


@pytest.mark.parametrize("times", [1, 3])
async def test_whoever_is_cancelled_cleans_up_first_and_ends_cancelled(times: int) -> None:
    slow = CleanUp()
    task = asyncio.create_task(settle(slow.run()))
    await slow.begun.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not task.done()
    slow.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slow.done


async def test_a_time_limit_around_it_is_kept_once_it_is_clean() -> None:
    slow = CleanUp()
    asyncio.get_running_loop().call_later(0.05, slow.may_end.set)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await settle(slow.run())
    assert slow.done


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"system": {"version": "22.10.1"}}, (22, 10)),
        ({"system": {"version": "20.7.0~dfsg"}}, (20, 7)),
        ({"system": {"version": "GIT-master-abc"}}, (0, 0)),
        ({"system": {}}, (0, 0)),
        ({}, (0, 0)),
    ],
)
def test_the_version_of_asterisk_is_read(info: dict[str, dict[str, str]], expected: tuple[int, int]) -> None:
    assert version(info) == expected
