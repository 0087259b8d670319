"""A company's Markdown file as passages.

Every `##` heading is one passage, and so is every deeper one, titled with those above it; a single `#` is the name of
the document, several are passages too. Lines such as "Frage:", "Gültig bis:" and "Zielgruppe:" stand beside the answer;
the rest is spoken, without marks.
"""

from __future__ import annotations

from pathlib import Path

from ari_agent.documents.document import Document
from ari_agent.documents.encoding import decode
from ari_agent.errors import DocumentError
from ari_agent.knowledge.markdown import Heading, headings, spoken, visible
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.sections import Section, passages, titled


def read_markdown(data: bytes, name: str) -> Document:
    """Return the passages of a Markdown file. Raises DocumentError."""
    text, warnings = decode(data, name)
    warnings += [f"{name}: {warning}" for warning in visible(text)[1]]
    return Document(parse_passages(text, name), tuple(warnings))


def parse_passages(text: str, name: str) -> tuple[Passage, ...]:
    """Return the passages of a Markdown text; `name` stands in error messages. Raises DocumentError."""
    found = passages(_sections(headings(visible(text)[0]), name), Path(name).name, spoken)
    if not found:
        raise DocumentError(f"{name} has no passage: begin each with a line '## Title'")
    return found


def _sections(found: list[Heading], name: str) -> list[Section]:
    if sum(heading.level == 1 for heading in found) <= 1:
        found = [heading for heading in found if heading.level > 1]
    sections = []
    for position, (heading, title) in enumerate(
        zip(found, titled([(one.level, one.title) for one in found]), strict=True)
    ):
        parent = position + 1 < len(found) and found[position + 1].level > heading.level
        if not parent or any(line.strip() for line in heading.lines):
            sections.append(Section(title, f"{name}:{heading.number}", heading.lines, row=heading.number))
    return sections
