"""Words that an engine may have died of: twice there when it died, they are not tried a third time."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ari_agent.errors import EngineTimeout, EngineUnavailable

_log = logging.getLogger(__name__)

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
        return self._is_guilty(self._digest(words))

    def _is_guilty(self, digest: bytes) -> bool:
        since = self._clock() - FORGIVEN_S
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
        present = [digest for digest, until in self._present.items() if until >= now]
        self._present.clear()
        self._accuse(present)

    def blame(self, words: str) -> None:
        """Note that an engine which had nothing but these words has ended now."""
        self._accuse([self._digest(words)])

    def _accuse(self, digests: list[bytes]) -> None:
        now = self._clock()
        self._seen.extend((now, digest) for digest in digests)
        if any(self._is_guilty(digest) for digest in digests):
            _log.warning("%s ended twice on the same words: they are not tried again for an hour", self._engine)

    def _digest(self, words: str) -> bytes:
        return hashlib.blake2b(words.encode(), digest_size=16, key=self._key).digest()
