"""Calls are played in virtual time; none may block the event loop or leave a task behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from virtual_time import LOOPS


def pytest_asyncio_loop_factories() -> Mapping[str, Any]:
    """Let every story of this folder run on the loop whose clock jumps."""
    return LOOPS


@pytest.fixture(autouse=True)
def _nothing_blocks() -> Iterator[None]:
    with blockbuster_ctx("ari_agent"):
        yield


@pytest.fixture(autouse=True)
async def _nothing_is_left_running() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"still running after the call: {left}"
