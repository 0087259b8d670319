"""What every reader returns, and the limits that every document keeps."""

from __future__ import annotations

from dataclasses import dataclass

from ari_agent.knowledge.passage import Passage

MAX_BYTES = 20_000_000
"""Of a file; a company's document with pictures is smaller."""
MAX_CHARACTERS = 5_000_000
"""Of the text in it: ten thousand passages of a page's third."""
MAX_ROWS = 20_000
"""Of a table, empty ones too."""


@dataclass(frozen=True, slots=True)
class Document:
    """The passages of a file, and what its author should know."""

    passages: tuple[Passage, ...]
    warnings: tuple[str, ...] = ()
    """Sentences that name the file: nothing is wrong, something was left out or assumed."""
    sha256: str = ""
    """Of the file's bytes, in hexadecimal."""
