"""Retention deletes what the table of periods says, on the day it says so, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts, counting, retention
from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Settings, load
from ari_agent.errors import CallLogError
from ari_agent.keeping import RetentionSettings
from ari_agent.metrics import REQUESTS_OVERDUE, RETENTION_OVERDUE
from ari_agent.ops.finding import Level
from ari_agent.ops.retention import examine_files, examine_retention
from ari_agent.record import CallClosed, Entry
from database.pbx_files import leave, leave_message, settings_file
from database.servers import NUMBER, WAIT_S, CallDatabase, callback, noted, now, opened, turn

DAY = timedelta(days=1)
PARTS = ("agent", "privacy")
PERIODS = RetentionSettings().periods()
SEALED = {"R": "opened", "O": "note", "T": "task", "W": "turn"}
"""The sealed event of each part that `kept` tells of; that of the opening covers the pseudonym, which stays."""


async def record(calls: CallDatabase, *entries: Entry) -> None:
    settings = calls.settings.model_copy(update={"wording": True})
    async with PostgresLog.open(settings, "eins") as log:
        for entry in entries:
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0


def past_call(at: datetime, *, test: bool = False) -> tuple[UUID, list[Entry]]:
    """A call at that time with words, a note and a callback."""
    call = uuid4()
    note = noted(call)
    taken = callback(call)
    return call, [
        opened(call, at=at, test=test),
        turn(call, at=at, caller_text="die therme tropft", agent_text="Ich notiere das."),
        type(taken)(call, at, taken.ident, taken.task),
        type(note)(call, at, note.note),
        CallClosed(call, at + timedelta(seconds=60), "solved", "goodbye", 1),
    ]


def finish(calls: CallDatabase, call: UUID, at: datetime) -> None:
    calls.query("UPDATE ari_agent.task SET state = 'done', done_at = %s WHERE call = %s", at, call)


def kept(calls: CallDatabase, call: UUID) -> str:
    """What is left of a call: Row, Number, nOte, Task, Words."""
    (left,) = calls.query(
        """
        SELECT concat(
            (SELECT 'R' || CASE WHEN caller IS NULL THEN '' ELSE 'N' END FROM ari_agent.call WHERE id = %(call)s),
            (SELECT 'O' FROM ari_agent.note WHERE call = %(call)s),
            (SELECT 'T' FROM ari_agent.task WHERE call = %(call)s),
            (SELECT 'W' FROM ari_agent.turn WHERE call = %(call)s AND caller_text IS NOT NULL)
        ) AS parts
        """.replace("%(call)s", f"'{call}'")
    )
    return str(left["parts"])


def overdue(calls: CallDatabase, moment: datetime) -> int:
    return int(calls.query("SELECT sum(zeilen) AS rows FROM ari_agent.ueberfaellig(%s)", moment)[0]["rows"])


async def test_four_hundred_days_later_exactly_what_the_table_allows_is_left(calls: CallDatabase) -> None:
    start = now().replace(microsecond=0)
    later = start + 400 * DAY
    ages = {
        "all done": (start, start + DAY, ""),
        "never done": (start, None, ""),
        "done lately": (start, later - 50 * DAY, "ROT"),
        "of last year": (later - 300 * DAY, later - 299 * DAY, "R"),
        "open for 300 days": (later - 300 * DAY, None, "ROT"),
        "ninety days old": (later - 90 * DAY, later - 90 * DAY, "R"),
        "a day younger": (later - 89 * DAY, later - 89 * DAY, "RNOT"),
        "of yesterday": (later - DAY, None, "RNOTW"),
        "for a test": (start, start + DAY, ""),
    }
    made = {name: past_call(at, test=name == "for a test") for name, (at, _, _) in ages.items()}
    await record(calls, *(entry for _, entries in made.values() for entry in entries))
    for name, (_, done, _) in ages.items():
        if done is not None:
            finish(calls, made[name][0], done)
    events = calls.query("SELECT * FROM ari_agent.event ORDER BY seq")
    assert overdue(calls, later) > 0

    planned = await retention.run(calls.settings, PERIODS, later, dry=True)
    assert {name: kept(calls, call) for name, (call, _) in made.items()} == dict.fromkeys(made, "RNOTW")
    assert calls.query("SELECT 1 FROM ari_agent.deletion") == []

    deleted = await retention.run(calls.settings, PERIODS, later, dry=False)
    assert deleted == planned
    assert {name: kept(calls, call) for name, (call, _) in made.items()} == {
        name: left for name, (_, _, left) in ages.items()
    }
    assert overdue(calls, later) == 0
    assert calls.query("SELECT * FROM ari_agent.event ORDER BY seq") == events
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    salted = calls.query("SELECT anruf, art FROM ari_agent.v_siegel WHERE personenbezogene_daten = 'vorhanden'")
    assert {(row["anruf"], row["art"]) for row in salted} == {
        (made[name][0], kind) for name, (_, _, left) in ages.items() for part, kind in SEALED.items() if part in left
    }
    months = calls.query("SELECT month, outcome, calls, seconds FROM ari_agent.call_month")
    assert [tuple(row.values()) for row in months] == [(start.date().replace(day=1), "solved", 2, 120.0)]
    logged = calls.query("SELECT place, days, rows FROM ari_agent.deletion WHERE cause = 'retention' ORDER BY number")
    assert [tuple(row.values()) for row in logged] == [(each.kind, each.days, each.rows) for each in deleted]
    assert {each.kind: each.rows for each in deleted} == {
        "wording": 8, "note": 5, "task": 4, "open-task": 1, "caller-number": 7, "call": 3, "request": 0,
        "event": 0, "audio": 0, "transcript": 0,
    }  # fmt: skip
    shown = calls.query(
        "SELECT anrufer_pseudonym AS a FROM ari_agent.v_anrufe WHERE anruf = %s", made["of last year"][0]
    )
    assert shown == [{"a": calls.pseudonym(NUMBER)}]

    assert sum(each.rows for each in await retention.run(calls.settings, PERIODS, later, dry=False)) == 0


async def test_the_settings_change_the_rules_that_auditors_see(calls: CallDatabase) -> None:
    await retention.run(calls.settings, PERIODS | {"note": 30}, now(), dry=False)
    days = "SELECT tage FROM ari_agent.v_aufbewahrung WHERE datenart = 'Notiz zum Anruf'"
    assert calls.query(days) == [{"tage": 30}]
    await retention.run(calls.settings, PERIODS, now(), dry=True)
    assert calls.query(days) == [{"tage": 30}]


async def test_a_call_without_its_opening_entry_ends_by_the_time_of_its_first_event(calls: CallDatabase) -> None:
    lost = uuid4()
    await record(calls, turn(lost, at=now() - 400 * DAY))
    calls.query("UPDATE ari_agent.call SET caller = sha512('x') WHERE id = %s", lost)
    await retention.run(calls.settings, PERIODS, now(), dry=False)
    assert kept(calls, lost) == ""


async def test_what_is_overdue_is_a_figure_and_a_warning_until_retention_has_run(
    calls: CallDatabase, tmp_path: Path
) -> None:
    await record(calls, *past_call(now() - 92 * DAY)[1])
    settings = load(settings_file(tmp_path, calls.settings.database, calls.settings.password_file))

    async def warned() -> Level:
        async with Database(settings.log) as database, await database.connect() as connection:
            return (await examine_retention(settings, connection)).level

    await counting.count(settings.log)
    assert RETENTION_OVERDUE._value.get() == 2  # words and number
    assert REQUESTS_OVERDUE._value.get() == 0
    assert await warned() == Level.WARNING
    await retention.run(settings.log, PERIODS, now(), dry=False)
    await counting.count(settings.log)
    assert RETENTION_OVERDUE._value.get() == 0
    assert await warned() == Level.GOOD


async def test_the_privacy_account_can_run_it_and_the_controllers_cannot(calls: CallDatabase) -> None:
    await record(calls, *past_call(now() - 400 * DAY)[1])
    await accounts.install(calls.settings, accounts.roles())
    as_agent, as_privacy = (
        calls.settings.model_copy(
            update={"database": make_conninfo(calls.settings.database, options=f"-c role={role}")}
        )
        for role in ("ari_agent_agent", "ari_agent_privacy")
    )
    with pytest.raises(CallLogError):
        await retention.run(as_agent, PERIODS, now(), dry=False)
    assert sum(each.rows for each in await retention.run(as_privacy, PERIODS, now(), dry=False)) > 0


async def agent(config: Path, *words: str) -> tuple[int | None, str, str]:
    program = [sys.executable, "-c", "from ari_agent.cli.__main__ import main; main()"]
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "COLUMNS": "160"}
    async with asyncio.timeout(WAIT_S * 4):
        process = await asyncio.create_subprocess_exec(
            *program, "retention", "run", *words, stdout=PIPE, stderr=PIPE, env=environment
        )
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def old_files(folder: Path) -> None:
    """Files of Asterisk with something too old and something young in each."""
    for at, name in ((now() - 100 * DAY, "Alt"), (now() - DAY, "Jung")):
        leave(folder, NUMBER, name, at, f"{at.timestamp():.1f}")
    leave_message(folder, NUMBER, "Alt", now() - 100 * DAY, 0)
    leave_message(folder, NUMBER, "Jung", now() - DAY, 1)
    old = (now() - 20 * DAY).timestamp()
    os.utime(folder / "log" / "full.1.gz", (old, old))


async def test_asterisks_files_are_only_reported_until_the_settings_say_delete(
    calls: CallDatabase, tmp_path: Path
) -> None:
    config = settings_file(tmp_path, calls.settings.database, calls.settings.password_file)
    old_files(tmp_path)
    before = contents(tmp_path)
    status, out, err = await agent(config, "--json")
    assert status == 1
    assert {each["place"]: each["entries"] for each in json.loads(out)["left"]} == {
        "voicemail": 1, "asterisk-log": 1, "cdr": 1,
    }  # fmt: skip
    assert "retention.asterisk_files" in err
    assert contents(tmp_path) == before
    assert found(load(config)) == [Level.WARNING] * 3

    config.write_text(config.read_text() + 'asterisk_files = "delete"\n')
    assert (await agent(config, "--dry-run"))[0] == 0
    assert contents(tmp_path) == before
    status, out, _ = await agent(config)
    assert status == 0
    assert "Mailbox von Asterisk" in out
    master = (tmp_path / "log" / "cdr-csv" / "Master.csv").read_text()
    assert (master.count(NUMBER), master.count("Alt"), master.count("Jung")) == (2, 0, 1)
    assert not [path for path in contents(tmp_path) if path.endswith("full.1.gz")]
    assert {Path(path).name for path in contents(tmp_path) if "msg" in path} == {"msg0001.txt", "msg0001.wav"}
    logged = calls.query(
        "SELECT place, rows FROM ari_agent.deletion WHERE place IN ('voicemail', 'asterisk-log', 'cdr')"
    )
    assert {row["place"]: row["rows"] for row in logged} == {"voicemail": 1, "asterisk-log": 1, "cdr": 1}
    assert found(load(config)) == [Level.GOOD]


def test_doctor_warns_of_folders_it_cannot_see(tmp_path: Path) -> None:
    config = settings_file(tmp_path, "embedded:", None)
    (tmp_path / "spool").rename(tmp_path / "elsewhere")
    assert found(load(config)) == [Level.WARNING]


def found(settings: Settings) -> list[Level]:
    return [finding.level for finding in examine_files(settings)]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes() for top in ("log", "spool") for path in (folder / top).rglob("*") if path.is_file()
    }
