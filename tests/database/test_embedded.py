"""Our own Postgres: starts quickly, is shared, survives a kill, and leaves nothing running."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ari_agent.calllog.embedded import ACCOUNT, EmbeddedPostgres
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Log
from ari_agent.errors import CallLogUnusable
from ari_agent.record import CallNoted
from database.servers import WAIT_S, now, open_folder

HOLD = """
import sys
from pathlib import Path
from ari_agent.calllog.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])):
    print("started", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A folder with a database in it, made once, because making one takes seconds."""
    with open_folder() as folder:
        with EmbeddedPostgres(folder / "postgres"):
            pass
        yield folder / "postgres"


@pytest.fixture
def data(made: Path) -> Iterator[Path]:
    yield made
    server = EmbeddedPostgres(made)
    server.start()
    server.stop()
    assert postmaster(made) is None


def postmaster(data: Path) -> int | None:
    """The server's process, or None when it does not run."""
    file = data / "18" / "postmaster.pid"
    if not file.exists():
        return None
    pid = int(file.read_text().split()[0])
    return pid if Path(f"/proc/{pid}").exists() else None


def kill(pid: int) -> None:
    """Kill a process and wait until the kernel has ended it."""
    process = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        assert select.select([process], [], [], WAIT_S)[0]
    finally:
        os.close(process)


def answer(server: EmbeddedPostgres) -> str:
    with psycopg.connect(server.dsn) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0])


def other_process(data: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(data)], stdin=pipe, stdout=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def test_the_server_answers_on_its_socket_only_and_stops_at_the_end(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        assert answer(server).startswith("18.")
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert postmaster(data) is not None
    assert postmaster(data) is None


def test_only_the_servers_account_may_enter_the_folder(data: Path) -> None:
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert data.owner() == (ACCOUNT if os.geteuid() == 0 else Path.home().owner())


def test_a_folder_without_a_database_is_told_when_none_shall_be_made(tmp_path: Path) -> None:
    with pytest.raises(CallLogUnusable, match="no call log"):
        EmbeddedPostgres(tmp_path / "none").start(create=False)
    assert not (tmp_path / "none").exists()


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(CallLogUnusable, match="shorter"), EmbeddedPostgres(tmp_path / ("x" * 100)):
        pass


def test_the_server_runs_until_its_last_user_leaves(data: Path) -> None:
    with EmbeddedPostgres(data) as mine:
        other = other_process(data)
        pid = postmaster(data)
        other.communicate("\n", timeout=WAIT_S)
        assert postmaster(data) == pid
        other = other_process(data)
        assert answer(mine)
    assert postmaster(data) == pid
    other.communicate("\n", timeout=WAIT_S)
    assert postmaster(data) is None


def test_a_killed_user_leaves_a_server_that_the_next_one_takes_over_and_stops(data: Path) -> None:
    other = other_process(data)
    other.kill()
    other.communicate(timeout=WAIT_S)
    left = postmaster(data)
    assert left is not None
    with EmbeddedPostgres(data) as server:
        assert answer(server)
        assert postmaster(data) == left
    assert postmaster(data) is None


def test_a_killed_server_is_started_again(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        with psycopg.connect(server.dsn):  # with a session, whose process outlives the server for a moment
            pid = postmaster(data)
            assert pid is not None
            kill(pid)
        server.start()
        assert answer(server)
        assert postmaster(data) != pid


def test_a_pid_file_that_names_a_foreign_process_does_not_prevent_the_start(data: Path) -> None:
    with EmbeddedPostgres(data):
        lines = (data / "18" / "postmaster.pid").read_text().splitlines()
    stale = data / "18" / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with EmbeddedPostgres(data) as server:
        assert answer(server)


def test_an_interrupted_first_start_is_begun_again() -> None:
    with open_folder() as folder:
        data = folder / "postgres"
        data.mkdir()
        server = EmbeddedPostgres(data)
        server._prepare_folder()
        (data / "18.new").mkdir()
        (data / "18.new" / "half").touch()
        with server:
            assert answer(server)


def test_the_servers_log_holds_no_values(data: Path) -> None:
    secret = "+491701234567"
    with EmbeddedPostgres(data) as server, psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE t (n int CHECK (n > 0), caller text)")
        for sql in ("INSERT INTO t VALUES (-1, %s)", "SELECT %s::int"):
            with pytest.raises(psycopg.Error):
                connection.execute(sql, [secret])
    text = "".join(file.read_text() for file in [data / "start.log", *(data / "18" / "log").iterdir()])
    assert "ready to accept connections" in text
    assert secret not in text


async def test_the_call_log_runs_on_it(data: Path, tmp_path: Path) -> None:
    async with PostgresLog.open(
        Log(data=data, spool=tmp_path / "spool", number_key=tmp_path / "number.key"), "another-node"
    ) as log:
        log.write(CallNoted(uuid4(), now(), "note"))
        assert await log.flush(WAIT_S)
        assert log.healthy
    assert postmaster(data) is None
