"""Text from bytes whose encoding nobody names."""

from __future__ import annotations

import codecs

from ari_agent.errors import DocumentError

_WINDOWS = frozenset("äöüÄÖÜßéèêëáàâçñóòôíìîúùûÉÈÀÇÑåÅøØæÆœŒ€§°²³µ½¼¾·©®™«»„“”‚‘’–—…•´¡¿\xa0\xad")
"""What German texts have beyond ASCII; other signs there mean that the file is not Windows-1252."""


def decode(data: bytes, name: str) -> tuple[str, list[str]]:
    """Return the text of UTF-8, UTF-16 with its mark, or Windows-1252 bytes, and what was assumed.

    Raises DocumentError naming the line.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = _exactly(data, "utf-16", name)
        if "\0" in text:
            raise DocumentError(f"{name}:1 is neither UTF-8 nor UTF-16; save it as UTF-8")
        return text, []
    if (null := data.find(b"\0")) >= 0:
        raise DocumentError(f"{name}:{_line(data, null)} is no text; save the document as a text file in UTF-8")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as e:
        return _windows(data, e.start, name)


def _windows(data: bytes, start: int, name: str) -> tuple[str, list[str]]:
    text = _exactly(data, "cp1252", name)
    for position, sign in enumerate(text):
        if sign > "\x7f" and sign not in _WINDOWS:
            raise DocumentError(f"{name}:{_line(data, position)} is neither UTF-8 nor Windows-1252; save it as UTF-8")
    return text, [f"{name}:{_line(data, start)} is not UTF-8 and was read as Windows-1252; check its umlauts"]


def _exactly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as e:
        raise DocumentError(f"{name}:{_line(data, e.start)} is not readable text; save the file as UTF-8") from e


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1
