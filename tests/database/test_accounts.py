"""Each account of the call log can do exactly what the table of rights says, and its work with no more than that."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from ari_agent.calllog import accounts
from ari_agent.calllog.contacts import ContactStore
from ari_agent.calllog.database import Database
from ari_agent.calllog.directory import PostgresDirectory
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.schema import SHIPPED, Migration, migrate
from ari_agent.calllog.tasks import TaskReader
from ari_agent.config import Log
from ari_agent.errors import CallLogError
from ari_agent.ops.accounts import examine_accounts
from ari_agent.ops.finding import Level
from database.rights import ACCOUNTS, Rights
from database.servers import NUMBER, PASSWORD, WAIT_S, CallDatabase, callback, noted, now, opened, whole_call

Connection = psycopg.Connection[DictRow]

STATEMENTS = {
    "SELECT": "SELECT {column} FROM ari_agent.{table} WHERE false",
    "INSERT": "INSERT INTO ari_agent.{table} ({column}) VALUES (NULL)",
    "UPDATE": "UPDATE ari_agent.{table} SET {column} = NULL WHERE false",
    "DELETE": "DELETE FROM ari_agent.{table} WHERE false",
    "TRUNCATE": "TRUNCATE ari_agent.{table} CASCADE",
}
WHOLE_TABLE = {"DELETE", "TRUNCATE"}
REFUSALS = {
    "InsufficientPrivilege",
    # Nobody may: a column that the database fills in, a view that cannot be written through.
    "GeneratedAlways",
    "ObjectNotInPrerequisiteState",
    "FeatureNotSupported",
    "WrongObjectType",
}

FORBIDDEN = [
    "CREATE TABLE ari_agent.mine ()",
    "CREATE TABLE public.mine ()",
    "CREATE TEMP TABLE mine ()",
    "CREATE SCHEMA mine",
    "CREATE VIEW ari_agent.mine AS SELECT 1",
    "CREATE FUNCTION ari_agent.mine() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE ROLE mine",
    "CREATE EXTENSION dblink",
    "DROP TABLE ari_agent.event",
    "DROP VIEW ari_agent.v_anrufe",
    "ALTER TABLE ari_agent.event DISABLE TRIGGER ALL",
    "ALTER TABLE ari_agent.call DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE ari_agent.event OWNER TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER FUNCTION ari_agent.refuse_change() RENAME TO refused",
    "DROP TRIGGER event_append_only ON ari_agent.event",
    "DROP POLICY whole ON ari_agent.call",
    "GRANT ari_agent_owner TO CURRENT_USER",
    "SET ROLE ari_agent_owner",
    "SET ROLE ari_agent_migrate",
    "SET session_replication_role = 'replica'",
    "LOCK TABLE ari_agent.knowledge_version IN ACCESS EXCLUSIVE MODE",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/ari-agent-no-such-file'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user AND usename IS NOT NULL",
    "SELECT rolpassword FROM pg_authid",
]
"""Statements that no account may run, whatever it is for."""


@pytest.fixture
def secured(calls: CallDatabase) -> CallDatabase:
    """A call log with its accounts; those that have passwords in a company have the test's."""
    asyncio.run(accounts.install(calls.settings, accounts.roles()))
    for name in ("agent", "migrate", "reconcile", "metrics"):
        set_password(calls, f"ari_agent_{name}")
    return calls


def set_password(calls: CallDatabase, account: str) -> None:
    calls.query(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(account), sql.Literal(PASSWORD)))


def as_account(calls: CallDatabase, account: str) -> Log:
    """The settings with which this account logs in."""
    return calls.settings.model_copy(update={"database": make_conninfo(calls.settings.database, user=account)})


@pytest.fixture
def person(secured: CallDatabase) -> Iterator[Any]:
    """Makes personal accounts and removes them."""
    made: list[str] = []

    def make(part: accounts.Part) -> Log:
        name = f"person_{uuid4().hex[:8]}"
        made.append(name)
        asyncio.run(accounts.install(secured.settings, accounts.account(name, part, date(2099, 1, 1))))
        set_password(secured, name)
        return as_account(secured, name)

    yield make
    for name in made:
        secured.query(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@contextmanager
def session(settings: Log) -> Iterator[Connection]:
    """Log in as the account of the settings; what it does is rolled back."""
    password: Any = {"password": PASSWORD} if settings.password_file else {}
    with psycopg.connect(settings.database, row_factory=dict_row, **password) as connection:
        yield connection
        connection.rollback()


@contextmanager
def acting(calls: CallDatabase, role: str) -> Iterator[Connection]:
    """A session with the rights of a role that nobody logs in as."""
    with psycopg.connect(**calls.admin, row_factory=dict_row, autocommit=True) as connection:
        connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(role)))
        yield connection


