"""Messages of the AudioSocket protocol: type, length, payload. Pure: bytes in, messages out.

https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/ is the specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from ari_agent.errors import MediaError

_HEADER = struct.Struct(">BH")
"""Type, and length of the payload in bytes."""
_HANG_UP, _IDENT, _KEY, _FAILURE = 0x00, 0x01, 0x03, 0xFF
IDENT_BYTES = 16
"""Payload of the first message of a connection."""
_AUDIO = {8_000: 0x10, 16_000: 0x12}
"""Type of signed 16-bit little-endian mono PCM by its rate in Hertz; there are more rates, which we never ask for."""
_RATES = {kind: rate for rate, kind in _AUDIO.items()}

HANG_UP = _HEADER.pack(_HANG_UP, 0)
"""The message that ends a connection."""
HEADER_BYTES = _HEADER.size
"""What every message begins with."""


@dataclass(frozen=True, slots=True)
class Ident:
    """Which connection this is; the first message."""

    ident: UUID


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound, as a rule 20 ms of it."""

    rate: int
    """Hertz."""
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Key:
    """Somebody pressed a key; only newer versions of Asterisk tell."""

    digit: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection ends."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Asterisk cannot go on."""

    code: int
    """Asterisk's number for the reason; 0 when it gives none."""


Message = Ident | Audio | Key | HangUp | Failure


def audio(rate: int, pcm: bytes) -> bytes:
    """Return the message with this sound; `pcm` has less than 64 KiB."""
    return _HEADER.pack(_AUDIO[rate], len(pcm)) + pcm


class Parser:
    """Cuts what a connection brings into messages, however it is divided."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def complete(self) -> bool:
        """Whether the last message has come to its end."""
        return not self._rest

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that are complete now. Raises MediaError for what is none, after those before it.

        A header that cannot be right is an error at once: its payload may never come.
        """
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._rest)
            _check(kind, length)
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            payload = bytes(self._rest[_HEADER.size : end])
            del self._rest[:end]
            yield _message(kind, payload)


def _check(kind: int, length: int) -> None:
    match kind:
        case 0x00 | 0xFF:
            right = True
        case 0x01:
            right = length == IDENT_BYTES
        case 0x03:
            right = length == 1
        case _:
            right = kind in _RATES and length > 0 and length % 2 == 0
    if not right:
        raise MediaError(f"{length} bytes of type {kind:#04x} are no AudioSocket message")


def _message(kind: int, payload: bytes) -> Message:
    match kind:
        case 0x00:
            return HangUp()
        case 0x01:
            return Ident(UUID(bytes=payload))
        case 0x03:
            return Key(payload.decode("latin-1"))
        case 0xFF:
            return Failure(int.from_bytes(payload[:1], "big"))
        case _:
            return Audio(_RATES[kind], payload)
