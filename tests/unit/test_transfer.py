"""What an export is written as, and which ones are refused: nothing is used that is not as it was exported."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_agent.errors import TransferError
from ari_agent.transfer import settings
from ari_agent.transfer.cells import cell, line
from ari_agent.transfer.manifest import MANIFEST, Manifest, files_of, written
from ari_agent.transfer.package import package
from ari_agent.transfer.rows import NOTES
from ari_agent.transfer.source import Source, source

ROW = '{"number":"+4989123456"}\n'


def export(path: Path, rows: str = ROW) -> Path:
    """An export of contacts alone."""
    with package(path) as made:
        for name in files_of(("contacts",)):
            with made.member(name) as member:
                member.write(rows)
                member.rows = rows.count("\n")
        listed = Manifest(
            program="ari-agent 0", made_at="2026-11-29T12:00:00+00:00", what=("contacts",), files=made.files
        )
        with made.member(MANIFEST) as member:
            member.write(written(listed))
    return path


def refused(path: Path) -> str:
    """Why it is not read."""
    with pytest.raises(TransferError) as told, source(path) as examined:
        list(examined.lines("contacts.jsonl"))
    return str(told.value)


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    listed = json.loads((folder / MANIFEST).read_text())
    change(listed)
    (folder / MANIFEST).write_text(json.dumps(listed))


def zipped(folder: Path, target: Path, *more: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
        for name, data in more:
            archive.writestr(name, data)
    return target


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_was_written_is_read_as_it_was(tmp_path: Path, name: str) -> None:
    with source(export(tmp_path / name)) as examined:
        assert list(examined.lines("contacts.jsonl")) == [ROW.strip().encode()]
        assert examined.text("contacts.csv") == ROW
        assert examined.manifest.rows == {"contacts.jsonl": 1, "contacts.csv": 1}
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    if name == "out":
        assert {file.stat().st_mode & 0o777 for file in (tmp_path / name).iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_that_fails_leaves_nothing_behind_and_none_is_written_over(tmp_path: Path, name: str) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), package(tmp_path / name) as made:  # noqa: PT012
        with made.member("contacts.csv") as member:
            member.write("x")
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []
    export(tmp_path / name)
    with pytest.raises(TransferError, match="exists already"):
        export(tmp_path / name)


def test_a_changed_missing_or_added_file_is_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "out")
    contacts = folder / "contacts.jsonl"
    contacts.write_text(ROW.replace("6", "7"))
    assert "contacts.jsonl is not as it was exported" in refused(folder)
    contacts.write_text(ROW[:-5])
    assert "contacts.jsonl is not as it was exported" in refused(folder)
    contacts.write_text(ROW * 1000)
    assert "contacts.jsonl is not as it was exported" in refused(folder)
    contacts.unlink()
    assert "lacks contacts.jsonl" in refused(folder)
    contacts.symlink_to("/etc/hostname")
    assert "contacts.jsonl cannot be read" in refused(folder)
    contacts.unlink()
    os.mkfifo(contacts)
    assert "contacts.jsonl is no plain file" in refused(folder)
    contacts.unlink()
    contacts.write_text(ROW)
    (folder / "more").write_text("x")
    assert "holds 'more'" in refused(folder)
    (folder / "more").unlink()
    assert refused(tmp_path / "nowhere").endswith("does not exist")


def test_another_schema_or_kind_is_refused_before_anything_else(tmp_path: Path) -> None:
    folder = export(tmp_path / "out")
    (folder / "contacts.jsonl").write_text("other")
    change_manifest(folder, lambda listed: listed.update(schema_version=2))
    assert "schema 2, and this ari-agent reads schema 1: update" in refused(folder)
    change_manifest(folder, lambda listed: listed.update(schema_version=0))
    assert "import it with the ari-agent that wrote it" in refused(folder)
    change_manifest(folder, lambda listed: listed.update(schema_version=1, form="other"))
    assert "no export of ari-agent" in refused(folder)
    change_manifest(folder, lambda listed: listed.update(form="ari-agent-export", more=1))
    assert "manifest.json is damaged at more" in refused(folder)
    change_manifest(folder, lambda listed: (listed.pop("more"), listed["files"].pop("contacts.csv")))
    assert "does not name exactly the files of its parts" in refused(folder)
    for text in (b"", b"[]", b"[" * 100_000, b"\xff", b'{"form": "ari-agent-export", "schema_version": "1"}'):
        (folder / MANIFEST).write_bytes(text)
        assert "no export of ari-agent" in refused(folder)


def test_a_row_too_few_is_noticed_even_if_the_sum_is_right(tmp_path: Path) -> None:
    folder = export(tmp_path / "out")
    change_manifest(folder, lambda listed: listed["files"]["contacts.jsonl"].update(rows=2))
    assert "has not the rows" in refused(folder)


def test_hostile_archives_are_refused(tmp_path: Path) -> None:
    folder = export(tmp_path / "out")
    assert "outside" in refused(zipped(folder, tmp_path / "slip.zip", ("../slip", b"x")))
    assert "outside" in refused(zipped(folder, tmp_path / "root.zip", ("/etc/slip", b"x")))
    assert "packed 200 times" in refused(zipped(folder, tmp_path / "bomb.zip", ("bomb", b"0" * 30_000_000)))
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped(folder, tmp_path / "twice.zip", (MANIFEST, b"{}"))
    assert "two parts of one name" in refused(twice)
    whole = zipped(folder, tmp_path / "whole.zip").read_bytes()
    for size in (0, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:size])
        assert "damaged" in refused(tmp_path / "cut.zip")
    at = whole.index(b"contacts.jsonl") + len("contacts.jsonl") + 3
    (tmp_path / "flipped.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    assert "damaged" in refused(tmp_path / "flipped.zip") or "not as it was" in refused(tmp_path / "flipped.zip")
    (tmp_path / "none.zip").write_bytes(b"no archive")
    assert "damaged" in refused(tmp_path / "none.zip")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["out"]


class Endless(io.BytesIO):
    """A file without an end, such as a bomb, of which more is read than its manifest allows."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 <= size <= 1 << 20
        assert self.tell() < 3 << 20
        self.seek(size, io.SEEK_CUR)
        return b"0" * size


