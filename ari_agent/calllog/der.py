"""Puts the certificates of a time stamp into the order that DER wants.

Authorities send them as they come, `openssl ts -reply` among them, and rfc3161-client takes no other order than DER's
(X.690, 11.6). The order is not part of what is signed.
"""

from __future__ import annotations

_CERTIFICATES = 0xA0
"""Tag of the field `certificates` of SignedData (RFC 5652, 5.1)."""


def with_sorted_certificates(response: bytes) -> bytes:
    """Return a TimeStampResp (RFC 3161, 2.4.2) with sorted certificates; what is no such thing comes back as it is."""
    try:
        (whole,) = _parts(response, 0, len(response))
        _, token = _parts(response, *whole[2:])
        _, content = _parts(response, *token[2:])
        (signed,) = _parts(response, *content[2:])
        (field,) = [part for part in _parts(response, *signed[2:]) if part[0] == _CERTIFICATES]
        found = [response[start:end] for _, start, _, end in _parts(response, *field[2:])]
    except (ValueError, IndexError):
        return response
    return response[: field[2]] + b"".join(sorted(found)) + response[field[3] :]


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int, int, int]]:
    """Return tag, start, start of the content and end of each value in a row. Raises ValueError, IndexError."""
    found = []
    while start < end:
        length, content = data[start + 1], start + 2
        if length >= 0x80:
            size = length & 0x7F
            length, content = int.from_bytes(data[content : content + size], "big"), content + size
        if content + length > end or content + length <= start:
            raise ValueError("no DER")
        found.append((data[start], start, content, content + length))
        start = content + length
    return found
