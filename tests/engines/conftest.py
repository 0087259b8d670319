"""Whatever the engines do, the event loop must not be blocked by them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture
def blocking() -> Iterator[BlockBuster]:
    """Make any blocking call of our code on the event loop an error."""
    with blockbuster_ctx("ari_agent") as blockbuster:
        yield blockbuster
