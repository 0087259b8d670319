"""A recording, sealed piece by piece while it is made: what is in memory, and later on the disk, nobody can read.

    magic │ length, header (JSON) │ length, chunk 0 │ length, chunk 1 │ … │ length, last chunk

Every recording has a random key of its own. A chunk is AES-256-GCM with its number and whether it is the last one as
nonce and the header as associated data: changed, moved, taken from another recording or cut off, it cannot be opened
(the STREAM construction, Hoang, Reyhanitabar, Rogaway and Vizár 2015, https://eprint.iacr.org/2015/189).
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ari_agent import __version__
from ari_agent.errors import ArchiveError
from ari_agent.record import ConsentTaken, RecordingKind

MAGIC = b"ari-agent sealed 1\n"
KEY_BITS = 256
LONGEST_HEADER = 4096
_KINDS: dict[str, RecordingKind] = {kind: kind for kind in get_args(RecordingKind)}
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">QHxB")  # 12 bytes: number of the chunk, zeros, whether it is the last


@dataclass(frozen=True, slots=True)
class Header:
    """What a recording says openly of itself: ids, codes and times."""

    ident: UUID
    call: UUID
    kind: RecordingKind
    began: datetime
    consent: dict[str, str]
    """When, in what way and to which wording the caller agreed."""

    @classmethod
    def of(cls, ident: UUID, kind: RecordingKind, consent: ConsentTaken) -> Header:
        """Return the header of what is recorded from a consent on."""
        agreed = {"at": consent.at.isoformat(), "way": consent.way, "text_sha256": consent.text_sha256}
        return cls(ident, consent.call, kind, consent.at, agreed)

    def encoded(self) -> bytes:
        """Return it as JSON, with the mark that a machine took part in the conversation (AI Act, article 50)."""
        values: dict[str, Any] = {
            "ident": str(self.ident),
            "call": str(self.call),
            "kind": self.kind,
            "began": self.began.isoformat(),
            "consent": self.consent,
            "ai_generated": "the agent's part",
            "made_by": f"ari-agent {__version__}",
        }
        return json.dumps(values).encode()

    @classmethod
    def decoded(cls, text: bytes) -> Header:
        """Return the header of its JSON. Raises ArchiveError."""
        try:
            values = json.loads(text)
            kind = _KINDS[values["kind"]]
            began = datetime.fromisoformat(values["began"])
            return cls(UUID(values["ident"]), UUID(values["call"]), kind, began, dict(values["consent"]))
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise ArchiveError("damaged") from e


@dataclass(frozen=True, slots=True)
class Sealed:
    """A whole recording, ready for the disk."""

    header: Header
    key: bytes
    data: tuple[bytes, ...]
    """Parts of the file, in their order."""
    duration_ms: float

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return sum(map(len, self.data))

    @property
    def sha256(self) -> str:
        """Of the file."""
        digest = hashlib.sha256()
        for part in self.data:
            digest.update(part)
        return digest.hexdigest()


class Sealer:
    """Seals one recording as it is made."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._text = header.encoded()
        self._key = AESGCM.generate_key(KEY_BITS)
        self._cipher = AESGCM(self._key)
        self._data = [MAGIC, _LENGTH.pack(len(self._text)), self._text]
        self._chunks = 0
        self.plain_bytes = 0
        """So much was sealed."""

    def add(self, plain: bytes) -> None:
        """Seal what comes next."""
        self._add(plain, last=False)

    def finish(self, duration_ms: float) -> Sealed:
        """Return all of it; nothing can be added afterwards."""
        self._add(b"", last=True)
        return Sealed(self._header, self._key, tuple(self._data), duration_ms)

    def _add(self, plain: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_NONCE.pack(self._chunks, 0, last), plain, self._text)
        self._data += [_LENGTH.pack(len(sealed)), sealed]
        self._chunks += 1
        self.plain_bytes += len(plain)


def header_of(begin: bytes) -> Header:
    """Return the header of a file that begins so. Raises ArchiveError."""
    return Header.decoded(_header(begin))


def opened(data: bytes, key: bytes) -> Iterator[bytes]:
    """Yield what was sealed, chunk by chunk. Raises ArchiveError for what is not whole, or sealed with another key."""
    header = _header(data)
    cipher, at, number = AESGCM(key), len(MAGIC) + _LENGTH.size + len(header), 0
    while True:
        chunk = _part(data, at)
        at += _LENGTH.size + len(chunk)
        last = at == len(data)
        try:
            yield cipher.decrypt(_NONCE.pack(number, 0, last), chunk, header)
        except InvalidTag as e:
            raise ArchiveError("damaged") from e
        if last:
            return
        number += 1


def _header(data: bytes) -> bytes:
    if not data.startswith(MAGIC):
        raise ArchiveError("damaged")
    return _part(data, len(MAGIC))


def _part(data: bytes, at: int) -> bytes:
    try:
        (length,) = _LENGTH.unpack_from(data, at)
    except struct.error as e:
        raise ArchiveError("damaged") from e
    part = data[at + _LENGTH.size : at + _LENGTH.size + length]
    if len(part) < length:
        raise ArchiveError("damaged")
    return part
