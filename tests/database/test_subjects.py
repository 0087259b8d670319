"""Requests of data subjects: one number is found, handed out and erased; the others and the events stay."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg.conninfo import make_conninfo

from ari_agent.calllog import accounts, audit
from ari_agent.calllog.contact_rows import Listed
from ari_agent.calllog.contacts import ContactStore
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import load
from ari_agent.record import Entry
from database.pbx_files import leave, leave_message, settings_file
from database.servers import WAIT_S, CallDatabase, callback, noted, now, opened, turn

SUBJECT = "+498955512345"
SPELLINGS = (
    "+498955512345", "08955512345", "00498955512345", "498955512345", "+49 89 555 12345", "089/55512345",
    "(089) 555-12-345", "+49 (0)89 55512345", "008955512345", "8955512345",
)  # fmt: skip
"""How trunks, people and programs write it."""
LOCAL = "55512345"
OTHERS = [f"+4917012345{index:02}" for index in range(19)]
TICKET = ("--ticket", "DS-2026/7")
ASKED = ("--number", "089 555 12345", *TICKET)
CHECKED = ("--identity", "callback")
WORDS = "Zaunkönig"
"""Said in the subject's calls only."""


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    return settings_file(tmp_path, calls.settings.database, calls.settings.password_file)


async def agent(config: Path, *words: str, stdin: str = "") -> tuple[int | None, str, str]:
    program = [sys.executable, "-c", "from ari_agent.cli.start import main; main()", "subject"]
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "COLUMNS": "160"}
    async with asyncio.timeout(WAIT_S * 3):
        process = await asyncio.create_subprocess_exec(
            *program, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        out, err = await process.communicate(stdin.encode())
    return process.returncode, out.decode(), err.decode()


async def replay(calls: CallDatabase, folder: Path) -> dict[UUID, str]:
    """Write 200 calls of 20 numbers through the real writer, with what Asterisk leaves; return callers by call."""
    settings = calls.settings.model_copy(update={"wording": True, "spool": folder / "waiting"})
    made: dict[UUID, str] = {}
    async with PostgresLog.open(settings, "eins", "089") as log:
        for index in range(200):
            number = SPELLINGS[index // 20] if index % 20 == 0 else OTHERS[index % 20 - 1]
            written = LOCAL if index == 0 else number  # the first is a local call
            mine, call = index % 20 == 0, uuid4()
            made[call] = number
            at, unique = now() - timedelta(minutes=200 - index), f"1764400000.{index}"
            said = f"{WORDS}, ich bin unter {number} zu erreichen" if mine else "was kostet die wartung"
            for entry in conversation(call, at, unique, number, said, written):
                log.write(entry)
            leave(folder, number, f"{WORDS} GmbH" if mine else f"Firma {index % 20}", at, unique)
            if index < 40:
                leave_message(folder, number, WORDS if mine else "Firma", at, index)
        # Somebody else asks to call the subject back, and one mentions the number.
        log.write(callback(next(reversed(made)), name=WORDS, number=SUBJECT, matter="bitte dort anrufen"))
        log.write(callback(uuid4(), name="Frau Muster", number=OTHERS[0], matter="oder unter 089/555 12345"))
        assert await log.flush(WAIT_S * 3)
        assert log.refused == 0
    (folder / "spool" / "monitor" / "external-08955512345-20261129-1764400000.1.wav").write_bytes(b"RIFF")
    (folder / "spool" / "monitor" / "external-01701234500-20261129-1764400000.2.wav").write_bytes(b"RIFF")
    async with ContactStore.open(settings) as store:
        await store.take(
            [Listed(SUBJECT, WORDS, "", None, None, ""), Listed(OTHERS[0], "Firma", "", None, None, "")], "x"
        )
    return made


def conversation(call: UUID, at: Any, unique: str, number: str, said: str, written: str) -> list[Entry]:
    taken = callback(call, number=number, matter=said, name=said[:9], company="", email="", recipient="")
    return [
        opened(call, at=at, channel=unique, caller=written),
        turn(call, at=at, caller_text=said, agent_text="Ich habe notiert: " + said),
        *([taken, noted(call)] if WORDS in said else [taken]),
    ]


def everything(calls: CallDatabase, folder: Path) -> bytes:
    """Every table as text, and every file of ours and of Asterisk's; compressed ones unpacked."""
    tables = calls.query(
        "SELECT relname FROM pg_class WHERE relnamespace = 'ari_agent'::regnamespace AND relkind = 'r'"
    )
    dump = [calls.query(f"SELECT t::text AS row FROM ari_agent.{table['relname']} AS t") for table in tables]  # noqa: S608
    files = [path for path in folder.rglob("*") if path.is_file()]
    packed = [gzip.decompress(path.read_bytes()) for path in files if path.suffix == ".gz"]
    plain = [path.read_bytes() + path.name.encode() for path in files if path.suffix != ".gz"]
    return "\n".join(row["row"] for rows in dump for row in rows).encode() + b"\n".join(packed + plain)


def unsalted(calls: CallDatabase) -> dict[str, int]:
    """Events by kind whose seal tells nothing any more."""
    erased = calls.query(
        "SELECT art, count(*) FROM ari_agent.v_siegel WHERE personenbezogene_daten = 'gelöscht' GROUP BY art"
    )
    return {row["art"]: row["count"] for row in erased}


def sealed_forms(calls: CallDatabase, made: dict[UUID, str]) -> list[str]:
    """What the rows hold of the subject's number instead of it, in hexadecimal: digests, and sealed numbers."""
    mine = [call for call, number in made.items() if number in SPELLINGS]
    rows = calls.query("SELECT caller AS number, caller_digest AS digest FROM ari_agent.call WHERE id = ANY(%s)", mine)
    digests = [row["digest"] for row in rows]
    for table, name in (("task", "number_digest"), ("contact", "digest")):
        sql = f"SELECT number, {name} AS digest FROM ari_agent.{table} WHERE {name} = ANY(%s)"  # noqa: S608
        rows += calls.query(sql, digests)
    return sorted({value.hex() for row in rows for value in row.values()} | {digest.hex()[:12] for digest in digests})


def traces(text: bytes) -> list[str]:
    return [spelling for spelling in (*SPELLINGS, "089/555 12345", WORDS) if spelling.encode() in text]


async def test_one_of_twenty_numbers_is_erased_in_every_spelling_and_place(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    made = await replay(calls, tmp_path)
    audited = calls.settings.model_copy(
        update={"anchors": tmp_path / "anchors.jsonl", "anchor_key": tmp_path / "anchor.key"}
    )
    anchored = (await audit.anchor(audited)).anchor
    before, forms = everything(calls, tmp_path), sealed_forms(calls, made)
    assert set(traces(before)) >= {*SPELLINGS, WORDS}
    assert len(forms) > 10 + 11 + 1 + 2  # each number sealed by itself; digests; their pseudonyms
    assert not [form for form in forms if form.encode() not in before]
    events = calls.query("SELECT * FROM ari_agent.event ORDER BY seq")
    assert not traces(repr(events).encode())
    lines = line_counts(tmp_path)
    others = [call for call, number in made.items() if number in OTHERS]
    untouched = calls.query("SELECT * FROM ari_agent.call WHERE id = ANY(%s) ORDER BY id", others)
    assert {calls.caller(call) for call in others} == {*OTHERS}

    status, out, err = await agent(config, "find", *ASKED, "--json")
    assert status == 0, err
    assert json.loads(out) == {
        "call": 10, "task": 11, "correction": 0, "contact": 1, "mention": 1, "audio": 0, "transcript": 0, "cdr": 30,
        "asterisk-log": 30, "voicemail": 2, "recording": 1,
    }  # fmt: skip
    assert not traces(out.encode() + err.encode())

    status, out, err = await agent(config, "erase", *ASKED, *CHECKED, "--yes", "--json")
    assert status == 0, err
    assert json.loads(out) == {
        "correction": 0, "task": 11, "note": 10, "wording": 11, "call": 10, "contact": 1, "mention": 1, "audio": 0,
        "transcript": 0, "cdr": 30, "asterisk-log": 30, "voicemail": 2, "recording": 1,
    }  # fmt: skip
    after = everything(calls, tmp_path)
    assert traces(after) == []
    assert not [form for form in forms if form.encode() in after]

    assert calls.query("SELECT * FROM ari_agent.event ORDER BY seq") == events
    assert calls.query("SELECT in_ordnung FROM ari_agent.kette_pruefen()") == [{"in_ordnung": True}]
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    assert unsalted(calls) == {"opened": 10, "turn": 11, "task": 12, "note": 10}
    report = await audit.verify(audited)
    assert (report.holds, report.anchored.holds_to) == (True, anchored.number)
    assert len(calls.query("SELECT 1 FROM ari_agent.call")) == len(made) + 1
    assert calls.query("SELECT * FROM ari_agent.call WHERE id = ANY(%s) ORDER BY id", others) == untouched
    left = calls.query("SELECT matter FROM ari_agent.task WHERE caller_name = 'Frau Muster'")
    assert left == [{"matter": "oder unter [gelöscht]"}]
    assert line_counts(tmp_path) == lines
    assert sounds(tmp_path) == ("external-01701234500-20261129-1764400000.2.wav", 38)
    logged = calls.query("SELECT anlass, aktenzeichen, sum(eintraege) AS n FROM ari_agent.v_loeschungen GROUP BY 1, 2")
    assert [tuple(row.values()) for row in logged] == [("Anfrage", "DS-2026/7", 107)]
    (request,) = calls.query("SELECT * FROM ari_agent.v_betroffenenanfragen")
    assert (request["stand"], request["identitaet"]) == ("gelöscht", "callback")

    status, out, err = await agent(config, "find", *ASKED)
    assert (status, err) == (1, "nothing is stored\n")


async def test_an_export_holds_all_of_the_person_and_nothing_of_others(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    await replay(calls, tmp_path)
    out_folder = tmp_path.parent / f"{tmp_path.name}-export"
    status, _, err = await agent(
        config, "export", "--number", "-", *TICKET, *CHECKED, "--out", str(out_folder), "--received", "2026-01-31",
        stdin="089 55512345\n",
    )  # fmt: skip
    assert status == 0, err
    text, page = (read(out_folder / name) for name in ("auskunft.json", "auskunft.html"))
    told = json.loads(text)
    assert {name: len(rows) for name, rows in told["daten"].items()} == {
        "calls": 10, "turns": 10, "tasks": 11, "notes": 10, "corrections": 0, "contacts": 1,
    }  # fmt: skip
    assert (told["eingang"], told["verantwortlicher"]) == ("2026-01-31", "Lindner & Söhne")
    for other in (*OTHERS, "Frau Muster"):
        assert other not in text + page
    for shown in ("Lindner &amp; Söhne", WORDS, "Speicherdauer", "Außerdem steht die Rufnummer 1-mal", "31.01.2026"):
        assert shown in page
    assert mode(out_folder / "auskunft.html") == 0o600
    (request,) = calls.query("SELECT frist, stand FROM ari_agent.v_betroffenenanfragen")
    assert (str(request["frist"]), request["stand"]) == ("2026-02-28", "Auskunft erteilt")


async def test_an_unknown_number_gets_a_negative_answer(calls: CallDatabase, config: Path, tmp_path: Path) -> None:
    words = ("export", *ASKED, *CHECKED, "--out", str(tmp_path / "out"))
    assert (await agent(config, *words))[0] == 1
    assert "Negativauskunft" in read(tmp_path / "out" / "auskunft.html")
    assert calls.query("SELECT stand FROM ari_agent.v_betroffenenanfragen") == [{"stand": "Negativauskunft"}]


async def test_one_call_is_erased_by_its_id_and_others_of_the_number_stay(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    made = await replay(calls, tmp_path)
    _, second, third = (call for call, number in made.items() if number in SPELLINGS[:3])
    status, out, err = await agent(config, "erase", "--call", str(second), *TICKET, *CHECKED, "--yes", "--json")
    assert status == 0, err
    erased = json.loads(out)
    assert (erased["call"], erased["task"], erased["note"], erased["contact"]) == (1, 1, 1, 0)
    assert erased["cdr"] == 3
    assert calls.query("SELECT caller, caller_digest FROM ari_agent.call WHERE id = %s", second) == [
        {"caller": None, "caller_digest": None}
    ]
    assert calls.caller(third) == SPELLINGS[2]
    assert unsalted(calls) == {"opened": 1, "turn": 1, "task": 1, "note": 1}
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []
    # What was changed without a request still shows.
    calls.query("UPDATE ari_agent.call SET caller_digest = NULL WHERE id = %s", third)
    assert calls.query("SELECT anruf, befund FROM ari_agent.siegel_fehler()") == [
        {"anruf": third, "befund": "verändert"}
    ]


async def test_the_privacy_account_can_erase_and_the_controllers_cannot(
    calls: CallDatabase, config: Path, tmp_path: Path
) -> None:
    await replay(calls, tmp_path)
    await accounts.install(calls.settings, accounts.roles())

    async def erase(role: str) -> tuple[int | None, str, str]:
        database = make_conninfo(calls.settings.database, options=f"-c role={role}")
        settings_file(tmp_path, database, calls.settings.password_file)
        return await agent(config, "erase", *ASKED, *CHECKED, "--yes", "--json")

    status, out, err = await erase("ari_agent_agent")
    assert (status, out) == (2, "")
    assert "may not do this" in err
    assert unsalted(calls) == {}
    status, out, err = await erase("ari_agent_privacy")
    assert status == 0, err
    assert json.loads(out)["call"] == 10
    assert traces(everything(calls, tmp_path)) == []
    assert calls.query("SELECT * FROM ari_agent.siegel_fehler()") == []


async def test_nothing_happens_without_an_identity_check_or_a_clear_request(config: Path) -> None:
    for words, told in (
        (("erase", *ASKED, "--identity", "none", "--yes"), "first check who is asking"),
        (("find", *TICKET), "either a number"),
        (("find", "--number", "12", *TICKET), "no telephone number"),
        (("find", "--number", SUBJECT, "--ticket", "08955512345"), "the ticket holds the number"),
    ):
        status, out, err = await agent(config, *words)
        assert (status, out) == (2, "")
        assert told in err


async def test_requests_are_listed_with_their_deadlines(calls: CallDatabase, config: Path) -> None:
    await agent(config, "find", "--number", SUBJECT, "--ticket", "alt", "--received", "2026-01-15")
    await agent(config, "find", "--number", SUBJECT, "--ticket", "neu")
    status, out, _ = await agent(config, "list")
    assert status == 1
    assert "15.02.2026 (überfällig)" in out
    listed = json.loads((await agent(config, "list", "--json"))[1])
    assert [row["aktenzeichen"] for row in listed] == ["alt", "neu"]
    assert calls.query("SELECT ueberfaellige_anfragen AS late FROM ari_agent.v_kennzahlen") == [{"late": 1}]


async def test_while_entries_wait_nothing_is_erased(config: Path) -> None:
    set_aside(load(config).log.spool)
    status, _, err = await agent(config, "erase", *ASKED, *CHECKED, "--yes")
    assert status == 2
    assert "wait" in err


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_aside(spool: Path) -> None:
    spool.mkdir()
    (spool / "eins.spool.damaged-1").write_bytes(b"x")


def line_counts(folder: Path) -> dict[Path, int]:
    paths = (path for path in (folder / "log").rglob("*") if path.is_file() and path.suffix != ".gz")
    return {path: path.read_bytes().count(b"\n") for path in paths}


def sounds(folder: Path) -> tuple[str, int]:
    """The names of the recordings, and how many voicemail messages there are."""
    recordings = " ".join(path.name for path in (folder / "spool" / "monitor").iterdir())
    return recordings, len(list((folder / "spool").rglob("msg*.wav")))
