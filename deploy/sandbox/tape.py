"""Both directions of one call on one sample clock, and the watches that wait for the other side to speak or to fall silent."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE = 8000
"""Samples per second of every phone."""
FRAME = 160
"""Samples in one tick of the phone's conference bridge (20 ms)."""
LOUD = 300
"""A sample is speech when its magnitude is above this; the line noise of a phone stays below it."""
NOISE = 20 * RATE
"""Samples of line noise before it repeats."""
LONGEST = 30 * 60 * RATE
"""Samples kept of one call (29 MB per direction). What comes later is not kept and `Tape.full` says so."""


@dataclass
class Watch:
    """One wait for the other side: for speech (`quiet` is None) or for that many samples without speech."""

    quiet: int | None
    seen: int
    """Samples of the received side already looked at."""
    found: Callable[[int], None]
    """Called once, on the clock's thread, with the first speech sample, or with the last one before the silence."""
    last: int = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.seen - 1

    def look(self, received: Samples, now: int) -> int | None:
        """The sample waited for in `received`, which ends at sample `now` and starts at `seen`; None when not yet there."""
        loud = np.flatnonzero(np.abs(received.astype(np.int32)) > LOUD) + self.seen
        self.seen = now
        if self.quiet is None:
            return int(loud[0]) if len(loud) else None
        edges = np.concatenate(([self.last], loud, [now]))
        self.last = int(edges[-2])
        long_enough = np.flatnonzero(np.diff(edges) > self.quiet)
        return int(edges[long_enough[0]]) if len(long_enough) else None


class Tape:
    """What a phone sent and received, in int16 samples counted from the first frame of the call.

    The conference bridge asks for a frame with `outgoing` and delivers one with `incoming`, in this order within one tick, so both
    directions have the same length at the end of every tick.
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
            noise = next(self._noise)
            speech, self._to_say = self._to_say[:FRAME], self._to_say[FRAME:]
            self._asked = speech.tobytes() + noise[len(speech) :].tobytes()
            return self._asked

    def incoming(self, frame: bytes) -> None:
        """Take the 20 ms received in this tick; empty means that nothing came."""
        with self._lock:
            self._write(self._asked or bytes(2 * FRAME), frame.ljust(2 * FRAME, b"\0")[: 2 * FRAME])
            self._asked = None
            met = [(key, watch, at) for key, watch in self._watches.items() if (at := self._look(watch)) is not None]
            for key, _, _ in met:
                del self._watches[key]
        for _, watch, at in met:
            watch.found(at)

    def say(self, samples: Samples) -> int:
        """Speak from the next tick on, or right after what is still being said; returns the index of the first sample."""
        with self._lock:
            start = self.now + (FRAME if self._asked is not None else 0) + len(self._to_say)
            self._to_say = np.concatenate((self._to_say, samples))
            return start

    def hush(self) -> None:
        """Stop speaking at the end of the current tick."""
        with self._lock:
            self._to_say = self._to_say[:0]

    def watch(self, key: int, watch: Watch) -> None:
        """Wait on; what is already on the tape counts from the sample `watch.seen`."""
        with self._lock:
            at = self._look(watch)
            if at is None:
                self._watches[key] = watch
        if at is not None:
            watch.found(at)

    def unwatch(self, key: int) -> bool:
        """Stop waiting; False when that wait is over already."""
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
        fresh = np.frombuffer(bytes(self._received[2 * watch.seen :]), np.int16)
        return watch.look(fresh, self.now)

    def _write(self, sent: bytes, received: bytes) -> None:
        if self.now >= LONGEST:
            self.full = True
            return
        self._sent += sent
        self._received += received
