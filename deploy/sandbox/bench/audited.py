"""How long an auditor waits: every statement of the guide, in a log as a busy company has it after two years."""

import asyncio
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from rich.console import Console

from ari_agent.calllog import accounts, audit
from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.queries import parse
from ari_agent.config import Log
from sandbox.bench.calllog import enterable, usual_call
from sandbox.bench.figures import distribution
from sandbox.bench.tables import figures_table

METHOD = """\
The embedded Postgres, or the one of --log-database with the settings it has. Calls over 24 months with their turns,
tasks, notes, salts, sealed and chained events, retention runs, requests, backups, all in the tables of the call log;
nothing has expired. Made as sets: the trigger that chains events is off meanwhile, because it gives every event the
time of now, and the chain is made with the same functions; all other checks are on. Then an anchor, one more hour of
calls through the writer, VACUUM and ANALYZE as autovacuum does. questions: all statements of
deploy/compliance/pruefer.rst one after the other as a personal account of the auditor with its time limit, rows
fetched, in so many rounds; ms of a question is the sum of its statements. whole: the statements for which the guide
lifts the limit, once.""".replace("\n", " ")
GUIDE = Path(__file__).resolve().parents[2] / "compliance" / "pruefer.rst"
ROUNDS = 20
BATCH = 20_000
"""Calls made in one transaction."""
HOUR = 60
"""Calls since the newest anchor."""
NAME = "ari_agent_bench"
FILL = parse((Path(__file__).parent / "log_fill.sql").read_text(encoding="utf-8"))
LIMIT_S = 300.0

Json = dict[str, Any]
Say = Callable[[str], None]


def questions(guide: Path = GUIDE) -> dict[str, list[str]]:
    """Return the statements of each numbered section; one that lifts the time limit begins with SET."""
    parts = re.split(r"^(\d+) .+\n-+$", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    statement = re.compile(r"^    ((?:SET [^;]+;\n    )?SELECT.+?;)$", re.MULTILINE | re.DOTALL)
    return {number: statement.findall(text) for number, text in zip(parts[::2], parts[1::2], strict=True)}


async def measure(say: Say, *, calls: int = BATCH, database: str | None = None) -> Json:
    """Fill a call log and ask it everything. Raises CallLogError, OSError, psycopg.Error."""
    with tempfile.TemporaryDirectory(prefix="ari-agent-bench-") as name:
        folder = enterable(name)
        with _place(folder, database) as address:
            files = {part: folder / part for part in ("spool", "anchors", "anchor_key", "number_key")}
            settings = Log(database=address, connect_s=30.0, **files)
            await accounts.install(settings, accounts.roles())
            figures: Json = {"calls": calls}
            with psycopg.connect(address, autocommit=True) as connection:
                began = time.perf_counter()
                await asyncio.to_thread(_fill, connection, calls, say)
                await audit.anchor(settings)
                await _an_hour(settings)
                await asyncio.to_thread(connection.execute, FILL["tidy"])
                figures |= {"fill_s": round(time.perf_counter() - began, 1)} | _facts(connection, calls)
            say("the auditor asks")
            with _auditor(address) as auditor:
                figures |= await asyncio.to_thread(_ask, auditor)
    return {"method": METHOD, "figures": figures}


@contextmanager
def _place(folder: Path, database: str | None) -> Iterator[str]:
    """Yield the address of an empty database, which is gone afterwards."""
    if database is None:
        with EmbeddedPostgres(folder / "postgres") as server:
            yield server.dsn
        return
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))
        try:
            yield make_conninfo(database, dbname=NAME)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(NAME)))


def _fill(connection: psycopg.Connection, calls: int, say: Say) -> None:
    connection.execute(FILL["prepare"])
    for first in range(1, calls + 1, BATCH):
        say(f"call log, calls: {first - 1} of {calls}")
        with connection.transaction():
            last = min(first + BATCH - 1, calls)
            connection.execute(FILL["calls"], {"calls": calls, "first": first, "last": last})
            for step in ("rows", "events", "chain"):
                connection.execute(FILL[step])
    connection.execute(FILL["finish"])


