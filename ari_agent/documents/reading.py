"""Read one document of a company, of any kind that companies have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ari_agent.documents.document import MAX_BYTES, Document
from ari_agent.documents.docx import read_docx
from ari_agent.documents.markdown import read_markdown
from ari_agent.documents.pdf import read_pdf
from ari_agent.documents.plain import read_plain
from ari_agent.documents.table import read_csv, read_xlsx
from ari_agent.errors import DocumentError
from ari_agent.knowledge.source import load

READERS: dict[str, Callable[[bytes, str], Document]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".docx": read_docx,
    ".pdf": read_pdf,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_xlsx,
}
"""By the end of the file's name, in lower case."""


def read(path: Path) -> Document:
    """Return the passages of a document. Blocks while it reads: a second for a thousand pages of text.

    Raises DocumentError naming file, place and remedy; nothing of a document with a mistake is returned.
    """
    reader = kind(path)
    data = load(path, MAX_BYTES)
    if not data.strip():
        raise DocumentError(f"{path.name} is empty; write the answers into it")
    return replace(reader(data, path.name), sha256=hashlib.sha256(data).hexdigest())


def kind(path: Path) -> Callable[[bytes, str], Document]:
    """Return the reader for a file of that name. Raises DocumentError."""
    reader = READERS.get(path.suffix.casefold())
    if not reader:
        known = ", ".join(sorted(READERS))
        raise DocumentError(f"{path.name} is of no kind that is read ({known}); export it as one of these")
    return reader