def outcome(connection: Connection, statement: Any) -> str:
    """Run it in a transaction that is rolled back; return "" when it worked, else why it did not."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.Error as e:
        # Which rows is another question than which tables and columns.
        return "RowPolicy" if "row-level security" in str(e) else type(e).__name__
    return ""


def columns(calls: CallDatabase) -> dict[str, list[str]]:
    found = calls.query("""
        SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
        FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'ari_agent'::regnamespace AND c.relkind IN ('r', 'v', 'p')
        GROUP BY 1
    """)
    return {row["table"]: row["columns"] for row in found}


def attempts(calls: CallDatabase) -> Iterator[tuple[str, str, str]]:
    """Table, kind of statement and column of everything that can be tried."""
    for table, names in columns(calls).items():
        for kind in STATEMENTS:
            for column in names[:1] if kind in WHOLE_TABLE else names:
                yield table, kind, column


def allowed(rights: Rights, table: str, kind: str, column: str) -> bool:
    granted = rights.get(table, {}).get(kind, "")
    return granted == "*" or column in granted.split()


def test_an_account_may_do_with_every_column_what_the_table_says_and_nothing_else(secured: CallDatabase) -> None:
    wrong, tried = [], 0
    for account, rights in ACCOUNTS.items():
        with acting(secured, f"ari_agent_{account}") as connection:
            for table, kind, column in attempts(secured):
                text = sql.SQL(STATEMENTS[kind]).format(table=sql.Identifier(table), column=sql.Identifier(column))
                result = outcome(connection, text)
                tried += 1
                if (result not in REFUSALS) != allowed(rights, table, kind, column):
                    wrong.append((account, kind, table, column, result))
    assert wrong == []
    assert tried > 3000


def test_no_account_may_change_the_database_or_its_own_rights(secured: CallDatabase) -> None:
    passed_on = """
        SELECT relname FROM pg_class WHERE relnamespace = 'ari_agent'::regnamespace AND relkind IN ('r', 'v')
        AND has_any_column_privilege(%s, oid, 'SELECT WITH GRANT OPTION, INSERT WITH GRANT OPTION')
    """
    for account in ACCOUNTS:
        with acting(secured, f"ari_agent_{account}") as connection:
            assert [statement for statement in FORBIDDEN if not outcome(connection, statement)] == []
        assert secured.query(passed_on, f"ari_agent_{account}") == []


def test_the_owner_cannot_log_in_and_cannot_change_what_was_appended(secured: CallDatabase) -> None:
    (owner,) = secured.query(
        "SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'ari_agent_owner'"
    )
    assert set(owner.values()) == {False}
    with acting(secured, "ari_agent_owner") as connection:
        for statement in (
            "UPDATE ari_agent.event SET code = 'x'",
            "DELETE FROM ari_agent.deletion",
            "TRUNCATE ari_agent.event",
        ):
            assert outcome(connection, statement) == "RaiseException"


async def test_the_controller_writes_a_whole_call_with_its_own_account_and_cannot_read_it(
    secured: CallDatabase,
) -> None:
    async with ContactStore.open(secured.settings) as store:
        await store.treat("+4989123456", "vip")
    settings, call = as_account(secured, "ari_agent_agent"), uuid4()
    async with PostgresLog.open(settings, "eins") as log, PostgresDirectory.open(settings, "089") as directory:
        for entry in whole_call(call):
            log.write(entry)
        assert await log.flush(WAIT_S)
        assert log.refused == 0
        assert directory.find("+4989123456") is not None
        left = uuid4()
        log.write(opened(left))
        assert await log.flush(WAIT_S)
    async with PostgresLog.open(settings, "eins"):  # closes what a predecessor left open
        pass
    assert secured.query("SELECT outcome FROM ari_agent.call WHERE id = %s", call) == [{"outcome": "handed-over"}]
    assert secured.caller(call) == NUMBER
    assert secured.query("SELECT outcome FROM ari_agent.call WHERE id = %s", left) == [{"outcome": "to-queue"}]
    with session(settings) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT caller FROM ari_agent.call")


async def test_the_desk_sees_what_is_open_or_lately_done_and_can_only_finish_it(secured: CallDatabase) -> None:
    waiting, done, elsewhere = callback(uuid4()), callback(uuid4()), uuid4()
    async with PostgresLog.open(secured.settings, "eins") as log:
        for entry in (opened(waiting.call), waiting, noted(waiting.call), done, opened(elsewhere), noted(elsewhere)):
            log.write(entry)
    secured.query(
        "UPDATE ari_agent.task SET state = 'done', done_at = %s WHERE id = %s", now() - timedelta(days=15), done.ident
    )
    secured.query("ALTER ROLE ari_agent_desk LOGIN")
    set_password(secured, "ari_agent_desk")
    settings = as_account(secured, "ari_agent_desk")
    try:
        with session(settings) as connection:
            assert [row["id"] for row in connection.execute("SELECT id FROM ari_agent.task")] == [waiting.ident]
            assert [row["id"] for row in connection.execute("SELECT id FROM ari_agent.call")] == [waiting.call]
            assert [row["call"] for row in connection.execute("SELECT call FROM ari_agent.note")] == [waiting.call]
            assert [*connection.execute("SELECT seq FROM ari_agent.event")] == []
            event = (
                "INSERT INTO ari_agent.event (entry, call, at, kind, code) "
                "VALUES (gen_random_uuid(), %s, now(), %s, 'done')"
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(event, (elsewhere, "closed"))
        async with TaskReader.open(settings) as reader:
            assert [task["number"] for task in await reader.tasks(done=True)] == [NUMBER]
            assert not await reader.finish(done.ident, "Frau Berg")
            assert await reader.finish(waiting.ident, "Frau Berg")
        with session(settings) as connection:
            reopening = "UPDATE ari_agent.task SET state = 'open', done_at = NULL, done_by = NULL"
            assert connection.execute(reopening).rowcount == 0
    finally:
        secured.query("ALTER ROLE ari_agent_desk NOLOGIN")
    assert len(secured.query("SELECT 1 FROM ari_agent.event WHERE code = 'done'")) == 1


def test_a_personal_account_reads_only_within_its_limits_and_ends_with_its_day(
    secured: CallDatabase, person: Any
) -> None:
    settings = person("auditor")
    with session(settings) as connection:
        assert [*connection.execute("SELECT * FROM v_anrufe")] == []
        for name, value in {"statement_timeout": "1min", "default_transaction_read_only": "on", "jit": "off"}.items():
            assert [*connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name)))] == [{name: value}]
    (account,) = secured.query("SELECT * FROM ari_agent.v_konten WHERE konto LIKE 'person_%%'")
    assert (account["superuser"], account["mitglied_von"]) == (False, "ari_agent_auditor")
    assert account["gueltig_bis"].year == 2099
    secured.query(sql.SQL("ALTER ROLE {} VALID UNTIL '2020-01-01'").format(sql.Identifier(account["konto"])))
    if settings.password_file:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(settings.database, password=PASSWORD)


async def test_an_update_is_applied_as_the_owner_by_the_account_for_it_and_by_no_other(secured: CallDatabase) -> None:
    later = [*SHIPPED, Migration(9000, "9000_more.sql", "CREATE TABLE ari_agent.more ()")]
    async with Database(as_account(secured, "ari_agent_agent")) as database, await database.connect() as connection:
        with pytest.raises(CallLogError):
            await migrate(connection, later)
    async with Database(as_account(secured, "ari_agent_migrate")) as database, await database.connect() as connection:
        assert await migrate(connection, later) == ["9000_more.sql"]
    (owner,) = secured.query("SELECT tableowner FROM pg_tables WHERE tablename = 'more'")
    assert owner == {"tableowner": "ari_agent_owner"}


def test_installing_again_changes_nothing(secured: CallDatabase) -> None:
    rights = """
        SELECT relname, relowner::regrole::text, relacl::text, relrowsecurity,
            (SELECT array_agg(attacl::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid) AS columns
        FROM pg_class AS c WHERE relnamespace = 'ari_agent'::regnamespace ORDER BY relname
    """
    before = secured.query(rights)
    asyncio.run(accounts.install(secured.settings, accounts.roles()))
    assert secured.query(rights) == before


async def test_the_command_prints_what_it_installs_without_any_password(secured: CallDatabase, tmp_path: Path) -> None:
    status, out = await calllog(tmp_path, "roles")
    assert (status, out) == (0, accounts.roles())
    assert "PASSWORD" not in out.upper()
    status, out = await calllog(tmp_path, "account", "o'hara", "--role", "desk", "--until", "2027-12-31")
    assert status == 0
    assert 'GRANT "ari_agent_desk" TO "o\'hara"' in out
    with pytest.raises(CallLogError):
        await accounts.install(as_account(secured, "ari_agent_agent"), accounts.roles())


async def calllog(folder: Path, *words: str) -> tuple[int | None, str]:
    """Run `ari-agent calllog` in a folder without any settings file."""
    program = [sys.executable, "-c", "from ari_agent.cli.calllog import app; app()"]
    environment = {name: value for name, value in os.environ.items() if name != "ARI_AGENT_CONFIG"}
    async with asyncio.timeout(WAIT_S):
        process = await asyncio.create_subprocess_exec(
            *program, *words, stdout=PIPE, stderr=PIPE, env=environment, cwd=folder
        )
        out, _ = await process.communicate()
    return process.returncode, out.decode()


def test_the_table_names_only_what_there_is(secured: CallDatabase) -> None:
    there = columns(secured)
    for rights in ACCOUNTS.values():
        for table, kinds in rights.items():
            for granted in kinds.values():
                assert set(granted.split()) - {"*"} <= set(there[table])


async def test_doctor_warns_until_the_controller_can_only_write(calls: CallDatabase) -> None:
    async def found(settings: Log) -> Level:
        async with Database(settings) as database, await database.connect() as connection:
            return (await examine_accounts(settings, connection)).level

    assert await found(calls.settings) == Level.WARNING
    await accounts.install(calls.settings, accounts.roles())
    assert await found(calls.settings) == Level.WARNING
    set_password(calls, "ari_agent_agent")
    assert await found(as_account(calls, "ari_agent_agent")) == Level.GOOD
