"""Downloads of models: resumed where they broke off, checked before they get their name."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import aiohttp

from ari_agent.errors import ModelError

CONNECT_S = 20.0
SILENCE_S = 60.0
"""A server that sends nothing for so long is given up."""
_PIECE_BYTES = 1 << 20

Progress = Callable[[int, int | None], None]
"""Told bytes so far and in all, None when the server does not say."""


def file_name(address: str) -> str:
    """Return the name of the file at an address. Raises ModelError."""
    parts = urlsplit(address)
    name = parts.path.rpartition("/")[2]
    if parts.scheme not in ("http", "https") or not name or name.startswith("."):
        raise ModelError(f"{address!r} names no file on a web server; mend the manifest")
    return name


def fetch(address: str, path: Path, sha256: str, magic: bytes, progress: Progress) -> str:
    """Download a file, or the rest of it, and return its digest; until it is whole and right, it has another name.

    `sha256` is "" when nobody vouches for one; `magic` is what the file has to begin with. Raises ModelError, which
    says what to do.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _lock(file, path)
            try:
                asyncio.run(_download(address, file, _Mark(part), progress))
            except (aiohttp.ClientError, TimeoutError) as e:
                raise ModelError(_broken(address, part, e)) from e
        return _finish(part, path, sha256, magic)
    except OSError as e:
        raise ModelError(f"{path} cannot be written: {e.strerror or e}") from e


class _Mark:
    """What the server called the version of the file whose beginning we have, kept beside it."""

    def __init__(self, part: Path) -> None:
        self._path = part.with_name(f"{part.name}.version")

    def read(self) -> str:
        return self._path.read_text(encoding="utf-8") if self._path.exists() else ""

    def write(self, version: str) -> None:
        self._path.write_text(version, encoding="utf-8")

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


async def _download(address: str, file: BinaryIO, mark: _Mark, progress: Progress) -> None:
    """Append what is missing; begin anew when the server has another version by now, or does not say which it has."""
    have, version = file.tell(), mark.read()
    headers = {"Accept-Encoding": "identity"}
    if have and version:
        headers |= {"Range": f"bytes={have}-", "If-Range": version}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.get(address, headers=headers) as answer,
    ):
        if answer.status == 416 and answer.headers.get("Content-Range") == f"bytes */{have}":
            return  # it was whole already
        if answer.status not in (200, 206):
            raise ModelError(f"{address}: the server answered {answer.status} {answer.reason}")
        if answer.status == 200:
            file.truncate(0)
            have = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise ModelError(f"{address}: the server sent another part than was asked for")
        mark.write(_version(answer))
        total = None if answer.content_length is None else have + answer.content_length
        if total is not None and total - have > shutil.disk_usage(Path(file.name).parent).free:
            raise ModelError(f"{Path(file.name).parent} has no room for the {total - have} bytes of {address}")
        async for piece in answer.content.iter_chunked(_PIECE_BYTES):
            file.write(piece)
            have += len(piece)
            progress(have, total)


def _version(answer: aiohttp.ClientResponse) -> str:
    """Return what tells versions of a file apart; weak tags do not, byte for byte: RFC 9110, 8.8.3."""
    tag = answer.headers.get("ETag", "")
    return answer.headers.get("Last-Modified", "") if not tag or tag.startswith("W/") else tag


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        raise ModelError(f"{path} is being fetched by another process") from e


def _broken(address: str, part: Path, error: Exception) -> str:
    have = part.stat().st_size
    if isinstance(error, aiohttp.ClientConnectorError):
        return (
            f"{urlsplit(address).hostname} cannot be reached: {error.os_error}; without internet, fetch {address} on "
            f"another machine and name the file in model.gguf"
        )
    reason = "the server fell silent" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return f"{address} broke off after {have} bytes: {reason}; the same command goes on from there"


def _finish(part: Path, path: Path, sha256: str, magic: bytes) -> str:
    """Check the whole file and give it its name; throw away what is not right. Raises ModelError, OSError."""
    with part.open("rb") as file:
        begins = file.read(len(magic))
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()
    reason = ""
    if begins != magic:
        reason = f"what came does not begin with {magic.decode()}: perhaps a page that wants a login or an agreement"
    elif sha256 and found != sha256:
        reason = f"its digest is {found}, not {sha256}"
    _Mark(part).remove()
    if reason:
        part.unlink()
        raise ModelError(f"{path.name} is not what the manifest promises and was thrown away: {reason}")
    part.replace(path)
    return found
