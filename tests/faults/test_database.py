"""The database goes away, comes back, or stops half-way: every entry is written once, and no call waits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import structlog
from database.conftest import *  # noqa: F403 - its fixtures
from database.servers import (
    END_SESSIONS,
    PASSWORD,
    WAIT_S,
    CallDatabase,
    CompanyPostgres,
    Wire,
    now,
    open_folder,
    until,
    whole_call,
)
from wires import wire

from ari_agent.calllog.database import KEEPALIVE, Database
from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.postgres import ANSWER_S, HEARTBEAT_S, PostgresLog
from ari_agent.calllog.schema import migrate
from ari_agent.config import Log
from ari_agent.errors import CallLogError
from ari_agent.record import CallNoted


@pytest.fixture(scope="module")
def company(embedded_server: object) -> Iterator[CompanyPostgres]:
    """A company's server of our own, to be stopped and started."""
    with open_folder() as folder:
        server = CompanyPostgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
async def own(company: CompanyPostgres, tmp_path: Path) -> CallDatabase:
    """A database with our schema on that server."""
    name = f"calls_{uuid4().hex}"
    with psycopg.connect(company.dsn("postgres"), password=PASSWORD, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    settings = Log(
        database=company.dsn(name),
        password_file=company.password_file,
        connect_s=2.0,
        spool=tmp_path / "spool",
        number_key=tmp_path / "number.key",
    )
    async with Database(settings) as database, await database.connect() as schema:
        await migrate(schema)
    return CallDatabase(settings, {"conninfo": company.dsn(name), "password": PASSWORD})


def numbered(call: UUID, first: int, last: int) -> list[CallNoted]:
    return [CallNoted(call, now(), "note", str(number)) for number in range(first, last + 1)]


def written(database: CallDatabase) -> list[int]:
    """The numbers of `numbered` entries in the order in which they were written."""
    rows = database.query("SELECT (detail ->> 'detail')::int AS number FROM ari_agent.event ORDER BY seq")
    return [row["number"] for row in rows]


async def test_nothing_is_lost_or_doubled_when_sessions_are_ended_all_the_time(calls: CallDatabase) -> None:
    call = uuid4()
    async with PostgresLog.open(calls.settings, "another-node") as log:
        for batch in range(10):
            for entry in numbered(call, batch * 50 + 1, batch * 50 + 50):
                log.write(entry)
            await asyncio.to_thread(calls.query, END_SESSIONS)
        assert await log.flush(WAIT_S * 3)
    assert written(calls) == list(range(1, 501))


async def test_entries_wait_in_order_while_the_database_restarts(company: CompanyPostgres, own: CallDatabase) -> None:
    call = uuid4()
    async with PostgresLog.open(own.settings, "another-node") as log:
        log.write(numbered(call, 1, 1)[0])
        assert await log.flush(WAIT_S)
        await asyncio.to_thread(company.stop)
        try:
            for entry in numbered(call, 2, 40):
                log.write(entry)
            assert not await log.flush(0.5)
            assert (log.healthy, log.waiting) == (False, 39)
        finally:
            await asyncio.to_thread(company.start)
        assert await log.flush(WAIT_S)
        assert log.healthy
    assert written(own) == list(range(1, 41))


async def test_an_entry_whose_acknowledgement_was_lost_is_not_written_again(
    company: CompanyPostgres, own: CallDatabase
) -> None:
    async with Wire.open(company.port) as wire:
        address = own.settings.database.replace(str(company.port), str(wire.port))
        settings = own.settings.model_copy(update={"database": address})
        async with PostgresLog.open(settings, "another-node") as log:
            for entry in whole_call(uuid4()):
                wire.deaf = True
                wire.cut.clear()
                log.write(entry)
                async with asyncio.timeout(WAIT_S):
                    await wire.cut.wait()
                assert await log.flush(WAIT_S)
            assert log.refused == 0
    kinds = Counter(row["kind"] for row in own.query("SELECT kind FROM ari_agent.event"))
    assert kinds == dict.fromkeys(
        ("opened", "answered", "disclosed", "turn", "task", "escalated", "noted", "note", "closed"), 1
    )
    for table in ("turn", "task", "note"):
        assert len(own.query(f"SELECT 1 FROM ari_agent.{table}")) == 1  # noqa: S608


async def test_a_session_ended_in_the_middle_of_a_statement_changes_nothing(calls: CallDatabase) -> None:
    call = uuid4()
    async with PostgresLog.open(calls.settings, "another-node") as log:
        with psycopg.connect(**calls.admin) as blocker:
            blocker.execute("LOCK TABLE ari_agent.event")
            for entry in numbered(call, 1, 3):
                log.write(entry)
            await until(lambda: calls.query(BLOCKED))
            calls.query(END_SESSIONS)
        assert await log.flush(WAIT_S)
    assert written(calls) == [1, 2, 3]


BLOCKED = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'ari-agent' AND wait_event_type = 'Lock'
"""


async def test_a_statement_that_hangs_is_given_up_and_tried_again(calls: CallDatabase) -> None:
    settings = calls.settings.model_copy(update={"connect_s": 0.3})
    async with PostgresLog.open(settings, "another-node") as log:
        assert await log.flush(WAIT_S)
        with psycopg.connect(**calls.admin) as blocker:
            blocker.execute("LOCK TABLE ari_agent.event")
            log.write(numbered(uuid4(), 1, 1)[0])
            await until(lambda: not log.healthy)
            assert log.waiting == 1
        assert await log.flush(WAIT_S)
    assert written(calls) == [1]


async def test_a_database_that_is_away_at_the_start_is_an_error_for_doctor_and_none_for_calls(
    company: CompanyPostgres, own: CallDatabase
) -> None:
    await asyncio.to_thread(company.stop)
    try:
        async with Database(own.settings) as database:
            with pytest.raises(CallLogError, match="cannot be reached") as caught:
                await database.connect()
            assert caught.value.retryable
            assert "firma" not in str(caught.value)
        async with PostgresLog.open(own.settings, "another-node") as log:
            assert (log.healthy, log.waiting) == (False, 1)  # that a controller began
            log.write(numbered(uuid4(), 1, 1)[0])
            await asyncio.to_thread(company.start)
            assert await log.flush(WAIT_S)
            assert log.healthy
    finally:
        if not await asyncio.to_thread(answers, own):
            await asyncio.to_thread(company.start)
    assert written(own) == [1]


def answers(database: CallDatabase) -> bool:
    try:
        return bool(database.query("SELECT 1"))
    except psycopg.OperationalError:
        return False


def behind(wire: int, database: CallDatabase, company: CompanyPostgres) -> Log:
    """The settings of that database at the end of a wire."""
    address = database.settings.database.replace(f":{company.port}/", f":{wire}/")
    return database.settings.model_copy(update={"database": address})


async def unhealthy(log: PostgresLog) -> None:
    """Wait until the log has noticed that its database is away; the next but one test tells how soon."""
    async with asyncio.timeout(6 * WAIT_S):
        while log.healthy:  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", ["swallowed", "lost"])
async def test_a_connection_that_dies_without_a_word_while_nothing_happens_is_noticed_and_entries_wait(
    company: CompanyPostgres, own: CallDatabase, how: str
) -> None:
    """Swallowed: by a proxy that stays connected; lost: by a firewall that drops the packets."""
    call = uuid4()
    async with wire(company.port) as line, PostgresLog.open(behind(line.port, own, company), "another-node") as log:
        log.write(numbered(call, 1, 1)[0])
        assert await log.flush(WAIT_S)
        with structlog.testing.capture_logs() as told:
            if how == "lost":
                line.drop()
            line.block()
            await unhealthy(log)
            for entry in numbered(call, 2, 20):
                log.write(entry)
            assert not await log.flush(0.5)
            line.mend()
            assert await log.flush(6 * WAIT_S)
        assert log.healthy
    *silent, again = [entry["event"] for entry in told]
    assert again == "the call log is written again"
    assert set(silent) == {"the call log is not written"}
    assert len(silent) <= 2  # once that nobody answers, once that nobody can be reached
    assert written(own) == list(range(1, 21))


def test_a_dead_connection_is_noticed_within_ten_seconds() -> None:
    assert HEARTBEAT_S + ANSWER_S <= 10
    assert KEEPALIVE["keepalives_idle"] + KEEPALIVE["keepalives_interval"] * KEEPALIVE["keepalives_count"] <= 10


async def test_who_gives_up_waiting_asks_nothing_more_of_a_connection_that_may_be_dead(
    company: CompanyPostgres, own: CallDatabase
) -> None:
    async with wire(company.port) as line, Database(behind(line.port, own, company)) as database:
        connection = await database.connect()
        line.block()
        for _ in range(2):
            waiting = asyncio.create_task(connection.execute("SELECT 1"))
            await asyncio.wait({waiting}, timeout=0.2)
            waiting.cancel()
            with pytest.raises((asyncio.CancelledError, psycopg.OperationalError)):
                await waiting
            assert connection.closed
        assert line.connections == 1  # psycopg would have sent the cancellation over a second one


async def test_the_program_ends_in_time_although_the_database_is_away(tmp_path: Path) -> None:
    away = Log(
        database="postgresql://nobody@127.0.0.1:1/none",
        connect_s=0.5,
        spool=tmp_path / "spool",
        number_key=tmp_path / "number.key",
    )
    async with asyncio.timeout(2.0):
        async with PostgresLog.open(away, "another-node", flush_s=0.2) as log:
            log.write(numbered(uuid4(), 1, 1)[0])


async def test_an_embedded_server_that_is_killed_is_started_again_by_the_log() -> None:
    with open_folder() as folder:
        settings = Log(
            data=folder / "postgres", connect_s=5.0, spool=folder / "spool", number_key=folder / "number.key"
        )
        async with PostgresLog.open(settings, "another-node") as log:
            for entry in numbered(uuid4(), 1, 20):
                log.write(entry)
            assert await log.flush(WAIT_S)
            for entry in numbered(uuid4(), 21, 40):
                log.write(entry)
            os.kill(postmaster(settings.data), signal.SIGKILL)
            assert await log.flush(WAIT_S * 2)
            database = CallDatabase(settings, {"conninfo": EmbeddedPostgres(settings.data).dsn})
            assert written(database) == list(range(1, 41))


def postmaster(data: Path) -> int:
    return int((data / "18" / "postmaster.pid").read_text().split()[0])
