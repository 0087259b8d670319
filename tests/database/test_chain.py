"""The chain of events: one, whoever writes; refuses changes; and tells what was changed although it refused."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog import audit, chain, signing
from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.schema import SHIPPED, migrate
from ari_agent.cli import audit as command
from ari_agent.config import Log
from ari_agent.errors import AnchorError
from ari_agent.ops.doctor import examine_anchor
from ari_agent.ops.finding import Level
from ari_agent.record import CallNoted
from database.chained import PER_CALL, REHASH, export, faults, force, script, told, write
from database.servers import NUMBER, WAIT_S, CallDatabase, now, opened, turn


async def test_every_event_is_chained_without_gaps(calls: CallDatabase, settings: Log) -> None:
    assert told(calls)["in_ordnung"]
    await write(calls, 3)
    numbers = [row["number"] for row in calls.query("SELECT number FROM ari_agent.event ORDER BY seq")]
    assert numbers == list(range(1, 3 * PER_CALL + 1))
    row = told(calls)
    assert (row["in_ordnung"], row["ereignisse"], row["erste_nummer"], row["letzte_nummer"]) == (True, 27, 1, 27)
    report = await audit.verify(settings)
    assert report.holds
    assert (report.database.head.hash, report.database.sealed) == (row["letzter_hash"], 3 * 3)


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE ari_agent.event SET code = 'solved' WHERE number = 14",
        "UPDATE ari_agent.event SET at = at + interval '1 microsecond' WHERE number = 14",
        "UPDATE ari_agent.event SET recorded_at = recorded_at - interval '1 day' WHERE number = 14",
        "UPDATE ari_agent.event SET detail = detail || '{\"more\": 1}' WHERE number = 14",
        "UPDATE ari_agent.event SET call = gen_random_uuid() WHERE number = 14",
        "UPDATE ari_agent.event SET entry = gen_random_uuid() WHERE number = 14",
        "UPDATE ari_agent.event SET kind = 'closed' WHERE number = 14",
        "UPDATE ari_agent.event SET seal = sha256('') WHERE number = 14",
        "UPDATE ari_agent.event SET hash = sha256('') WHERE number = 14",
        "DELETE FROM ari_agent.event WHERE number = 14",
        "DELETE FROM ari_agent.event WHERE number BETWEEN 14 AND 20",
    ],
)
async def test_what_a_superuser_changes_is_found_at_its_place(calls: CallDatabase, settings: Log, edit: str) -> None:
    await write(calls, 3)
    force(calls, edit)
    row = told(calls)
    assert (row["in_ordnung"], row["erster_fehler"]) == (False, 14)
    assert faults(await audit.verify(settings))[0] == 14


async def test_the_first_events_cannot_be_cut_off_unseen(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 2)
    force(calls, "DELETE FROM ari_agent.event WHERE number < 4")
    assert told(calls)["erster_fehler"] == 1
    assert faults(await audit.verify(settings)) == [1]


@pytest.mark.parametrize("page", [1, 4, 7, 100])
async def test_pages_of_the_examination_have_no_seams(
    calls: CallDatabase, settings: Log, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "PAGE", page)
    await write(calls, 3)
    assert faults(await audit.verify(settings)) == []
    force(
        calls,
        "DELETE FROM ari_agent.event WHERE number BETWEEN 5 AND 16; DELETE FROM ari_agent.event WHERE number = 21",
    )
    assert faults(await audit.verify(settings)) == [5, 21]


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE ari_agent.event SET code = 'x'",
        "DELETE FROM ari_agent.event",
        "TRUNCATE ari_agent.event",
        "UPDATE ari_agent.chain SET first = 5",
        "DELETE FROM ari_agent.chain",
        "TRUNCATE ari_agent.chain",
    ],
)
async def test_the_owner_is_refused_every_change(calls: CallDatabase, role: str, attempt: str) -> None:
    await write(calls, 1)
    with psycopg.connect(**calls.admin, autocommit=True) as owner:
        owner.execute(f"SET session_replication_role = {role}")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            owner.execute(attempt)
        owner.execute("INSERT INTO ari_agent.event (entry, call, at, kind) SELECT gen_random_uuid(), call, at, kind "
                      "FROM ari_agent.event")  # fmt: skip
    assert (told(calls)["in_ordnung"], told(calls)["ereignisse"]) == (True, 2 * PER_CALL)


async def test_number_hash_and_time_of_writing_are_never_the_writers_choice(calls: CallDatabase) -> None:
    calls.query("""
        INSERT INTO ari_agent.event (entry, call, at, kind, number, hash, recorded_at)
        VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'closed', 77, sha256(''), '2000-01-01')
    """)
    (event,) = calls.query("SELECT number, recorded_at > now() - interval '1 minute' AS fresh FROM ari_agent.event")
    assert event == {"number": 1, "fresh": True}
    assert told(calls)["in_ordnung"]


async def test_an_entry_that_comes_again_takes_no_number(calls: CallDatabase) -> None:
    insert = """
        INSERT INTO ari_agent.event (entry, call, at, kind)
        VALUES ('00000000-0000-4000-8000-000000000001', gen_random_uuid(), now(), 'closed') {} RETURNING number
    """
    assert calls.query(insert.format("")) == [{"number": 1}]
    assert calls.query(insert.format("ON CONFLICT (entry) DO NOTHING")) == []
    assert calls.query(insert.format("")) == []
    assert (told(calls)["in_ordnung"], told(calls)["ereignisse"]) == (True, 1)


async def test_a_hundred_writers_keep_one_chain(calls: CallDatabase) -> None:
    """As many at once as the server takes: the embedded one has thirty connections."""
    (limit,) = calls.query("SHOW max_connections")
    writers, each = min(100, int(limit["max_connections"]) - 6), 5
    start = asyncio.Event()

    async def one() -> None:
        async with await psycopg.AsyncConnection.connect(**calls.admin, autocommit=True) as connection:
            await start.wait()
            for _ in range(each):
                await connection.execute(
                    "INSERT INTO ari_agent.event (entry, call, at, kind) "
                    "VALUES (gen_random_uuid(), gen_random_uuid(), now(), 'closed')"
                )

    async with asyncio.TaskGroup() as tasks:
        for _ in range(writers):
            tasks.create_task(one())
        await asyncio.sleep(0.5)
        start.set()
    numbers = [row["number"] for row in calls.query("SELECT number FROM ari_agent.event ORDER BY number")]
    assert numbers == list(range(1, writers * each + 1))
    assert told(calls)["in_ordnung"]


async def test_a_cut_tail_is_found_by_the_anchor_alone(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 2)
    made = (await audit.anchor(settings)).anchor
    assert made.number == 18
    await write(calls, 1)
    assert (await audit.verify(settings)).holds
    force(calls, "DELETE FROM ari_agent.event WHERE number > 11")
    assert told(calls)["in_ordnung"]
    report = await audit.verify(settings)
    assert [(fault.number, "7 Ereignisse" in fault.finding) for fault in report.anchored.faults] == [(12, True)]
    await write(calls, 3)  # and covered up by new calls
    assert told(calls)["in_ordnung"]
    assert not (await audit.verify(settings)).holds


async def test_a_chain_computed_anew_is_found_between_two_anchors(calls: CallDatabase, settings: Log) -> None:
    for _ in range(3):
        await write(calls, 1)
        await audit.anchor(settings)
    assert (await audit.verify(settings)).anchored.holds_to == 27
    force(calls, f"UPDATE ari_agent.event SET code = 'solved' WHERE number = 14; {REHASH}")  # noqa: S608
    assert told(calls)["in_ordnung"]
    report = await audit.verify(settings)
    assert report.database.faults == []
    assert [fault.number for fault in report.anchored.faults] == [10, 10]  # between 10 and 18, and all after
    assert report.anchored.holds_to == 9


async def test_an_anchor_that_was_changed_or_is_of_another_chain_is_told(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 1)
    made = (await audit.anchor(settings)).anchor
    line = settings.anchors.read_text()
    settings.anchors.write_text(line.replace('"number": 9', '"number": 8'))
    assert "Unterschrift" in (await audit.verify(settings)).anchored.faults[0].finding
    other = signing.sign(replace(made, chain=str(uuid4())), signing.private_key(settings.anchor_key))
    settings.anchors.write_text(line)
    anchors.keep(other, settings.anchors)
    assert "anderen Kette" in (await audit.verify(settings)).anchored.faults[0].finding
    settings.anchors.write_text("no anchor\n")
    with pytest.raises(AnchorError, match="line 1"):
        await audit.verify(settings)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_the_script_that_knows_nothing_of_us_agrees(
    calls: CallDatabase, settings: Log, tmp_path: Path, form: str
) -> None:
    await write(calls, 3)
    async with PostgresLog.open(settings, "eins") as log:
        log.write(turn(uuid4(), source='preise/"wärme", \\ ß😀'))
    await audit.anchor(settings)
    signed = ("--anchors", settings.anchors, "--key", signing.public_path(settings.anchor_key))
    assert script(export(calls, tmp_path, form)) == (
        0, "events 1 to 28, no anchors: the end may be cut off: as written\n",
    )  # fmt: skip
    assert script(export(calls, tmp_path, form), *signed) == (0, "events 1 to 28, 1 anchors: as written\n")

    force(calls, "DELETE FROM ari_agent.event WHERE number > 20")
    status, text = script(export(calls, tmp_path, form), *signed)
    assert (status, text.splitlines()[0]) == (2, "event 21: the end is missing: there is an anchor of event 28")
    force(calls, "UPDATE ari_agent.event SET code = 'solved' WHERE number = 14")
    status, text = script(export(calls, tmp_path, form))
    assert (status, text.splitlines()[0]) == (2, "event 14: this event or the one before was changed")
    force(calls, "DELETE FROM ari_agent.event WHERE number = 5")
    assert "event 5: 1 events are missing" in script(export(calls, tmp_path, form))[1]
    settings.anchors.write_text(settings.anchors.read_text().replace('"number": 28', '"number": 20'))
    assert "the signature of this anchor is wrong" in script(export(calls, tmp_path, form), *signed)[1]
    assert script(tmp_path / "missing.csv")[0] == 2


async def test_a_seal_tells_of_changed_personal_data_and_nothing_once_its_salt_is_erased(
    calls: CallDatabase, settings: Log
) -> None:
    first, second, third = await write(calls, 3)
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    calls.query("UPDATE ari_agent.call SET caller_digest = '\\x00112233445566778899aabbccddeeff' WHERE id = %s", first)
    calls.query("UPDATE ari_agent.task SET matter = 'etwas anderes' WHERE call = %s", first)
    calls.query("UPDATE ari_agent.note SET agreed = '{}' WHERE call = %s", first)
    calls.query("DELETE FROM ari_agent.note WHERE call = %s", second)
    found = [(row["anruf"], row["art"]) for row in calls.query("SELECT * FROM ari_agent.siegel_fehler()")]
    assert found == [(first, "opened"), (first, "task"), (first, "note"), (second, "note")]
    report = await audit.verify(settings)
    assert (len(report.database.seal_faults), report.holds) == (4, False)

    calls.query("UPDATE ari_agent.task SET state = 'done', done_at = now() WHERE call = %s", third)  # as is usual
    for call in (first, second):
        calls.query("DELETE FROM ari_agent.salt WHERE call = %s", call)
    calls.query("DELETE FROM ari_agent.call WHERE id = %s", third)
    report = await audit.verify(settings)
    assert report.holds
    assert (report.database.sealed, report.database.erased) == (9, 9)


async def test_words_are_sealed_when_they_are_stored(calls: CallDatabase, settings: Log) -> None:
    worded = settings.model_copy(update={"wording": True})
    async with PostgresLog.open(worded, "eins") as log:
        log.write(turn(uuid4(), caller_text="was kostet die wartung", agent_text="129 Euro."))
    async with PostgresLog.open(settings, "eins") as log:
        log.write(turn(uuid4(), caller_text="was kostet die wartung", agent_text="129 Euro."))
    assert [row["art"] for row in calls.query("SELECT * FROM ari_agent.v_siegel")] == ["turn"]
    calls.query("UPDATE ari_agent.turn SET agent_text = '99 Euro.'")
    assert [fault.number for fault in (await audit.verify(settings)).database.seal_faults] == [1]


async def test_two_seals_of_the_same_number_have_nothing_in_common(calls: CallDatabase) -> None:
    await write(calls, 2)
    seals = [row["seal"] for row in calls.query("SELECT seal FROM ari_agent.event WHERE kind = 'opened'")]
    assert len(set(seals)) == 2
    text = repr(calls.query("SELECT * FROM ari_agent.v_kette"))
    assert NUMBER[-6:] not in text
    assert "Erika" not in text


async def test_an_older_log_is_chained_as_it_is(empty_database: CallDatabase) -> None:
    async with Database(empty_database.settings) as database, await database.connect() as connection:
        await migrate(connection, SHIPPED[:5])
    empty_database.query("""
        INSERT INTO ari_agent.event (entry, call, at, kind, detail)
        SELECT gen_random_uuid(), gen_random_uuid(), now(), 'noted', jsonb_build_object('detail', 'free text ' || n)
        FROM generate_series(1, 500) AS n
    """)
    await write(empty_database, 1)
    assert (told(empty_database)["in_ordnung"], told(empty_database)["ereignisse"]) == (True, 500 + PER_CALL)


@pytest.mark.parametrize("detail", ["er sagte nein", "+491701234567", "ruf 0170 an", "x" * 81])
async def test_a_remark_that_is_no_code_never_gets_into_the_chain(calls: CallDatabase, detail: str) -> None:
    async with PostgresLog.open(calls.settings, "eins") as log:
        log.write(CallNoted(uuid4(), now(), "note", detail))
        assert await log.flush(WAIT_S)
        assert log.refused == 1
    assert detail not in repr(calls.query("SELECT * FROM ari_agent.event"))


async def test_events_made_as_a_set_go_through_the_chain_too(calls: CallDatabase) -> None:
    calls.query("""
        INSERT INTO ari_agent.event (entry, call, at, kind)
        SELECT gen_random_uuid(), gen_random_uuid(), now(), 'closed' FROM generate_series(1, 2000)
    """)
    assert (told(calls)["in_ordnung"], told(calls)["letzte_nummer"]) == (True, 2000)


def test_a_key_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "anchor.key"
    key = signing.private_key(path)
    assert signing.name_of(signing.private_key(path).public_key()) == signing.name_of(key.public_key())
    assert signing.name_of(signing.public_key(path)) == signing.name_of(key.public_key())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_text("no key")
    with pytest.raises(AnchorError, match="anchor_key"):
        signing.private_key(path)
    signing.public_path(path).unlink()
    with pytest.raises(AnchorError, match="anchor_key"):
        signing.public_key(path)


def test_an_anchor_is_told_to_the_journal(tmp_path: Path) -> None:
    anchor = Anchor("00000000-0000-4000-8000-000000000001", 12, "ab" * 32, "2026-11-22T10:00:00+00:00")
    assert not anchors.announce(anchor, tmp_path / "nobody")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "log"))
        journal.settimeout(WAIT_S)
        assert anchors.announce(anchor, tmp_path / "log")
        line = journal.recv(4096).decode()
    assert line == f"<85>ari-agent: anchor chain={anchor.chain} number=12 hash={'ab' * 32}"


@pytest.fixture
def run(settings: Log, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Run `ari-agent audit` on the database of the test."""
    monkeypatch.setattr(command, "load", lambda _: type("All", (), {"log": settings}))

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(command.app, list(words), catch_exceptions=False)
        return result.exit_code, result.stdout

    return run


