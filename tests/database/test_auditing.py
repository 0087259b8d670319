"""Every statement of the auditor's guide, run with an auditor's rights, gives the answer that is known."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ari_agent.calllog import accounts
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.record import CallAnswered, CallClosed, DisclosurePlayed, EscalationEnded
from database.servers import (
    NUMBER,
    QUESTION,
    WAIT_S,
    CallDatabase,
    callback,
    consent,
    noted,
    now,
    opened,
    recording,
    turn,
)

GUIDE = Path(__file__).resolve().parents[2] / "deploy" / "compliance" / "pruefer.rst"

GOOD = UUID("00000000-0000-4000-8000-000000000001")
SILENT = UUID("00000000-0000-4000-8000-000000000002")
"""Its caller talked without having heard the notice."""
FAILED = UUID("00000000-0000-4000-8000-000000000003")
LOST = UUID("00000000-0000-4000-8000-000000000004")
"""Its opening entry is missing."""
NOTICE = "ab" * 32
MADE_BY = "ari-agent 0.3.0, encoder-de"
TRIGGERS = (
    "anchor", "backup_proof", "compaction", "deletion", "event", "knowledge_passage", "knowledge_version",
    "reconciliation", "reconciliation_finding", "recording_access", "transfer",
)  # fmt: skip


def questions() -> dict[str, list[str]]:
    """The statements of each numbered section."""
    parts = re.split(r"^(\d+) .+\n-+$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = zip(parts[::2], parts[1::2], strict=True)
    return {number: re.findall(r"^    (SELECT.+?;)$", text, re.MULTILINE | re.DOTALL) for number, text in found}


@pytest.fixture
async def audited(calls: CallDatabase) -> CallDatabase:
    """A log with one good call and one of each kind that an auditor looks for."""
    await accounts.install(calls.settings, accounts.roles())
    at = now() - timedelta(minutes=10)
    async with PostgresLog.open(calls.settings, "eins") as log:
        for entry in (
            opened(GOOD, at=at),
            CallAnswered(GOOD, at, 412.0),
            DisclosurePlayed(GOOD, at, 8250.0, NOTICE),
            consent(GOOD),
            recording(GOOD),
            turn(GOOD),
            EscalationEnded(GOOD, now(), "empfang", "wish-for-person", "no-answer", 20000.0),
            callback(GOOD, due=now() + timedelta(days=1), latest=None),
            noted(GOOD),
            CallClosed(GOOD, now(), "solved", "goodbye", 1),
            opened(SILENT, at=at + timedelta(minutes=1)),
            turn(SILENT, caller_text="was kostet die wartung"),
            CallClosed(SILENT, now(), "solved", "goodbye", 1),
            opened(FAILED, at=at + timedelta(minutes=2), caller=None),
            CallClosed(FAILED, now(), "to-queue", "engine-failed", 0),
            CallAnswered(LOST, at, 400.0),
            recording(SILENT),
        ):
            log.write(entry)
        assert await log.flush(WAIT_S)
    calls.query("UPDATE ari_agent.turn SET caller_text = 'was kostet die wartung' WHERE call = %s", SILENT)
    calls.query("SELECT nextval('ari_agent.event_seq_seq')")
    calls.query(
        "INSERT INTO ari_agent.event (entry, call, at, kind) VALUES (gen_random_uuid(), %s, now(), 'note')", GOOD
    )
    calls.query("""
        INSERT INTO ari_agent.knowledge_version
            (number, at, action, author, note, sources, sha256, passages, added, changed, removed)
        VALUES (1, now() - interval '1 day', 'import', 'berg', '', '[]', repeat('cd', 32), 3, 3, 0, 0);
        INSERT INTO ari_agent.subject_request (id, ticket, received_on, due_on)
        VALUES ('00000000-0000-4000-8000-00000000000a', 'DS-1', '2026-01-31', '2026-02-28');
        INSERT INTO ari_agent.subject_action (request, at, action, identity, found, places)
        VALUES ('00000000-0000-4000-8000-00000000000a', '2026-02-02 10:00+00', 'erase', 'letter', 4, '{"call": 4}');
        INSERT INTO ari_agent.deletion (run, at, cause, place, days, rows)
        VALUES (gen_random_uuid(), '2026-02-01 03:00+00', 'retention', 'note', 90, 7);
        INSERT INTO ari_agent.deletion (run, at, cause, place, rows, request)
        VALUES (
            gen_random_uuid(), '2026-02-02 10:00+00', 'request', 'call', 4, '00000000-0000-4000-8000-00000000000a'
        );
        INSERT INTO ari_agent.correction (note, revision, field, person, new)
        VALUES ('00000000-0000-4000-8000-000000000001', 1, 'open', 'Frau Tal', '{Erika wartet}');
        INSERT INTO ari_agent.transfer (action, what, person) VALUES ('export', '{notes,contacts}', 'Frau Tal');
        INSERT INTO ari_agent.anchor (number, hash, at, key, signature)
        SELECT number, hash, now(), repeat('a', 16), repeat('A', 88) FROM ari_agent.event WHERE number = 2;
        INSERT INTO ari_agent.reconciliation
            (since, until, source, calls, entries, filed, withdrawn, broken, rolled_back, unexplained)
        VALUES (now() - interval '7 days', now(), 'csv', 4, 4, 1, 0, 0, 1, 1);
        INSERT INTO ari_agent.reconciliation_finding (run, kind, cause, call, at, explained) VALUES
            (1, 'missing', 'bypass', '00000000-0000-4000-8000-0000000000aa', now(), true),
            (1, 'no-cdr', 'no-cdr', '00000000-0000-4000-8000-000000000001', now(), false);
        INSERT INTO ari_agent.backup_proof (at, kind) VALUES ('2026-01-01 02:00+00', 'restore-test');
        INSERT INTO ari_agent.call (id, opened_at, closed_at, caller)
        VALUES (
            '00000000-0000-4000-8000-0000000000ff', now() - interval '92 days', now() - interval '92 days', sha512('x')
        )
    """)
    return calls


@pytest.fixture
def auditor(audited: CallDatabase) -> Iterator[psycopg.Connection[DictRow]]:
    with psycopg.connect(**audited.admin, row_factory=dict_row, autocommit=True) as connection:
        connection.execute("SET SESSION AUTHORIZATION ari_agent_auditor")
        yield connection


def values(rows: list[DictRow], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_the_guide_answers_the_fifteen_questions_of_an_auditor(
    auditor: psycopg.Connection[DictRow], audited: CallDatabase
) -> None:
    asked = questions()
    assert list(asked) == [str(number) for number in range(1, 16)]
    answers = {number: [auditor.execute(text.encode()).fetchall() for text in texts] for number, texts in asked.items()}

    (run,), findings, incomplete, (numbers,), gaps = answers["1"]
    assert (run["anrufe_der_anlage"], run["nachgetragen"], run["ungeklaert"]) == (4, 1, 1)
    assert (run["unlesbare_zeilen"], run["ergebnis"]) == (0, "nicht vollständig")
    assert values(findings, "befund", "ursache", "geklaert", "anrufe") == [
        ("Zeile ohne Anruf der Anlage", "Telefonanlage kennt den Anruf nicht", False, 1),
        ("Zeile fehlte, nachgetragen", "KI war abgeschaltet", True, 1),
    ]
    assert (numbers["erste_nummer"], numbers["abgebrochene_schreibversuche"]) == (1, 1)
    assert values(incomplete, "anruf", "mangel") == [(LOST, "Beginn fehlt")]
    assert values(gaps, "von", "bis", "anzahl") == [(18, 18, 1)]
    assert values(answers["2"][0], "anruf", "mangel") == [(SILENT, "Hinweis fehlt")]
    unasked, asked_for, recordings, handed_out, words = answers["3"]
    assert values(unasked, "anruf", "mangel") == [(SILENT, "keine Einwilligung")]
    assert values(asked_for, "anruf", "antwort", "weg", "umfang", "frage") == [
        (GOOD, "erteilt", "gesprochen", "Ton und Mitschrift", QUESTION)
    ]
    assert values(recordings, "anruf", "art") == [(GOOD, "Ton"), (SILENT, "Ton")]
    assert handed_out == []
    assert values(words, "anruf", "schritte") == [(SILENT, 1)]
    (periods,) = answers["4"]
    overdue = {row["datenart"]: (row["tage"], row["ueberfaellig"]) for row in periods}
    assert overdue["Rufnummer des Anrufers"] == (90, 1)
    assert len(overdue) == 10
    assert sum(rows for _, rows in overdue.values()) == 1
    seen, transfers, (server,) = answers["5"]
    assert values(transfers, "vorgang", "umfang", "person") == [("Export", "notes, contacts", "Frau Tal")]
    assert values(seen, "vorgang", "aktenzeichen", "identitaet", "eintraege") == [("Löschung", "DS-1", "letter", 4)]
    assert server["pgaudit"] == "nicht geladen"
    names = ("aktenzeichen", "stand", "identitaet", "frist_ueberschritten")
    assert values(answers["6"][0], *names) == [("DS-1", "gelöscht", "letter", False)]
    (files,) = answers["7"][1]
    assert (files["zuletzt"], files["offene_loeschungen"]) == (None, 2)
    assert values(answers["7"][0], "anlass", "datenart", "tage", "eintraege", "aktenzeichen") == [
        ("Frist abgelaufen", "Notiz zum Anruf", 90, 7, None),
        ("Anfrage", "Anruf mit seinen Gesprächsschritten", None, 4, "DS-1"),
    ]
    served, versions = answers["8"]
    (good,) = [row for row in served if row["anruf"] == GOOD]
    assert good == {
        "anruf": GOOD, "wissensstand": 1, "ki_hinweis_pruefsumme": NOTICE, "programm_und_modell": MADE_BY,
        "entschieden_von": "encoder",
    }  # fmt: skip
    assert values(versions, "stand", "vorgang", "textstellen") == [(1, "Einlesen von Dokumenten", 3)]
    months, tried, callbacks, callers = answers["9"]
    assert values(months, "ergebnis", "versuche") == [("no-answer", 1)]
    columns = ("anruf", "ziel", "ergebnis", "angenommen", "rueckruf_erledigt")
    assert values(tried, *columns) == [(GOOD, "empfang", "no-answer", False, None)]
    same = audited.pseudonym(NUMBER)
    assert values(callbacks, "rufnummer_pseudonym", "stand", "frist_ueberschritten") == [(same, "offen", False)]
    assert {row["anruf"]: row["anrufer_pseudonym"] for row in callers if row["anruf"] in (GOOD, SILENT, FAILED)} == {
        GOOD: same, SILENT: same, FAILED: "unterdrückt",
    }  # fmt: skip
    by_name = {row["konto"]: row for row in answers["10"][0]}
    assert not by_name["ari_agent_owner"]["darf_anmelden"]
    assert by_name["ari_agent_migrate"]["mitglied_von"] == "ari_agent_owner"
    assert any(row["superuser"] for row in by_name.values())
    (since,), new_seals, (chain,), seals, corrected, kept, triggers = answers["11"]
    assert (since["in_ordnung"], since["ab_nummer"], since["erster_fehler"]) == (True, 2, None)
    assert since["ereignisse"] == chain["ereignisse"] - 2
    assert values(kept, "nummer") == [(2,)]
    assert (new_seals, corrected) == ([], [])
    assert (chain["in_ordnung"], chain["erster_fehler"], chain["letzte_nummer"]) == (True, None, chain["ereignisse"])
    assert seals == []
    assert values(triggers, "tabelle", "stand") == [(table, "A" if table == "event" else "O") for table in TRIGGERS]
    assert values(answers["12"][0], "grund", "anrufe", "minuten") == [("engine-failed", 1, 1)]
    made_by, notes, corrections, shares, sample = answers["13"]
    assert values(made_by, "ki_erzeugt", "erzeugt_von", "notizen") == [(True, MADE_BY, 1)]
    assert values(corrections, "anruf", "art", "feld", "korrigiert_von") == [(GOOD, "Notiz", "Offen", "Frau Tal")]
    share = {(row["art"], row["feld"]): (row["geschrieben"], row["korrigiert"]) for row in shares}
    assert (share["Notiz", "Offen"], share["Notiz", "Wer"]) == ((1, 1), (1, 0))
    assert values(notes, "anruf", "ki_erzeugt", "erzeugt_von") == [(GOOD, True, MADE_BY)]
    assert len(sample) <= 1
    (connections,), (key,) = answers["14"]
    assert connections["tls"] in ("on", "off")
    assert (key["id"], key["unversiegelt"]) == (audited.numbers().names[-1], 0)
    proofs, (archive,) = answers["15"]
    assert values(proofs, "art") == [("geprüfte Rücksicherung",)]
    assert archive["archivierung"] == "off"

    everything = repr([dict(row) for results in answers.values() for rows in results for row in rows])
    for secret in (NUMBER, NUMBER[-4:], "Erika", "wartung", "berg"):
        assert secret not in everything


def test_of_fifty_notes_one_is_in_the_sample_on_average(audited: CallDatabase) -> None:
    audited.query("""
        INSERT INTO ari_agent.call (id, channel) SELECT md5(n::text)::uuid, 'many' FROM generate_series(1, 1000) AS n;
        INSERT INTO ari_agent.note (call, written_at, who, about, agreed, open, urgency, made_by)
        SELECT id, now(), '', '{}', '{}', '{}', 'low', 'x' FROM ari_agent.call WHERE channel = 'many'
    """)
    (sample,) = audited.query("SELECT count(*) AS notes FROM ari_agent.v_notizstichprobe")
    assert 5 <= sample["notes"] <= 40


async def test_counts_for_the_metrics_account(audited: CallDatabase) -> None:
    def count() -> DictRow:
        with psycopg.connect(**audited.admin, row_factory=dict_row) as connection:
            connection.execute("SET SESSION AUTHORIZATION ari_agent_metrics")
            row: DictRow = connection.execute("SELECT * FROM ari_agent.v_kennzahlen").fetchall()[0]
            return row

    counts = await asyncio.to_thread(count)
    assert counts["offene_rueckrufe"] == 1
    assert (counts["ueberfaellige_rueckrufe"], counts["ueberfaellige_anfragen"]) == (0, 0)
    assert counts["ueberfaellige_zeilen"] == 1
    assert counts["letzter_loeschlauf"].year == 2026


@pytest.mark.parametrize(
    ("rule", "condition"),
    [
        ("expired_notes(now())", "written_at <="),
        ("expired_tasks(now(), 'done')", "done_at <="),
        ("expired_numbers(now())", "opened_at <="),
        ("expired_calls(now())", "opened_at <="),
    ],
)
def test_what_has_expired_is_looked_up_by_its_time(audited: CallDatabase, rule: str, condition: str) -> None:
    """Looking through every row would take an auditor, and the figures every quarter of an hour, seconds."""
    with psycopg.connect(**audited.admin) as connection:
        connection.execute("SET enable_seqscan = off")  # as it is by itself in a large log
        plan = connection.execute(f"EXPLAIN SELECT count(*) FROM ari_agent.{rule}".encode()).fetchall()  # noqa: S608
    assert any("Index Cond" in line and condition in line for (line,) in plan), plan


def test_functions_that_take_a_span_are_planned_for_it(audited: CallDatabase) -> None:
    """A plan for any span looks through the whole log for every page of ten thousand events."""
    planned = audited.query("""
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'ari_agent'::regnamespace AND 'plan_cache_mode=force_custom_plan' = ANY(proconfig)
    """)
    assert {row["proname"] for row in planned} >= {"kette_fehler", "siegel_fehler", "ueberfaellig"}
