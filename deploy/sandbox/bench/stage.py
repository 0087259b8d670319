"""What is measured: one agent with a call log of its own, on the sandbox's Asterisk, and nobody else there."""

import asyncio
import re
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ari_agent.calllog.embedded import VERSION
from ari_agent.calllog.reading import CallReader
from ari_agent.config import Settings, load
from ari_agent.pbx.ari import Ari
from sandbox.agent import Agent
from sandbox.bench.usage import family, runs
from sandbox.settings import CACHE, HERE, STANDIN, sandbox_settings, write_settings

PBX = HERE / "pbx"
PBX_LIMIT = 120.0
"""Seconds for starting or stopping Asterisk."""
OTHERS_LIMIT = 30.0
"""Seconds for another agent that is just stopping to end."""
PBX_PID = CACHE / "sandbox" / "rootfs" / "run" / "asterisk" / "asterisk.pid"
WORKERS = {"vosk_worker": "ari_agent.speech.vosk_worker", "llama_worker": "ari_agent.llm.llama_worker"}
TRANSPORT = "the audio of calls comes by"
"""The line of the agent's log that tells the transport."""
VOICE_WPM = 240
"""Faster than a company would have it: callers hear every answer to its end."""


class StageError(Exception):
    """The stage cannot be set up; the text says what to do."""


@dataclass(frozen=True)
class Stage:
    """Everything that is running."""

    settings: Settings
    agent: Agent
    log: CallReader
    asterisk: str
    """Version of Asterisk."""
    transport: str
    """How audio comes, as the agent's log says."""

    def groups(self) -> dict[str, set[int]]:
        """The processes by what they are for; blocks for some milliseconds."""
        ours = family(self.agent.pid)
        workers = {name: {process for process in ours if runs(process, module)} for name, module in WORKERS.items()}
        cluster = self.settings.log.data / VERSION / "postmaster.pid"
        return {
            "agent": ours.difference(*workers.values()),
            **{name: processes for name, processes in workers.items() if processes},
            "postgres": family(_pid(cluster)),
            "asterisk": {_pid(PBX_PID)},
        }


@asynccontextmanager
async def stage(
    slots: int,
    gguf: Path | None = None,
    before: Sequence[str] = (),
    lag_close_ms: float | None = None,
    transport: str = "auto",
    *,
    recording: bool = False,
) -> AsyncIterator[Stage]:
    """Set the stage for so many calls at the same time, and clear it at the end; without `gguf` no model decides.

    `before`: a program with its arguments that runs the agent. `lag_close_ms`: lag from which on calls are refused.
    Raises StageError and the errors of the agent, its settings and its call log.
    """
    async with AsyncExitStack() as stack:
        version = stack.enter_context(asterisk())
        path = stack.enter_context(folder())
        tables = sandbox_settings(path, node="bench", engine="llama" if gguf else "embedded")
        tables["calls"]["slots"] = slots
        tables["calls"] |= {} if lag_close_ms is None else {"lag_close_ms": lag_close_ms}
        tables["asterisk"]["transport"] = transport
        tables["recording"]["enabled"] = recording
        tables["speech"]["voice_wpm"] = VOICE_WPM
        tables["model"]["gguf"] = str(gguf or STANDIN)
        settings = load(write_settings(path / "bench.toml", tables))
        await _check_alone(settings)
        agent = await stack.enter_async_context(Agent(path / "bench.toml", before=before))
        if gguf is not None:
            await agent.model_ready()
        log = await stack.enter_async_context(CallReader.open(settings.log))
        chosen = await agent.logged(TRANSPORT)
        yield Stage(settings, agent, log, version, chosen["transport"])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for settings, log and database, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ari-agent-bench-") as name:
        # The embedded Postgres runs under an account of its own, which must be able to enter it.
        path = Path(name)
        path.chmod(0o755)
        yield path


@contextmanager
def asterisk() -> Iterator[str]:
    """Start Asterisk unless it runs, and stop what we have started; yields its version."""
    was_up = subprocess.run([PBX, "status"], capture_output=True, timeout=PBX_LIMIT, check=False).returncode == 0
    if not was_up:
        pbx("start")
    try:
        pbx("cli", "channel request hangup all")
        pbx("cli", "database deltree ari-agent")  # the bypass, if somebody has switched it on
        found = re.search(r"Asterisk (\d[\d.]*)", pbx("cli", "core show version"))
        yield found[1] if found else "unknown"
    finally:
        if not was_up:
            pbx("stop")


def pbx(*arguments: str) -> str:
    """Run `deploy/sandbox/pbx`; blocks. Raises StageError with what it complains about."""
    try:
        done = subprocess.run([PBX, *arguments], capture_output=True, text=True, timeout=PBX_LIMIT, check=False)
    except subprocess.TimeoutExpired as e:
        raise StageError(f"deploy/sandbox/pbx {arguments[0]} takes longer than {PBX_LIMIT:g} s") from e
    if done.returncode:
        raise StageError(done.stderr.strip() or f"deploy/sandbox/pbx {arguments[0]} failed")
    return done.stdout


async def _check_alone(settings: Settings) -> None:
    """Refuse to measure beside another controller, which would claim some of the calls. Raises StageError, AriError."""
    async with Ari.open(settings.asterisk, settings.app) as ari:
        until = time.monotonic() + OTHERS_LIMIT
        while others := [name for name in await ari.applications() if name.startswith("ari_agent_")]:
            if time.monotonic() > until:
                raise StageError(f"another agent serves the sandbox's calls ({', '.join(others)}): stop it")
            await asyncio.sleep(0.5)


def _pid(file: Path) -> int:
    """The process that a server's file names. Raises StageError."""
    try:
        return int(file.read_text(encoding="utf-8").split()[0])
    except (OSError, ValueError, IndexError) as e:
        raise StageError(f"{file.name} does not name a process: the server has ended") from e
