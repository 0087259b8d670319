"""Callers' numbers as the database and the disk hold them: sealed, with a digest by which a number is found.

A sealed number is, in bytes: the form, 1 (1), the key's id (4), a random nonce (12), AES-256-GCM of its UTF-8 text with
the tag (16) at the end. What is authenticated with it is the row that it belongs to, so that it opens nowhere else. A
digest is the first 16 bytes of HMAC-SHA256 over the number as E.164 (RFC 2104, section 5: half of the hash is enough);
people see the first 12 hexadecimal digits as a pseudonym. A number costs a few microseconds.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from cryptography.exceptions import InvalidTag

from ari_agent.calllog import number_keys
from ari_agent.calllog.number_keys import ID_BYTES, Key
from ari_agent.calllog.phone_book import same_for_all
from ari_agent.errors import SealingError

Place = Literal["call", "task", "contact"]
"""Table of a sealed number."""

LONGEST = 80
"""Characters of a number; what is longer is cut."""
_FORM = b"\x01"
_NONCE_BYTES = 12
_DIGEST_BYTES = 16
_PSEUDONYM_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """A number as a row holds it."""

    number: bytes
    digest: bytes


class Numbers:
    """Seals and opens with the keys of one file, which is read again when it has changed."""

    def __init__(self, path: Path, area_code: str = "", *, create: bool = False) -> None:
        """Read nothing yet. `create`: make the file with a key at the first time.

        `area_code` is the company's, for numbers that come without one.
        """
        self.path = path
        self._area_code = area_code
        self._create = create
        self._keys: tuple[Key, ...] = ()
        self._stamp: tuple[int, int] | None = None
        self.trouble: str | None = None
        """Why the file could not be read when it was last tried; what was read before still counts."""

    def load(self) -> bool:
        """Read the file if it is new, which blocks; return whether numbers can be sealed."""
        try:
            self._read()
        except SealingError as e:
            self.trouble = str(e)
        else:
            self.trouble = None
        return bool(self._keys)

    async def refresh(self) -> bool:
        """Like `load`, without blocking."""
        return await asyncio.to_thread(self.load)

    @property
    def usable(self) -> bool:
        """Whether numbers can be sealed."""
        return bool(self._keys)

    @property
    def names(self) -> list[str]:
        """Names of the keys, the newest last."""
        return [key.name for key in self._keys]

    def require(self) -> None:
        """Raise SealingError, naming file and remedy, unless numbers can be opened and sealed; blocks."""
        if not self.load():
            raise SealingError(self.trouble or "")

    def seal(self, place: Place, ident: UUID, number: str) -> Sealed:
        """Return the number for the row `ident` of a table. Raises SealingError without a key."""
        key, nonce = self._newest(), secrets.token_bytes(_NONCE_BYTES)
        number = number[:LONGEST]
        text = key.numbers.encrypt(nonce, number.encode("utf-8", "replace"), _context(place, ident))
        return Sealed(_FORM + key.id + nonce + text, self._digest(key, same_for_all(number, self._area_code)))

    def open(self, place: Place, ident: UUID, sealed: bytes) -> str:
        """Return the number of a row. Raises SealingError for an unknown key and for what belongs elsewhere."""
        body = sealed[len(_FORM) + ID_BYTES :]
        key = self._key(sealed[len(_FORM) : len(_FORM) + ID_BYTES])
        try:
            return key.numbers.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _context(place, ident)).decode()
        except (InvalidTag, ValueError) as e:
            raise SealingError(f"the number of {place} {ident} was changed in the database or is another row's") from e

    def digests(self, *numbers: str) -> list[bytes]:
        """Return what the number, in each of these forms, is found by: under every key there is."""
        return [self._digest(key, number) for key in self._keys for number in numbers]

    def candidates(self, *written: str) -> list[bytes]:
        """Return what a number may have been stored under that trunks write in one of these forms."""
        forms = {form for each in written for form in (each, same_for_all(each, self._area_code))}
        return self.digests(*sorted(forms))

    def wrap(self, ident: UUID, text: str) -> str:
        """Return an entry's text for the spool, sealed; as it is without a key. It opens for this entry alone."""
        if not self._keys:
            return text
        key, nonce = self._keys[-1], secrets.token_bytes(_NONCE_BYTES)
        body = nonce + key.spool.encrypt(nonce, text.encode(), ident.bytes)
        return f"{key.name}:{base64.b64encode(body).decode()}"

    def unwrap(self, ident: UUID, text: str) -> str:
        """Return what `wrap` was given. Raises SealingError for an unknown key and for what was changed."""
        name, colon, body = text.partition(":")
        if not colon or len(name) != 2 * ID_BYTES:
            return text
        try:
            key, raw = self._key(bytes.fromhex(name)), base64.b64decode(body, validate=True)
            return key.spool.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], ident.bytes).decode()
        except (InvalidTag, ValueError) as e:
            raise SealingError("an entry of the spool was changed") from e

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return which of these keys the file does not hold."""
        return sorted({*names} - {*self.names})

    def lacks(self, name: str) -> str:
        """Say that the file does not hold a key, and what to do."""
        return (
            f"log.number_key: {self.path} does not hold key {name}, which sealed numbers of the call log: "
            "add its line from a backup of the file"
        )

    def _read(self) -> None:
        if self._create and not self.path.exists():
            number_keys.make(self.path)
        try:
            found = self.path.stat()
            stamp = found.st_ctime_ns, found.st_ino
        except OSError:
            stamp = None
        if stamp is None or stamp != self._stamp or self.trouble is not None:
            self._keys = number_keys.read(self.path)
            self._stamp = stamp

    def _newest(self) -> Key:
        if not self._keys:
            raise SealingError(self.trouble or f"log.number_key: {self.path} was not read")
        return self._keys[-1]

    def _key(self, ident: bytes) -> Key:
        for key in self._keys:
            if key.id == ident:
                return key
        raise SealingError(self.trouble if not self._keys and self.trouble else self.lacks(ident.hex()))

    @staticmethod
    def _digest(key: Key, number: str) -> bytes:
        return hmac.digest(key.digests, number.encode("utf-8", "replace"), "sha256")[:_DIGEST_BYTES]


def pseudonym(digest: bytes) -> str:
    """Return what people see of a digest."""
    return digest.hex()[:_PSEUDONYM_DIGITS]


def shortened(number: str) -> str:
    """Return at most the last three digits, never those of a number so short that they give it away."""
    shown = min(3, max(0, len(number) - 3))
    return "…" + number[len(number) - shown :]


def _context(place: Place, ident: UUID) -> bytes:
    return f"ari-agent number 1\n{place}\n{ident}".encode()
