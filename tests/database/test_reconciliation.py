"""The call log against Asterisk's own records: what is missing is filed once, with its cause; all else is told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from ari_agent.calllog import accounts, counting
from ari_agent.calllog.completeness import window
from ari_agent.calllog.database import Database
from ari_agent.calllog.spool import Spool
from ari_agent.calllog.waiting import Waiting
from ari_agent.config import Settings
from ari_agent.errors import CallLogError, CdrError, ConfigError
from ari_agent.metrics import CALLS_UNEXPLAINED, RECONCILED_AT
from ari_agent.ops.completeness import examine_completeness
from ari_agent.ops.finding import Level
from database.asterisk_records import CALLER, recorded
from database.pbx_files import settings_file
from database.reconciling import HOUR, Pbx, S, entries_of, told
from database.servers import NUMBER, CallDatabase, now
from database.test_accounts import as_account, set_password


@pytest.fixture
def pbx(calls: CallDatabase, tmp_path: Path) -> Pbx:
    return Pbx(calls, tmp_path)


async def test_calls_that_both_know_are_nothing_to_tell_of(pbx: Pbx) -> None:
    for outcome in ("solved", "to-queue", "handed-over", "caller-hung-up"):
        await pbx.served(outcome)
    result = await pbx.reconcile()
    assert (result.calls, result.entries, result.filed, told(result)) == (4, 4, 0, [])
    assert result.whole
    (run,) = pbx.rows("SELECT * FROM ari_agent.v_abgleich")
    assert (run["ergebnis"], run["anrufe_der_anlage"], run["anrufe_im_protokoll"]) == ("vollständig", 4, 4)


CAUSES = {
    "bypass": ("bypass", "to-people"),
    "staff": ("hours", "to-people"),
    "staff-full": ("full", "to-people"),
    "staff-not-ready": ("not-ready", "to-people"),
    "staff-unknown": ("route-unknown", "to-people"),
    "no-controller": ("no-controller", "to-people"),
    "controller-hung": ("controller-hung", "to-people"),
    "unclaimed": ("unclaimed", "to-people"),
    "blocked": ("blocked", "turned-away"),
}


async def test_a_call_that_the_ai_did_not_get_is_filed_once_with_its_cause(pbx: Pbx) -> None:
    known = {}
    for word in CAUSES:
        call = recorded(now() - HOUR)
        blocked = word == "blocked"
        pbx.logs.write(call.why(word), call.cdr("blocked" if blocked else "fallback", answered=not blocked))
        known[call.uniqueid] = (*CAUSES[word], call)
    hung_up = recorded(now() - HOUR)
    pbx.logs.write(hung_up.cdr("inbound", "AGI", answered=False, seconds=1))
    known[hung_up.uniqueid] = ("hung-up", "caller-hung-up", hung_up)

    result = await pbx.reconcile()
    assert (result.calls, result.filed, result.unexplained) == (10, 10, 0)
    assert result.whole
    rows = {row["channel"]: row for row in pbx.rows()}
    for uniqueid, (cause, outcome, call) in known.items():
        row = rows[uniqueid]
        assert (row["reason"], row["outcome"], row["caller"]) == (cause, outcome, CALLER)
        assert (row["opened_at"], row["answered_at"], row["node"]) == (call.at, None, "")
        assert row["filed_at"] is not None
    assert rows[hung_up.uniqueid]["dialled"] == ""
    assert {row["dialled"] for row in rows.values()} == {"2900", ""}

    again = await pbx.reconcile()
    assert (again.calls, again.entries, again.filed, told(again)) == (10, 10, 0, [])
    assert len(pbx.rows()) == 10
    kinds = Counter(row["kind"] for row in pbx.rows("SELECT kind FROM ari_agent.event"))
    assert kinds == {"opened": 10, "filed": 10}
    assert pbx.rows("SELECT * FROM ari_agent.kette_pruefen()")[0]["in_ordnung"]
    assert pbx.rows("SELECT * FROM ari_agent.siegel_fehler()") == []
    (seen,) = pbx.rows("SELECT * FROM ari_agent.v_anrufe WHERE grund = 'bypass'")
    assert (seen["ergebnis"], seen["anrufer_pseudonym"]) == ("ohne KI an die Mitarbeiter", pbx.pseudonym)
    outages = {row["grund"] for row in pbx.rows("SELECT grund FROM ari_agent.v_ausfaelle")}
    assert outages == {"full", "not-ready", "route-unknown", "no-controller", "controller-hung", "unclaimed"}


async def test_five_planted_gaps_are_each_found_with_their_cause_and_named_again_the_next_time(pbx: Pbx) -> None:
    deleted, first = await pbx.served("solved")
    never = recorded(now() - HOUR + 600 * S)
    pbx.logs.write(never.cdr("offer", "StasisBroadcast"))
    bypassed = recorded(now() - HOUR + 1200 * S)
    pbx.logs.write(bypassed.why("bypass"), bypassed.cdr())
    unknown = recorded(now() - HOUR)
    ident = uuid4()
    await pbx.write(*entries_of(ident, unknown, "solved"))
    whole, _ = await pbx.served()
    pbx.superuser("DELETE FROM ari_agent.call WHERE id = %s", deleted)
    pbx.superuser("DELETE FROM ari_agent.event WHERE call = %s AND kind = 'answered'", whole)

    result = await pbx.reconcile()
    planted = [
        ("event-gap", "events-missing"), ("missing", "bypass"), ("missing", "entry-lost"), ("missing", "row-deleted"),
        ("no-cdr", "no-cdr"),
    ]  # fmt: skip
    assert told(result) == planted
    by_cause = {finding.cause: finding for finding in result.findings}
    assert by_cause["row-deleted"].call == deleted
    assert by_cause["no-cdr"].call == ident
    assert (result.filed, result.unexplained, result.whole) == (3, 4, False)
    rows = {row["channel"]: row for row in pbx.rows()}
    assert (rows[first.uniqueid]["id"], rows[first.uniqueid]["outcome"]) == (deleted, "solved")
    assert (rows[never.uniqueid]["outcome"], rows[never.uniqueid]["reason"]) == ("unknown", "entry-lost")

    again = await pbx.reconcile()
    assert again.filed == 0
    assert told(again) == [each for each in planted if each != ("missing", "bypass")]
    found = pbx.rows("SELECT befund, ursache, geklaert FROM ari_agent.v_abgleich_befunde WHERE abgleich = 1")
    assert {(row["ursache"], row["geklaert"]) for row in found} == {
        ("Zeile wurde gelöscht", False), ("Eintrag der KI fehlt", False), ("KI war abgeschaltet", True),
        ("Telefonanlage kennt den Anruf nicht", False), ("Ereignisse fehlen in der Kette", False),
    }  # fmt: skip
    await counting.count(pbx.database.settings)
    assert CALLS_UNEXPLAINED._value.get() == 4
    assert now().timestamp() - RECONCILED_AT._value.get() < 600


async def test_the_newest_events_cut_off_are_missed_by_their_call(pbx: Pbx) -> None:
    call, _ = await pbx.served()
    pbx.superuser("DELETE FROM ari_agent.event WHERE call = %s", call)
    await pbx.served()  # and the numbers go on as if nothing had been
    result = await pbx.reconcile()
    assert [(finding.cause, finding.call) for finding in result.findings] == [("events-missing", call)]


async def test_numbers_used_by_writing_that_did_not_succeed_are_no_gap(pbx: Pbx) -> None:
    await pbx.served()
    pbx.rows("SELECT nextval('ari_agent.event_seq_seq') FROM generate_series(1, 3)")
    await pbx.served()
    result = await pbx.reconcile()
    assert (told(result), result.rolled_back) == ([], 3)


@pytest.mark.parametrize(
    ("outcome", "line", "causes"),
    [
        ("solved", {"extension": "offer", "answered": False}, ["answered"]),
        ("to-queue", {"extension": "offer", "seconds": 80}, ["queue"]),
        ("to-queue", {"extension": "offer", "seconds": 60}, []),
        ("solved", {"extension": "fallback"}, ["queue"]),
        ("solved", {"extension": "offer", "seconds": 5}, ["time"]),
    ],
)
async def test_a_row_that_says_something_else_than_asterisk_is_told(
    pbx: Pbx, outcome: str, line: dict[str, Any], causes: list[str]
) -> None:
    call, ident = recorded(now() - HOUR), uuid4()
    await pbx.write(*entries_of(ident, call, outcome))
    pbx.logs.write(call.cdr(**line))
    result = await pbx.reconcile()
    assert [(finding.kind, finding.cause, finding.call) for finding in result.findings] == [
        ("differs", cause, ident) for cause in causes
    ]


async def test_a_call_whose_beginning_was_lost_gets_it_back(pbx: Pbx) -> None:
    call, ident = recorded(now() - HOUR), uuid4()
    await pbx.write(*entries_of(ident, call, "solved")[1:])
    pbx.logs.write(call.cdr("offer", "StasisBroadcast"))
    result = await pbx.reconcile()
    assert told(result) == [("missing", "opening-lost")]
    (row,) = pbx.rows()
    assert (row["id"], row["channel"], row["outcome"], row["filed_at"]) == (ident, call.uniqueid, "solved", None)
    assert told(await pbx.reconcile()) == []


async def test_entries_that_come_late_take_the_place_of_what_was_filed(pbx: Pbx) -> None:
    call, ident = recorded(now() - HOUR), uuid4()
    pbx.logs.write(call.cdr("offer", "StasisBroadcast"))
    assert told(await pbx.reconcile()) == [("missing", "entry-lost")]
    await pbx.write(*entries_of(ident, call, "solved"))
    result = await pbx.reconcile()
    assert (result.withdrawn, told(result)) == (1, [])
    assert [row["id"] for row in pbx.rows()] == [ident]
    assert pbx.rows("SELECT * FROM ari_agent.v_unvollstaendig") == []


async def test_calls_that_wait_in_a_spool_are_left_for_the_next_time(pbx: Pbx) -> None:
    call, ident = recorded(now() - S), uuid4()
    spool = Spool(pbx.database.settings.spool, "eins", 1, "full", pbx.database.numbers())
    spool.open()
    spool.append([Waiting(uuid4(), entry) for entry in entries_of(ident, call, "solved")])
    spool.close()
    pbx.logs.write(call.cdr("offer", "StasisBroadcast", seconds=0))
    result = await pbx.reconcile()
    assert (result.calls, result.filed) == (0, 0)
    assert result.window.until < call.at


async def test_what_was_erased_on_request_is_not_filed_again(pbx: Pbx) -> None:
    ident, call = await pbx.served()
    pbx.rows(
        "UPDATE ari_agent.call SET caller = NULL, caller_digest = NULL, channel = NULL, "
        "caller_erased_at = now() WHERE id = %s",
        ident,
    )
    text = pbx.logs.cdr.read_text()
    pbx.logs.cdr.write_text(text.replace(CALLER, "x" * len(CALLER)))
    result = await pbx.reconcile()
    assert (result.calls, result.filed, told(result)) == (1, 0, [])
    assert call.uniqueid


async def test_calls_and_numbers_whose_time_is_over_are_not_brought_back(pbx: Pbx) -> None:
    pbx.rows("UPDATE ari_agent.retention_rule SET days = 3 WHERE kind = 'caller-number'")
    pbx.rows("UPDATE ari_agent.retention_rule SET days = 5 WHERE kind = 'call'")
    for days in (6, 4, 1):
        call = recorded(now() - timedelta(days=days))
        pbx.logs.write(call.why("bypass"), call.cdr())
    masked = recorded(now() - HOUR)
    pbx.logs.write(masked.why("bypass"), masked.cdr(caller="xxxxxxxx"))
    result = await pbx.reconcile()
    assert result.calls == 3
    assert [row["caller"] for row in pbx.rows()] == [None, CALLER, None]
    shown = pbx.rows("SELECT anrufer_pseudonym AS a FROM ari_agent.v_anrufe ORDER BY beginn")
    assert [row["a"] for row in shown] == ["gelöscht", pbx.pseudonym, "gelöscht"]


async def test_a_test_call_that_nobody_took_is_filed_as_a_test(pbx: Pbx) -> None:
    call = recorded(now() - HOUR)
    pbx.logs.write(call.why("unclaimed", "*96|1"), call.cdr("unclaimed", "Congestion", answered=False))
    await pbx.reconcile()
    (row,) = pbx.rows()
    assert (row["test"], row["dialled"], row["reason"]) == (True, "*96", "unclaimed")


async def test_a_broken_line_is_found_and_named(pbx: Pbx) -> None:
    await pbx.served()
    pbx.logs.write("Asterisk never wrote this\n")
    await pbx.served()
    result = await pbx.reconcile()
    assert (told(result), result.broken, result.whole) == ([], 1, False)
    assert result.unreadable == [f"{pbx.logs.cdr}:2: 1 columns"]


async def test_the_cdr_in_a_table_of_postgres_serves_as_well(pbx: Pbx) -> None:
    call, taken = recorded(now() - HOUR), recorded(now() - HOUR)
    await pbx.write(*entries_of(uuid4(), taken, "solved"))
    pbx.rows("""
        CREATE SCHEMA asterisk;
        CREATE TABLE asterisk.cdr (
            calldate timestamp, clid text, src text, dst text, dcontext text, channel text, dstchannel text,
            lastapp text, lastdata text, duration integer, billsec integer, disposition text, amaflags integer,
            accountcode text, uniqueid text, userfield text, linkedid text
        );
        CREATE TABLE asterisk.queue_log (
            id serial, time timestamp, callid text, queuename text, agent text, event text, data1 text, data2 text,
            data3 text, data4 text, data5 text
        )
    """)
    for at, exten, uniqueid in (
        (call.at, "fallback", call.uniqueid), (taken.at, "offer", taken.uniqueid), (taken.at, "offer", ""),
    ):  # fmt: skip
        pbx.rows(
            "INSERT INTO asterisk.cdr "
            "(calldate, src, dst, dcontext, channel, duration, billsec, disposition, uniqueid) "
            "VALUES (%s AT TIME ZONE 'UTC', %s, %s, 'ari-agent', 'PJSIP/trunk-1', 60, 50, 'ANSWERED', %s)",
            at, CALLER, exten, uniqueid,
        )  # fmt: skip
    pbx.rows(
        "INSERT INTO asterisk.queue_log (time, callid, event, data1, data2) "
        "VALUES (%s AT TIME ZONE 'UTC', %s, 'ARIAGENT', 'bypass', '2900')",
        call.at, call.uniqueid,
    )  # fmt: skip
    here = {"database": pbx.database.settings.database, "password_file": pbx.database.settings.password_file}
    tables = {"source": "postgres", "table": "asterisk.cdr", "queue_table": "asterisk.queue_log"}
    settings = pbx.settings.model_copy(update={"cdr": pbx.settings.cdr.model_copy(update=here | tables)})
    result = await pbx.reconcile(settings)
    assert (result.calls, result.filed, told(result)) == (2, 1, [("missing", "bypass")])
    assert (result.broken, result.unreadable) == (1, ["asterisk.cdr, row 3: no uniqueid or no channel"])
    (row,) = pbx.rows("SELECT * FROM ari_agent.call WHERE filed_at IS NOT NULL")
    assert (row["channel"], row["dialled"], row["opened_at"]) == (call.uniqueid, "2900", call.at)
    for wrong, told_so in (
        ({"table": "asterisk.none"}, "asterisk.none cannot be read"),
        ({"table": "asterisk.queue_log"}, "no table of CDR"),
    ):
        other = settings.model_copy(update={"cdr": settings.cdr.model_copy(update=wrong)})
        with pytest.raises(CdrError, match=told_so):
            await pbx.reconcile(other)


async def test_its_own_account_files_and_withdraws_and_changes_nobody_elses_row(pbx: Pbx) -> None:
    await accounts.install(pbx.database.settings, accounts.roles())
    set_password(pbx.database, "ari_agent_reconcile")
    log = as_account(pbx.database, "ari_agent_reconcile")
    settings = pbx.settings.model_copy(update={"log": log})
    taken, _ = await pbx.served()
    lost = recorded(now() - HOUR + 600 * S)
    pbx.logs.write(lost.cdr("offer", "StasisBroadcast"))
    assert told(await pbx.reconcile(settings)) == [("missing", "entry-lost")]
    (run,) = pbx.rows("SELECT konto FROM ari_agent.v_abgleich")
    assert run["konto"] == "ari_agent_reconcile"
    await pbx.write(*entries_of(uuid4(), lost, "solved"))
    assert (await pbx.reconcile(settings)).withdrawn == 1
    headless, deleted = recorded(now() - HOUR + 1200 * S), recorded(now() - HOUR + 1800 * S)
    await pbx.write(*entries_of(uuid4(), headless, "solved")[1:])
    await pbx.write(*entries_of(row := uuid4(), deleted, "solved"))
    pbx.superuser("DELETE FROM ari_agent.call WHERE id = %s", row)
    pbx.logs.write(headless.cdr("offer", "StasisBroadcast"), deleted.cdr("offer", "StasisBroadcast"))
    assert told(await pbx.reconcile(settings)) == [("missing", "opening-lost"), ("missing", "row-deleted")]
    assert {each["channel"] for each in pbx.rows()} >= {headless.uniqueid, deleted.uniqueid}
    assert pbx.rows("SELECT * FROM ari_agent.siegel_fehler()") == []
    assert pbx.rows("SELECT * FROM ari_agent.v_unvollstaendig") == []
    with psycopg.connect(**pbx.database.admin, autocommit=True) as connection:
        connection.execute("SET SESSION AUTHORIZATION ari_agent_reconcile")
        assert connection.execute("UPDATE ari_agent.call SET outcome = 'x' WHERE id = %s", [taken]).rowcount == 0
        assert connection.execute("DELETE FROM ari_agent.call WHERE id = %s", [taken]).rowcount == 0
        event = "INSERT INTO ari_agent.event (entry, call, at, kind) VALUES ({0}, {0}, now(), 'turn')"
        for statement in (
            "INSERT INTO ari_agent.call (id, node) VALUES (gen_random_uuid(), 'eins')",
            event.format("gen_random_uuid()"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with pytest.raises(CallLogError):
        await pbx.reconcile(pbx.settings.model_copy(update={"log": as_account(pbx.database, "ari_agent_metrics")}))


async def test_the_command_tells_people_and_machines_and_its_exit_status_is_the_result(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from typer import Exit

    from ari_agent.cli.reconciling import reconcile_calls

    database = pbx.database.settings
    path = settings_file(tmp_path, database.database, database.password_file, pbx.logs.section)
    call = recorded(now() - HOUR)
    pbx.logs.write(call.why("bypass"), call.cdr())

    async def run(**options: Any) -> tuple[int, str, str]:
        with pytest.raises(Exit) as ended:
            await asyncio.to_thread(lambda: reconcile_calls(path, **options))
        return ended.value.exit_code, *capfd.readouterr()

    status, out, _ = await run(as_json=True)
    figures = json.loads(out)
    assert (status, figures["whole"], figures["filed"], figures["causes"]) == (0, True, 1, {"bypass": 1})
    pbx.logs.write(recorded(now() - HOUR).cdr("offer", "StasisBroadcast"), "broken\n", call.cdr())
    status, out, err = await run()
    assert status == 1
    assert "nicht vollständig" in out
    assert "Eintrag der KI fehlt" in out
    assert err == f"{pbx.logs.cdr}:3: 1 columns\n"
    assert CALLER not in out + err
    with pytest.raises(ConfigError, match="--from is after --to"):
        window(pbx.settings.cdr, now(), now(), now() - HOUR)


async def test_doctor_tells_whether_the_records_can_be_read_and_are_current(pbx: Pbx) -> None:
    async def found(settings: Settings) -> Any:
        async with Database(settings.log) as database, await database.connect() as connection:
            return await examine_completeness(settings, connection)

    assert (await found(pbx.settings)).level == Level.GOOD
    await pbx.write(*entries_of(uuid4(), recorded(now() - HOUR), "solved"))
    stale = await found(pbx.settings)
    assert (stale.level, "not current" in stale.found) == (Level.WARNING, True)
    await pbx.served()
    assert (await found(pbx.settings)).level == Level.GOOD
    pbx.logs.write("broken\n")
    assert "Master.csv:2: 1 columns" in (await found(pbx.settings)).found
    pbx.logs.cdr.unlink()
    gone = await found(pbx.settings)
    assert (gone.level, "cdr.file" in gone.found) == (Level.WARNING, True)
    off = pbx.settings.model_copy(update={"cdr": pbx.settings.cdr.model_copy(update={"source": "none"})})
    assert (await found(off)).level == Level.WARNING
    assert NUMBER not in repr((stale, gone))
