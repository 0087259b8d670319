"""What auditors see in the views and what `ari-agent calls` prints."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ari_agent.calllog.phone_book import same_for_all
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.reading import CallReader
from database.servers import END_SESSIONS, NUMBER, WAIT_S, CallDatabase, opened, turn, whole_call

PROGRAM = [sys.executable, "-c", "from ari_agent.cli.calls import app; app()"]


@pytest.fixture
def config(calls: CallDatabase, tmp_path: Path) -> Path:
    """A settings file whose log is the test's database."""
    for name in ("secret", "knowledge.md"):
        (tmp_path / name).write_text("erfunden")
    log = calls.settings
    password = f"password_file = '{log.password_file}'" if log.password_file else ""
    path = tmp_path / "ari-agent.toml"
    path.write_text(f"""
        [company]
        name = "Lindner Heizungsbau"
        knowledge = "knowledge.md"
        [asterisk]
        ari_password_file = "secret"
        ami_password_file = "secret"
        [speech]
        vosk_model = "."
        [log]
        database = "{log.database}"
        number_key = "{log.number_key}"
        {password}
    """)
    return path


@asynccontextmanager
async def running(config: Path, *arguments: str) -> AsyncIterator[Process]:
    environment = {**os.environ, "ARI_AGENT_CONFIG": str(config), "TZ": "UTC", "COLUMNS": "160"}
    process = await asyncio.create_subprocess_exec(*PROGRAM, *arguments, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def output(config: Path, *arguments: str) -> tuple[int | None, str, str]:
    async with running(config, *arguments) as process, asyncio.timeout(WAIT_S):
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


async def record(calls: CallDatabase, call: UUID, *, wording: bool = False) -> None:
    settings = calls.settings.model_copy(update={"wording": wording})
    async with PostgresLog.open(settings, "another-node") as log:
        for entry in whole_call(call):
            log.write(entry)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (NUMBER, "…567"),
        ("01701234", "…234"),
        ("12345", "…45"),
        ("101", "…"),
        ("", "unterdrückt"),
        (None, "unterdrückt"),
    ],
)
async def test_auditors_see_a_pseudonym_and_the_command_three_digits_at_most(
    calls: CallDatabase, config: Path, number: str | None, shown: str
) -> None:
    async with PostgresLog.open(calls.settings, "another-node") as log:
        log.write(opened(uuid4(), caller=number))
    status, out, err = await output(config, "list")
    assert (status, err) == (0, "")
    assert f" {shown} " in out
    (seen,) = calls.query("SELECT anrufer_pseudonym AS caller FROM ari_agent.v_anrufe")
    if number:
        assert seen["caller"] == calls.pseudonym(same_for_all(number))
        assert re.fullmatch("[0-9a-f]{12}", seen["caller"])
    else:
        assert seen["caller"] == {"": "gelöscht", None: "unterdrückt"}[number]


async def test_views_hold_no_full_number_and_no_words(calls: CallDatabase) -> None:
    await record(calls, uuid4(), wording=True)
    for view in ("v_anrufe", "v_gespraechsschritte"):
        (row,) = calls.query(f"SELECT * FROM ari_agent.{view}")  # noqa: S608
        assert NUMBER[-4:] not in repr(row)
        assert "was kostet" not in repr(row)
    (seen,) = calls.query("SELECT ki_hinweis_gespielt, ergebnis, angenommen_nach_ms FROM ari_agent.v_anrufe")
    assert seen == {"ki_hinweis_gespielt": True, "ergebnis": "an Mitarbeiter übergeben", "angenommen_nach_ms": 412}


async def test_list_shows_the_newest_call_first_with_a_short_number(calls: CallDatabase, config: Path) -> None:
    first, second = uuid4(), uuid4()
    await record(calls, first)
    await record(calls, second)

    status, out, _ = await output(config, "list", "--json")
    assert status == 0
    listed = json.loads(out)
    assert [call["id"] for call in listed] == [str(second), str(first)]
    assert listed[0]["caller"] == "…567"
    assert listed[0]["disclosure_played_ms"] == 8250.0

    status, out, _ = await output(config, "list", "--limit", "1")
    assert status == 0
    assert str(second)[:8] in out
    assert str(first)[:8] not in out
    assert "übergeben" in out
    assert NUMBER[-4:] not in out


