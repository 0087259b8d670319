"""Callbacks, messages and notes: stored whole, listed for the desk, done once, and gone with their call."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.tasks import TaskReader
from ari_agent.record import Entry, TaskTaken
from database.servers import NUMBER, WAIT_S, CallDatabase, callback, noted, now, opened

CONTENT = ("Erika", "Söhne", "erika@", "Muster", "Therme", "Wartung", NUMBER[-6:])


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    """A settings file whose log is the test's database."""
    for name in ("secret", "knowledge.md"):
        (tmp_path / name).write_text("erfunden")
    password = f"password_file = '{calls.settings.password_file}'" if calls.settings.password_file else ""
    path = tmp_path / "ari-agent.toml"
    path.write_text(
        '[company]\nname = "Lindner Heizungsbau"\nknowledge = "knowledge.md"\n[speech]\nvosk_model = "."\n'
        '[asterisk]\nari_password_file = "secret"\nami_password_file = "secret"\n'
        f'[log]\ndatabase = "{calls.settings.database}"\n{password}\nnumber_key = "{calls.settings.number_key}"\n'
    )
    return path


async def record(calls: CallDatabase, *entries: Entry) -> None:
    async with PostgresLog.open(calls.settings, "another-node") as log:
        for entry in entries:
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0


async def agent(config: Path, group: str, *words: str) -> tuple[int | None, str, str]:
    """Run `ari-agent` with these words; return exit status, stdout and stderr."""
    program = [sys.executable, "-c", f"from ari_agent.cli.{group} import app; app()"]
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "TZ": "Europe/Berlin", "COLUMNS": "200"}
    async with asyncio.timeout(WAIT_S):
        process = await asyncio.create_subprocess_exec(*program, *words, stdout=PIPE, stderr=PIPE, env=environment)
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def due_in(hours: float, **changes: Any) -> TaskTaken:
    """A callback without a wished time, that has to be made so many hours from now."""
    return callback(uuid4(), **{"due": now() + timedelta(hours=hours - 1), "earliest": None, "latest": None, **changes})


async def test_a_callback_is_stored_as_it_was_taken(calls: CallDatabase) -> None:
    taken = callback(uuid4())
    await record(calls, taken)
    (row,) = calls.query("SELECT * FROM ari_agent.task")
    task = taken.task
    assert calls.number("task", taken.ident, row.pop("number")) == NUMBER
    assert len(row.pop("number_digest")) == 16
    assert row == {
        "id": taken.ident, "call": taken.call, "taken_at": taken.at, "kind": "callback", "caller_name": task.name,
        "company": task.company, "email": task.email, "recipient": task.recipient,
        "matter": task.matter, "earliest": task.earliest, "latest": task.latest, "due": task.due, "urgency": "high",
        "intent": "stoerung", "reason": "no-answer", "complete": True, "state": "open", "done_at": None,
        "done_by": None,
    }  # fmt: skip


async def test_what_was_not_said_stays_empty_and_a_long_matter_is_cut_but_not_lost(calls: CallDatabase) -> None:
    unsaid = dict.fromkeys(("name", "company", "email", "recipient", "intent", "reason"), "")
    times = dict.fromkeys(("number", "earliest", "latest", "due"))
    await record(calls, callback(uuid4(), **unsaid, **times, matter="ß" * 5000, complete=False))
    (row,) = calls.query("SELECT * FROM ari_agent.task")
    empty = {"caller_name", "company", "email", "recipient", "intent", "reason", *times, "done_at", "done_by"}
    assert {name for name, value in row.items() if value is None} == empty | {"number_digest"}
    assert (row["matter"], row["complete"]) == ("ß" * 2000, False)


async def test_a_note_is_stored_with_what_made_it_and_marked_as_generated(calls: CallDatabase) -> None:
    written = noted(uuid4())
    await record(calls, written)
    (row,) = calls.query("SELECT * FROM ari_agent.note")
    note = written.note
    assert row == {
        "call": written.call, "written_at": written.at, "who": note.who, "about": list(note.about),
        "agreed": list(note.agreed), "open": list(note.open), "urgency": "high", "ai_generated": True,
        "made_by": "ari-agent 0.3.0, encoder-de",
    }  # fmt: skip


async def test_texts_with_anything_in_them_are_stored(calls: CallDatabase) -> None:
    odd = '\'; DROP TABLE {a,"b"} \\ %s NUL \0 half \ud800 [red]'
    written = noted(uuid4())
    await record(calls, callback(uuid4(), matter=odd), replace(written, note=replace(written.note, open=(odd, ""))))
    stored = odd.replace("\0", "�").replace("\ud800", "?")
    assert calls.query("SELECT matter FROM ari_agent.task") == [{"matter": stored}]
    assert calls.query("SELECT open FROM ari_agent.note") == [{"open": [stored, ""]}]


