"""Anchors: number and hash of the newest event, signed and kept outside the database.

Whoever rules the database can compute a whole chain anew or cut off its end; an anchor from before shows it. The file
(log.anchors) has one JSON object a line:

    {"chain": UUID, "number": N, "hash": HEX, "at": ISO 8601, "key": HEX, "signature": BASE64}

`signature` is Ed25519 (RFC 8032) over the UTF-8 text "ari-agent anchor 1\\nCHAIN\\nNUMBER\\nHASH\\nAT\\n"; `key` is the
beginning of the SHA-256 of the 32 bytes of the public key, 16 hexadecimal digits. The private key (log.anchor_key) is
PEM, PKCS #8, 0600; the public one lies beside it as .pub for whoever examines. signing.py signs. All functions block
briefly.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

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
        raise AnchorError(f"log.anchors: {path} cannot be written: {reason(e)}") from e


def kept(path: Path) -> list[Anchor]:
    """Return the anchors of the file, the oldest first; none without a file. Raises AnchorError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as e:
        raise AnchorError(f"log.anchors: {path} cannot be read: {reason(e)}") from e
    return list(_read(lines, path))


def stamp_path(anchor: Anchor, folder: Path) -> Path:
    """Return where the time stamp of an anchor lies, if it has one (stamping.py)."""
    return folder / f"{anchor.number}-{hashlib.sha256(anchor.signed).hexdigest()[:16]}.tsr"


def unstamped(anchors: Sequence[Anchor], folder: Path) -> list[Anchor]:
    """Return the anchors since the newest one that has a time stamp, the newest first."""
    return list(takewhile(lambda one: not stamp_path(one, folder).exists(), reversed(anchors)))


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


def reason(e: Exception) -> str:
    """Return why a file cannot be used, without what is in it."""
    return (e.strerror or "") if isinstance(e, OSError) else "it has another form"