class Shelf:
    def __init__(self, manifest: bytes) -> None:
        self._manifest = manifest

    def names(self) -> set[str]:
        return {MANIFEST, *files_of(("contacts",))}

    def open(self, name: str) -> io.BytesIO:
        return io.BytesIO(self._manifest) if name == MANIFEST else Endless()


def test_no_more_of_a_file_is_read_than_the_manifest_allows(tmp_path: Path) -> None:
    manifest = (export(tmp_path / "out") / MANIFEST).read_bytes()
    with pytest.raises(TransferError, match="is not as it was exported"):
        Source("out", Shelf(manifest))


@given(st.text())
def test_no_text_becomes_a_formula_and_every_text_comes_back(text: str) -> None:
    text = text.replace("\r\n", "\n").replace("\0", "")
    (row,) = csv.reader(io.StringIO(line([text, 1]), newline=""), delimiter=";")
    assert row[0].removeprefix("'") == text
    assert not row[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_cells_are_what_people_read() -> None:
    assert [cell(value) for value in (None, True, -1.5, "=1+1", "  =1+1", "+4989123456", ["a", "-b"], {"a": "ä"})] == [
        "", "ja", "-1.5", "'=1+1", "'  =1+1", "'+4989123456", "a\n-b", '{"a": "ä"}',
    ]  # fmt: skip


def test_a_settings_file_is_taken_apart_and_put_together_again() -> None:
    data = {
        "company": {"name": "Lindner", "synonyms": [["Heizung", "Therme"]]},
        "asterisk": {"ari_password_file": "ari-password"},
        "model": {"key_file": "key", "url": "https://model.intern"},
        "log": {"anchor_key": "anchor.key"},
        "escalation": {"table": [{"targets": ["empfang"]}]},
        "intents": {"catalogue": []},
    }
    parts = settings.apart(data)
    assert "escalation" not in parts.settings
    assert parts.settings["company"] == {"name": "Lindner"}
    assert settings.together(parts) == data
    assert settings.from_toml(settings.to_toml(parts.settings), "x") == parts.settings
    assert [each["setting"] for each in settings.secrets(data)] == [
        "asterisk.ari_password_file", "log.anchor_key", "model.key_file",
    ]  # fmt: skip
    other = {**data, "log": {"anchor_key": "b"}, "model": {"key_file": "key"}}
    assert settings.differing(data, other) == ["log.anchor_key", "model.url"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"who": None}, "who: Input should be a valid string"),
        ({"urgency": "sofort, sagt Erika"}, "urgency: Input should be 'low', 'normal' or 'high'"),
        ({"written_at": "2026-11-29T12:00:00"}, "written_at: Input should have timezone info"),
        ({"open": ["a", "Erika \0"]}, "open: a character 0, which no database keeps"),
        ({"Erika": 1}, "Erika: Extra inputs are not permitted"),
    ],
)
def test_a_row_with_a_mistake_is_told_by_its_field_without_its_words(change: dict[str, Any], told: str) -> None:
    row = {
        "call": "00000000-0000-4000-8000-000000000001", "written_at": "2026-11-29T13:00:00+01:00", "who": "Erika",
        "about": [], "agreed": [], "open": [], "urgency": "low", "ai_generated": True, "made_by": "x",
    }  # fmt: skip
    assert NOTES.parsed(json.dumps(row).encode(), "notes.jsonl, row 1")["written_at"] == "2026-11-29T12:00:00+00:00"
    assert NOTES.parsed(json.dumps(row | {"who": "\\u0000"}).encode(), "x")["who"] == "\\u0000"
    with pytest.raises(TransferError) as refusal:
        NOTES.parsed(json.dumps(row | change).encode(), "notes.jsonl, row 1")
    assert str(refusal.value) == f"notes.jsonl, row 1, {told}"