async def test_events_tell_of_tasks_and_notes_without_their_content(calls: CallDatabase) -> None:
    taken, call = callback(uuid4()), uuid4()
    message = callback(call, kind="message")
    await record(calls, taken, message, noted(call))
    async with TaskReader.open(calls.settings) as reader:
        assert await reader.finish(taken.ident, "Frau Berg")
    events = calls.query("SELECT kind, code, detail FROM ari_agent.event ORDER BY seq")
    assert [tuple(event.values()) for event in events] == [
        ("task", "callback", {"task": str(taken.ident)}),
        ("task", "message", {"task": str(message.ident)}),
        ("note", "high", {}),
        ("task", "done", {}),
    ]


async def test_a_refused_task_leaves_no_content_in_log_and_events(calls: CallDatabase) -> None:
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(calls.settings, "another-node") as log:
            first = callback(uuid4())
            log.write(first)
            log.write(replace(first, call=uuid4()))  # another entry with the same id
            log.write(callback(uuid4(), reason="er sagte, die Therme tropft"))
            log.write(noted(first.call))
            log.write(noted(first.call))
            assert await log.flush(WAIT_S)
            assert log.refused == 3
    events = calls.query("SELECT code, detail FROM ari_agent.event WHERE kind = 'refused' ORDER BY seq")
    assert [(event["code"], event["detail"]["sqlstate"]) for event in events] == [
        ("task", "23505"),
        ("task", "23514"),
        ("note", "23505"),
    ]
    assert len(lines) == 3
    assert not [word for word in CONTENT if word in repr(lines) + repr(events)]


async def test_tasks_and_note_are_erased_with_their_call(calls: CallDatabase) -> None:
    kept, erased = uuid4(), uuid4()
    await record(calls, opened(kept), callback(kept), noted(kept), opened(erased), callback(erased), noted(erased))
    calls.query("DELETE FROM ari_agent.call WHERE id = %s", erased)
    assert calls.query("SELECT call FROM ari_agent.task") == calls.query("SELECT call FROM ari_agent.note")
    assert calls.query("SELECT call FROM ari_agent.note") == [{"call": kept}]


async def test_auditors_see_deadlines_and_short_numbers_but_neither_names_nor_words(calls: CallDatabase) -> None:
    call = uuid4()
    await record(calls, callback(call), noted(call), callback(uuid4(), number=None, due=None, kind="message"))
    late = due_in(-1)
    await record(calls, late)
    async with TaskReader.open(calls.settings) as reader:
        await reader.finish(late.ident, "Frau Berg")
    callbacks = calls.query("SELECT * FROM ari_agent.v_rueckrufe ORDER BY aufgenommen")
    notes = calls.query("SELECT * FROM ari_agent.v_notizen")
    assert not [word for word in (*CONTENT, "Berg") if word in repr(callbacks) + repr(notes)]
    shown = [(row["art"], row["rufnummer_pseudonym"], row["stand"], row["dringlichkeit"]) for row in callbacks]
    number = calls.pseudonym(NUMBER)
    assert shown == [
        ("Rückruf", number, "offen", "hoch"),
        ("Nachricht", "keine", "offen", "hoch"),
        ("Rückruf", number, "erledigt", "hoch"),
    ]
    assert [row["frist_ueberschritten"] for row in callbacks][1:] == [False, True]
    (note,) = notes
    assert (note["anruf"], note["ki_erzeugt"], note["erzeugt_von"]) == (call, True, "ari-agent 0.3.0, encoder-de")
    assert (note["themen"], note["vereinbart"], note["offen"]) == (2, 1, 1)


async def test_of_two_who_finish_a_callback_together_one_does_it(calls: CallDatabase) -> None:
    taken = callback(uuid4())
    await record(calls, taken)
    async with TaskReader.open(calls.settings) as one, TaskReader.open(calls.settings) as two:
        finished = await asyncio.gather(one.finish(taken.ident, "eins"), two.finish(taken.ident, "zwei"))
    assert sorted(finished) == [False, True]
    (row,) = calls.query("SELECT done_by FROM ari_agent.task")
    assert row["done_by"] == ("eins" if finished[0] else "zwei")
    assert calls.query("SELECT count(*) AS times FROM ari_agent.event WHERE code = 'done'") == [{"times": 1}]


