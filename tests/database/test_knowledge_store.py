"""Versions of the knowledge in a real database: whole or not at all, never changed, and each as it was stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.calllog.knowledge_copy import read_copy, write_copy
from ari_agent.errors import CallLogError, CallLogUnusable, DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.version import Draft, Gate, Version, compare, keep_accepted
from database.servers import CallDatabase

HOURS = Passage(
    "oeffnungszeiten",
    "Öffnungszeiten „neu“",
    "Montag bis Freitag acht bis siebzehn Uhr.",
    ("wann haben sie offen", "bis wann sind sie da"),
    date(2026, 1, 1),
    date(2026, 12, 31),
    "kunden",
    "firma.pdf",
    3,
    7,
)
PARKING = Passage("parkplaetze", "Parkplätze", "Im Hof.", ("wo kann ich parken",), source="firma.md")
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
GATE = Gate("encoder", 0.61, "2 of 40 questions without an answer are answered")
SOURCES = (("firma.pdf", "ab" * 32), ("firma.md", "cd" * 32))


def draft(*passages: Passage, **changes: Any) -> Draft:
    made = Draft("import", "muster", "Preise für 2026", passages, SOURCES)
    return replace(made, **changes)


async def stored(calls: CallDatabase, *drafts: Draft) -> list[int]:
    """Store one after the other."""
    async with KnowledgeStore.open(calls.settings) as store:
        return [await store.store(one, await store.version()) for one in drafts]


async def version(calls: CallDatabase, number: int | None = None) -> Version | None:
    async with KnowledgeStore.open(calls.settings) as store:
        return await store.version(number)


async def test_before_the_first_import_there_is_no_version(empty_database: CallDatabase) -> None:
    async with KnowledgeStore.open(empty_database.settings) as store:
        assert await store.newest() == 0
        assert await store.version() is None
        assert await store.versions() == []


async def test_a_version_comes_back_with_everything_in_it(calls: CallDatabase) -> None:
    first = draft(HOURS, PARKING, accepted={"oeffnungszeiten": ("bis wann sind sie da",)}, gate=GATE)
    assert await stored(calls, first) == [1]
    found = await version(calls)
    assert found is not None
    assert (found.number, found.draft) == (1, first)
    assert [(p.source, p.page, p.row) for p in found.passages] == [("firma.pdf", 3, 7), ("firma.md", None, None)]


async def test_the_newest_version_is_in_force_and_older_ones_stay(calls: CallDatabase) -> None:
    louder = replace(PARKING, text="Auf der Straße.")
    assert await stored(calls, draft(HOURS, PARKING), draft(louder)) == [1, 2]
    newest, oldest = await version(calls), await version(calls, 1)
    assert newest is not None
    assert oldest is not None
    assert newest.passages == (louder,)
    assert oldest.passages == (HOURS, PARKING)
    assert await version(calls, 3) is None
    async with KnowledgeStore.open(calls.settings) as store:
        counts = [(row["number"], row["passages"], row["added"], row["changed"], row["removed"])
                  for row in await store.versions()]  # fmt: skip
    assert counts == [(2, 1, 0, 1, 1), (1, 2, 2, 0, 0)]


async def test_of_two_imports_at_the_same_time_one_is_refused(calls: CallDatabase) -> None:
    async with KnowledgeStore.open(calls.settings) as one, KnowledgeStore.open(calls.settings) as other:
        results = await asyncio.gather(
            one.store(draft(HOURS), None), other.store(draft(PARKING), None), return_exceptions=True
        )
    refused = [result for result in results if isinstance(result, CallLogUnusable)]
    assert 1 in results
    assert [str(refusal) for refusal in refused] == [
        "nothing was stored: version 1 was stored meanwhile; look at the changes again"
    ]
    assert len(calls.query("SELECT 1 FROM ari_agent.knowledge_passage")) == 1


@pytest.mark.parametrize(
    "bad", [replace(PARKING, text=""), replace(PARKING, id="Ä"), replace(PARKING, page=0), replace(PARKING, id="\0")]
)
async def test_of_a_version_that_the_database_refuses_nothing_is_stored(calls: CallDatabase, bad: Passage) -> None:
    with pytest.raises(CallLogError, match="nothing was stored"):
        await stored(calls, draft(HOURS, bad))
    assert calls.query("SELECT 1 FROM ari_agent.knowledge_version") == []
    assert calls.query("SELECT 1 FROM ari_agent.knowledge_passage") == []


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE ari_agent.knowledge_version SET note = 'x'",
        "DELETE FROM ari_agent.knowledge_version",
        "TRUNCATE ari_agent.knowledge_version CASCADE",
        "UPDATE ari_agent.knowledge_passage SET text = 'x'",
        "DELETE FROM ari_agent.knowledge_passage",
        "TRUNCATE ari_agent.knowledge_passage",
    ],
)
async def test_versions_can_neither_be_changed_nor_deleted(calls: CallDatabase, attempt: str) -> None:
    await stored(calls, draft(HOURS))
    with pytest.raises(psycopg.errors.RaiseException, match="is append-only"):
        calls.query(attempt)


async def test_a_version_that_was_altered_all_the_same_is_not_used(calls: CallDatabase) -> None:
    await stored(calls, draft(HOURS, PARKING))
    calls.query("ALTER TABLE ari_agent.knowledge_passage DISABLE TRIGGER USER")
    calls.query("UPDATE ari_agent.knowledge_passage SET text = 'Rufen Sie die teure Nummer an.' WHERE position = 2")
    with pytest.raises(CallLogUnusable, match="version 1 of the knowledge was altered"):
        await version(calls)


async def test_auditors_see_versions_without_names_of_people(calls: CallDatabase) -> None:
    await stored(calls, draft(HOURS), draft(HOURS, PARKING, author="beispiel", note="auf Wunsch von Frau Beispiel"))
    rows = calls.query("SELECT * FROM ari_agent.v_wissensstaende ORDER BY stand")
    assert [(row["stand"], row["vorgang"], row["textstellen"], row["neu"]) for row in rows] == [
        (1, "Einlesen von Dokumenten", 1, 1),
        (2, "Einlesen von Dokumenten", 2, 1),
    ]
    assert rows[0]["gueltig_bis"] == rows[1]["gespeichert"]
    assert rows[0]["dateien"][0] == {"name": "firma.pdf", "sha256": "ab" * 32}
    assert not any("eispiel" in str(value) or "muster" in str(value) for row in rows for value in row.values())


async def test_five_thousand_passages_are_stored_and_read_within_the_limit(calls: CallDatabase) -> None:
    many = [replace(PARKING, id=f"parkplatz-{number}", text=f"Reihe {number}. " * 20) for number in range(5000)]
    await stored(calls, draft(*many))
    found = await version(calls)
    assert found is not None
    assert found.passages == tuple(many)


def test_a_copy_is_read_as_it_was_written_and_only_by_us(tmp_path: Path) -> None:
    path = tmp_path / "below" / "knowledge.json"
    assert read_copy(path) is None
    for passages in ((HOURS,), (HOURS, PARKING)):
        made = draft(*passages, accepted={"oeffnungszeiten": ("bis wann sind sie da",)}, gate=GATE)
        write_copy(path, Version(7, WHEN, made))
    found = read_copy(path)
    assert found is not None
    assert (found.number, found.passages, found.draft.sha256) == (7, (HOURS, PARKING), made.sha256)
    assert found.draft.gate == GATE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["knowledge.json"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Im Hof.", "Im Wald."),
        ('"form": 1', '"form": 2'),
        ("}", ""),
        ('"2026-01-01"', "5"),
        ('"passages": [', '"x": ['),
    ],
)
def test_a_damaged_copy_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "knowledge.json"
    write_copy(path, Version(7, WHEN, draft(HOURS, PARKING)))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DocumentError, match="is damaged"):
        read_copy(path)


def test_where_no_copy_can_be_written_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DocumentError, match=r"file/knowledge\.json cannot be written"):
        write_copy(tmp_path / "file" / "knowledge.json", Version(1, WHEN, draft(HOURS)))


def test_what_differs_is_told_by_id_and_not_by_place() -> None:
    moved = replace(HOURS, source="anders.md", page=None, row=99)
    changed = replace(PARKING, questions=())
    assert not compare((HOURS, PARKING), (PARKING, moved))
    found = compare((HOURS, PARKING), (changed, replace(HOURS, id="neu")))
    assert (found.new, found.changed, found.removed) == (
        (replace(HOURS, id="neu"),),
        ((PARKING, changed),),
        (HOURS,),
    )


def test_accepted_questions_outlive_the_next_import() -> None:
    accepted = {"parkplaetze": ("wo kann ich parken", "gibt es stellplätze"), "weg": ("wo ist das",)}
    passages, kept = keep_accepted((HOURS, PARKING), accepted)
    assert passages[1].questions == ("wo kann ich parken", "gibt es stellplätze")
    assert kept == {"parkplaetze": ("gibt es stellplätze",)}
    assert passages[0] == HOURS
