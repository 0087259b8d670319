"""A company's Markdown file as passages.

One heading is one passage; lines that begin with "Frage:" are ways to ask for it; the rest is spoken as it stands.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from ari_agent.errors import DocumentError

MAX_BYTES = 2_000_000
"""A larger file is no company document; refuse it before it fills the memory."""

_HEADING = re.compile(r"^##\s+(?P<title>.+?)\s*$")
_QUESTION = re.compile(r"^Frage:\s*(?P<question>.+?)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Passage:
    """One answer of the company."""

    id: str
    """Made from the title: lower-case ASCII, such as "oeffnungszeiten"."""
    title: str
    text: str
    """What the caller hears."""
    questions: tuple[str, ...] = ()
    """Other ways to ask for it."""


def read_passages(path: Path) -> tuple[Passage, ...]:
    """Return the passages of a Markdown file in their order. Raises DocumentError naming file, line and remedy."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror}") from e
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{path} has {len(data)} bytes; a company document has at most {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data[: e.start].count(b"\n") + 1
        raise DocumentError(f"{path}:{line} is not UTF-8; save the file with that encoding") from e
    return parse_passages(text, str(path))


def parse_passages(text: str, name: str) -> tuple[Passage, ...]:
    """Return the passages of a Markdown text; `name` stands in error messages. Raises DocumentError."""
    passages: list[Passage] = []
    for number, title, lines in _sections(text):
        questions = tuple(m["question"] for line in lines if (m := _QUESTION.match(line)))
        spoken = " ".join(line.strip() for line in lines if line.strip() and not _QUESTION.match(line))
        if not spoken:
            raise DocumentError(f"{name}:{number} the passage has no text under its heading")
        passage = Passage(slug(title), title, spoken, questions)
        if not passage.id or any(other.id == passage.id for other in passages):
            raise DocumentError(f"{name}:{number} two passages share this heading, or it has no letters; rename one")
        passages.append(passage)
    if not passages:
        raise DocumentError(f"{name} has no passage: begin each with a line '## Title'")
    return tuple(passages)


def slug(title: str) -> str:
    """Return the title as an id of lower-case ASCII letters, digits and hyphens."""
    text = title.casefold()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def _sections(text: str) -> list[tuple[int, str, list[str]]]:
    sections: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _HEADING.match(line):
            sections.append((number, heading["title"], []))
        elif sections:
            sections[-1][2].append(line)
    return sections
