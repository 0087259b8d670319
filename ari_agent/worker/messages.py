"""The language between the service and an engine's worker process: messages as bytes. No input or output here.

A message on the pipe, numbers in network byte order:

    0      1      2             6              10
    ┌──────┬──────┬─────────────┬──────────────┬───────────────┐
    │ 0xA7 │ kind │   session   │ payload size │ payload …     │
    └──────┴──────┴─────────────┴──────────────┴───────────────┘
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

_HEADER = struct.Struct("!BBII")
_MAGIC = 0xA7  # a native library that prints into the pipe is noticed at its first letter, which is ASCII
MOST_BYTES = 4 * 1024 * 1024
"""A bigger payload is garbage: two minutes of speech are 3.8 MB."""


class Kind(IntEnum):
    """What a message is about; the payload's form is the engine's own affair."""

    # to the worker
    OPEN = 1
    """A session begins."""
    DATA = 2
    """Something to work on."""
    END = 3
    """All was said: answer with RESULT. More DATA may follow for the next RESULT."""
    CLOSE = 4
    """Forget the session; no answer."""
    PING = 5
    """Answer with PONG."""
    CANCEL = 6
    """What END asked for is not wanted any more; answered with CANCELLED, behind which nothing of it follows."""
    SETUP = 7
    """What the engine needs for loading; before READY and only to an engine that reads it."""
    # from the worker
    READY = 17
    """The model is loaded and warm."""
    PARTIAL = 18
    """The result so far, which replaces the one before, or the next piece of it: that is the engine's own affair."""
    RESULT = 19
    """The answer to END."""
    PONG = 20
    """Alive."""
    FAILED = 21
    """This session (0: the engine as a whole) failed; the payload says why, in words of ours."""
    CANCELLED = 22
    """The answer to CANCEL."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    kind: Kind
    session: int = 0
    """0 stands for the engine as a whole."""
    payload: bytes = b""


class Garbage(Exception):
    """The bytes are not messages; nothing that follows can be trusted."""


def encode(message: Message) -> bytes:
    """Return the message as bytes. Raises ValueError when the payload exceeds MOST_BYTES."""
    if len(message.payload) > MOST_BYTES:
        raise ValueError(f"payload of {len(message.payload)} bytes exceeds {MOST_BYTES}")
    return _HEADER.pack(_MAGIC, message.kind, message.session, len(message.payload)) + message.payload


class Decoder:
    """Puts messages together from pieces of any size; holds at most one unfinished message."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are now complete. Raises Garbage, then and at every later call."""
        self._buffer += data
        messages: list[Message] = []
        at = 0
        while (message := self._message(at)) is not None:
            messages.append(message)
            at += _HEADER.size + len(message.payload)
        del self._buffer[:at]
        return messages

    @property
    def empty(self) -> bool:
        """Whether no message is half received."""
        return not self._buffer

    def _message(self, at: int) -> Message | None:
        if len(self._buffer) > at and self._buffer[at] != _MAGIC:
            raise Garbage("the stream does not continue with a message")
        if len(self._buffer) - at < _HEADER.size:
            return None
        _, kind, session, size = _HEADER.unpack_from(self._buffer, at)
        if kind not in _KINDS or size > MOST_BYTES:
            raise Garbage(f"kind {kind} with {size} bytes")
        begin = at + _HEADER.size
        if len(self._buffer) < begin + size:
            return None
        return Message(Kind(kind), session, bytes(self._buffer[begin : begin + size]))


_KINDS = frozenset(Kind)
