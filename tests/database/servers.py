"""Real Postgres servers for tests: the embedded one, and a company's own with a password on a TCP port."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from ari_agent.calllog import embedded
from ari_agent.calllog.database import Database
from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.sealing import Numbers, Place, pseudonym
from ari_agent.config import Log
from ari_agent.record import (
    CallAnswered,
    CallClosed,
    CallNoted,
    CallOpened,
    ConsentTaken,
    DisclosurePlayed,
    Entry,
    EscalationEnded,
    NoteWritten,
    RecordingKept,
    RecordingKind,
    TaskTaken,
    TurnTaken,
)
from ari_agent.task import Note, Task

NUMBER = "+491701234567"
"""The caller's number in every entry."""
PASSWORD = "im Test erfunden"
WAIT_S = 10.0
"""No test waits longer for anything."""

END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'ari-agent'
"""
"""Cuts every connection that the package holds to the database."""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder that every account may enter; pytest's own are closed to the account of the server."""
    folder = Path(tempfile.mkdtemp(prefix="ari-agent-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class CompanyPostgres:
    """A company's Postgres: the machine's own version where one is installed, else the wheel's."""

    def __init__(self, folder: Path) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        self._folder = folder
        self._data = folder / "data"
        self._drop: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(embedded.ACCOUNT)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._drop = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._programs = installed[-1] if installed else self._wheel(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.password_file = folder / "password"
        self.password_file.write_text(PASSWORD)
        settings = f"port={self.port}\nmax_connections=120\nfsync=off\n"
        settings += "listen_addresses='127.0.0.1'\nunix_socket_directories=''\n"
        self._run("initdb", "--auth=scram-sha-256", "--username=firma", f"--pwfile={self.password_file}", "-E", "UTF8")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(settings)

    @staticmethod
    def _wheel(folder: Path) -> Path:
        account = pwd.getpwnam(embedded.ACCOUNT) if os.geteuid() == 0 else None
        return embedded._programs(folder, account)

    def dsn(self, database: str, port: int | None = None) -> str:
        return f"postgresql://firma@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def _run(self, program: str, *arguments: str) -> None:
        with (self._folder / "report").open("ab") as report:
            command = [str(self._programs / program), *arguments, "-D", str(self._data)]
            subprocess.run(
                command, stdout=report, stderr=report, cwd=self._folder, timeout=60, check=True, env={"LC_ALL": "C"},
                **self._drop,
            )  # fmt: skip


@dataclass
class CallDatabase:
    """A database of its own for one test, with the schema in it."""

    settings: Log
    admin: dict[str, Any]

    def query(self, sql: Any, *values: object) -> list[DictRow]:
        with psycopg.connect(**self.admin, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def numbers(self, area_code: str = "") -> Numbers:
        """What seals and opens numbers of this database."""
        numbers = Numbers(self.settings.number_key, area_code, create=True)
        numbers.require()
        return numbers

    def number(self, place: Place, ident: UUID, sealed: bytes | None) -> str | None:
        """The number that a row holds."""
        return None if sealed is None else self.numbers().open(place, ident, sealed)

    def caller(self, call: UUID) -> str | None:
        """The number of the caller of a call."""
        (row,) = self.query("SELECT caller FROM ari_agent.call WHERE id = %s", call)
        return self.number("call", call, row["caller"])

    def pseudonym(self, number: str) -> str:
        """What auditors see of a number."""
        return pseudonym(self.numbers().digests(number)[-1])


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[dict[str, Any]]:
    with open_folder() as folder, EmbeddedPostgres(folder / "postgres") as server:
        yield {"conninfo": server.dsn}


@pytest.fixture(scope="session")
def company_server(embedded_server: object) -> Iterator[dict[str, Any]]:
    """After the embedded one, which makes the account when root runs the tests."""
    with open_folder() as folder:
        server = CompanyPostgres(folder)
        server.start()
        try:
            yield {"conninfo": server.dsn("postgres"), "password": PASSWORD}
        finally:
            server.stop()


@pytest.fixture(scope="session")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture(scope="session", params=["embedded", "company"])
def template(
    request: pytest.FixtureRequest, password_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> CallDatabase:
    """The database that every test gets a copy of."""
    admin = request.getfixturevalue(f"{request.param}_server")
    database = _empty(admin, password_file, "template_calls", tmp_path_factory.mktemp("template"))

    async def prepare() -> None:
        async with Database(database.settings) as calls, await calls.connect() as connection:
            await migrate(connection)

    asyncio.run(prepare())
    return database


@pytest.fixture
def calls(template: CallDatabase, password_file: Path, tmp_path: Path) -> Iterator[CallDatabase]:
    """A copy of the template."""
    name = f"calls_{uuid4().hex}"
    admin = dict(template.admin, conninfo=make_conninfo(template.admin["conninfo"], dbname="postgres"))
    database = _empty(admin, password_file, name, tmp_path, "TEMPLATE template_calls")
    yield database
    _administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_database(template: CallDatabase, password_file: Path, tmp_path: Path) -> Iterator[CallDatabase]:
    """A database without our schema."""
    name = f"empty_{uuid4().hex}"
    admin = dict(template.admin, conninfo=make_conninfo(template.admin["conninfo"], dbname="postgres"))
    yield _empty(admin, password_file, name, tmp_path)
    _administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


def _empty(admin: dict[str, Any], password_file: Path, name: str, folder: Path, like: str = "") -> CallDatabase:
    _administer(admin, f"CREATE DATABASE {name} {like}")
    address = make_conninfo(admin["conninfo"], dbname=name)
    password = password_file if "password" in admin else None
    settings = Log(
        database=address,
        password_file=password,
        connect_s=2.0,
        spool=folder / "spool",
        number_key=folder / "number.key",
    )
    return CallDatabase(settings, dict(admin, conninfo=address))


def _administer(admin: dict[str, Any], sql: Any) -> None:
    with psycopg.connect(**admin, autocommit=True) as connection:
        connection.execute(sql)


class Wire:
    """A TCP connection to Postgres that the test can cut: at once, or after the server has done what it was asked."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.deaf = False
        """The server's answers are thrown away, and with the first of them the connection."""
        self.port = 0
        self.cut = asyncio.Event()
        """Set when an answer was thrown away."""

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator[Wire]:
        wire = cls(port)
        server = await asyncio.start_server(wire._serve, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            for writer in wire._open:
                writer.close()
            for task in list(wire._tasks):
                task.cancel()
            await asyncio.gather(*wire._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        try:
            upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(upstream)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, upstream, answers=False))
                both.create_task(self._pump(upstream_reader, writer, answers=True))
        except* OSError:
            pass
        finally:
            self._tasks.discard(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(asyncio.CancelledError):
            while data := await source.read(65536):
                if answers and self.deaf:
                    self.deaf = False
                    self.cut.set()
                    break
                sink.write(data)
                await sink.drain()
        for writer in list(self._open):
            writer.close()


def now() -> datetime:
    return datetime.now(UTC)


def opened(call: UUID, **changes: Any) -> CallOpened:
    fields = {"node": "eins", "channel": "1732270000.1", "dialled": "+497111234", "caller": NUMBER}
    return CallOpened(**{"call": call, "at": now(), **fields, **changes})


def turn(call: UUID, number: int = 1, **changes: Any) -> TurnTaken:
    fields: dict[str, Any] = {
        "act": "answer", "source": "preise/wartung", "reason": None, "heard": "speech", "end_of_turn_ms": 300.0,
        "stt_ms": 41.26, "decide_ms": 3.0, "tts_ms": 55.0, "total_ms": 399.3, "interrupted": False, "intent": "preis",
        "urgency": "normal", "decided_by": "encoder",
    }  # fmt: skip
    return TurnTaken(**{"call": call, "at": now(), "number": number, **fields, **changes})


def callback(call: UUID, **changes: Any) -> TaskTaken:
    fields: dict[str, Any] = {
        "kind": "callback", "name": "Erika Beispiel", "number": NUMBER, "company": "Beispiel und Söhne",
        "email": "erika@example.org", "recipient": "Herrn Muster", "matter": "die Therme tropft",
        "earliest": datetime(2026, 11, 23, 13, tzinfo=UTC), "latest": datetime(2026, 11, 23, 15, tzinfo=UTC),
        "due": datetime(2026, 11, 23, 16, tzinfo=UTC), "urgency": "high", "intent": "stoerung", "reason": "no-answer",
    }  # fmt: skip
    return TaskTaken(call, now(), uuid4(), Task(**{**fields, **changes}))


def noted(call: UUID) -> NoteWritten:
    about = ("Wartung", "Rückruf erbeten: die Therme tropft")
    agreed, missing = ("Rückruf bis Montag, 23. November, 17 Uhr",), ("Empfang nicht erreicht",)
    note = Note("Erika Beispiel, Beispiel und Söhne", about, agreed, missing, "high", "ari-agent 0.3.0, encoder-de")
    return NoteWritten(call, now(), note)


QUESTION = "Dürfen wir dieses Gespräch aufzeichnen, um unsere Auskünfte zu verbessern?"


def consent(call: UUID, **changes: Any) -> ConsentTaken:
    digest = hashlib.sha256(QUESTION.encode()).hexdigest()
    fields: dict[str, Any] = {"answer": "given", "way": "voice", "scope": "audio+transcript"}
    return ConsentTaken(**{"call": call, "at": now(), **fields, "text": QUESTION, "text_sha256": digest, **changes})


def recording(call: UUID, kind: RecordingKind = "audio", **changes: Any) -> RecordingKept:
    fields: dict[str, Any] = {"node": "eins", "duration_ms": 61_000.0, "size": 1_950_000, "sha256": "cd" * 32}
    return RecordingKept(**{"call": call, "at": now(), "ident": uuid4(), "kind": kind, **fields, **changes})


def whole_call(call: UUID) -> list[Entry]:
    """One entry of every kind that an unrecorded call has."""
    return [
        opened(call),
        CallAnswered(call, now(), 412.0),
        DisclosurePlayed(call, now(), 8250.0, "ab" * 32),
        turn(call, caller_text="was kostet die wartung", agent_text="Die Wartung kostet 129 Euro."),
        callback(call),
        EscalationEnded(call, now(), "empfang", "wish-for-person", "accepted", 4200.0),
        CallNoted(call, now(), "late-answer", "stage=decide"),
        noted(call),
        CallClosed(call, now(), "handed-over", "wish-for-person", 1, "empfang"),
    ]


async def until(happens: Callable[[], object]) -> None:
    """Wait for something that nobody announces, such as a lock in the database; look every 10 ms, at most WAIT_S."""
    async with asyncio.timeout(WAIT_S):
        while not await asyncio.to_thread(happens):  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)
