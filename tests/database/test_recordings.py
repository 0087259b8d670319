"""Recordings in the call log: none without its consent, none without a trace of who took it out, none for too long."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from ari_agent.calllog import accounts
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.record import ConsentTaken, Entry
from database.servers import QUESTION, WAIT_S, CallDatabase, consent, now, opened, recording

AT = now()
LATER = AT + timedelta(seconds=30)
CALL = UUID("00000000-0000-4000-8000-000000000001")


async def write(calls: CallDatabase, *entries: Entry) -> int:
    """Write entries; return how many the database refused."""
    async with PostgresLog.open(calls.settings, "eins") as log:
        for entry in entries:
            log.write(entry)
        assert await log.flush(WAIT_S)
        return log.refused


STORIES: dict[str, tuple[list[Entry], str | None]] = {
    "given before": ([consent(CALL, at=AT), recording(CALL, at=LATER)], None),
    "never asked": ([recording(CALL, at=LATER)], "keine Einwilligung"),
    "refused": (
        [consent(CALL, answer="refused", way="silence", at=AT), recording(CALL, at=LATER)],
        "keine Einwilligung",
    ),
    "given too late": ([consent(CALL, at=LATER), recording(CALL, at=AT)], "vor der Einwilligung begonnen"),
    "for something else": ([consent(CALL, scope="transcript", at=AT), recording(CALL, at=LATER)], "keine Einwilligung"),
    "for words alone": ([consent(CALL, scope="transcript", at=AT), recording(CALL, "transcript", at=LATER)], None),
    "taken back": (
        [consent(CALL, at=AT), consent(CALL, answer="withdrawn", at=LATER), recording(CALL, at=AT)],
        "trotz Widerruf aufbewahrt",
    ),
}


@pytest.mark.parametrize("name", STORIES)
async def test_an_auditor_sees_a_recording_without_consent(calls: CallDatabase, name: str) -> None:
    entries, fault = STORIES[name]
    assert await write(calls, opened(CALL), *entries) == 0
    seen = calls.query("SELECT anruf, mangel FROM ari_agent.v_aufzeichnung_ohne_einwilligung")
    assert seen == ([{"anruf": CALL, "mangel": fault}] if fault else [])
    calls.query("DELETE FROM ari_agent.recording")
    assert calls.query("SELECT anruf, mangel FROM ari_agent.v_aufzeichnung_ohne_einwilligung") == seen
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]


async def test_a_recording_that_no_event_tells_of_is_seen_too(calls: CallDatabase) -> None:
    await write(calls, consent(CALL))
    calls.query(
        "INSERT INTO ari_agent.recording (id, call, kind, at, node, duration_ms, size, sha256) "
        "VALUES (gen_random_uuid(), %s, 'audio', now(), 'eins', 1, 1, repeat('0', 64))",
        CALL,
    )
    assert calls.query("SELECT mangel FROM ari_agent.v_aufzeichnung_ohne_einwilligung") == [
        {"mangel": "nicht protokolliert"}
    ]


async def test_the_wording_of_a_question_is_kept_once_and_only_with_its_own_hash(calls: CallDatabase) -> None:
    others = consent(CALL, answer="refused", way="other")
    assert await write(calls, consent(CALL), others, consent(uuid4())) == 0
    assert calls.query("SELECT text FROM ari_agent.consent_text") == [{"text": QUESTION}]
    false = ConsentTaken(CALL, now(), "given", "key", "audio", "Dürfen wir?", others.text_sha256[::-1])
    assert await write(calls, false) == 1
    asked = calls.query("SELECT antwort, weg, frage FROM ari_agent.v_einwilligungen WHERE anruf = %s", CALL)
    assert {(row["antwort"], row["weg"], row["frage"]) for row in asked} == {
        ("erteilt", "gesprochen", QUESTION),
        ("nicht erteilt", "andere Worte", QUESTION),
    }


async def test_who_hands_out_a_recording_is_on_record_by_account_and_in_the_chain(calls: CallDatabase) -> None:
    await accounts.install(calls.settings, accounts.roles())
    kept = recording(CALL)
    await write(calls, consent(CALL), kept)
    with psycopg.connect(**calls.admin, row_factory=dict_row, autocommit=True) as connection:
        connection.execute("SET SESSION AUTHORIZATION ari_agent_privacy")
        connection.execute("SELECT ari_agent.hand_out(%s, 'berg')", (kept.ident,))
        with pytest.raises(psycopg.errors.NoDataFound):
            connection.execute("SELECT ari_agent.hand_out(gen_random_uuid(), 'berg')")
        for forged in (
            sql.SQL("INSERT INTO ari_agent.recording_access (recording, call, login) VALUES (%s, %s, 'x')"),
            sql.SQL("INSERT INTO ari_agent.event (entry, call, at, kind) VALUES (%s, %s, now(), 'recording')"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forged, (kept.ident, CALL))
        (seen,) = connection.execute("SELECT * FROM ari_agent.v_aufzeichnung_einsichten").fetchall()
    assert (seen["konto"], seen["anmeldename"], seen["aufzeichnung"]) == ("ari_agent_privacy", "berg", kept.ident)
    (event,) = calls.query("SELECT detail FROM ari_agent.event WHERE code = 'handed-out'")
    assert event["detail"] == {"recording": str(kept.ident), "kind": "audio", "access": seen["nummer"]}
    with pytest.raises(psycopg.errors.RaiseException):
        calls.query("DELETE FROM ari_agent.recording_access")


async def test_what_is_too_old_is_counted_by_kind_and_its_call_stays_as_long(calls: CallDatabase) -> None:
    sound, words = recording(CALL, at=AT), recording(CALL, "transcript", at=AT)
    await write(calls, opened(CALL, at=AT), consent(CALL), sound, words)

    def due(days: float) -> dict[str, int]:
        rows = calls.query("SELECT art, zeilen FROM ari_agent.ueberfaellig(%s)", AT + timedelta(days=days))
        return {row["art"]: row["zeilen"] for row in rows if row["zeilen"]}

    assert due(1.9) == {}
    assert due(2) == {"transcript": 1}
    assert due(7) == {"transcript": 1, "audio": 1}
    calls.query("UPDATE ari_agent.retention_rule SET days = 1 WHERE kind = 'call'")
    assert due(2) == {"transcript": 1}
    assert due(7) == {"transcript": 1, "audio": 1, "call": 1}
