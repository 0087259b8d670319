"""People correct what the AI wrote: the original stays, nobody overwrites anybody, auditors see that it happened."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts, retention
from ari_agent.calllog.chain import ChainReader
from ari_agent.calllog.corrections import Correctable, Corrector, Kind, correction_of, told
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.reading import CallReader, Row
from ari_agent.calllog.tasks import TaskReader
from ari_agent.cli import correcting
from ari_agent.cli.correcting import Correcting
from ari_agent.config import Log, load
from ari_agent.errors import AgentError, CallLogError
from ari_agent.keeping import RetentionSettings
from ari_agent.record import Entry, TaskTaken
from database.pbx_files import settings_file
from database.servers import NUMBER, WAIT_S, CallDatabase, callback, noted, now, opened

WORDS = ("Erika", "Muster", "Therme", "Kessel", NUMBER[-6:])


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    return settings_file(tmp_path, calls.settings.database, calls.settings.password_file)


async def record(calls: CallDatabase, *entries: Entry) -> None:
    async with PostgresLog.open(calls.settings, "eins") as log:
        for entry in entries:
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0


async def one_call(calls: CallDatabase, caller: str | None = NUMBER, **changes: Any) -> TaskTaken:
    """A call with a callback and a note; return the callback."""
    taken = callback(uuid4(), **changes)
    await record(calls, opened(taken.call, caller=caller), taken, noted(taken.call))
    return taken


async def run(config: Path, *words: str, stdin: object = None) -> tuple[int | None, str, str]:
    """Run `ari-agent` as a process of its own."""
    imported = f"from ari_agent.cli.{words[0]} import app; from ari_agent.cli.start import run"
    program = [sys.executable, "-c", f"{imported}; run(app)"]
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "TZ": "Europe/Berlin", "COLUMNS": "200"}
    async with asyncio.timeout(WAIT_S * 3):
        process = await asyncio.create_subprocess_exec(
            *program, *words[1:], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        out, err = await process.communicate(json.dumps(stdin).encode())
    return process.returncode, out.decode(), err.decode()


Agent = Callable[..., Awaitable[tuple[int | None, str, str]]]


@pytest.fixture
def correct(config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Agent:
    """Does what the commands do, with JSON on stdin."""

    async def correct(
        kind: Kind, ident: object, given: object, *fields: str, by: str = "", revision: int | None = None
    ) -> tuple[int | None, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(given)))
        asked = Correcting(kind, str(ident), fields, by, revision, as_json=True)
        try:
            status = await correcting.correct(load(config), asked)
        except AgentError as e:
            return 2, "", f"{e}\n"
        told = capsys.readouterr()
        return status, told.out, told.err

    return correct


async def shown(calls: CallDatabase, call: UUID) -> Row:
    async with CallReader.open(calls.settings) as reader:
        note = await reader.note(call)
        assert note
        return told(note, tuple(map(correction_of, await reader.corrections(call))))


async def looked_at(corrector: Corrector, call: UUID) -> Correctable:
    (found,) = await corrector.beginning("note", str(call))
    return found


def corrections(calls: CallDatabase) -> list[tuple[Any, ...]]:
    found = calls.query("SELECT revision, field, person, old, new FROM ari_agent.correction ORDER BY at")
    return [tuple(row.values()) for row in found]


async def test_what_a_person_corrects_stands_beside_what_the_ai_wrote(
    calls: CallDatabase, config: Path, correct: Agent
) -> None:
    call = (await one_call(calls)).call
    before = calls.query("SELECT * FROM ari_agent.note")
    given = {"who": "Frau Muster\n", "open": ["Kessel prüfen", " "], "urgency": "niedrig"}
    status, out, err = await run(config, "calls", "correct", str(call)[:8], "--by", "Frau Berg", "--json", stdin=given)
    assert (status, err) == (0, "corrected: who, open, urgency\n")
    told = json.loads(out)
    assert (told["who"], told["open"], told["urgency"], told["revision"]) == (
        "Frau Muster",
        ["Kessel prüfen"],
        "low",
        3,
    )
    assert calls.query("SELECT * FROM ari_agent.note") == before
    assert corrections(calls) == [
        (1, "who", "Frau Berg", ["Erika Beispiel, Beispiel und Söhne"], ["Frau Muster"]),
        (2, "open", "Frau Berg", ["Empfang nicht erreicht"], ["Kessel prüfen"]),
        (3, "urgency", "Frau Berg", ["high"], ["low"]),
    ]

    status, out, _ = await run(config, "calls", "show", str(call), "--json")
    note = json.loads(out)["note"]
    assert (note["who"], note["about"], note["ai_generated"]) == (
        "Frau Muster", ["Wartung", "Rückruf erbeten: die Therme tropft"], True,
    )  # fmt: skip
    assert {field: part["ai_generated"] for field, part in note["fields"].items()} == {
        "who": False, "about": True, "agreed": True, "open": False, "urgency": False,
    }  # fmt: skip
    assert note["fields"]["who"]["original"] == "Erika Beispiel, Beispiel und Söhne"
    status, out, _ = await run(config, "calls", "show", str(call))
    assert "Wer: Frau Muster (korrigiert von Frau Berg," in out
    assert "Dringlichkeit: niedrig (korrigiert von Frau Berg," in out
    assert "Thema: Wartung; Rückruf erbeten: die Therme tropft\n" in out
    assert "Notiz korrigiert: Wer" in out

    everything = {"who": "x", "about": [], "agreed": [], "open": [], "urgency": "low"}
    assert (await correct("note", call, everything))[0] == 0
    assert (await shown(calls, call))["ai_generated"] is False
    status, _, err = await correct("note", call, everything)
    assert (status, err) == (1, "nothing was corrected\n")


async def test_of_two_who_correct_at_once_the_second_is_told_and_nothing_is_lost(
    calls: CallDatabase, correct: Agent
) -> None:
    call = (await one_call(calls)).call
    async with Corrector.open(calls.settings) as one, Corrector.open(calls.settings) as two:
        looked = [await looked_at(corrector, call) for corrector in (one, two)]
        stored = await asyncio.gather(
            one.store(looked[0], {"who": ("eins",), "open": ()}, "eins"),
            two.store(looked[1], {"agreed": ("zwei",), "about": ("zwei",)}, "zwei"),
        )
        assert sorted(stored) == [False, True]
        (winner, loser) = ("eins", "zwei") if stored[0] else ("zwei", "eins")
        assert {person for _, _, person, _, _ in corrections(calls)} == {winner}
        assert len(corrections(calls)) == 2
        assert await one.store(await looked_at(one, call), {"urgency": ("low",)}, loser)
    refused = (2, "", "somebody corrected it meanwhile, and nothing of yours was stored: look at it again\n")
    assert await correct("note", call, {"who": "drei"}, revision=2) == refused
    assert (await correct("note", call, {"who": "drei"}, revision=3))[0] == 0


async def test_a_correction_is_an_event_without_words_and_sealed(calls: CallDatabase) -> None:
    taken = await one_call(calls)
    async with Corrector.open(calls.settings) as corrector:
        await corrector.store(await looked_at(corrector, taken.call), {"who": ("Frau Muster",)}, "Frau Berg")
        (task,) = await corrector.beginning("task", str(taken.ident))
        await corrector.store(task, {"number": ("+4989123456",)}, "Frau Berg")
    events = calls.query("SELECT detail FROM ari_agent.event WHERE code = 'corrected' ORDER BY seq")
    told = [{name: value for name, value in event["detail"].items() if name != "seal"} for event in events]
    assert told == [
        {"of": "note", "field": "who", "revision": 1},
        {"of": "task", "field": "number", "revision": 1, "task": str(taken.ident)},
    ]
    assert not [word for word in (*WORDS, "Berg", "123456") if word in repr(events)]
    assert await faults(calls) == []
    calls.query("UPDATE ari_agent.correction SET person = 'Frau Tal' WHERE field = 'who'")
    assert await faults(calls) == ["Korrektur verändert"]


async def faults(calls: CallDatabase) -> list[str]:
    """What an examination finds in chain, seals and corrections."""
    async with ChainReader.open(calls.settings) as reader:
        found = await reader.examine()
    return [fault.finding for fault in (*found.faults, *found.seal_faults)]


async def test_a_callback_is_corrected_and_listed_as_it_is_now(
    calls: CallDatabase, config: Path, correct: Agent
) -> None:
    taken = await one_call(calls, due=now() - timedelta(days=2), earliest=None, latest=None)
    other = await one_call(calls, due=now() + timedelta(hours=3), earliest=None, latest=None)
    later = (now() + timedelta(days=1)).astimezone().strftime("%d.%m.%Y %H:%M")
    given = {"number": "089 123 456", "company": None, "earliest": later, "matter": "der Kessel"}
    status, out, err = await correct("task", taken.ident, given)
    assert status == 0, err
    assert json.loads(out)["corrected"]["number"]["original"] == NUMBER
    async with TaskReader.open(calls.settings) as reader:
        first, second = await reader.tasks()
    assert (first["id"], second["id"]) == (other.ident, taken.ident)
    assert (second["number"], second["company"], second["matter"]) == ("+4989123456", None, "der Kessel")
    assert (second["overdue"], second["email"]) == (False, "erika@example.org")
    assert set(second["corrected"]) == set(given)
    status, out, _ = await run(config, "callbacks", "list")
    assert status == 0
    assert "+49 89 123456" in out
    assert "korrigiert: Rufnummer, Firma, Anliegen, Gewünscht ab" in " ".join(out.split())
    status, out, _ = await run(config, "calls", "show", str(taken.call), "--json")
    assert "123456" not in out
    assert json.loads(out)["tasks"][0]["number"] == "…456"
    assert (await correct("task", taken.ident, {"earliest": None}))[0] == 0
    async with TaskReader.open(calls.settings) as reader:
        assert [task["overdue"] for task in await reader.tasks()] == [True, False]  # due again as it was


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": "x"}, "'name' is no field"),
        ({"who": ""}, "who: this cannot be empty"),
        ({"who": ["a", "b"]}, "who: write one text"),
        ({"who": 7}, "who: write one text"),
        ({"open": "ok", "about": [1]}, "about: write a list of texts"),
        ({"urgency": "sofort"}, "urgency: write low, normal or high"),
        ({"who": "Therme " * 100}, "who: longer than 500"),
        ({"open": ["Therme"] * 101}, "open: too much"),
        ("Therme", "no JSON object"),
    ],
)
async def test_a_correction_that_cannot_be_is_refused_without_repeating_it(
    calls: CallDatabase, correct: Agent, given: object, reason: str
) -> None:
    call = (await one_call(calls)).call
    status, out, err = await correct("note", call, given)
    assert (status, out) == (2, "")
    assert reason in err
    assert "Therme" not in err
    assert corrections(calls) == []


async def test_numbers_and_moments_of_callbacks_are_checked(calls: CallDatabase, correct: Agent) -> None:
    ident = (await one_call(calls)).ident
    for given, reason in (({"number": "12"}, "no valid telephone"), ({"latest": "31.02.2026 9 Uhr"}, "no moment")):
        status, _, err = await correct("task", ident, given)
        assert status == 2
        assert reason in err
    assert (await correct("task", ident, {}, "fax"))[0] == 2
    assert (await correct("task", ident, {"number": "089 123456"}, "name"))[0] == 2
    assert await correct("task", uuid4(), {}) == (1, "", "no callback or message has this id\n")
    assert corrections(calls) == []


async def test_on_a_terminal_each_field_is_asked_for(calls: CallDatabase, config: Path) -> None:
    call = (await one_call(calls)).call
    master, terminal = pty.openpty()
    os.write(master, "Frau Muster\n\nanders\n\n-\nKessel prüfen\n\n".encode())
    program = [sys.executable, "-c", "from ari_agent.cli.calls import app; app()"]
    process = await asyncio.create_subprocess_exec(
        *program, "correct", str(call), "who", "about", "open", "--by", "Frau Berg",
        stdin=terminal, stdout=PIPE, stderr=PIPE, env={**os.environ, "ARI_AGENT_CONFIG": str(config)},
    )  # fmt: skip
    os.close(terminal)
    async with asyncio.timeout(WAIT_S * 3):
        _, err = await process.communicate()
    os.close(master)
    assert process.returncode == 0, err.decode()
    assert "Thema [Wartung]" in err.decode()
    assert [(field, new) for _, field, _, _, new in corrections(calls)] == [
        ("who", ["Frau Muster"]),
        ("about", ["Wartung", "anders"]),
        ("open", ["Kessel prüfen"]),
    ]


async def test_who_comes_second_at_a_terminal_sees_what_the_first_wrote_and_decides(
    calls: CallDatabase, config: Path
) -> None:
    call = (await one_call(calls)).call
    master, terminal = pty.openpty()
    program = [sys.executable, "-c", "from ari_agent.cli.calls import app; app()"]
    process = await asyncio.create_subprocess_exec(
        *program, "correct", str(call), "who", "--by", "Frau Tal",
        stdin=terminal, stdout=PIPE, stderr=PIPE, env={**os.environ, "ARI_AGENT_CONFIG": str(config)},
    )  # fmt: skip
    os.close(terminal)
    assert process.stderr
    async with asyncio.timeout(WAIT_S * 3):
        await process.stderr.readuntil(b"Wer [")  # it has looked
        async with Corrector.open(calls.settings) as corrector:
            changes = {"open": ("Kessel",), "who": ("Herr Muster",)}
            assert await corrector.store(await looked_at(corrector, call), changes, "Frau Berg")
        os.write(master, b"Frau Muster\ny\n")
        _, err = await process.communicate()
    os.close(master)
    assert process.returncode == 0, err.decode()
    assert "Inzwischen von Frau Berg: Offen: Kessel" in err.decode()
    assert corrections(calls)[1:] == [
        (2, "who", "Frau Berg", ["Erika Beispiel, Beispiel und Söhne"], ["Herr Muster"]),
        (3, "who", "Frau Tal", ["Herr Muster"], ["Frau Muster"]),
    ]


def as_role(calls: CallDatabase, role: str) -> Log:
    database = make_conninfo(calls.settings.database, options=f"-c role={role}")
    return calls.settings.model_copy(update={"database": database})


async def test_the_desk_corrects_what_it_sees_and_nothing_else(calls: CallDatabase) -> None:
    seen, old = await one_call(calls), await one_call(calls)
    calls.query(
        "UPDATE ari_agent.task SET state = 'done', done_at = %s WHERE id = %s", now() - timedelta(days=15), old.ident
    )
    await accounts.install(calls.settings, accounts.roles())
    async with Corrector.open(calls.settings) as anybody, Corrector.open(as_role(calls, "ari_agent_desk")) as desk:
        assert await desk.store(await looked_at(desk, seen.call), {"who": ("Frau Muster",)}, "Frau Berg")
        assert (await looked_at(desk, seen.call)).held["who"] == ("Frau Muster",)
        assert await desk.beginning("note", str(old.call)) == []
        with pytest.raises(CallLogError):
            await desk.store(await looked_at(anybody, old.call), {"who": ("Frau Muster",)}, "Frau Berg")
    assert len(corrections(calls)) == 1
    assert len(calls.query("SELECT 1 FROM ari_agent.event WHERE code = 'corrected'")) == 1
    async with Corrector.open(as_role(calls, "ari_agent_agent")) as controller:
        with pytest.raises(CallLogError):
            await controller.beginning("note", str(seen.call))


async def test_auditors_see_that_who_and_when_and_the_share_but_no_words(calls: CallDatabase) -> None:
    taken = await one_call(calls)
    await one_call(calls)
    trial = uuid4()
    await record(calls, opened(trial, test=True), noted(trial))
    async with Corrector.open(calls.settings) as corrector:
        for call in (taken.call, trial):
            await corrector.store(await looked_at(corrector, call), {"who": ("Frau Muster",), "open": ()}, "Frau Berg")
        await corrector.store(await looked_at(corrector, taken.call), {"who": ("Therme",)}, "Frau Tal")
    await accounts.install(calls.settings, accounts.roles())
    with psycopg.connect(**calls.admin) as connection:
        connection.execute("SET SESSION AUTHORIZATION ari_agent_auditor")
        listed = connection.execute(
            "SELECT art, feld, fassung, korrigiert_von FROM ari_agent.v_korrekturen "
            "WHERE anruf = %s ORDER BY zeitpunkt",
            (taken.call,),
        ).fetchall()
        share = connection.execute("SELECT * FROM ari_agent.v_korrekturquote").fetchall()
        notes = connection.execute("SELECT korrigierte_felder FROM ari_agent.v_notizen ORDER BY geschrieben").fetchall()
    assert listed == [
        ("Notiz", "Wer", 1, "Frau Berg"), ("Notiz", "Offen", 2, "Frau Berg"), ("Notiz", "Wer", 3, "Frau Tal"),
    ]  # fmt: skip
    assert [row[1:] for row in share if row[0] == "Notiz"] == [
        ("Wer", 2, 1, 50), ("Thema", 2, 0, 0), ("Vereinbart", 2, 0, 0), ("Offen", 2, 1, 50), ("Dringlichkeit", 2, 0, 0),
    ]  # fmt: skip
    assert [row for (row,) in notes] == ["Offen, Wer", None, "Offen, Wer"]
    assert not [word for word in WORDS if word in repr(listed) + repr(share)]


async def test_corrections_go_with_what_they_correct_and_the_chain_holds(calls: CallDatabase) -> None:
    taken = await one_call(calls)
    async with Corrector.open(calls.settings) as corrector:
        await corrector.store(await looked_at(corrector, taken.call), {"who": ("Frau Muster",)}, "Frau Berg")
        (task,) = await corrector.beginning("task", str(taken.ident))
        await corrector.store(task, {"name": ("Frau Muster",)}, "Frau Berg")
    calls.query("UPDATE ari_agent.task SET state = 'done', done_at = now()")
    await retention.run(calls.settings, RetentionSettings().periods(), now() + timedelta(days=91), dry=False)
    assert corrections(calls) == []
    assert await faults(calls) == []


async def test_a_data_subject_gets_and_erases_corrections_too(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    """A misheard number is somebody else's: their request finds the mention, the right person's the callback."""
    misheard, right = "+498955512345", "+498955512346"
    taken = await one_call(calls, caller=None, number=misheard)
    async with Corrector.open(calls.settings) as corrector:
        (task,) = await corrector.beginning("task", str(taken.ident))
        await corrector.store(task, {"number": (right,)}, "Frau Berg")
        await corrector.store(
            await looked_at(corrector, taken.call), {"open": (f"Kessel, {misheard} stimmt nicht",)}, "Frau Berg"
        )
    checked = ("--ticket", "DS-1", "--identity", "callback")
    status, out, err = await run(config, "subject", "erase", "--number", misheard, *checked, "--yes", "--json")
    assert status == 0, err
    assert {place: count for place, count in json.loads(out).items() if count} == {"mention": 3}
    assert misheard not in repr(
        calls.query("SELECT * FROM ari_agent.task") + calls.query("SELECT * FROM ari_agent.correction")
    )
    assert await faults(calls) == []

    folder = tmp_path / "out"
    status, _, err = await run(config, "subject", "export", "--number", right, *checked, "--out", str(folder))
    assert status == 0, err
    handed_out = json.loads((folder / "auskunft.json").read_text())["daten"]["corrections"]
    assert [(row["field"], row["new"]) for row in handed_out] == [("number", [right])]
    assert "Berg" not in (folder / "auskunft.html").read_text()
    status, out, err = await run(config, "subject", "erase", "--number", right, *checked, "--yes", "--json")
    assert status == 0, err
    assert {place: count for place, count in json.loads(out).items() if count} == {
        "correction": 2, "task": 1, "note": 1,
    }  # fmt: skip
    assert corrections(calls) == []
    assert await faults(calls) == []
