"""What waits on disk: readable again, in order, private, gone once written; a disk that fails costs no call."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.sealing import Numbers
from ari_agent.calllog.spool import Spool, look
from ari_agent.calllog.waiting import KINDS, Dropped, Record, Started, Unreadable, Waiting, decoded, encoded
from ari_agent.config import Log
from ari_agent.errors import SPOOL_TROUBLE, SpoolError
from ari_agent.ops.doctor import examine_spool
from ari_agent.ops.finding import Level
from ari_agent.record import CallNoted
from database.servers import (
    NUMBER,
    WAIT_S,
    CallDatabase,
    consent,
    now,
    opened,
    recording,
    turn,
    until,
    whole_call,
)

CALL = uuid4()
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
OTHERS: list[Record] = [Started("eins", now()), Dropped(CALL, now(), 3), Unreadable(CALL, now(), "turn")]


def away(settings: Log) -> Log:
    return settings.model_copy(update={"database": NOWHERE, "connect_s": 0.5})


def sealer(folder: Path) -> Numbers:
    """With a key outside the folder of the spool."""
    return Numbers(folder.parent / "number.key", create=True)


def numbered(call: UUID, first: int, last: int) -> list[CallNoted]:
    return [CallNoted(call, now(), "note", f"n{number}") for number in range(first, last + 1)]


def written(database: CallDatabase) -> list[int]:
    """The numbers of `numbered` entries in the order in which they were written."""
    rows = database.query("SELECT detail ->> 'detail' AS n FROM ari_agent.event WHERE kind = 'noted' ORDER BY seq")
    return [int(row["n"][1:]) for row in rows]


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def warnings(lines: list[Any]) -> list[str]:
    return [line["event"] for line in lines if line["log_level"] in ("warning", "error")]


@pytest.mark.parametrize(
    "record", [*whole_call(CALL), consent(CALL), recording(CALL), *OTHERS], ids=lambda record: type(record).__name__
)
def test_every_record_comes_back_from_disk_as_it_was(record: Record) -> None:
    assert decoded(KINDS[type(record)], encoded(record)) == record


def test_texts_that_no_other_format_takes_come_back_too() -> None:
    record = turn(CALL, caller_text="NUL \0, half \ud800 a character, ß€😀", source="'; DROP TABLE entry; --")
    assert decoded("turn", encoded(record)) == record


@pytest.mark.parametrize(
    ("kind", "text"),
    [("later", "{}"), ("turn", "{"), ("turn", '{"call": "' + str(CALL) + '"}'), ("turn", "[]"), ("turn", "null")],
)
def test_what_this_version_does_not_know_is_told_with_its_call_if_there_is_one(kind: str, text: str) -> None:
    record = decoded(kind, text)
    assert isinstance(record, Unreadable)
    assert (record.was, record.call) == (kind, CALL if str(CALL) in text else UUID(int=0))


def test_entries_come_out_in_their_order_and_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "eins", 1, "full", sealer(tmp_path))
    assert spool.open() == 0
    batch = [Waiting(uuid4(), entry) for entry in numbered(CALL, 1, 10)]
    assert spool.append(batch[:6]) == 6
    assert spool.append(batch[4:]) == 4
    first = spool.oldest(0, 3)
    assert [one.waiting for one in first] == batch[:3]
    spool.remove(first[-1].position)
    assert [one.waiting for one in spool.oldest(0, 100)] == batch[3:]
    assert (spool.left(0), spool.left(first[-1].position + 1)) == (7, 6)
    spool.close()
    last = spool.open()
    assert [one.waiting for one in spool.oldest(0, 100)] == batch[3:]
    spool.remove(last)
    spool.append([Waiting(uuid4(), opened(CALL))])
    assert spool.oldest(0, 1)[0].position == last + 1
    spool.close()


def test_only_our_account_may_read_it_and_its_name_tells_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "spool"
    spool = Spool(folder, "eins", 1, "full", sealer(tmp_path))
    spool.open()
    spool.append([Waiting(uuid4(), opened(CALL))])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert files == dict.fromkeys(("eins.spool", "eins.spool-wal", "eins.spool-shm", "eins.lock"), 0o600)
    spool.close()


async def test_nothing_of_an_entry_stays_on_disk_once_it_is_written(calls: CallDatabase) -> None:
    folder = calls.settings.spool
    async with PostgresLog.open(away(calls.settings), "eins", flush_s=0.1) as log:
        for entry in whole_call(uuid4()):
            log.write(entry)
    assert look(folder)[0].entries == len(whole_call(uuid4())) + 1
    key = calls.numbers().names[-1].encode()
    assert key in everything(folder)
    for personal in (NUMBER[-6:], "Erika", "Therme"):  # none of them in the clear
        assert personal.encode() not in everything(folder)
    async with PostgresLog.open(calls.settings, "eins") as log:
        assert await log.flush(WAIT_S)
        await until(lambda: key not in everything(folder))


async def test_what_an_earlier_run_has_left_comes_first_and_its_calls_are_not_cut_off(calls: CallDatabase) -> None:
    whole, half = uuid4(), uuid4()
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(away(calls.settings), "eins", flush_s=0.1) as log:
            for entry in whole_call(whole):
                log.write(entry)
            log.write(opened(half))
    assert warnings(lines)[-1] == "entries of the call log wait in the spool for the next start"
    assert NUMBER not in repr(lines)
    assert [(left.node, left.entries) for left in look(calls.settings.spool)] == [("eins", 11)]

    async with PostgresLog.open(calls.settings, "eins") as log:
        log.write(opened(uuid4()))
        assert await log.flush(WAIT_S)
    rows = {row["id"]: row for row in calls.query("SELECT id, outcome, reason FROM ari_agent.call")}
    assert rows[whole]["outcome"] == "handed-over"
    assert (rows[half]["outcome"], rows[half]["reason"]) == ("to-queue", "controller-died")
    assert sum(row["outcome"] is None for row in rows.values()) == 1
    closed = Counter(row["call"] for row in calls.query("SELECT call FROM ari_agent.event WHERE kind = 'closed'"))
    assert closed == {whole: 1, half: 1}
    assert [left.entries for left in look(calls.settings.spool)] == [0]


async def test_a_call_that_began_after_the_controller_is_never_cut_off_by_a_repeated_start(calls: CallDatabase) -> None:
    begun = Started("eins", now())
    spool = Spool(calls.settings.spool, "eins", 1, "full", calls.numbers())
    spool.open()
    spool.append([Waiting(uuid4(), begun), Waiting(uuid4(), opened(CALL, node="eins"))])
    spool.append([Waiting(uuid4(), begun)])
    spool.close()
    async with PostgresLog.open(calls.settings, "zwei") as log:
        assert await log.flush(WAIT_S)
    (calls.settings.spool / "eins.spool").rename(calls.settings.spool / "zwei.spool")
    async with PostgresLog.open(calls.settings, "zwei") as log:
        assert await log.flush(WAIT_S)
    assert calls.query("SELECT outcome FROM ari_agent.call") == [{"outcome": None}]


async def test_a_full_spool_keeps_order_and_loses_nothing(calls: CallDatabase) -> None:
    settings = away(calls.settings).model_copy(update={"spool_mb": 1, "wording": True})
    call = uuid4()
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins", flush_s=0.1) as log:
            for number in range(1, 400):
                log.write(turn(call, number, caller_text="x" * 5000))
            await until(lambda: SPOOL_TROUBLE["full"] in warnings(lines))
            assert (log.waiting, log.dropped) == (400, 0)
            log._database._settings = calls.settings  # it is back
            assert await log.flush(WAIT_S * 3)
            await until(lambda: "the spool of the call log takes entries again" in [line["event"] for line in lines])
    numbers = calls.query(
        "SELECT (detail ->> 'number')::int AS n FROM ari_agent.event WHERE kind = 'turn' ORDER BY seq"
    )
    assert [row["n"] for row in numbers] == list(range(1, 400))
    assert (calls.settings.spool / "eins.spool").stat().st_size < 100_000
    assert warnings(lines).count(SPOOL_TROUBLE["full"]) == 1


async def test_without_a_spool_entries_go_from_memory(calls: CallDatabase, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = calls.settings.model_copy(update={"spool": tmp_path / "file" / "spool"})
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins") as log:
            for entry in numbered(uuid4(), 1, 300):
                log.write(entry)
            assert await log.flush(WAIT_S)
    assert written(calls) == list(range(1, 301))
    assert warnings(lines) == [SPOOL_TROUBLE["disk"]]


async def test_what_nothing_can_hold_is_dropped_from_the_oldest_on_and_the_log_says_so(
    calls: CallDatabase, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings = away(calls.settings).model_copy(update={"spool": tmp_path / "file"})
    first, second = uuid4(), uuid4()
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins", capacity=9, flush_s=0.1) as log:
            for entry in [*whole_call(first), *whole_call(second)[:-1]]:
                log.write(entry)
            assert (log.waiting, log.dropped) == (9, 9)
            (tmp_path / "file").unlink()  # the folder can be made now
            await until(lambda: log._backlog.trouble is None and log.waiting == 10)
    assert NUMBER not in repr(lines)
    assert "nobody" not in repr(lines)

    async with PostgresLog.open(settings.model_copy(update={"database": calls.settings.database}), "eins") as log:
        assert await log.flush(WAIT_S)
    lost = calls.query("SELECT call, detail FROM ari_agent.event WHERE code = 'dropped'")
    assert [(row["call"], row["detail"]) for row in lost] == [(first, {"entries": 8})]
    kinds = Counter(row["kind"] for row in calls.query("SELECT kind FROM ari_agent.event"))
    assert kinds["closed"] == 2  # that of the first call, and the second's that was cut off at the next start


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read as one" * 100, b"SQLite format 3\0"]
)
async def test_a_file_that_cannot_be_read_is_set_aside_and_a_new_one_begun(calls: CallDatabase, content: bytes) -> None:
    folder = calls.settings.spool
    folder.mkdir()
    (folder / "eins.spool").write_bytes(content)
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(calls.settings, "eins") as log:
            log.write(numbered(uuid4(), 1, 1)[0])
            assert await log.flush(WAIT_S)
    assert written(calls) == [1]
    (aside,) = folder.glob("eins.spool.damaged-*")
    assert aside.read_bytes() == content
    assert warnings(lines) == [SPOOL_TROUBLE["damaged"]]


async def test_an_entry_of_another_version_stands_in_the_log_as_unreadable(calls: CallDatabase) -> None:
    spool = Spool(calls.settings.spool, "eins", 1, "full", calls.numbers())
    spool.open()
    spool.append([Waiting(uuid4(), opened(CALL))])
    spool.close()
    with closing(sqlite3.connect(spool.path)) as file:
        file.execute("UPDATE entry SET kind = 'of-the-future'")
        file.commit()
    async with PostgresLog.open(calls.settings, "eins") as log:
        assert await log.flush(WAIT_S)
    (event,) = calls.query("SELECT call, kind, code, detail FROM ari_agent.event")
    assert event == {"call": CALL, "kind": "refused", "code": "unreadable", "detail": {"kind": "of-the-future"}}


async def test_a_second_controller_of_the_same_name_works_without_the_spool(calls: CallDatabase) -> None:
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(calls.settings, "eins"), PostgresLog.open(calls.settings, "eins") as second:
            second.write(numbered(uuid4(), 1, 1)[0])
            assert await second.flush(WAIT_S)
    assert written(calls) == [1]
    assert warnings(lines) == [SPOOL_TROUBLE["in-use"]]


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError) as caught:
        Spool(tmp_path / "file", "eins", 1, "full", sealer(tmp_path)).open()
    assert caught.value.trouble == "disk"
    assert caught.value.retryable


@pytest.mark.parametrize(("fsync", "number"), [("full", 2), ("normal", 1), ("off", 0)])
def test_the_disk_is_asked_as_the_settings_say(tmp_path: Path, fsync: Any, number: int) -> None:
    spool = Spool(tmp_path, "eins", 1, fsync, sealer(tmp_path))
    spool.open()
    assert spool._open.execute("PRAGMA synchronous").fetchone() == (number,)
    spool.close()


def test_an_entry_of_every_kind_of_the_record_has_a_name() -> None:
    assert {type(entry) for entry in whole_call(CALL)} <= set(KINDS)
    assert all(dataclasses.is_dataclass(kind) for kind in KINDS)


def test_doctor_tells_of_what_waits_for_long_and_of_what_was_set_aside(tmp_path: Path) -> None:
    log = Log(spool=tmp_path / "spool", spool_mb=1)
    assert [finding.level for finding in examine_spool(log)] == [Level.GOOD]
    spool = Spool(log.spool, "eins", 1, "full", sealer(tmp_path))
    spool.open()
    spool.append([Waiting(uuid4(), opened(CALL))])
    assert [(finding.level, finding.found[0]) for finding in examine_spool(log)] == [(Level.GOOD, "1")]
    spool._open.execute("UPDATE entry SET taken_at = taken_at - 120")
    (log.spool / "eins.spool.damaged-1").touch()
    findings = {finding.level: finding for finding in examine_spool(log)}
    assert "the oldest since 120 s" in findings[Level.ERROR].found
    assert "eins.spool.damaged-1" in findings[Level.WARNING].found
    assert all(finding.remedy for finding in findings.values())
    assert NUMBER not in repr(findings)
    spool.close()


def test_doctor_tells_of_a_disk_that_is_nearly_full_and_of_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    log = Log(spool=tmp_path, spool_mb=6)
    assert [finding.level for finding in examine_spool(log)] == [Level.WARNING, Level.GOOD]
    (tmp_path / "eins.spool").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    assert [finding.level for finding in examine_spool(log)] == [Level.ERROR]
