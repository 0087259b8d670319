"""Markdown without its marks: what a caller would hear.

The syntax is that of CommonMark 0.31 with the tables of GitHub, as far as companies use it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|iframe)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_FRONT = re.compile(r"\A---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_ATX = re.compile(r"^ {0,3}(?P<marks>#{1,6})[ \t]+(?P<title>.*?)(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(?P<text>.*)$")
_DIVIDER = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = (
    (re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,500}|[^<>\s@]{1,99}@[^<>\s@]{1,99})>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>]{0,500}>"), " "),
    (re.compile(r"!?\[([^\[\]]{0,500})\](?:\([^()]{0,500}\)|\[[^\[\]]{0,100}\])"), r"\1"),
    (re.compile(r"\*\*|__|~~|`+|^\s*(?:>\s?)+"), ""),
    (re.compile(r"(?<![\w*\\])[*_](?=\S)([^*_]{1,500})(?<=\S)[*_](?![\w*])"), r"\1"),
    (re.compile(r"^\s*#+\s+|^\s*#{2,}"), ""),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)
"""Applied in this order; every repetition is bounded, so that no text takes long."""


@dataclass(slots=True)
class Heading:
    """A heading and its raw lines."""

    level: int
    title: str
    number: int
    """Line in the file, from 1."""
    lines: list[str] = field(default_factory=list)


def visible(text: str) -> tuple[str, list[str]]:
    """Return the text without front matter, comments and scripts, line by line in place, and what to warn of."""
    warnings = []
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if front := _FRONT.match(text):
        warnings.append("the front matter between the lines --- is ignored")
        text = "\n" * front[0].count("\n") + text[front.end() :]
    bare = _HIDDEN.sub(lambda hidden: "\n" * hidden[0].count("\n"), text)
    if bare != text:
        warnings.append("comments and scripts are ignored")
    return bare, warnings


def headings(text: str) -> list[Heading]:
    """Return the headings of a visible text; lines before the first are dropped."""
    found: list[Heading] = []
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (atx := _ATX.match(line)):
            found.append(Heading(len(atx["marks"]), inline(atx["title"]), number))
        elif found:
            found[-1].lines.append(line)
    return found


def spoken(lines: list[str]) -> list[str]:
    """Return the lines as a caller would hear them, without marks."""
    heard: list[str] = []
    table: list[list[str]] = []
    for position, line in enumerate(lines):
        if "|" in line and (table or _divides(lines, position + 1)):
            if not _DIVIDER.match(line):
                table.append(_cells(line))
            continue
        heard += table_lines(table)
        table = []
        if _RULE.match(line) or _SETEXT.match(line) or _FENCE.match(line):
            continue
        item = _ITEM.match(line)
        text = inline(item["text"] if item else line)
        last = not any(_ITEM.match(later) for later in lines[position + 1 : position + 2])
        heard.append(_ended(text, "." if last else ",") if item else text)
    return heard + table_lines(table)


def inline(text: str) -> str:
    """Return a line without emphasis, links, tags and other marks."""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def table_lines(rows: list[list[str]]) -> list[str]:
    """Return a sentence per row of a table whose first row names the columns."""
    if not rows:
        return []
    head, *body = rows
    if len(head) == 2:
        return [_ended(": ".join(cell for cell in row if cell), ".") for row in body if any(row)]
    sentences = []
    for row in body:
        named = [f"{name} {cell}".strip() for name, cell in zip(head[1:], row[1:], strict=False) if cell]
        sentences.append(_ended(": ".join(part for part in (row[0], ", ".join(named)) if part), "."))
    return [sentence for sentence in sentences if sentence]


def _divides(lines: list[str], position: int) -> bool:
    return position < len(lines) and "-" in lines[position] and bool(_DIVIDER.match(lines[position]))


def _cells(line: str) -> list[str]:
    return [inline(cell) for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _ended(text: str, mark: str) -> str:
    return text if not text or text.endswith((".", "!", "?", ":", ";", ",")) else text + mark
