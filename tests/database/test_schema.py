"""Migrations: once, in order, together or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.queries import QUERIES, parse
from ari_agent.calllog.schema import SHIPPED, Migration, migrate
from ari_agent.config import Log
from ari_agent.errors import CallLogError, CallLogUnusable
from ari_agent.record import CallNoted
from database.servers import CallDatabase, now, opened, turn

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'ari_agent' ORDER BY 1"


async def applied(settings: Log, steps: list[Migration] = SHIPPED) -> list[str]:
    async with Database(settings) as database, await database.connect() as connection:
        return await migrate(connection, steps)


async def test_the_second_start_applies_nothing(empty_database: CallDatabase) -> None:
    assert await applied(empty_database.settings) == [step.name for step in SHIPPED]
    assert await applied(empty_database.settings) == []


async def test_of_many_controllers_that_start_together_one_makes_the_schema(empty_database: CallDatabase) -> None:
    done = await asyncio.gather(*(applied(empty_database.settings) for _ in range(5)))
    assert sorted(map(len, done)) == [0, 0, 0, 0, len(SHIPPED)]


async def test_a_migration_that_was_changed_is_refused(calls: CallDatabase) -> None:
    changed = [replace(SHIPPED[0], sql=SHIPPED[0].sql + "-- edited\n"), *SHIPPED[1:]]
    with pytest.raises(CallLogUnusable, match="0001_calls"):
        await applied(calls.settings, changed)


async def test_a_database_from_a_newer_version_is_refused_and_the_log_does_not_open(calls: CallDatabase) -> None:
    calls.query("INSERT INTO ari_agent.migration (number, name, sha256) VALUES (9999, '9999_future.sql', 'x')")
    with pytest.raises(CallLogUnusable, match="update ari-agent"):
        async with PostgresLog.open(calls.settings, "another-node"):
            pass


async def test_a_migration_that_fails_leaves_nothing_behind(empty_database: CallDatabase) -> None:
    broken = [*SHIPPED, Migration(9000, "9000_broken.sql", "CREATE TABLE ari_agent.half (); SELECT 1 / 0")]
    with pytest.raises(CallLogError):
        await applied(empty_database.settings, broken)
    assert empty_database.query(TABLES) == []


async def test_a_later_migration_is_added_to_what_is_there(calls: CallDatabase) -> None:
    later = [*SHIPPED, Migration(9000, "9000_more.sql", "CREATE TABLE ari_agent.more ()")]
    assert await applied(calls.settings, later) == ["9000_more.sql"]
    assert "more" in [row["table_name"] for row in calls.query(TABLES)]


async def test_events_can_neither_be_changed_nor_deleted(calls: CallDatabase) -> None:
    async with PostgresLog.open(calls.settings, "another-node") as log:
        log.write(CallNoted(uuid4(), now(), "note"))
    for attempt in ("UPDATE ari_agent.event SET code = 'x'", "DELETE FROM ari_agent.event", "TRUNCATE ari_agent.event"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            calls.query(attempt)
    assert len(calls.query("SELECT 1 FROM ari_agent.event")) == 1


def test_every_table_view_and_column_has_a_german_comment(calls: CallDatabase) -> None:
    missing = calls.query("""
        SELECT c.relname, a.attname
        FROM pg_class AS c
        LEFT JOIN pg_attribute AS a
            ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
        WHERE c.relnamespace = 'ari_agent'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'migration'
          AND (obj_description(c.oid) IS NULL OR (a.attnum > 0 AND col_description(c.oid, a.attnum) IS NULL))
    """)
    assert missing == []


def test_queries_are_read_by_their_names() -> None:
    assert parse("-- head\n\n-- name: one\n-- why\nSELECT 1\n\n-- name: two\nSELECT 2\n") == {
        "one": "-- why\nSELECT 1",
        "two": "SELECT 2",
    }
    assert all(QUERIES.values())


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("not an address", "no Postgres address"),
        ("postgresql://user:geheim@localhost/x", "password_file"),
    ],
)
async def test_an_address_that_cannot_work_is_refused_without_being_repeated(
    address: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(CallLogUnusable, match=remedy) as caught:
        async with PostgresLog.open(
            Log(database=address, spool=tmp_path / "spool", number_key=tmp_path / "number.key"), "another-node"
        ):
            pass
    assert address not in str(caught.value)
    assert "geheim" not in str(caught.value)


async def test_an_older_log_keeps_its_turns_and_says_who_decided_from_now_on(empty_database: CallDatabase) -> None:
    assert await applied(empty_database.settings, SHIPPED[:1]) == ["0001_calls.sql"]
    empty_database.query("""
        INSERT INTO ari_agent.call (id) VALUES ('00000000-0000-4000-8000-000000000001');
        INSERT INTO ari_agent.turn (call, number, at, act, heard, decide_ms, interrupted)
        VALUES ('00000000-0000-4000-8000-000000000001', 1, now(), 'ask', 'speech', 1, false)
    """)
    async with PostgresLog.open(empty_database.settings, "another-node") as log:
        call = uuid4()
        log.write(opened(call))
        log.write(turn(call, intent="rechnung_alt", urgency="high", decided_by="llama"))
    view = "SELECT anliegen, dringlichkeit, entschieden_von FROM ari_agent.v_gespraechsschritte ORDER BY zeitpunkt"
    assert [tuple(row.values()) for row in empty_database.query(view)] == [
        (None, None, None),
        ("rechnung_alt", "hoch", "Sprachmodell"),
    ]
