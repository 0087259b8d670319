"""Documents that tests make themselves: PDF files drawn line by line, zip files of any content."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

Drawn = tuple[str, float, str]
"""Text, size of its letters in points, and "F1" for Helvetica or "F2" for its bold face."""


def pdf(pages: Sequence[Sequence[Drawn]]) -> bytes:
    """Return a PDF 1.4 file whose pages show those lines, one below the other; an empty text leaves a gap."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", font % b"Helvetica", font % b"Helvetica-Bold"]
    kids = []
    for lines in pages:
        content, y = [], 800.0
        for text, size, face in lines:
            y -= 1.3 * size
            shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            content.append(f"BT /{face} {size} Tf 1 0 0 1 50 {y:.1f} Tm ({shown}) Tj ET")
        stream = "\n".join(content).encode("cp1252")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % len(objects)
        )
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>".encode()
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + trailer


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """Return a zip file of those members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def changed(data: bytes, members: Mapping[str, bytes | str]) -> bytes:
    """Return a zip file with members replaced or added."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        kept: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**kept, **members})
