"""Signs anchors and examines their signatures."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

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

from ari_agent.calllog.anchor import Anchor, reason
from ari_agent.errors import AnchorError


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
        raise AnchorError(f"log.anchor_key: {path} cannot be used as a key: {reason(e)}") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise AnchorError(f"log.anchor_key: {path} holds no Ed25519 key")
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key that lies beside a private one. Raises AnchorError."""
    try:
        key = load_pem_public_key(public_path(path).read_bytes())
    except (OSError, ValueError) as e:
        raise AnchorError(f"log.anchor_key: {public_path(path)} cannot be used as a key: {reason(e)}") from e
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


def _create(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
