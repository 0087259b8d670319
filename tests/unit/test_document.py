"""A company's Markdown file: what becomes of it, and what is said about one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.documents.markdown import parse_passages
from ari_agent.documents.reading import read
from ari_agent.errors import DocumentError
from ari_agent.knowledge.passage import Passage, slug

GOOD = """# Muster GmbH

Nothing of this is spoken.

## Öffnungszeiten
Frage: wann haben sie offen
Frage:   bis wann sind sie da
Wir sind von acht bis siebzehn Uhr da.
Am Samstag
ist geschlossen.

##   Größe & Maße
Zwei Meter.
"""
PASSAGES = (
    Passage(
        "oeffnungszeiten",
        "Öffnungszeiten",
        "Wir sind von acht bis siebzehn Uhr da. Am Samstag ist geschlossen.",
        ("wann haben sie offen", "bis wann sind sie da"),
    ),
    Passage("groesse-masse", "Größe & Maße", "Zwei Meter."),
)


def refused(text: str) -> str:
    """Return what is said about the document."""
    with pytest.raises(DocumentError) as refusal:
        parse_passages(text, "firma.md")
    return str(refusal.value)


def written(folder: Path, data: bytes) -> Path:
    """Write the document's bytes."""
    path = folder / "firma.md"
    path.write_bytes(data)
    return path


def test_every_heading_is_a_passage() -> None:
    assert parse_passages(GOOD, "firma.md") == PASSAGES


@pytest.mark.parametrize("end", ["\r\n", "\r"], ids=["Windows", "old Macintosh"])
def test_line_ends_of_other_systems_are_read(tmp_path: Path, end: str) -> None:
    assert read(written(tmp_path, GOOD.replace("\n", end).encode())).passages == PASSAGES


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    assert read(written(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())).passages == PASSAGES
    assert read(written(tmp_path, b"\xef\xbb\xbf## Kurz\nJa.")).passages[0].title == "Kurz"


def test_frage_may_be_written_in_any_case() -> None:
    (passage,) = parse_passages("## A\nfrage: eins\nFRAGE: zwei\nJa.", "x")
    assert passage.questions == ("eins", "zwei")
    assert passage.text == "Ja."


@pytest.mark.parametrize(
    "text", ["", "   \n\n", "# Nur ein Titel\nText", "Text ohne Überschrift", "##Ohne Blank\nText"]
)
def test_a_document_without_a_passage_is_refused_with_the_remedy(text: str) -> None:
    assert refused(text) == "firma.md has no passage: begin each with a line '## Title'"


def test_a_passage_without_text_is_refused_with_its_line() -> None:
    assert refused("# Muster\n\n## Leer\nFrage: was\n\n## Voll\nJa.").startswith("firma.md:3 the passage has no text")


def test_two_passages_with_one_heading_are_refused_with_the_line_of_the_second() -> None:
    assert refused("## Preis\nHundert.\n\n## Preis\nTausend.").startswith("firma.md:4 two passages share this heading")
    assert refused("## Größe\nA.\n## Grösse\nB.").startswith("firma.md:3 ")


def test_a_heading_without_letters_is_refused() -> None:
    assert refused("## !?\nJa.").startswith("firma.md:1 ")


def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"gone\.md cannot be read: No such file"):
        read(tmp_path / "gone.md")
    folder = tmp_path / "folder.md"
    folder.mkdir()
    with pytest.raises(DocumentError, match="cannot be read: Is a directory"):
        read(folder)


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Öffnungszeiten", "oeffnungszeiten"), ("Straße 12", "strasse-12"), ("Café & Bar", "cafe-bar"), ("ÄÜẞ", "aeuess")],
)
def test_an_id_is_made_of_plain_letters(title: str, expected: str) -> None:
    assert slug(title) == expected


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        passages = parse_passages(text, "x")
    except DocumentError:
        return
    assert len({passage.id for passage in passages}) == len(passages)


@given(st.binary(max_size=500))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_bytes(data)
    try:
        passages = read(path).passages
    except DocumentError:
        return
    assert passages