async def test_list_of_an_empty_log_warns(config: Path) -> None:
    status, out, err = await output(config, "list")
    assert (status, out, err) == (1, "", "no calls yet\n")


async def test_show_prints_turns_and_events_of_one_call(calls: CallDatabase, config: Path) -> None:
    call = uuid4()
    await record(calls, call, wording=True)

    status, out, _ = await output(config, "show", str(call)[:8], "--json")
    assert status == 0
    shown = json.loads(out)
    assert shown["id"] == str(call)
    assert shown["turns"][0]["caller_text"] == "was kostet die wartung"
    assert len(shown["events"]) == 9

    status, out, _ = await output(config, "show", str(call))
    assert status == 0
    assert "Antwort preise/wartung, nach 399 ms" in out
    assert "Anrufer „was kostet die wartung“" in out
    assert "Übergabe an empfang: accepted nach 4 s" in out
    assert NUMBER[-4:] not in out

    assert (await output(config, "show", str(uuid4())))[0] == 1


@pytest.fixture
def config_without_log(empty_database: CallDatabase, calls: CallDatabase, config: Path) -> Path:
    config.write_text(config.read_text().replace(calls.settings.database, empty_database.settings.database))
    return config


async def test_reading_a_database_without_a_log_is_an_error_with_a_remedy(config_without_log: Path) -> None:
    status, out, err = await output(config_without_log, "list")
    assert (status, out) == (2, "")
    assert err.startswith("the call log cannot be read: has ari-agent run once")
    assert err.count("\n") == 1


async def test_a_missing_settings_file_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    status, _, err = await output(tmp_path / "none.toml", "list")
    assert status == 2
    assert "--config" in err


async def test_watch_prints_each_event_as_it_happens(calls: CallDatabase, config: Path) -> None:
    call = uuid4()
    async with running(config, "watch", "--json") as process, asyncio.timeout(WAIT_S):
        assert process.stdout is not None
        assert process.stderr is not None
        await process.stderr.readline()  # it listens
        async with PostgresLog.open(calls.settings, "another-node") as log:
            for entry in whole_call(call):
                log.write(entry)
                event = json.loads(await process.stdout.readline())
                assert event["call"] == str(call)
            log.write(turn(call, 2))
            assert json.loads(await process.stdout.readline())["detail"]["number"] == 2


async def test_watch_shows_people_a_line_for_each_event(calls: CallDatabase, config: Path) -> None:
    async with running(config, "watch") as process, asyncio.timeout(WAIT_S):
        assert process.stdout is not None
        assert process.stderr is not None
        await process.stderr.readline()
        await record(calls, uuid4(), wording=True)
        lines = [(await process.stdout.readline()).decode().rstrip() for _ in range(11)]
    assert lines[1].endswith("angenommen nach 412 ms")
    assert lines[3].endswith("Schritt 1: Sprache → Antwort preise/wartung, nach 399 ms")
    assert lines[4].strip() == "Anrufer „was kostet die wartung“"
    assert NUMBER[-4:] not in "".join(lines)


async def test_who_no_longer_follows_still_reads(calls: CallDatabase) -> None:
    async with CallReader.open(calls.settings) as reader, aclosing(reader.follow(0)) as events:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(events)
        assert await reader.calls(1) == []


async def test_following_survives_a_lost_connection_and_leaves_nothing_out(calls: CallDatabase) -> None:
    first, *others = whole_call(uuid4())
    async with PostgresLog.open(calls.settings, "another-node") as log, CallReader.open(calls.settings) as reader:
        events = reader.follow(await reader.position())
        async with aclosing(events), asyncio.timeout(WAIT_S):
            log.write(first)
            seen = [await anext(events)]
            ended = calls.query(END_SESSIONS)
            for entry in others:
                log.write(entry)
            seen += [await anext(events) for _ in others]
    assert len(ended) == 2  # the writer's and the reader's
    written = calls.query("SELECT seq, kind FROM ari_agent.event ORDER BY seq")
    assert [event["kind"] for event in seen] == [row["kind"] for row in written]
    assert len(written) == 9
