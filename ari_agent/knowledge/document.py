"""A company's Markdown file as passages.

Every `##` heading is one passage, and so is every deeper one, titled with those above it; a single `#` is the name of
the document, several are passages too. Lines such as "Frage:", "Gültig bis:" and "Zielgruppe:" stand beside the answer;
the rest is spoken, without marks.
"""

from __future__ import annotations

from pathlib import Path

from ari_agent.errors import DocumentError
from ari_agent.knowledge.markdown import Heading, headings, spoken, visible
from ari_agent.knowledge.passage import Passage, slug
from ari_agent.knowledge.sections import Section, passages
from ari_agent.knowledge.source import load

__all__ = ["MAX_BYTES", "Passage", "parse_passages", "read_passages", "slug"]

MAX_BYTES = 2_000_000
"""A larger file is no company document; refuse it before it fills the memory."""


def read_passages(path: Path) -> tuple[Passage, ...]:
    """Return the passages of a Markdown file in their order. Raises DocumentError naming file, line and remedy."""
    data = load(path, MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = data[: e.start].count(b"\n") + 1
        raise DocumentError(f"{path}:{line} is not UTF-8; save the file with that encoding") from e
    return parse_passages(text, str(path))


def parse_passages(text: str, name: str) -> tuple[Passage, ...]:
    """Return the passages of a Markdown text; `name` stands in error messages. Raises DocumentError."""
    found = passages(_sections(headings(visible(text)[0]), name), Path(name).name, spoken)
    if not found:
        raise DocumentError(f"{name} has no passage: begin each with a line '## Title'")
    return found


def titled(found: list[tuple[int, str]]) -> list[str]:
    """Return a title per heading of (level, title): those of the headings above it come first."""
    titles: list[str] = []
    above: list[tuple[int, str]] = []
    for level, title in found:
        above = [*(one for one in above if one[0] < level), (level, title)]
        titles.append(", ".join(one[1] for one in above))
    return titles


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
