"""Words that an engine may have died of: twice there when it died, they are not tried a third time."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ari_agent.errors import EngineTimeout, EngineUnavailable

FORGIVEN_S = 3600.0
"""After so long words may be tried again: the engine may have died of something else."""
_CRASHES = 2
_REMEMBERED = 64  # who was there at a crash; the oldest is forgotten


class Suspects:
    """Remembers who was there when an engine died. Keeps digests with a key of its own, never words."""

    def __init__(self, engine: str, watched_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`watched_s` is how long an engine may take to die of what nobody waits for any more."""
        self._engine = engine
        self._watched_s = watched_s
        self._clock = clock
        self._key = secrets.token_bytes(16)
        self._present: dict[bytes, float] = {}  # until when; as many as are tried within `watched_s`
        self._seen: deque[tuple[float, bytes]] = deque(maxlen=_REMEMBERED)

    def guilty(self, words: str) -> bool:
        """Whether these words were there at two crashes."""
        since, digest = self._clock() - FORGIVEN_S, self._digest(words)
        return sum(when >= since and seen == digest for when, seen in self._seen) >= _CRASHES

    def watch(self, words: str) -> None:
        """Note that the engine was given these words and may still be at them."""
        now = self._clock()
        self._present = {digest: until for digest, until in self._present.items() if until >= now}
        self._present[self._digest(words)] = now + self._watched_s

    @contextmanager
    def trying(self, words: str) -> Iterator[None]:
        """Watch the words while the block waits for the engine. Raises EngineUnavailable when they are guilty."""
        if self.guilty(words):
            raise EngineUnavailable(self._engine, "the engine ended twice when it was asked this")
        digest = self._digest(words)
        self._present[digest] = math.inf
        try:
            yield
        except (EngineTimeout, asyncio.CancelledError, GeneratorExit):
            self.watch(words)  # it may be at them for ever
            raise
        finally:
            if self._present.get(digest) == math.inf:
                del self._present[digest]

    def crashed(self) -> None:
        """Note that the engine has ended now."""
        now = self._clock()
        self._seen.extend((now, digest) for digest, until in self._present.items() if until >= now)
        self._present.clear()

    def _digest(self, words: str) -> bytes:
        return hashlib.blake2b(words.encode(), digest_size=16, key=self._key).digest()
