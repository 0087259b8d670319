"""Makes the fakes beside this file importable from every test, and what several folders need."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from ari_agent.log import _QUIET


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Let the test configure logging as a program does, for itself only."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in _QUIET}
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
