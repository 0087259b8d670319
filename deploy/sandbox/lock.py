"""The sandbox belongs to one program at a time: tests, demo and bench would take each other's calls."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.settings import CACHE

LOCK = CACHE / "sandbox" / "tests.lock"
LIMIT_S = 1800.0
"""The longest of the programs needs less."""
_ours = False
"""Whether this program has it."""


@contextmanager
def alone(tell: Callable[[str], None], error: Callable[[str], Exception]) -> Iterator[None]:
    """Have the sandbox to ourselves; says once that it waits. Raises `error` when another does not let go.

    What a program has already, it has: a test beside others that hold the sandbox for their whole session.
    """
    global _ours
    if _ours:
        yield
        return
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        end, told = time.monotonic() + LIMIT_S, False
        while not _taken(lock.fileno()):
            if time.monotonic() > end:
                raise error("another test, bench or demo does not let go of the sandbox: end it")
            if not told:
                tell("waiting for another test, bench or demo that uses the sandbox")
            told = True
            time.sleep(0.2)
        _ours = True
        try:
            yield
        finally:
            _ours = False


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
