"""The company takes its data along: what is exported comes back in an empty database as it was, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts
from ari_agent.calllog.contact_rows import Listed
from ari_agent.calllog.contacts import ContactStore
from ari_agent.calllog.corrections import Corrector
from ari_agent.calllog.knowledge import KnowledgeStore
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.transferring import SEALED
from ari_agent.cli import transfer
from ari_agent.errors import AgentError, TransferError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.version import Draft, Gate
from ari_agent.transfer.manifest import MANIFEST
from ari_agent.transfer.rows import KINDS
from database.pbx_files import settings_file
from database.servers import PASSWORD, WAIT_S, CallDatabase, callback, noted, opened, turn, whole_call

ODD = '=HYPERLINK("http://x")\n; "ä" \\ \t€'
ESCALATION = """
[escalation.targets]
technik = "technik"
[[escalation.table]]
urgency = "high"
targets = ["technik", "empfang"]
[[intents.catalogue]]
name = "stoerung"
examples = ["die Heizung ist aus"]
"""
LEFT_OUT = {("correction", "salt"), *((table, name) for table, names in SEALED.items() for name in names)}
"""Columns of exported tables that are not exported: salts belong to the chain of their database, digests to its key."""


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    return settings_file(tmp_path, calls.settings.database, calls.settings.password_file, ESCALATION)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the commands work with another database than the settings name."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)

    def at(database: CallDatabase, role: str = "") -> None:
        options = {"options": f"-c role={role}"} if role else {}
        monkeypatch.setenv("ARI_AGENT_DATABASE", make_conninfo(database.settings.database, **options))

    return at


async def fill(calls: CallDatabase) -> None:
    """A log with something of everything."""
    trial, plain = uuid4(), uuid4()
    taken = callback(plain, name=ODD, matter="+49 soll man anrufen")
    settings = calls.settings.model_copy(update={"wording": True})
    async with PostgresLog.open(settings, "eins") as log:
        for entry in (
            *whole_call(uuid4()), opened(plain, caller=None), taken, noted(plain), opened(trial, test=True),
            turn(trial, caller_text=ODD), opened(uuid4()),
        ):  # fmt: skip
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0
    async with Corrector.open(calls.settings) as corrector:
        (note,) = await corrector.beginning("note", str(plain))
        assert await corrector.store(note, {"who": ("Frau Muster",), "open": ()}, "Frau Berg")
        (task,) = await corrector.beginning("task", str(taken.ident))
        assert await corrector.store(task, {"latest": (), "matter": (ODD,)}, "Frau Berg")
    async with ContactStore.open(calls.settings) as contacts:
        listed = [Listed("+4989123456", "Ä, 'Müller'", ODD[:30].replace("\n", " "), "vip", "technik", "x:1")]
        await contacts.take(listed, "kunden.csv")
        await contacts.treat("+4989123457", "blocked")
    async with KnowledgeStore.open(calls.settings) as knowledge:
        passages = (
            Passage(
                "preise", "Preise", "129 Euro", ("was kostet es", ODD), date(2026, 1, 1), None, "alle", "a.md", 1, 2
            ),
            Passage("zeiten", "Zeiten", "Von 8 bis 17 Uhr"),
        )
        draft = Draft("import", "berg", "erste", passages, (("a.md", "ab" * 32),), {"preise": (ODD,)})
        await knowledge.store(draft, None)
        draft = Draft("rollback", "berg", "", passages[:1], (), {}, 1, Gate("encoder", 0.6125, "gemessen"))
        await knowledge.store(draft, await knowledge.version())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes; of the manifest without its date."""
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    files[MANIFEST] = b"\n".join(line for line in files[MANIFEST].splitlines() if b'"made_at"' not in line)
    return files


def import_(*words: Any, **options: Any) -> int:
    with pytest.raises(typer.Exit) as ended:
        transfer.import_(*words, **options)
    return ended.value.exit_code


def rows(database: CallDatabase) -> dict[str, int]:
    return {
        kind.name: database.query(f"SELECT count(*) AS n FROM ari_agent.{kind.table}")[0]["n"]  # noqa: S608
        for kind in KINDS.values()
    }


