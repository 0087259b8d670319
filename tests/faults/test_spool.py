"""Disk full, killed, read-only, no login: calls go on, every entry is written once, and the administrator sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import structlog
from database.asterisk_records import Logs, recorded
from database.conftest import *  # noqa: F403 - its fixtures
from database.pbx_files import settings_file
from database.servers import (
    END_SESSIONS,
    PASSWORD,
    WAIT_S,
    CallDatabase,
    CompanyPostgres,
    now,
    open_folder,
    opened,
    until,
    whole_call,
)
from faults.test_database import company, own  # noqa: F401 - fixtures

from ari_agent.calllog.completeness import reconcile, window
from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.spool import Spool, look
from ari_agent.config import Log, load
from ari_agent.errors import SPOOL_TROUBLE
from ari_agent.record import CallNoted

PATIENCE_S = 240.0
"""Thousands of entries on a machine that is busy with other tests."""
CHILD = """
import asyncio, sys
from pathlib import Path
from typing import Any
from uuid import UUID
from ari_agent import log as lines
from ari_agent.calllog.database import Database
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log
from ari_agent.record import CallNoted
from datetime import UTC, datetime

async def main():
    settings = Log(
        database="postgresql://nobody@127.0.0.1:1/none",
        connect_s=0.5,
        spool=Path(sys.argv[1]),
        number_key=Path(sys.argv[3]),
    )
    async with PostgresLog.open(settings, "eins") as log:
        number = 0
        while True:
            number += 1
            log.write(CallNoted(UUID(sys.argv[2]), datetime.now(UTC), "note", f"n{number}"))
            await asyncio.sleep(0)
            if number % 50 == 0:
                while log._backlog._memory or log._backlog._moving:
                    await asyncio.sleep(0.001)
                print(number, flush=True)

