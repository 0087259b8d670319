"""Time stamps of anchors (RFC 3161): that an anchor was there at a time, by the word of an authority outside.

Off until log.stamp_url names an authority; usually one of the company's own. It is asked by `ari-agent audit anchor`
alone, never by a call, and learns the SHA-256 of an anchor, which says nothing of anybody. Its answers lie in
log.stamps, one DER file for each anchor, as `openssl ts -verify` reads them:

    NUMBER-SHA256.tsr     number of the anchor's event, beginning of the SHA-256 of what is stamped, 16 digits

What is stamped is what the anchor's signature is over. Because the chain goes on, a newer stamp stands for all that is
older: an anchor that got none is made up for by the next. The only module that needs the package rfc3161-client.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from ari_agent.calllog.anchor import Anchor, reason, stamp_path, unstamped
from ari_agent.calllog.der import with_sorted_certificates
from ari_agent.config import Log
from ari_agent.errors import StampError

ANSWER_S = 20.0
"""Seconds for one stamp."""
ANSWER_BYTES = 65_536
"""A stamp with a chain of certificates has about five thousand."""
CATCH_UP = 24
"""So many of the newest anchors without a stamp are tried again: those of a day."""
EARLY = timedelta(minutes=5)
"""An authority's clock may be slow by so much."""
_TYPES = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to ask, and whose word counts."""

    url: str
    roots: list[Certificate]
    others: list[Certificate]
    """Certificates between those and the authority's own, if it does not send them along."""
    tls: ssl.SSLContext

    @classmethod
    def of(cls, settings: Log) -> Authority:
        """Return the authority of the settings. Blocks briefly. Raises StampError."""
        path = settings.stamp_ca
        if path is None or settings.stamp_url is None:
            raise StampError("no authority: log.stamp_url and log.stamp_ca name one")
        roots, others = certificates(path)
        tls = ssl.create_default_context()
        tls.load_verify_locations(path)  # an authority inside has its address certified inside
        return cls(settings.stamp_url, roots, others, tls)


def certificates(path: Path) -> tuple[list[Certificate], list[Certificate]]:
    """Return the certificates of a PEM file that vouch for themselves, and the others. Raises StampError."""
    try:
        found = load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as e:
        raise StampError(f"log.stamp_ca: {path} cannot be used: {reason(e)}") from e
    roots = [one for one in found if one.subject == one.issuer]
    if not roots:
        raise StampError(f"log.stamp_ca: {path} has no root certificate: add the one that vouches for the authority")
    return roots, [one for one in found if one.subject != one.issuer]


async def stamp(kept: Sequence[Anchor], settings: Log) -> int:
    """Get stamps for the newest anchors that have none, the newest first; return for how many. Raises StampError.

    Those that were stamped before the trouble keep their stamps.
    """
    authority = await asyncio.to_thread(Authority.of, settings)
    missing = await asyncio.to_thread(unstamped, kept, settings.stamps)
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        for one in missing[:CATCH_UP]:
            answer = await _ask(one, authority, session)
            await asyncio.to_thread(_keep, answer, stamp_path(one, settings.stamps))
    return len(missing[:CATCH_UP])


def stamped_at(anchor: Anchor, path: Path, roots: list[Certificate], others: list[Certificate]) -> datetime:
    """Return when an authority saw the anchor, by the stamp in a file. Raises StampError when the stamp is wrong."""
    try:
        return _examined(path.read_bytes(), anchor, roots, others, None)
    except OSError as e:
        raise StampError(f"log.stamps: {path} cannot be read: {reason(e)}") from e


async def _ask(anchor: Anchor, authority: Authority, session: aiohttp.ClientSession) -> bytes:
    request = TimestampRequestBuilder().data(anchor.signed).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        async with session.post(
            authority.url, data=request.as_bytes(), headers=_TYPES, ssl=authority.tls, allow_redirects=False
        ) as response:
            answer = await _limited(response)
    except (aiohttp.ClientError, OSError, TimeoutError) as e:
        raise StampError("the authority of log.stamp_url cannot be reached or does not answer in time") from e
    if response.status != 200:
        raise StampError(f"the authority of log.stamp_url gave no time stamp: HTTP {response.status}")
    await asyncio.to_thread(_examined, answer, anchor, authority.roots, authority.others, request.nonce)
    return answer


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    answer = b""
    async for part in response.content.iter_any():
        answer += part
        if len(answer) > ANSWER_BYTES:
            raise StampError(
                f"the authority of log.stamp_url sent more than {ANSWER_BYTES} bytes: that is no time stamp"
            )
    return answer


def _examined(
    answer: bytes, anchor: Anchor, roots: list[Certificate], others: list[Certificate], nonce: int | None
) -> datetime:
    """Return the time of a stamp whose status, certificates, signature, nonce and digest are right."""
    try:
        response = decode_timestamp_response(with_sorted_certificates(answer))
        VerifierBuilder(roots=roots, intermediates=others, nonce=nonce).build().verify_message(response, anchor.signed)
        return _at(response, anchor)
    except (VerificationError, ValueError) as e:
        raise StampError(f"the time stamp of the anchor of event {anchor.number} is wrong") from e


def _at(response: TimeStampResponse, anchor: Anchor) -> datetime:
    at = response.tst_info.gen_time.astimezone(UTC)
    if at < datetime.fromisoformat(anchor.at) - EARLY:
        raise StampError(f"the time stamp of the anchor of event {anchor.number} is older than the anchor")
    return at


def _keep(answer: bytes, path: Path) -> None:
    """Write the file as a whole or not at all. Raises StampError."""
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        number = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(number, "wb") as file:
            file.write(answer)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    except OSError as e:
        raise StampError(f"log.stamps: {path} cannot be written: {reason(e)}") from e