def test_the_commands_tell_with_their_exit_status(calls: CallDatabase, run: Callable[..., tuple[int, str]]) -> None:
    asyncio.run(write(calls, 2))
    status, text = run("verify")
    assert (status, "Ereignisse 1 bis 18, in Ordnung" in text) == (1, True)  # no anchor yet
    status, text = run("anchor", "--json")
    made = json.loads(text)
    assert (status, made["number"]) == (0 if made["journal"] else 1, 18)
    status, text = run("verify", "--json")
    report = json.loads(text)
    assert (status, report["ok"], report["last"], report["anchors"]["holds_to"]) == (0, True, 18, 18)
    calls.query("UPDATE ari_agent.call SET caller_digest = substring(sha256('x') FROM 1 FOR 16)")
    force(calls, "UPDATE ari_agent.event SET code = 'solved' WHERE number = 9")
    status, text = run("verify")
    assert status == 2
    assert "Ereignis 9: dieses Ereignis oder das davor wurde verändert" in text
    assert "Ereignis 1: verändert" in text
    status, text = run("verify", "--json")
    assert (status, json.loads(text)["faults"][0]["number"]) == (2, 9)
    assert json.loads(text)["ok"] is False


async def test_an_opening_without_a_number_is_sealed_too(calls: CallDatabase, settings: Log) -> None:
    call = uuid4()
    async with PostgresLog.open(settings, "eins") as log:
        log.write(replace(opened(call), caller=None))
    calls.query("UPDATE ari_agent.call SET caller_digest = substring(sha256('x') FROM 1 FOR 16)")
    assert not (await audit.verify(settings)).holds


async def test_doctor_tells_of_anchors(calls: CallDatabase, settings: Log) -> None:
    await write(calls, 1)
    assert (await examine_anchor(settings)).level is Level.WARNING
    made = (await audit.anchor(settings)).anchor
    assert (await examine_anchor(settings)).level is Level.GOOD
    old = replace(made, at="2026-01-01T00:00:00+00:00")
    anchors.keep(old, settings.anchors)
    assert "hours old" in (await examine_anchor(settings)).found
    force(calls, "DELETE FROM ari_agent.event WHERE number > 5")
    finding = await examine_anchor(settings)
    assert (finding.level, finding.remedy != "") == (Level.ERROR, True)
