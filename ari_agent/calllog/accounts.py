"""Accounts of the call log's database: what each may do, and a personal account for somebody."""

from __future__ import annotations

from datetime import date
from typing import Literal

from psycopg import sql

from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.resealing import seal_waiting
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log

Part = Literal["auditor", "desk", "privacy"]
"""Whose work a personal account does."""

_NOT_INSTALLED = (
    "the accounts could not be made: this needs a superuser of the database; or give the printed SQL to one"
)
_LIMITS = {"auditor": "60s", "desk": "10s", "privacy": "10min"}
"""By part: no statement of such an account runs longer."""


def roles() -> str:
    """Return the SQL that makes the accounts and gives them their rights; it can be run again at any time."""
    return f"BEGIN;\n{QUERIES['roles']};\nCOMMIT;\n"


def account(name: str, part: Part, until: date) -> str:
    """Return the SQL that makes a personal account, or gives an existing one this part until the end of that day.

    It has no password: without one nobody can log in over a network, and its owner sets it with psql's \\password.
    """
    who = sql.Identifier(name)
    statements = [
        sql.SQL("DO $$ BEGIN IF to_regrole({quoted}) IS NULL THEN CREATE ROLE {who}; END IF; END $$").format(
            quoted=sql.Literal(sql.Identifier(name).as_string()), who=who
        ),
        sql.SQL(
            "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS VALID UNTIL {}"
        ).format(who, sql.Literal(f"{until.isoformat()} 23:59:59")),
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(f"ari_agent_{part}"), who),
        sql.SQL("ALTER ROLE {} SET statement_timeout = {}").format(who, sql.Literal(_LIMITS[part])),
        sql.SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '10min'").format(who),
        sql.SQL("ALTER ROLE {} SET search_path = ari_agent, pg_catalog").format(who),
    ]
    if part == "auditor":
        statements.append(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(who))
        # What the views ask is over before it would have been compiled.
        statements.append(sql.SQL("ALTER ROLE {} SET jit = off").format(who))
    return sql.SQL(";\n").join(statements).as_string() + ";\n"


async def install(settings: Log, statements: str) -> list[str]:
    """Bring the schema up to date, run these statements of ours, and return the migrations that were applied.

    Raises CallLogError.
    """
    async with Database(settings) as database, await database.connect() as connection:
        applied = await migrate(connection)
        await _run(connection, statements)
        return applied


async def update(settings: Log, numbers: Numbers) -> tuple[list[str], int]:
    """Bring the schema up to date, and seal what an older version wrote.

    Return the migrations that were applied and how many numbers were sealed. Raises CallLogError.
    """
    async with Database(settings) as database, await database.connect() as connection:
        return await migrate(connection), await seal_waiting(connection, numbers)


async def _run(connection: Connection, statements: str) -> None:
    with wrapped(_NOT_INSTALLED):
        # No parameters: the names in it were quoted by psycopg, the rest is a file of our own package.
        await connection.execute(statements.encode())
