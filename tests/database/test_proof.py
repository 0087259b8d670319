"""The proof of measures tells what is so in the database, and nothing of a person."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from rst import parsed_text
from typer.testing import CliRunner

from ari_agent.calllog import accounts, audit, retention
from ari_agent.calllog.backups import report as report_backup
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.cli.__main__ import app
from ari_agent.cli.models import digest
from ari_agent.cli.report import page
from ari_agent.config import Settings, load
from ari_agent.ops.proof.fact import Fact, State
from ari_agent.ops.proof.report import Proof, prove
from ari_agent.ops.proof.scene import UNSEEN
from database.pbx_files import leave_message, settings_file
from database.servers import NUMBER, PASSWORD, WAIT_S, CallDatabase, now, whole_call

FORCE = "ALTER TABLE ari_agent.event DISABLE TRIGGER ALL; {}; ALTER TABLE ari_agent.event ENABLE TRIGGER ALL"


@pytest.fixture
def secured(calls: CallDatabase) -> CallDatabase:
    """A call log with its accounts and one call."""
    asyncio.run(accounts.install(calls.settings, accounts.roles()))

    async def write() -> None:
        async with PostgresLog.open(calls.settings, "eins") as log:
            for entry in whole_call(uuid4()):
                log.write(entry)
            assert await log.flush(WAIT_S)

    asyncio.run(write())
    return calls


@pytest.fixture
def auditor(secured: CallDatabase) -> Iterator[str]:
    """The address of an auditor's personal account."""
    name = f"erika_{uuid4().hex[:8]}"
    asyncio.run(accounts.install(secured.settings, accounts.account(name, "auditor", date(2099, 1, 1))))
    secured.query(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(PASSWORD)))
    yield make_conninfo(secured.settings.database, user=name)
    secured.query(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
def settings(secured: CallDatabase, tmp_path: Path) -> Settings:
    path = settings_file(tmp_path, "embedded:", None)
    log = secured.settings.model_copy(
        update={"anchors": tmp_path / "anchors.jsonl", "anchor_key": tmp_path / "anchor.key"}
    )
    return load(path).model_copy(update={"log": log})


def seen(settings: Settings) -> tuple[Proof, dict[str, Fact]]:
    """The proof, and its facts by their keys."""
    proof = asyncio.run(prove(settings, digest))
    facts = [fact for part in proof.parts for fact in part.facts]
    by_key = {fact.key: fact for fact in facts}
    assert len(by_key) == len(facts)
    return proof, by_key


def states(facts: dict[str, Fact], *keys: str) -> list[State]:
    return [facts[key].state for key in keys]


def unseen(facts: dict[str, Fact]) -> set[str]:
    return {key for key, fact in facts.items() if fact.found == UNSEEN}


def test_a_new_installation_is_told_as_it_is(settings: Settings) -> None:
    _, facts = seen(settings)
    assert not unseen(facts)
    met = (
        "chain", "seals", "version.schema", "retention.rewritten", "wording.setting", "accounts.roles",
        "requests.late", "notice.missing", "consent.missing", "numbers.sealed", "numbers.keys",
    )  # fmt: skip
    assert set(states(facts, *met)) == {State.MET}
    missing = ("anchor", "reconciliation", "backup.backup", "backup.restore_test", "retention.run", "watchdog")
    assert set(states(facts, *missing)) == {State.DEVIATES}
    assert facts["retention.caller-number"].found == "90 Tage, Beginn: Beginn des Anrufs; überfällig: 0"
    assert facts["rights.ari_agent_metrics"].found == "liest v_kennzahlen"
    assert "einzelne Spalten) call, event, turn" in facts["rights.ari_agent_agent"].found


def test_what_was_done_is_seen(settings: Settings, secured: CallDatabase) -> None:
    asyncio.run(audit.anchor(settings.log))
    asyncio.run(report_backup(settings.log, "backup", now() - timedelta(days=3)))
    asyncio.run(report_backup(settings.log, "restore-test", now() - timedelta(hours=5)))
    asyncio.run(retention.run(settings.log, settings.retention.periods(), now(), dry=False))
    secured.query("""
        INSERT INTO ari_agent.reconciliation
            (at, since, until, source, calls, entries, filed, withdrawn, broken, rolled_back, unexplained)
        VALUES (now() - interval '7 hours', now() - interval '7 days', now(), 'csv', 12, 12, 0, 0, 0, 0, 0)
    """)
    _, facts = seen(settings)
    assert set(states(facts, "anchor", "backup.backup", "backup.restore_test", "retention.run")) == {State.MET}
    assert facts["reconciliation"].state is State.MET
    assert "12 Anrufe der Telefonanlage; ungeklärt: 0" in facts["reconciliation"].found
    assert facts["backup.backup"].found.endswith("vor 3 Tagen")
    assert facts["backup.restore_test"].found.endswith("vor 5 Stunden")


def test_whatever_is_wrong_deviates(settings: Settings, secured: CallDatabase, tmp_path: Path) -> None:
    asyncio.run(audit.anchor(settings.log))
    secured.query(FORCE.format("UPDATE ari_agent.event SET code = 'forged' WHERE number = 2"))
    secured.query("""
        UPDATE ari_agent.turn SET caller_text = 'was kostet die wartung';
        UPDATE ari_agent.note SET who = 'jemand anders';
        UPDATE ari_agent.call SET disclosure_sha256 = repeat('00', 32);
        INSERT INTO ari_agent.call (id, opened_at, closed_at, caller)
        SELECT gen_random_uuid(), moment, moment, decode(repeat('ab', 40), 'hex')
        FROM (SELECT now() - interval '92 days' AS moment) AS m;
        INSERT INTO ari_agent.unsealed (place, id, owner, number)
        VALUES ('call', gen_random_uuid(), gen_random_uuid(), '+4970000');
        INSERT INTO ari_agent.subject_request (id, ticket, received_on, due_on)
        VALUES (gen_random_uuid(), 'DS-1', '2026-01-31', '2026-02-28');
        INSERT INTO ari_agent.recording (id, call, kind, at, node, duration_ms, size, sha256)
        SELECT gen_random_uuid(), id, 'audio', now(), 'eins', 1000, 1, repeat('ab', 32) FROM ari_agent.call LIMIT 1
    """)
    leave_message(tmp_path, NUMBER, "Erika Beispiel", now() - timedelta(days=400), 0)
    (tmp_path / "spool" / "monitor" / "aufnahme.wav").write_bytes(b"RIFF")
    (tmp_path / "secret").chmod(0o644)
    settings.log.number_key.write_text("")
    _, facts = seen(settings)
    wrong = (
        "chain", "seals", "wording.calls", "notice.last", "retention.caller-number", "requests.late",
        "retention.files", "sound.pbx", "secrets.files", "consent.missing", "numbers.sealed", "numbers.keys",
    )  # fmt: skip
    assert {key: facts[key].state for key in wrong} == dict.fromkeys(wrong, State.DEVIATES)
    assert "Fehler ab Nummer 2" in facts["chain"].found
    assert facts["retention.caller-number"].found.endswith("überfällig: 1")


def test_where_callers_are_asked_the_question_is_told_and_open_keys_deviate(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "recording-keys"
    keys.mkdir(mode=0o755)
    recording = settings.recording.model_copy(update={"enabled": True, "folder": tmp_path / "recordings", "keys": keys})
    asked = settings.model_copy(update={"recording": recording})
    _, facts = seen(asked)
    assert facts["version.consent"].found.startswith("„Dürfen wir dieses Gespräch aufzeichnen")
    assert "nicht aufgezeichnet" not in facts["version.greeting"].found
    assert facts["recording.keys"].state is State.DEVIATES
    keys.chmod(0o700)
    _, facts = seen(asked)
    assert facts["recording.keys"].state is State.MET


def test_a_period_that_no_run_has_brought_into_force_deviates(settings: Settings) -> None:
    kept = settings.retention.model_copy(update={"note_days": 30})
    _, facts = seen(settings.model_copy(update={"retention": kept}))
    assert facts["retention.note"].state is State.DEVIATES
    assert "eingestellt sind 30 Tage" in facts["retention.note"].found


def test_rights_beyond_those_of_the_release_are_seen(settings: Settings, secured: CallDatabase) -> None:
    secured.query("GRANT DELETE ON ari_agent.task TO ari_agent_desk; ALTER ROLE ari_agent_owner LOGIN")
    try:
        _, facts = seen(settings)
    finally:
        secured.query("ALTER ROLE ari_agent_owner NOLOGIN")
    assert "löscht task" in facts["rights.ari_agent_desk"].found
    assert facts["accounts.roles"].state is State.DEVIATES
    assert "zu mächtig: ari_agent_owner" in facts["accounts.roles"].found


def test_an_auditor_sees_all_of_it_and_no_name(settings: Settings, auditor: str) -> None:
    log = settings.log.model_copy(update={"database": auditor})
    proof, facts = seen(settings.model_copy(update={"log": log}))
    assert not unseen(facts)
    assert facts["accounts.auditor"].state is State.MET
    assert "1 kann sich anmelden, nächstes Ende 01.01.2099" in facts["accounts.auditor"].found
    told = page(proof)
    assert parsed_text(told, "nachweis.rst").astext()
    for secret in (NUMBER, NUMBER[-5:], "Erika", "erika_", "Muster", "Therme", "wartung"):
        assert secret not in told


def test_the_controllers_account_sees_less_and_says_so(settings: Settings, secured: CallDatabase) -> None:
    secured.query(sql.SQL("ALTER ROLE ari_agent_agent PASSWORD {}").format(sql.Literal(PASSWORD)))
    own = make_conninfo(secured.settings.database, user="ari_agent_agent")
    _, facts = seen(settings.model_copy(update={"log": settings.log.model_copy(update={"database": own})}))
    assert {"backup.backup", "retention.rules", "wording.calls", "notice.missing"} <= unseen(facts)
    assert facts["chain"].state is State.MET


def test_without_a_database_nothing_is_claimed_of_it(settings: Settings, secured: CallDatabase) -> None:
    gone = make_conninfo(secured.settings.database, dbname="nirgends")
    _, facts = seen(settings.model_copy(update={"log": settings.log.model_copy(update={"database": gone})}))
    questions = {
        "notice.missing", "notice.last", "version.knowledge", "version.schema", "wording.calls", "tls.database",
        "accounts.roles", "accounts.rights", "accounts.people", "retention.rules", "retention.run", "requests.late",
        "consent.missing", "recording.kept", "reconciliation", "numbers.sealed",
        "numbers.keys",
        "chain", "seals", "anchor", "retention.rewritten", "backup.backup", "backup.restore_test",
    }  # fmt: skip
    assert unseen(facts) == questions
    assert set(states(facts, *questions)) == {State.UNKNOWN}


@pytest.mark.usefixtures("logging_restored")
def test_the_command_writes_a_page_and_json_for_its_owner_alone(
    secured: CallDatabase, password_file: Path, tmp_path: Path
) -> None:
    path = settings_file(tmp_path, secured.settings.database, password_file)
    runner, out = CliRunner(), tmp_path / "nachweis" / "nachweis.rst"
    done = runner.invoke(app, ["report", "compliance", "--config", str(path), "--out", str(out)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "not as documented" in done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "Lindner & Söhne" in parsed_text(out.read_text(), "nachweis.rst").astext()
    done = runner.invoke(app, ["report", "compliance", "--config", str(path), "--json"])
    told: dict[str, Any] = json.loads(done.stdout)
    facts = {fact["key"]: fact for part in told["parts"] for fact in part["facts"]}
    assert facts["wording.setting"]["state"] == "met"
    assert {fact["state"] for fact in facts.values()} == {state.name.lower() for state in State}
    done = runner.invoke(app, ["report", "compliance", "--config", str(path), "--out", f"{path}/nachweis.rst"])
    assert done.exit_code == 1
    assert "cannot be written" in str(done.exception)
