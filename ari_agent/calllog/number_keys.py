"""The keys of callers' numbers: a file outside the database. The newest seals, all of them open.

One key a line, the newest last; a file that was made anew by mistake is put right by adding the lines of the old one:

    KEY-ID MADE-AT KEY

KEY-ID is eight hexadecimal digits that follow from the key, so that a damaged line shows; MADE-AT is ISO 8601; KEY is
32 random bytes in base64. From each key come three, one for each purpose, by HKDF-SHA256 (RFC 5869). All functions
block briefly and raise SealingError, which names the file and the remedy.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ari_agent.durable import sync_folder
from ari_agent.errors import SealingError

KEY_BYTES = 32
ID_BYTES = 4
_HEAD = (
    "# The keys of callers' numbers in the call log (log.number_key), the newest last. Without them no number can be\n"
    "# read again: keep a copy apart from the database's backups. Old keys stay until `ari-agent calllog rekey` says\n"
    "# that nothing needs them.\n"
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the file."""

    id: bytes
    """ID_BYTES long."""
    made_at: str
    numbers: AESGCM
    """Seals numbers in rows of the database."""
    spool: AESGCM
    """Seals entries that wait on the disk."""
    digests: bytes
    """For HMAC: makes the digests by which numbers are found, and the pseudonyms."""

    @property
    def name(self) -> str:
        """The id as people see it."""
        return self.id.hex()


def read(path: Path) -> tuple[Key, ...]:
    """Return the keys of the file, the newest last."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError as e:
        raise SealingError(f"log.number_key: {path} does not exist: bring it back from its backup") from e
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is no text"
        raise SealingError(f"log.number_key: {path} cannot be read: {reason}") from e
    if stat.S_IMODE(mode) & 0o077:
        raise SealingError(f"log.number_key: other accounts may read {path}: chmod 600 {path}")
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if not line.startswith("#")]
    keys = [_parsed(words, f"line {number} of {path}") for number, words in lines if words]
    if not keys:
        raise SealingError(f"log.number_key: {path} holds no key: bring it back from its backup")
    return tuple({key.id: key for key in keys}.values())


def make(path: Path) -> None:
    """Make the file with its first key; one that is there already stays as it is."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, _HEAD + _line(), replacing=False)
    except OSError as e:
        raise SealingError(f"log.number_key: {path} cannot be made: {e.strerror}") from e


def add(path: Path) -> None:
    """Add a new key to the file; from now on it seals."""
    read(path)
    try:
        _write(path, path.read_text(encoding="ascii").rstrip("\n") + "\n" + _line(), replacing=True)
    except OSError as e:
        raise SealingError(f"log.number_key: {path} cannot be written: {e.strerror}") from e


def _parsed(words: list[str], place: str) -> Key:
    try:
        name, made_at, text = words
        key = _derived(base64.b64decode(text, validate=True), made_at)
    except ValueError as e:
        raise SealingError(f"log.number_key: {place} is no key: bring the file back from its backup") from e
    if key.name != name:
        raise SealingError(f"log.number_key: {place} is damaged: bring the file back from its backup")
    return key


def _derived(secret: bytes, made_at: str) -> Key:
    if len(secret) != KEY_BYTES:
        raise ValueError("a key has 32 bytes")

    def derived(purpose: str, length: int = KEY_BYTES) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=f"ari-agent {purpose} 1".encode()).derive(secret)

    return Key(
        derived("key id", ID_BYTES), made_at, AESGCM(derived("numbers")), AESGCM(derived("spool")), derived("digests")
    )


def _line() -> str:
    made_at, secret = datetime.now(UTC).isoformat(timespec="seconds"), secrets.token_bytes(KEY_BYTES)
    return f"{_derived(secret, made_at).name} {made_at} {base64.b64encode(secret).decode()}\n"


def _write(path: Path, text: str, *, replacing: bool) -> None:
    """Bring a whole file to the disk, or none: of several that make it at the same time one is the first."""
    new = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            if replacing and os.geteuid() == 0:
                was = path.stat()
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replacing:
            new.replace(path)
        else:
            with suppress(FileExistsError):
                path.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)
    sync_folder(path.parent)
