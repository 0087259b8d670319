"""What the call log takes: entries through spool and chain, the examination of many events, the room of a call."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ari_agent.calllog.chain import ChainReader
from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log
from ari_agent.record import (
    CallAnswered,
    CallClosed,
    CallOpened,
    DisclosurePlayed,
    Entry,
    NoteWritten,
    TaskTaken,
    TurnTaken,
)
from ari_agent.task import Note, Task

METHOD = """\
The embedded Postgres (every commit on the disk, 60 connections instead of 30) and log.fsync = full, in a folder of
their own.
rates: so many logs, each with a spool and a connection of its own, write the same number of calls between them;
entries per second from the first entry taken to the last one in Postgres. call: 4 turns, a callback and a note, 10
entries; bytes of tables and indexes after the first rates, per call. events: made as a set through the trigger that
chains every event, then every hash computed anew, once by kette_pruefen() and once page by page as ari-agent audit
verify does it.""".replace("\n", " ")
WRITERS = (1, 8, 32)
CALLS = 320
"""For each number of writers."""
EVENTS = 1_000_000
STEP = 100_000
"""Events made in one statement."""
LIMIT_S = 300.0
SIZES = """
    SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
    WHERE relnamespace = 'ari_agent'::regnamespace AND relkind = 'r'
"""
MAKE = """
    INSERT INTO ari_agent.event (entry, call, at, kind, code, detail)
    SELECT gen_random_uuid(), gen_random_uuid(), now(), 'turn', 'answer', jsonb_build_object(
        'number', n %% 9, 'heard', 'speech', 'source', 'preise/wartung', 'total_ms', 399.3, 'interrupted', false,
        'intent', 'preis', 'urgency', 'normal', 'decided_by', 'encoder')
    FROM generate_series(1, %s) AS n
"""

Json = dict[str, Any]


async def measure(say: Callable[[str], None]) -> Json:
    """Measure all of it. Raises CallLogError, OSError."""
    with tempfile.TemporaryDirectory(prefix="ari-agent-bench-") as name:
        folder = enterable(name)
        settings = Log(
            data=folder / "postgres", spool=folder / "spool", number_key=folder / "number.key", connect_s=30.0
        )
        with EmbeddedPostgres(settings.data) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 60")  # counts from the next start
        with EmbeddedPostgres(settings.data) as server:
            figures: Json = {"rates": []}
            for writers in WRITERS:
                say(f"call log, writers: {writers}")
                figures["rates"].append(await _rate(settings, writers))
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                figures["bytes_per_call"] = round(_number(connection, SIZES) / (CALLS * len(WRITERS)))
                figures |= await _examination(settings, connection, say)
    return {"method": METHOD, "figures": figures}


def enterable(name: str) -> Path:
    """Let the account of the embedded server pass through."""
    folder = Path(name)
    folder.chmod(0o755)
    return folder


async def _rate(settings: Log, writers: int) -> Json:
    calls = [usual_call(uuid4()) for _ in range(CALLS)]
    entries = sum(map(len, calls))
    ready, start = asyncio.Semaphore(0), asyncio.Event()

    async def one(number: int) -> None:
        async with PostgresLog.open(settings, f"writer-{number}") as log:
            if not await log.flush(LIMIT_S):
                raise OSError("the call log was not written")
            ready.release()
            await start.wait()
            for call in calls[number::writers]:
                for entry in call:
                    log.write(entry)
                await asyncio.sleep(0)
            if not await log.flush(LIMIT_S):
                raise OSError("the call log was not written")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in range(writers)]
        for _ in tasks:
            await ready.acquire()
        began = time.perf_counter()
        start.set()
        await asyncio.wait(tasks)
        seconds = time.perf_counter() - began
    return {"writers": writers, "entries": entries, "per_second": round(entries / seconds, 1)}


async def _examination(settings: Log, connection: psycopg.Connection, say: Callable[[str], None]) -> Json:
    say(f"call log, events: {EVENTS}")
    began = time.perf_counter()
    for _ in range(EVENTS // STEP):
        await asyncio.to_thread(connection.execute, MAKE, [STEP])
    made = time.perf_counter() - began
    began = time.perf_counter()
    row = connection.execute("SELECT in_ordnung, ereignisse FROM ari_agent.kette_pruefen()").fetchone()
    by_sql = time.perf_counter() - began
    if row is None or not row[0]:
        raise OSError("the chain does not hold")
    began = time.perf_counter()
    async with ChainReader.open(settings) as reader:
        examined = await reader.examine()
    by_us = time.perf_counter() - began
    if examined.faults or examined.seal_faults:
        raise OSError("the chain does not hold")
    return {
        "events": row[1],
        "made_per_second": round(EVENTS / made),
        "kette_pruefen_s": round(by_sql, 2),
        "audit_verify_s": round(by_us, 2),
        "bytes_per_event": round(_number(connection, "SELECT pg_total_relation_size('ari_agent.event')") / row[1]),
    }


def _number(connection: psycopg.Connection, sql: Any) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0


def usual_call(call: UUID) -> list[Entry]:
    """The entries of a usual call."""
    now = datetime.now(UTC)
    turns = [
        TurnTaken(
            call, now, number, "answer", "preise/wartung", None, "preis", "normal", "encoder", "speech", 300.0, 41.0,
            3.0, 55.0, 399.0, interrupted=False,
        )
        for number in range(1, 5)
    ]  # fmt: skip
    task = Task("callback", "Erika Beispiel", "+491701234567", matter="die Therme tropft", urgency="high")
    note = Note("Erika Beispiel", ("Wartung",), ("Rückruf bis Montag, 17 Uhr",), (), "high", "bench")
    return [
        CallOpened(call, now, "bench", "1732270000.1", "+497111234", "+491701234567"),
        CallAnswered(call, now, 412.0),
        DisclosurePlayed(call, now, 8250.0, "ab" * 32),
        *turns,
        TaskTaken(call, now, uuid4(), task),
        NoteWritten(call, now, note),
        CallClosed(call, now, "solved", "goodbye", 4),
    ]


def show(report: Json, console: Console) -> None:
    """Print the figures as tables."""
    figures = report["figures"]
    rates = Table("call log", *(f"{rate['writers']} writers" for rate in figures["rates"]), box=SIMPLE)
    rates.add_row("entries per second", *(f"{rate['per_second']:g}" for rate in figures["rates"]))
    console.print(rates)
    rest = Table("call log", "", box=SIMPLE)
    for key in (
        "events", "made_per_second", "kette_pruefen_s", "audit_verify_s", "bytes_per_event", "bytes_per_call",
    ):  # fmt: skip
        rest.add_row(key.replace("_", " "), f"{figures[key]:,}")
    console.print(rest)
