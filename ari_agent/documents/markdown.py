"""Markdown documents."""

from __future__ import annotations

from ari_agent.documents.document import Document
from ari_agent.documents.encoding import decode
from ari_agent.knowledge.document import parse_passages
from ari_agent.knowledge.markdown import visible


def read_markdown(data: bytes, name: str) -> Document:
    """Return the passages of a Markdown file. Raises DocumentError."""
    text, warnings = decode(data, name)
    warnings += [f"{name}: {warning}" for warning in visible(text)[1]]
    return Document(parse_passages(text, name), tuple(warnings))
