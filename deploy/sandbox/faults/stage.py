"""Everything that a campaign or a soak runs against: Asterisk, wires, Postgres, a small disk, the supervised agent."""

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ari_agent.config import Settings, load
from sandbox.faults.board import Board
from sandbox.faults.clock import Clock
from sandbox.faults.database import Server
from sandbox.faults.disk import Disk
from sandbox.faults.observer import Observer
from sandbox.faults.supervisor import MARK, Supervisor
from sandbox.faults.wires import Wire, wire
from sandbox.settings import HERE, SECRETS, STANDIN, Tables, sandbox_settings, write_settings

PBX = HERE / "pbx"
PBX_S = 180
HTTP_PORT, AMI_PORT, METRICS_PORT = 18088, 15038, 19464
ADD_MEMBER = "queue add member PJSIP/empfang3 to empfang"
"""The third phone of the reception is in another queue by the sandbox's own settings; a second time changes nothing."""
REMOVE_MEMBER = "queue remove member PJSIP/empfang3 from empfang"
OTHERS_S = 30.0
NODE = "faults"
VOICE_WPM = 280
"""Faster than a company would have it: every sentence is heard to its end."""


class StageError(Exception):
    """The stage cannot be set up; the text says what to do."""


@dataclass(frozen=True)
class Stage:
    """What is running."""

    mark: str
    folder: Path
    settings: Settings
    supervisor: Supervisor
    """Of the controller."""
    watchdog: Supervisor
    http: Wire
    ami: Wire
    database: Server
    disk: Disk
    clock: Clock
    board: Board
    observer: Observer


def tables(folder: Path, disk: Path, http: int, ami: int, database: str) -> Tables:
    """Return the settings: what a caller waits for is as it is delivered, conversations are quick."""
    found = sandbox_settings(folder, node=NODE, engine="llama" if STANDIN.exists() else "embedded")
    found["asterisk"] |= {"ari_url": f"http://127.0.0.1:{http}", "ami_port": ami}
    found["calls"] |= {"slots": 12, "silence_s": 4, "drain_s": 3}
    found["speech"] |= {"voice_wpm": VOICE_WPM}
    found["escalation"] = {"ring_s": 8, "key_s": 3}
    found["log"] |= {"database": database, "spool": str(disk / "spool")}
    found["metrics"] = {"port": METRICS_PORT}
    return found


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Set the stage; clear it at the end. Raises StageError and the errors of the parts."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder())
        stack.enter_context(asterisk())
        mark = uuid4().hex
        clock = Clock(folder)
        stack.enter_context(_environment({MARK: mark, **clock.environment}))
        disk = stack.enter_context(Disk.open(folder / "disk"))
        database = stack.enter_context(Server.open(folder / "postgres"))
        http = await stack.enter_async_context(wire(HTTP_PORT))
        ami = await stack.enter_async_context(wire(AMI_PORT))
        path = folder / "agent.toml"
        write_settings(path, tables(folder, disk.folder, http.port, ami.port, database.address))
        board = Board()
        observer = await stack.enter_async_context(Observer.open(board))
        await _check_alone(observer)
        watchdog = await stack.enter_async_context(Supervisor.watchdog(path, disk.folder).supervised())
        supervisor = await stack.enter_async_context(Supervisor.controller(path, disk.folder).supervised())
        yield Stage(mark, folder, load(path), supervisor, watchdog, http, ami, database, disk, clock, board, observer)


def pbx(*arguments: str) -> str:
    """Run `deploy/sandbox/pbx`; blocks. Raises StageError with what it complains about."""
    done = subprocess.run([PBX, *arguments], capture_output=True, text=True, timeout=PBX_S, check=False)
    if done.returncode:
        raise StageError(done.stderr.strip() or f"deploy/sandbox/pbx {arguments[0]} failed")
    return done.stdout


@contextmanager
def asterisk() -> Iterator[None]:
    """Start Asterisk unless it runs, and stop what we have started."""
    was_up = subprocess.run([PBX, "status"], capture_output=True, timeout=PBX_S, check=False).returncode == 0
    if not was_up:
        pbx("start")
    try:
        pbx("cli", "channel request hangup all")
        pbx("cli", "database deltree ari-agent")
        yield
    finally:
        pbx("cli", "channel request hangup all")
        pbx("cli", REMOVE_MEMBER)
        if not was_up:
            pbx("stop")


def password(user: str) -> str:
    """Return the password of a phone."""
    return (SECRETS / user).read_text(encoding="utf-8").strip()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that Postgres's account may enter."""
    with tempfile.TemporaryDirectory(prefix="ari-agent-faults-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    """What the programs that we start find in their environment."""
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _check_alone(observer: Observer) -> None:
    """Refuse to run beside another controller, which would claim some of the calls. Raises StageError."""
    until = time.monotonic() + OTHERS_S
    while others := set(re.findall(r"\bari_agent\w*", pbx("cli", "ari show websocket sessions"))):
        if time.monotonic() > until:
            raise StageError(f"another agent serves the sandbox's calls ({', '.join(others)}): stop it")
        await asyncio.sleep(0.5)
    await asyncio.wait_for(observer.connected.wait(), OTHERS_S)
