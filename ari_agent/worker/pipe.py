"""The worker's end of the pipe: what every engine process does, whatever its engine."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ari_agent.worker.messages import Decoder, Kind, Message, encode

_READ_BYTES = 256 * 1024
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Engine(Protocol):
    """An engine inside its worker process."""

    def handle(self, messages: Sequence[Message]) -> Iterable[Message]:
        """Take everything that has arrived, in order, and yield the answers. PING is answered elsewhere."""

    @property
    def pending(self) -> bool:
        """Whether work is left: then `handle` is called again at once, with nothing if nothing has arrived.

        Such an engine does one short step in each call, because what arrives meanwhile waits for its end.
        """


class CannotLoad(Exception):
    """The engine cannot start; the sentence names the remedy."""


def serve(load: Callable[[], Engine]) -> int:
    """Load the engine and serve it on stdin and stdout until stdin ends; return the exit status of the process."""
    _follow_the_parent()
    replies = _take_stdout()
    try:
        engine = load()
    except CannotLoad as e:
        _write(replies, Message(Kind.FAILED, payload=str(e).encode()))
        return 1
    _write(replies, Message(Kind.READY))
    decoder = Decoder()
    while (arrived := _arrived(decoder, wait=not engine.pending)) is not None:
        work: list[Message] = []
        for message in arrived:
            if message.kind is Kind.PING:
                _write(replies, Message(Kind.PONG))
            else:
                work.append(message)
        for reply in engine.handle(work):
            _write(replies, reply)
    return 0


def setup() -> bytes:
    """Return the payload of SETUP; for a function that loads an engine. Raises CannotLoad."""
    decoder = Decoder()
    while (arrived := _arrived(decoder, wait=True)) is not None:
        for message in arrived:  # nothing else comes before READY
            return message.payload
    raise CannotLoad("the service ended before it said what to load")


def _arrived(decoder: Decoder, *, wait: bool) -> list[Message] | None:
    """Return the messages that have arrived, None when there will be no more."""
    if not wait and not select.select([0], [], [], 0)[0]:
        return []
    data = os.read(0, _READ_BYTES)
    return decoder.feed(data) if data else None


def _follow_the_parent() -> None:
    """Live as long as the service: no signal meant for it ends us before it has finished its calls."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of the terminal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as systemd's SIGTERM does every process of the unit
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # nobody reads our answers any more
    if sys.platform == "linux":
        # A hanging engine never sees the end of stdin: https://man7.org/linux/man-pages/man2/prctl.2.html
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_stdout() -> int:
    """Return our own handle of stdout and send whatever native code prints to stderr."""
    replies = os.dup(1)
    os.dup2(2, 1)
    return replies


def _write(handle: int, message: Message) -> None:
    data = memoryview(encode(message))
    while data:
        data = data[os.write(handle, data) :]