async def _an_hour(settings: Log) -> None:
    async with PostgresLog.open(settings, "bench") as log:
        for _ in range(HOUR):
            for entry in usual_call(uuid4()):
                log.write(entry)
        if not await log.flush(LIMIT_S):
            raise OSError("the call log was not written")


def _facts(connection: psycopg.Connection, calls: int) -> Json:
    (facts,) = connection.cursor(row_factory=dict_row).execute(FILL["facts"]).fetchall()
    return facts | {"bytes_per_call": round(facts["bytes"] / calls)}


@contextmanager
def _auditor(address: str) -> Iterator[psycopg.Connection]:
    """Yield a session of a personal account of the auditor's, which is gone afterwards."""
    name, password = f"{NAME}_auditor", secrets.token_hex()
    until = (datetime.now(UTC) + timedelta(days=2)).date()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(accounts.account(name, "auditor", until).encode())
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
        try:
            with psycopg.connect(make_conninfo(address, user=name, password=password), autocommit=True) as auditor:
                yield auditor
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def _ask(auditor: psycopg.Connection) -> Json:
    asked = questions()
    took: dict[str, list[list[float]]] = {number: [] for number in asked}
    rows: dict[str, list[int]] = {}
    for _ in range(ROUNDS):
        for number, statements in asked.items():
            answers = [_answer(auditor, text) for text in statements if not text.startswith("SET")]
            took[number].append([ms for ms, _ in answers])
            rows[number] = [count for _, count in answers]
    whole = [text for statements in asked.values() for text in statements if text.startswith("SET")]
    return {
        "rounds": ROUNDS,
        "questions": {
            number: _spread([sum(each) for each in rounds])
            | {
                "statements": [
                    _spread(list(column)) | {"rows": count}
                    for column, count in zip(zip(*rounds, strict=True), rows[number], strict=True)
                ]
            }
            for number, rounds in took.items()
        },
        "whole": [
            {"statement": text, "s": round(ms / 1000, 2), "rows": count}
            for text in whole
            for ms, count in [_answer(auditor, text)]
        ],
    }


def _answer(auditor: psycopg.Connection, text: str) -> tuple[float, int]:
    """Return milliseconds and number of rows. Raises OSError when the answer is that the chain does not hold."""
    began = time.perf_counter()
    cursor = auditor.execute(text.encode())
    while cursor.nextset():
        pass
    rows = cursor.fetchall()
    took = time.perf_counter() - began
    if " in_ordnung" in text and not rows[0][0]:
        raise OSError("the chain that was made does not hold")
    return took * 1000, len(rows)


def _spread(ms: list[float]) -> Json:
    found = distribution(ms)
    return {"ms_p50": found.p50, "ms_p95": found.p95, "ms_max": found.max} if found else {}


def show(report: Json, console: Console) -> None:
    """Print the figures as tables."""
    figures = report["figures"]
    table = figures_table(f"question, {figures['calls']:,} calls", "ms p50", "ms p95", "ms max", "rows")
    for number, each in figures["questions"].items():
        rows = ", ".join(f"{statement['rows']:,}" for statement in each["statements"])
        table.add_row(number, *(f"{each[key]:g}" for key in ("ms_p50", "ms_p95", "ms_max")), rows)
    console.print(table)
    rest = figures_table("call log", "")
    for key in ("server_version", "shared_buffers", "work_mem", "fill_s"):
        rest.add_row(key.replace("_", " "), str(figures[key]))
    for key in ("bytes", "bytes_per_call", "events", "turns", "tasks", "notes"):
        rest.add_row(key.replace("_", " "), f"{figures[key]:,}")
    for each in figures["whole"]:
        rest.add_row(each["statement"].split("ari_agent.")[-1], f"{each['s']:g} s")
    console.print(rest)
