"""The zip container of Office files, checked before anything unpacks it.

ECMA-376, part 2, allows UTF-8 and UTF-16 only, no document type definitions and no encrypted members; a file that has
them was not written by an office program.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from xml.parsers import expat

from ari_agent.errors import DocumentError

MAX_MEMBERS = 2_000
MAX_UNPACKED = 100_000_000
"""Bytes of all members; zipfile never unpacks more of a member than its directory declares."""
MAX_RATIO = 200
"""Unpacked to packed bytes of a member; office programs reach fifty with large tables."""
_RATIO_FROM = 1_000_000  # below, a high ratio costs nothing
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_CHUNK = 65_536


def check(data: bytes, name: str) -> None:
    """Refuse an Office file that would harm its reader. Raises DocumentError."""
    if data.startswith(_OLE):
        raise DocumentError(f"{name} has a password or an old format; save it as DOCX or XLSX without one")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            measure(archive.infolist(), name)
            for member in archive.infolist():
                _prologue(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as e:
        raise DocumentError(f"{name} is damaged or no Office file; open it there and save it again") from e


def measure(
    members: list[zipfile.ZipInfo], name: str, most: int = MAX_UNPACKED, remedy: str = "save its text in a new file"
) -> None:
    """Refuse what unpacks to more than `most` bytes, is packed too well, lies outside or cannot be told apart.

    Raises DocumentError, which ends with the remedy.
    """
    if len(members) > MAX_MEMBERS:
        raise DocumentError(f"{name} has {len(members)} parts, more than {MAX_MEMBERS}; {remedy}")
    if sum(member.file_size for member in members) > most:
        raise DocumentError(f"{name} unpacks to more than {most} bytes; {remedy}")
    if len({member.filename for member in members}) < len(members):
        raise DocumentError(f"{name} has two parts of one name; {remedy}")
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise DocumentError(f"{name} has a part outside of it; {remedy}")
        if member.flag_bits & 1:
            raise DocumentError(f"{name} is protected by a password; save it without one")
        if member.file_size > max(_RATIO_FROM, MAX_RATIO * member.compress_size):
            raise DocumentError(f"{name} has a part packed {MAX_RATIO} times or more; {remedy}")


class _Seen(Exception):
    """Enough of a part was read."""


def _prologue(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    """Read a part up to its first element: a document type, where entities are declared, can only stand before it."""
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise DocumentError(f"{name} declares XML entities in {member.filename}; save its text in a new file")

    def enough(*_: object) -> None:
        raise _Seen

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = enough
    with archive.open(member) as part:
        try:
            while chunk := part.read(_CHUNK):
                parser.Parse(chunk)
        except _Seen:
            return
        except expat.ExpatError as e:
            if member.filename.endswith((".xml", ".rels")):
                raise DocumentError(f"{name} is damaged in {member.filename}; open it and save it again") from e
