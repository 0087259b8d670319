"""The recorder inside a phone: one sample clock for both directions, and watches that wait for what is heard."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sandbox.recording import FRAME, RATE, Samples, loud

NOISE = 20 * RATE
"""Samples of line noise before it repeats."""
LONGEST = 30 * 60 * RATE
"""Samples kept of one call (29 MB per direction). What comes later is not kept and `Tape.full` says so."""


@dataclass
class Watch:
    """One wait on the clock of the call.

    speech: for the first speech sample of the other side from `since` on.
    quiet: for `samples` without speech from `since` on; finds the last speech sample before, `since - 1` if none.
    moment: for the clock to pass the sample `samples`.
    """

    kind: Literal["speech", "quiet", "moment"]
    samples: int
    since: int
    found: Callable[[int], None]
    """Called once with the sample found, as a rule on the thread of the clock: must be quick."""
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.since - 1

    def look(self, received: Samples, now: int) -> int | None:
        """What is waited for, given the samples received from `since` to `now`; None when it is not there yet."""
        if self.kind == "moment":
            return self.samples if now > self.samples else None
        heard = loud(received) + self.since
        self.since = max(now, self.since)
        if self.kind == "speech":
            return int(heard[0]) if len(heard) else None
        ends = np.concatenate(([self.last], heard, [self.since]))
        self.last = int(ends[-2])
        enough = np.flatnonzero(np.diff(ends) > self.samples)
        return int(ends[enough[0]]) if len(enough) else None


class Tape:
    """What a phone sent and received, counted in samples from the first frame of the call.

    In every tick the conference bridge first asks for a frame (`outgoing`), then delivers one (`incoming`); both
    directions have the same length when the tick is over.
    """

    def __init__(self, noise_floor: float, seed: int) -> None:
        """`noise_floor`: standard deviation of the line noise sent while nothing is said."""
        noise = np.random.default_rng(seed).normal(0, noise_floor, NOISE)
        self._noise = itertools.cycle(np.rint(noise).astype(np.int16).reshape(-1, FRAME))
        self._lock = threading.Lock()
        self.rewind()

    def rewind(self) -> None:
        """Forget the last call: the clock starts at sample 0 again."""
        with self._lock:
            self._sent = bytearray()
            self._received = bytearray()
            self._to_say = np.zeros(0, np.int16)
            self._asked: bytes | None = None
            self._watches: dict[int, Watch] = {}
            self.full = False

    @property
    def now(self) -> int:
        """Samples since the call's first frame."""
        return len(self._received) // 2

    def outgoing(self) -> bytes:
        """The next 20 ms to send."""
        with self._lock:
            if self._asked is not None:  # a tick in which the bridge delivered nothing
                self._write(self._asked, bytes(2 * FRAME))
            speech, self._to_say = self._to_say[:FRAME], self._to_say[FRAME:]
            self._asked = speech.tobytes() + next(self._noise)[len(speech) :].tobytes()
            return self._asked

    def incoming(self, frame: bytes) -> None:
        """Take the 20 ms received in this tick; empty means that nothing came."""
        with self._lock:
            self._write(self._asked or bytes(2 * FRAME), frame.ljust(2 * FRAME, b"\0")[: 2 * FRAME])
            self._asked = None
            met = [(key, at) for key, watch in self._watches.items() if (at := self._look(watch)) is not None]
            over = [(self._watches.pop(key), at) for key, at in met]
        for watch, at in over:
            watch.found(at)

    def say(self, samples: Samples) -> int:
        """Speak from the next tick on, or right after what is still being said; returns the first sample's index."""
        with self._lock:
            start = self.now + (FRAME if self._asked is not None else 0) + len(self._to_say)
            self._to_say = np.concatenate((self._to_say, samples))
            return start

    @property
    def to_say(self) -> int:
        """Samples that still wait to be sent."""
        return len(self._to_say)

    def hush(self) -> None:
        """Stop speaking at the end of the current tick."""
        with self._lock:
            self._to_say = self._to_say[:0]

    def watch(self, key: int, watch: Watch) -> None:
        """Begin a wait; what is already on the tape from `watch.since` on counts."""
        with self._lock:
            at = self._look(watch)
            if at is None:
                self._watches[key] = watch
        if at is not None:
            watch.found(at)

    def unwatch(self, key: int) -> bool:
        """Give up a wait; False when it is over already."""
        with self._lock:
            return self._watches.pop(key, None) is not None

    @property
    def watched(self) -> list[int]:
        """Keys of the waits that are still open."""
        with self._lock:
            return list(self._watches)

    def cut(self, start: int, stop: int) -> tuple[bytes, bytes]:
        """Samples `start` to `stop` as sent and as received, int16 little-endian."""
        with self._lock:
            return bytes(self._sent[2 * start : 2 * stop]), bytes(self._received[2 * start : 2 * stop])

    def _look(self, watch: Watch) -> int | None:
        fresh = np.frombuffer(bytes(self._received[2 * watch.since :]), np.int16)
        return watch.look(fresh, self.now)

    def _write(self, sent: bytes, received: bytes) -> None:
        if self.now >= LONGEST:
            self.full = True
            return
        self._sent += sent
        self._received += received
