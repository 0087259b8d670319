"""Anchors: number and hash of the newest event, signed and kept outside the database.

Whoever rules the database can compute a whole chain anew or cut off its end; an anchor from before shows it. The file
(log.anchors) has one JSON object a line:

    {"chain": UUID, "number": N, "hash": HEX, "at": ISO 8601, "key": HEX, "signature": BASE64}

`signature` is Ed25519 (RFC 8032) over the UTF-8 text "ari-agent anchor 1\\nCHAIN\\nNUMBER\\nHASH\\nAT\\n"; `key` is the
beginning of the SHA-256 of the 32 bytes of the public key, 16 hexadecimal digits. The private key (log.anchor_key) is
PEM, PKCS #8, 0600; the public one lies beside it as .pub for whoever examines. All functions block briefly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ari_agent.errors import AnchorError

SYSLOG = Path("/dev/log")
"""Where journald or syslogd listens."""
_PRIORITY = 10 * 8 + 5
"""Facility authpriv, severity notice (RFC 3164)."""
_SYSLOG_S = 2.0


@dataclass(frozen=True, slots=True)
class Anchor:
    """One line of the file."""

    chain: str
    number: int
    hash: str
    """Hexadecimal."""
    at: str
    """When it was made, ISO 8601."""
    key: str = ""
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return f"ari-agent anchor 1\n{self.chain}\n{self.number}\n{self.hash}\n{self.at}\n".encode()


def private_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in a file; make it at the first time, with the public one beside it. Raises AnchorError."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Ed25519PrivateKey.generate()
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _create(path, pem, 0o600)
            pem = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            public_path(path).unlink(missing_ok=True)
            _create(public_path(path), pem, 0o644)
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as e:
        raise AnchorError(f"log.anchor_key: {path} cannot be used as a key: {_reason(e)}") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise AnchorError(f"log.anchor_key: {path} holds no Ed25519 key")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key that lies beside a private one. Raises AnchorError."""
    try:
        key = load_pem_public_key(public_path(path).read_bytes())
    except (OSError, ValueError) as e:
        raise AnchorError(f"log.anchor_key: {public_path(path)} cannot be used as a key: {_reason(e)}") from e
    if not isinstance(key, Ed25519PublicKey):
        raise AnchorError(f"log.anchor_key: {public_path(path)} holds no Ed25519 key")
    return key


def public_path(path: Path) -> Path:
    """Return where the public key of a private one lies."""
    return path.with_suffix(".pub")


def sign(anchor: Anchor, key: Ed25519PrivateKey) -> Anchor:
    """Return the anchor with its signature."""
    signature = base64.b64encode(key.sign(anchor.signed)).decode()
    return Anchor(anchor.chain, anchor.number, anchor.hash, anchor.at, name_of(key.public_key()), signature)


def is_signed(anchor: Anchor, key: Ed25519PublicKey) -> bool:
    """Return whether the anchor was signed with that key."""
    try:
        key.verify(base64.b64decode(anchor.signature, validate=True), anchor.signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def name_of(key: Ed25519PublicKey) -> str:
    """Return the name of a key in an anchor."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def keep(anchor: Anchor, path: Path) -> None:
    """Add the anchor to the file and see it on the disk. Raises AnchorError."""
    line = json.dumps(asdict(anchor)).encode() + b"\n"
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(number, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as e:
        raise AnchorError(f"log.anchors: {path} cannot be written: {_reason(e)}") from e


def kept(path: Path) -> list[Anchor]:
    """Return the anchors of the file, the oldest first; none without a file. Raises AnchorError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as e:
        raise AnchorError(f"log.anchors: {path} cannot be read: {_reason(e)}") from e
    return list(_read(lines, path))


def announce(anchor: Anchor, to: Path = SYSLOG) -> bool:
    """Tell journald or syslogd; return whether one took it."""
    text = f"<{_PRIORITY}>ari-agent: anchor chain={anchor.chain} number={anchor.number} hash={anchor.hash}"
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(_SYSLOG_S)
        sender.sendto(text.encode(), str(to))
        return True
    return False


def _read(lines: list[str], path: Path) -> Iterator[Anchor]:
    for number, line in enumerate(lines, 1):
        try:
            found: dict[str, Any] = json.loads(line)
            anchor = Anchor(**found)
            yield Anchor(**{**found, "number": int(anchor.number)})
        except (ValueError, TypeError) as e:
            raise AnchorError(f"log.anchors: line {number} of {path} is no anchor") from e


def _create(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _reason(e: Exception) -> str:
    return (e.strerror or "") if isinstance(e, OSError) else "it has another form"
