"""All documents of a company together: one set of passages, as callers will hear them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ari_agent.documents.reading import READERS, read
from ari_agent.errors import DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.saying import say
from ari_agent.knowledge.sections import MAX_PASSAGES

Progress = Callable[[str], None]
"""Is told the name of the file that is read next."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that passages came from."""

    name: str
    sha256: str
    """Of its bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What all files hold together."""

    passages: tuple[Passage, ...]
    """Their texts are in words, as they are spoken."""
    sources: tuple[Source, ...]
    warnings: tuple[str, ...]


def files(paths: Iterable[Path]) -> list[Path]:
    """Return the documents that the paths name: files, and folders whose documents are taken in order of their names.

    What a folder holds besides is left alone: other kinds, hidden files, and locks of office programs. Raises
    DocumentError.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _inside(path) if path.is_dir() else [path]:
            found.setdefault(file.resolve(), file)
    return list(found.values())


def collect(found: Sequence[Path], progress: Progress = lambda _: None) -> Collection:
    """Return the passages of all these files. Blocks while it reads them.

    Raises DocumentError naming file and remedy; nothing of a collection with a mistake is returned.
    """
    passages: dict[str, Passage] = {}
    sources: list[Source] = []
    warnings: list[str] = []
    for file in found:
        progress(file.name)
        document = read(file)
        for passage in map(spoken, document.passages):
            if other := passages.get(passage.id):
                where = f"another file, {other.source}," if other.source != passage.source else "another file"
                raise DocumentError(f"{file}: {where} has the heading {passage.title!r} too; rename one")
            passages[passage.id] = passage
        if len(passages) > MAX_PASSAGES:
            raise DocumentError(
                f"{file}: more than {MAX_PASSAGES} passages together with the other files; leave some out"
            )
        sources.append(Source(file.name, document.sha256))
        warnings += document.warnings
    return Collection(tuple(passages.values()), tuple(sources), tuple(warnings))


def spoken(passage: Passage) -> Passage:
    """Return the passage with its text in words. Raises DocumentError when nothing of it can be spoken."""
    text = say(passage.text)
    if not any(map(str.isalpha, text)):
        raise DocumentError(f"{passage.source}: nothing under {passage.title!r} can be spoken; write the answer there")
    return replace(passage, text=text, title=_plain(passage.title), questions=tuple(map(_plain, passage.questions)))


def _inside(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as e:
        raise DocumentError(f"{folder} cannot be read: {e.strerror}") from e
    documents = [
        file for file in entries if file.suffix.casefold() in READERS and not file.name.startswith((".", "~$"))
    ]
    if not documents:
        raise DocumentError(f"{folder} holds no document ({', '.join(sorted(READERS))}); put the company's there")
    return documents


def _plain(text: str) -> str:
    """Return the text without signs that no database keeps and nobody sees."""
    kept = (sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cf", "Cs") or sign.isspace())
    return " ".join("".join(kept).split())
