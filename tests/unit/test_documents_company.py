"""All documents of a company together."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from ari_agent.documents.company import collect, files
from ari_agent.errors import DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.version import in_force


def test_a_folder_is_taken_in_order_without_what_is_no_document(tmp_path: Path) -> None:
    for name in ("b.TXT", "a.md", ".a.md.swp.md", "~$c.docx", "bild.png", "c.csv"):
        (tmp_path / name).write_text("x")
    (tmp_path / "unter").mkdir()
    assert [file.name for file in files([tmp_path])] == ["a.md", "b.TXT", "c.csv"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("## Zeiten\nImmer.")
    (tmp_path / "link.md").symlink_to(path)
    assert files([path, tmp_path, tmp_path / "link.md"]) == [path]


def test_texts_are_in_words_and_sources_have_their_checksum(tmp_path: Path) -> None:
    data = "## Preis\u00ad\u200b\nFrage: was kostet\u0007 das\nAb 5 €.".encode()
    (tmp_path / "a.md").write_bytes(data)
    told: list[str] = []
    collection = collect(files([tmp_path]), told.append)
    assert collection.passages == (Passage("preis", "Preis", "Ab fünf Euro.", ("was kostet das",)),)
    assert [(source.name, source.sha256) for source in collection.sources] == [
        ("a.md", hashlib.sha256(data).hexdigest())
    ]
    assert told == ["a.md"]


def test_two_files_of_the_same_name_with_the_same_heading_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "firma.md").write_text("## Zeiten\nImmer.")
    with pytest.raises(DocumentError, match=r"b/firma\.md: another file has the heading 'Zeiten' too; rename one"):
        collect(files([tmp_path / "a", tmp_path / "b"]))


@pytest.mark.parametrize("text", ["---", "•", "***", "- - -"])
def test_a_passage_of_which_nothing_can_be_spoken_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(f"Zeiten\n\n{text}\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"a\.txt"):
        collect(files([tmp_path]))


def test_too_many_passages_over_all_files_are_refused(tmp_path: Path) -> None:
    for number in range(2):
        rows = "\n".join(f"Frage {number} {row};Ja." for row in range(5001))
        (tmp_path / f"{number}.csv").write_text(f"Frage;Antwort\n{rows}\n")
    with pytest.raises(DocumentError, match=r"1\.csv: more than 10000 passages together with the other files"):
        collect(files([tmp_path]))


@pytest.mark.parametrize(
    ("day", "audiences", "ids"),
    [
        (date(2026, 6, 30), ("alle",), ["immer"]),
        (date(2026, 7, 1), ("alle",), ["immer", "juli"]),
        (date(2026, 7, 31), (), ["immer", "juli"]),
        (date(2026, 8, 1), ("alle",), ["immer"]),
        (date(2026, 8, 1), ("Intern",), ["immer", "intern"]),
    ],
)
def test_what_may_be_said_goes_by_day_and_audience(day: date, audiences: tuple[str, ...], ids: list[str]) -> None:
    passages = (
        Passage("immer", "Immer", "Ja."),
        Passage("juli", "Juli", "Ja.", valid_from=date(2026, 7, 1), valid_until=date(2026, 7, 31)),
        Passage("intern", "Intern", "Ja.", audience="intern"),
    )
    assert [passage.id for passage in in_force(passages, day, audiences)] == ids