def sealed_anew(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change a file so that only its rows can tell."""
    data = change((folder / name).read_text()).encode()
    (folder / name).write_bytes(data)
    listed = json.loads((folder / MANIFEST).read_text())
    told = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "rows": data.count(b"\n")}
    listed["files"][name] = told
    (folder / MANIFEST).write_text(json.dumps(listed))


def test_an_export_comes_back_in_an_empty_database_and_out_of_it_as_it_was(
    calls: CallDatabase, empty_database: CallDatabase, config: Path, tmp_path: Path, at: Callable[..., None]
) -> None:
    asyncio.run(fill(calls))
    folder, archive, again = tmp_path / "out", tmp_path / "out.zip", tmp_path / "again"
    transfer.export(folder, config)
    transfer.export(archive, config)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (*folder.iterdir(), archive)} == {0o600}
    assert (folder / "callbacks.csv").read_text("utf-8-sig").count("'=HYPERLINK") == 1
    whole = rows(calls)
    assert all(whole.values())

    at(empty_database)
    assert import_(archive, config, dry_run=True) == 0
    assert set(rows(empty_database).values()) == {0}
    assert import_(archive, config) == 0
    assert rows(empty_database) == {**whole, "calls": whole["calls"] - 1}  # the call that nothing belongs to
    transfer.export(again, config)
    assert contents(again) == contents(folder)

    assert import_(folder, config) == 0
    assert rows(empty_database) == {**whole, "calls": whole["calls"] - 1}
    record = "SELECT vorgang, umfang, zeilen FROM ari_agent.v_uebertragungen ORDER BY zeitpunkt"
    listed = [tuple(row.values()) for row in empty_database.query(record)]
    everything = "knowledge, settings, notes, turns, contacts, escalation"
    rows_only = "knowledge, notes, turns, contacts"
    assert listed == [
        ("Import", rows_only, sum(whole.values()) - 1), ("Export", everything, None), ("Import", rows_only, 0),
    ]  # fmt: skip
    events = empty_database.query("SELECT code, detail FROM ari_agent.event ORDER BY seq")
    assert [event["code"] for event in events] == ["imported", "exported", "imported"]
    assert "Frau" not in repr(events)
    for database in (calls, empty_database):
        assert database.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
        assert database.query("SELECT * FROM ari_agent.siegel_fehler()") == []
        assert database.query("SELECT * FROM ari_agent.korrektur_fehler()") == []


def test_every_column_of_what_is_exported_is_exported(calls: CallDatabase) -> None:
    tables = {kind.table for kind in KINDS.values()}
    there = calls.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'ari_agent'"
    )
    columns = {(row["table_name"], row["column_name"]) for row in there if row["table_name"] in tables}
    exported = {(kind.table, column) for kind in KINDS.values() for column in kind.columns}
    assert columns - exported == LEFT_OUT
    assert exported <= columns


def test_only_an_account_that_may_read_all_of_it_exports_and_only_one_that_may_write_imports(
    calls: CallDatabase, empty_database: CallDatabase, config: Path, tmp_path: Path, at: Callable[..., None]
) -> None:
    asyncio.run(fill(calls))
    for database in (calls, empty_database):
        asyncio.run(accounts.install(database.settings, accounts.roles()))
    for part in ("agent", "desk", "auditor", "privacy", "metrics"):
        at(calls, f"ari_agent_{part}")
        for what in ("", "contacts", "notes"):
            with pytest.raises(AgentError, match="may not"):
                transfer.export(tmp_path / "refused", config, what=what)
    assert calls.query("SELECT * FROM ari_agent.transfer") == []
    at(calls, "ari_agent_migrate")
    transfer.export(tmp_path / "out", config, by="Frau Tal")
    assert calls.query("SELECT person FROM ari_agent.v_uebertragungen") == [{"person": "Frau Tal"}]
    at(empty_database, "ari_agent_privacy")
    with pytest.raises(AgentError, match="may not"):
        import_(tmp_path / "out", config)
    at(empty_database, "ari_agent_migrate")
    assert import_(tmp_path / "out", config) == 0
    assert not list(tmp_path.glob(".*"))


def test_a_row_that_cannot_be_is_named_and_nothing_is_imported(
    calls: CallDatabase, empty_database: CallDatabase, config: Path, tmp_path: Path, at: Callable[..., None]
) -> None:
    asyncio.run(fill(calls))
    at(calls)
    folder = tmp_path / "out"
    transfer.export(folder, config)
    whole = {file.name: file.read_bytes() for file in folder.iterdir()}
    at(empty_database)
    for name, change, told in (
        ("notes.jsonl", lambda text: text.replace('"high"', '"x"', 1), "notes.jsonl, row 1, urgency: "),
        ("turns.jsonl", lambda text: text * 2, "turns.jsonl, row 3, turn_pkey: "),
        ("callbacks.jsonl", lambda text: text.replace("open", "done"), "callbacks.jsonl, row 1, task_check: "),
        ("contacts.jsonl", lambda text: text.replace("Müller", "M" * 500), "contacts.jsonl, row 1, contact_name_check"),
        ("notes.jsonl", lambda text: text.replace("Erika", "\\u0000"), "notes.jsonl, row 1, "),
        ("corrections.jsonl", lambda text: text.replace('"who"', '"name"'), "row "),
        ("knowledge_passages.jsonl", lambda text: text.replace("129", "99"), "version 1 is not what its checksum says"),
        ("calls.jsonl", lambda text: text.split("\n", 1)[1], "_call_fkey: the database does not take it"),
    ):
        sealed_anew(folder, name, change)
        with pytest.raises(TransferError) as refusal:
            import_(folder, config)
        assert told in str(refusal.value)
        assert "Erika" not in str(refusal.value)
        for file, data in whole.items():
            (folder / file).write_bytes(data)
    assert set(rows(empty_database).values()) == {0}
    assert empty_database.query("SELECT 1 FROM ari_agent.event") == []
    assert import_(folder, config) == 0


def test_what_is_stored_already_as_something_else_is_not_written_over(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    asyncio.run(fill(calls))
    folder = tmp_path / "out"
    transfer.export(folder, config)
    before = rows(calls)
    calls.query("UPDATE ari_agent.note SET who = 'Frau Anders'")
    with pytest.raises(TransferError, match=r"notes\.jsonl, row 1, who: another value is stored"):
        import_(folder, config)
    calls.query("DELETE FROM ari_agent.turn")
    assert import_(folder, config, what="turns") == 0
    assert rows(calls) == before


def test_a_settings_file_is_written_where_there_is_none_and_never_changed(
    calls: CallDatabase, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, other = tmp_path / "out", tmp_path / "new" / "ari-agent.toml"
    transfer.export(folder, config)
    assert json.loads((folder / "secrets.json").read_text())[0] == {
        "setting": "asterisk.ami_password_file", "file": "secret",
    }  # fmt: skip
    with pytest.raises(AgentError, match="does not exist: import it first"):
        import_(folder, other)
    capsys.readouterr()
    assert import_(folder, other, what="settings,escalation") == 1
    told = capsys.readouterr().err
    assert "to be set again: asterisk.ari_password_file, in secret" in told
    assert "does not exist" in told
    assert other.stat().st_mode & 0o777 == 0o600
    for name in ("secret", "knowledge.md"):
        (other.parent / name).write_text("erfunden")
    transfer.export(tmp_path / "again", other)
    assert contents(tmp_path / "again") == contents(folder)

    written = other.read_text()
    other.write_text(written.replace("Lindner", "Linder"))
    assert import_(folder, other) == 1
    assert "company.name is not as it was exported" in capsys.readouterr().err
    assert other.read_text() == written.replace("Lindner", "Linder")


def test_a_part_that_is_not_there_or_unknown_is_named(calls: CallDatabase, config: Path, tmp_path: Path) -> None:
    transfer.export(tmp_path / "out", config, what="contacts")
    with pytest.raises(AgentError, match="exported without notes"):
        import_(tmp_path / "out", config, what="notes,contacts")
    with pytest.raises(AgentError, match="'note' is no part"):
        transfer.export(tmp_path / "more", config, what="note")
