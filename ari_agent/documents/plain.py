"""Plain text: paragraphs under a first line that names them, or questions and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ari_agent.documents.document import Document
from ari_agent.documents.encoding import decode
from ari_agent.errors import DocumentError
from ari_agent.knowledge.fields import marked
from ari_agent.knowledge.markdown import spoken
from ari_agent.knowledge.sections import Section, passages

_TITLE_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and where it stands."""

    text: str
    place: str
    row: int | None = None
    page: int | None = None


def read_plain(data: bytes, name: str) -> Document:
    """Return the passages of a text file. Raises DocumentError."""
    text, warnings = decode(data, name)
    lines = [Line(line, f"{name}:{number}", row=number) for number, line in enumerate(text.splitlines(), 1)]
    return Document(passages(sections(lines, name), name, spoken), tuple(warnings))


def sections(lines: Iterable[Line], name: str) -> list[Section]:
    """Return the sections of lines with blank ones between paragraphs. Raises DocumentError."""
    found: list[Section] = []
    for block in _blocks(lines):
        first, *rest = block
        if found and not any(found[-1].lines):
            found[-1].lines += [line.text for line in block]  # a title stood alone above it
        elif _titled(block):
            found.append(_section(first, first.text.strip(), rest))
        elif _asks(first):
            found.append(_section(first, (marked(first.text) or ("", ""))[1], block))
        elif found:
            found[-1].lines += ["", *(line.text for line in block)]
        else:
            raise DocumentError(f"{first.place} the first paragraph has no title; write a short line above it")
    if not found:
        raise DocumentError(f"{name} has no text; write paragraphs whose first line is a title")
    return found


def is_title(text: str) -> bool:
    """Whether a line can be the title of what follows: short, and no sentence."""
    text = text.strip()
    return 0 < len(text) <= _TITLE_LETTERS and not text.endswith((".", ",", ";", "!")) and any(map(str.isalpha, text))


def _titled(block: list[Line]) -> bool:
    """Whether the paragraph begins with a title; one that goes on in lower case is a sentence in several lines."""
    if marked(block[0].text) or not is_title(block[0].text):
        return False
    return len(block) == 1 or not block[1].text.lstrip()[:1].islower()


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield paragraphs; a question after an answer begins one without a blank line too."""
    block: list[Line] = []
    for line in lines:
        if not line.text.strip():
            if block:
                yield block
            block = []
            continue
        if block and _asks(line) and _asks(block[0]) and not _asks(block[-1]):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _asks(line: Line) -> bool:
    return (marked(line.text) or ("",))[0] == "question"


def _section(first: Line, title: str, rest: list[Line]) -> Section:
    return Section(title, first.place, [line.text for line in rest], first.page, first.row)