async def test_the_list_shows_what_is_overdue_first_and_the_whole_number(calls: CallDatabase, config: Path) -> None:
    late, soon = due_in(-2, urgency="normal"), due_in(2, kind="message", matter="[bold]Rückfrage", complete=False)
    never = callback(uuid4(), due=None, number="keine Nummer")
    await record(calls, soon, never, late)

    status, out, err = await agent(config, "callbacks", "list")
    assert (status, err) == (1, "")
    places = [out.index(str(task.ident)[:8]) for task in (late, soon, never)]
    assert places == sorted(places)
    assert out.count("überfällig") == 1
    for shown in ("Frist", "+49 170 1234567", "erika@example.org", "für Herrn Muster", "keine Nummer", "Nachricht"):
        assert shown in out
    for shown in (
        "[bold]Rückfrage",
        "(unvollständig)",
        "gewünscht 23.11. 14:00 bis 16:00",
        "dringend",
        "Erika Beispiel",
    ):
        assert shown in out

    status, out, _ = await agent(config, "callbacks", "list", "--json")
    listed = json.loads(out)
    assert status == 1
    assert [(UUID(task["id"]), task["overdue"]) for task in listed] == [
        (late.ident, True),
        (soon.ident, False),
        (never.ident, False),
    ]
    assert listed[0]["number"] == NUMBER


async def test_a_callback_is_late_after_the_wished_time_or_an_hour_after_it_was_due(calls: CallDatabase) -> None:
    due, no_wish, wish = timedelta(minutes=-50), {"latest": None}, {"latest": now() - timedelta(minutes=1)}
    at_once = callback(uuid4(), due=now() + due, **no_wish)
    late = [callback(uuid4(), due=now() + due, **wish), callback(uuid4(), due=now() + 2 * due, **no_wish)]
    point = now() + due
    wished_at_a_point = callback(uuid4(), due=point, latest=point)
    await record(calls, at_once, wished_at_a_point, *late)
    async with TaskReader.open(calls.settings) as reader:
        assert {task["id"] for task in await reader.tasks() if task["overdue"]} == {task.ident for task in late}
    seen = calls.query("SELECT aufgabe FROM ari_agent.v_rueckrufe WHERE frist_ueberschritten")
    assert {row["aufgabe"] for row in seen} == {task.ident for task in late}


async def test_a_list_without_anything_overdue_or_at_all_is_good(calls: CallDatabase, config: Path) -> None:
    assert await agent(config, "callbacks", "list") == (0, "", "no open callbacks or messages\n")
    await record(calls, due_in(1))
    assert (await agent(config, "callbacks", "list"))[0] == 0


async def test_a_callback_is_finished_by_the_beginning_of_its_id(calls: CallDatabase, config: Path) -> None:
    taken = due_in(-1)
    await record(calls, taken)
    prefix = str(taken.ident)[:8].upper()
    assert await agent(config, "callbacks", "done", prefix, "--by", "Frau Berg") == (0, "", "")
    assert await agent(config, "callbacks", "done", prefix) == (1, "", "it was done already\n")
    assert (await agent(config, "callbacks", "list"))[:2] == (0, "")
    status, out, _ = await agent(config, "callbacks", "list", "--all")
    assert status == 0
    assert "Frau Berg" in out
    assert "überfällig" not in out


async def test_an_id_that_is_unknown_empty_or_not_unique_finishes_nothing(calls: CallDatabase, config: Path) -> None:
    unknown = (2, "", "no callback or message has this id\n")
    assert await agent(config, "callbacks", "done", "0") == unknown
    twins = [replace(due_in(1), ident=UUID(f"aaaaaaaa-0000-4000-8000-00000000000{last}")) for last in (1, 2)]
    await record(calls, *twins)
    assert await agent(config, "callbacks", "done", "") == unknown
    assert await agent(config, "callbacks", "done", "_" * 8) == unknown
    ambiguous = (2, "", "several ids begin so: type more of it\n")
    assert await agent(config, "callbacks", "done", "aaaaaaaa") == ambiguous
    assert calls.query("SELECT DISTINCT state FROM ari_agent.task") == [{"state": "open"}]


async def test_a_call_is_shown_with_its_tasks_and_its_note_marked_as_generated(
    calls: CallDatabase, config: Path
) -> None:
    call = uuid4()
    await record(calls, opened(call), callback(call), noted(call))

    status, out, _ = await agent(config, "calls", "show", str(call)[:8])
    assert status == 0
    assert "KI-Notiz, bitte prüfen (ari-agent 0.3.0, encoder-de)" in out
    assert "Wer: Erika Beispiel, Beispiel und Söhne" in out
    assert "Thema: Wartung; Rückruf erbeten: die Therme tropft" in out
    assert "Erika Beispiel, Beispiel und Söhne, …567" in out
    assert "Rückruf aufgenommen" in out
    assert NUMBER[-4:] not in out

    status, out, _ = await agent(config, "calls", "show", str(call), "--json")
    shown = json.loads(out)
    assert NUMBER[-4:] not in out
    assert shown["note"]["ai_generated"] is True
    assert shown["note"]["made_by"] == "ari-agent 0.3.0, encoder-de"
    assert [task["matter"] for task in shown["tasks"]] == ["die Therme tropft"]
