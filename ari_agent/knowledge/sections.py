"""Passages from the sections of any kind of document, with one set of rules for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ari_agent.errors import DocumentError
from ari_agent.knowledge.fields import Fields, read_fields
from ari_agent.knowledge.passage import Passage, slug

MAX_PASSAGES = 10_000
"""More answers than a company has; a document with more is a data dump."""


@dataclass(slots=True)
class Section:
    """A heading and the lines below it."""

    title: str
    place: str
    """Where it begins, for people, such as "firma.md:3"."""
    lines: list[str] = field(default_factory=list)
    page: int | None = None
    row: int | None = None


def passages(
    sections: Iterable[Section], source: str, spoken: Callable[[list[str]], list[str]] = list
) -> tuple[Passage, ...]:
    """Return a passage per section, in their order; `spoken` takes the marks out of an answer's lines.

    Raises DocumentError naming place and remedy.
    """
    made: dict[str, Passage] = {}
    for section in sections:
        fields = _fields(section)
        text = " ".join(" ".join(spoken(fields.rest)).split())
        if not text:
            raise DocumentError(f"{section.place} the passage has no text under its heading; write the answer there")
        passage = Passage(
            slug(section.title),
            section.title,
            text,
            tuple(fields.questions),
            fields.valid_from,
            fields.valid_until,
            fields.audience,
            source,
            section.page,
            section.row,
        )
        if not passage.id or passage.id in made:
            raise DocumentError(f"{section.place} two passages share this heading, or it has no letters; rename one")
        if len(made) == MAX_PASSAGES:
            raise DocumentError(f"{section.place} more than {MAX_PASSAGES} passages; split the file")
        made[passage.id] = passage
    return tuple(made.values())


def titled(found: list[tuple[int, str]]) -> list[str]:
    """Return a title per heading of (level, title): those of the headings above it come first."""
    titles: list[str] = []
    above: list[tuple[int, str]] = []
    for level, title in found:
        above = [*(one for one in above if one[0] < level), (level, title)]
        titles.append(", ".join(one[1] for one in above))
    return titles


def _fields(section: Section) -> Fields:
    try:
        return read_fields(section.lines)
    except ValueError as e:
        raise DocumentError(f"{section.place} {e}") from None