lines.configure(quiet=True)
asyncio.run(main())
"""


def numbered(call: UUID, first: int, last: int) -> list[CallNoted]:
    return [CallNoted(call, now(), "note", f"n{number}") for number in range(first, last + 1)]


def written(database: CallDatabase) -> list[int]:
    rows = database.query("SELECT detail ->> 'detail' AS n FROM ari_agent.event WHERE kind = 'noted' ORDER BY seq")
    return [int(row["n"][1:]) for row in rows]


@contextmanager
def small_disk(size: str) -> Iterator[Path]:
    """A disk of its own that is soon full."""
    with open_folder() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all that is left of a disk."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def kill(server: CompanyPostgres) -> None:
    """Kill the server with all its processes at once."""
    pid = int((server._data / "postmaster.pid").read_text().split()[0])
    for one in [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


async def restart(server: CompanyPostgres) -> None:
    async with asyncio.timeout(WAIT_S * 3):
        while True:
            with suppress(subprocess.CalledProcessError):  # its shared memory is still in use
                return await asyncio.to_thread(server.start)
            await asyncio.sleep(0.1)


async def test_a_thousand_calls_while_postgres_is_killed_twenty_times(
    company: CompanyPostgres,  # noqa: F811
    own: CallDatabase,  # noqa: F811
    tmp_path: Path,
) -> None:
    calls, kills = 1000, 20
    logs = Logs(tmp_path / "log")
    logs.begin(now())
    async with PostgresLog.open(own.settings, "eins") as log:
        for batch in range(kills):
            for _ in range(calls // kills):
                begin, *others = whole_call(uuid4())
                channel = recorded(begin.at)
                logs.write(channel.cdr("offer", "StasisBroadcast", seconds=1))
                for entry in (opened(begin.call, channel=channel.uniqueid), *others):
                    log.write(entry)
                await asyncio.sleep(0)
            await asyncio.sleep(0.05)
            await asyncio.to_thread(kill, company)
            await restart(company)
            assert log.dropped == 0, batch
        assert await log.flush(PATIENCE_S)
        assert log.refused == 0
    per_call = own.query("SELECT call, count(*) AS n, count(DISTINCT kind) AS kinds FROM ari_agent.event GROUP BY call")
    assert Counter((row["n"], row["kinds"]) for row in per_call) == {(9, 9): calls}
    for table in ("call", "turn", "task", "note"):
        assert len(own.query(f"SELECT 1 FROM ari_agent.{table}")) == calls  # noqa: S608
    assert own.query("SELECT count(*) AS n FROM ari_agent.call WHERE closed_at IS NULL") == [{"n": 0}]
    path = settings_file(tmp_path, "embedded:", None, logs.section)
    settings = load(path).model_copy(update={"log": own.settings})
    result = await reconcile(settings, window(settings.cdr, now(), None, None), now())
    assert (result.calls, result.entries, result.filed, result.findings) == (calls, calls, 0, [])
    assert result.whole


async def test_what_is_on_disk_outlives_a_kill_at_any_moment(calls: CallDatabase) -> None:
    call, spool = uuid4(), calls.settings.spool
    sure = 0
    for run in range(3):
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            CHILD,
            str(spool),
            str(call),
            str(calls.settings.number_key),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert child.stdout is not None
        for _ in range(4 + run):
            told = int(await child.stdout.readline())
        child.kill()
        await child.communicate()
        sure += told
    (left,) = look(spool)
    assert left.entries >= sure + 3  # with the beginning of each controller
    async with PostgresLog.open(calls.settings, "eins") as log:
        assert await log.flush(PATIENCE_S)
    numbers = written(calls)
    begins = [position for position, number in enumerate(numbers) if number == 1]
    runs = [numbers[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=True)]
    assert [run == list(range(1, len(run) + 1)) for run in runs] == [True] * 3
    assert len(numbers) >= sure


async def test_a_full_disk_under_the_spool_costs_nothing_while_postgres_works(calls: CallDatabase) -> None:
    with small_disk("1m") as disk, structlog.testing.capture_logs() as lines:
        fill(disk)
        settings = calls.settings.model_copy(update={"spool": disk / "spool"})
        async with PostgresLog.open(settings, "eins") as log:
            for entry in numbered(uuid4(), 1, 100):
                log.write(entry)
            assert await log.flush(WAIT_S)
            assert log.healthy
    assert written(calls) == list(range(1, 101))
    assert [line["event"] for line in lines if line["log_level"] == "warning"] in (
        [SPOOL_TROUBLE["disk-full"]],
        [SPOOL_TROUBLE["disk"]],  # not even an empty file could be made
    )


async def test_a_disk_that_fills_under_the_spool_while_postgres_is_away_loses_nothing(
    company: CompanyPostgres,  # noqa: F811
    own: CallDatabase,  # noqa: F811
) -> None:
    call = uuid4()
    with small_disk("2m") as disk, structlog.testing.capture_logs() as lines:
        settings = own.settings.model_copy(update={"spool": disk / "spool"})
        async with PostgresLog.open(settings, "eins") as log:
            assert await log.flush(WAIT_S)
            await asyncio.to_thread(company.stop)
            try:
                for entry in numbered(call, 1, 300):
                    log.write(entry)
                await until(lambda: look(settings.spool)[0].entries == 300)
                ballast = fill(disk)
                for entry in numbered(call, 301, 2500):
                    log.write(entry)
                await until(lambda: log._backlog.trouble == "disk-full")
                assert (log.waiting, log.dropped) == (2500, 0)
            finally:
                await restart(company)
            assert await log.flush(PATIENCE_S)  # although nothing could be removed from the spool
            ballast.unlink()
            await until(lambda: log._backlog.trouble is None)
            await until(lambda: look(settings.spool)[0].entries == 0)
    assert written(own) == list(range(1, 2501))
    events = [line["event"] for line in lines]
    assert events.count(SPOOL_TROUBLE["disk-full"]) == 1
    assert events.count("the spool of the call log takes entries again") == 1


def trouble(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["reason"] for line in lines if line["event"] == "the call log is not written"]


async def test_a_full_disk_under_postgres_makes_entries_wait(
    company: CompanyPostgres,  # noqa: F811
    own: CallDatabase,  # noqa: F811
) -> None:
    name = own.settings.database.rsplit("/", 1)[1]
    with small_disk("24m") as disk, structlog.testing.capture_logs() as lines:
        data = disk / "data"
        data.mkdir()
        os.chown(data, company._drop.get("user", -1), company._drop.get("group", -1))
        with psycopg.connect(company.dsn("postgres"), password=PASSWORD, autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{data}'")
            admin.execute(f"ALTER DATABASE {name} SET TABLESPACE small")
            try:
                async with PostgresLog.open(own.settings, "eins") as log:
                    assert await log.flush(WAIT_S)
                    ballast = fill(disk)
                    call = uuid4()
                    for entry in numbered(call, 1, 1500):
                        log.write(entry)
                    await until(lambda: any("disk" in reason for reason in trouble(lines)))
                    assert not log.healthy
                    await until(lambda: look(own.settings.spool)[0].entries + log._backlog.waiting > 0)
                    ballast.unlink()
                    assert await log.flush(PATIENCE_S)
                    assert (log.healthy, log.dropped, log.refused) == (True, 0, 0)
                assert written(own) == list(range(1, 1501))
            finally:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
                admin.execute("DROP TABLESPACE small")
    assert trouble(lines) == ["the disk of the call log's database is full; entries wait"]


async def test_a_read_only_database_makes_entries_wait(calls: CallDatabase) -> None:
    name = calls.query("SELECT current_database() AS name")[0]["name"]
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(calls.settings, "eins") as log:
            assert await log.flush(WAIT_S)
            calls.query(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
            calls.query(END_SESSIONS)
            for entry in numbered(uuid4(), 1, 20):
                log.write(entry)
            await until(lambda: any("read-only" in reason for reason in trouble(lines)))
            assert (log.healthy, log.waiting) == (False, 20)
            with psycopg.connect(**calls.admin, autocommit=True) as admin:
                admin.execute("SET default_transaction_read_only = off")
                admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
            calls.query(END_SESSIONS)
            assert await log.flush(WAIT_S * 2)
    assert written(calls) == list(range(1, 21))


async def test_a_password_that_is_wrong_makes_entries_wait_until_it_is_right(
    own: CallDatabase,  # noqa: F811
    tmp_path: Path,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    settings = own.settings.model_copy(update={"password_file": secret})
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins") as log:
            assert await log.flush(WAIT_S)
            secret.write_text("falsches-geheimnis")
            own.query(END_SESSIONS)
            for entry in numbered(uuid4(), 1, 20):
                log.write(entry)
            await until(lambda: any("refuses the login" in reason for reason in trouble(lines)))
            secret.unlink()  # and away altogether
            await asyncio.sleep(0.5)
            assert (log.healthy, log.waiting) == (False, 20)
            secret.write_text(PASSWORD)
            assert await log.flush(WAIT_S * 2)
    assert written(own) == list(range(1, 21))
    assert "geheimnis" not in repr(lines)


async def test_a_database_that_forgets_quickly_is_asked_to_keep_what_it_has_acknowledged(calls: CallDatabase) -> None:
    name = calls.query("SELECT current_database() AS name")[0]["name"]
    calls.query(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with Database(calls.settings) as database, await database.connect() as connection:
        row = await (await connection.execute("SHOW synchronous_commit")).fetchone()
    assert row == {"synchronous_commit": "on"}


async def test_a_disk_that_hangs_is_told_and_calls_go_on(calls: CallDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Spool.append

    def slow(self: Spool, batch: object) -> int:
        time.sleep(0.6)
        return append(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(Spool, "append", slow)
    settings: Log = calls.settings.model_copy(update={"connect_s": 0.3})
    with structlog.testing.capture_logs() as lines:
        async with PostgresLog.open(settings, "eins") as log:
            for entry in numbered(uuid4(), 1, 20):
                log.write(entry)
            assert await log.flush(WAIT_S)
    assert written(calls) == list(range(1, 21))
    assert SPOOL_TROUBLE["slow"] in [line["event"] for line in lines]
