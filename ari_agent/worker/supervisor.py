"""A supervised worker process: a native engine that dies, hangs or babbles takes nothing with it and is restarted."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from ari_agent import metrics
from ari_agent.errors import EngineUnavailable
from ari_agent.worker.messages import Decoder, Garbage, Kind, Message, encode
from ari_agent.worker.process import end
from ari_agent.worker.quarantine import Quarantine
from ari_agent.worker.session import Session

_log = logging.getLogger(__name__)

PING_S = 0.5
"""After so much silence the worker is asked whether it lives."""
BEHIND_BYTES = 512 * 1024
"""More waiting to be written means that the engine is too far behind: 16 s of one caller, 1.6 s of ten."""
STEADY_S = 60.0
"""A worker that served so long died of something new: its restarts begin with the shortest delay again."""
REPLACED = "it took too much memory and is replaced"
"""The fault of a worker that is loading again for that reason."""
_READ_BYTES = 256 * 1024
_SESSIONS = 2**32


def backoff(first_s: float = 0.1, most_s: float = 30.0) -> Iterator[float]:
    """Yield delays in seconds before restarts: doubling, with jitter so that workers do not load in step."""
    delay = first_s
    while True:
        yield delay * random.uniform(0.8, 1.2)  # noqa: S311 - spreading load is no secret
        delay = min(most_s, delay * 2)


class Worker:
    """Runs `python ARGUMENTS`, such as `-m ari_agent.speech.vosk_worker MODEL`, again whenever it fails."""

    def __init__(
        self,
        engine: str,
        arguments: Sequence[str],
        *,
        load_s: float,
        hang_s: float = 3.0,
        niceness: int = 0,
        environment: Mapping[str, str] | None = None,
        setup: bytes | None = None,
        failed: Callable[[], None] = lambda: None,
        quarantine: Quarantine | None = None,
    ) -> None:
        """`environment` is added to ours, `setup` sent before the engine loads, `failed` called whenever it ends.

        `quarantine` says when it is not started again for a while; None: always with the next delay.
        """
        self.engine = engine
        """Name of the engine for errors and logs."""
        self.fault: str | None = None
        """Why the engine is not ready or was restarted last, in words for an administrator."""
        self.pid: int | None = None
        """Process id while the process runs."""
        self.worn = False
        """Whether it takes more memory than it should: others are to be preferred, and it is to be replaced."""
        self.exhausted = False
        """Whether it takes so much that it should get no more to do."""
        self._arguments = list(arguments)
        self._load_s = load_s
        self._hang_s = hang_s
        self._niceness = niceness
        self._environment = {**os.environ, **(environment or {})}
        self._setup = setup
        self._failed = failed
        self._quarantine = quarantine
        self._died_in_calls = False
        self._ready = False
        self._replacing = False  # its end is our own will
        self._failures = 0
        self._news = asyncio.Event()  # set and replaced whenever the process became ready or failed
        self._process: Process | None = None
        self._sessions: dict[int, Session] = {}
        self._next = 1
        self._task: asyncio.Task[None] | None = None
        self._asked_at: float | None = None  # loop time of a PING that is not answered
        self._answered_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether the model is loaded and the process alive."""
        return self._ready

    @property
    def serving(self) -> int | None:
        """Id of the process while its model is loaded and it lives."""
        return self.pid if self._ready else None

    @property
    def busy(self) -> int:
        """Sessions that are open."""
        return len(self._sessions)

    @property
    def behind_s(self) -> float:
        """Seconds that what is sent now waits before it is worked on, as far as `probe` has found out."""
        asked_at = self._asked_at
        return self._answered_s if asked_at is None else max(self._answered_s, _now() - asked_at)

    def probe(self) -> None:
        """Ask how far behind the process is; never blocks. Without a process nothing is behind."""
        if self.ready and self._asked_at is None:
            self._ping()

    def start(self) -> None:
        """Start the process and its supervision; `ready` follows when the model is loaded."""
        self._task = self._task or asyncio.create_task(self._supervise(), name=f"{self.engine} worker")

    async def wait_ready(self, limit_s: float) -> None:
        """Wait until the engine is ready. Raises EngineUnavailable when the next start fails, or after the limit."""
        failures = self._failures
        try:
            async with asyncio.timeout(limit_s):
                while not self.ready and self._failures == failures:
                    await self._news.wait()
        except TimeoutError as e:
            raise EngineUnavailable(self.engine, self.fault or f"not loaded within {limit_s:g} s") from e
        if not self.ready:
            raise EngineUnavailable(self.engine, self.fault or "ended")

    def replace(self) -> None:
        """End the process and start another at once, which is no failure; open sessions raise EngineUnavailable."""
        if self.ready and self._process is not None:
            self._ready, self._replacing, self.fault = False, True, REPLACED
            with suppress(ProcessLookupError):
                self._process.kill()

    async def aclose(self) -> None:
        """End the process; open sessions raise EngineUnavailable."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._process is not None:  # we came while it was being ended: wait for that too
            await end(self._process)

    def open(self) -> Session:
        """Begin a session. Raises EngineUnavailable while the engine is not ready."""
        if not self.ready:
            raise EngineUnavailable(self.engine, self.fault or "still loading")
        number = self._next
        self._next = number % (_SESSIONS - 1) + 1
        session = self._sessions[number] = Session(self.engine, number, self.write, self.release)
        try:
            session.send(Kind.OPEN)
        except EngineUnavailable:
            del self._sessions[number]
            raise
        return session

    def release(self, number: int) -> None:
        """Close the session with this number."""
        if self._sessions.pop(number, None) is not None and self.ready:
            with suppress(EngineUnavailable):  # too far behind even for this: the next restart frees it
                self.write(Message(Kind.CLOSE, number))

    def write(self, message: Message) -> None:
        """Hand a message to the process without waiting. Raises EngineUnavailable."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            raise EngineUnavailable(self.engine, self.fault or "not running")
        if process.stdin.transport.get_write_buffer_size() > BEHIND_BYTES:
            raise EngineUnavailable(self.engine, "too far behind")
        process.stdin.write(encode(message))

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        delays = backoff()
        while True:
            started = loop.time()
            status = await self._run()
            if self._replacing:
                self._replacing = False
                continue
            if loop.time() - started > STEADY_S:
                delays = backoff()
            if self._died_in_calls and self._quarantine is not None and self._quarantine.died():
                await self._rest(self._quarantine)
                continue
            delay = next(delays)
            _log.warning("%s: %s (status %s); next start in %.1f s", self.engine, self.fault, status, delay)
            await asyncio.sleep(delay)

    async def _rest(self, quarantine: Quarantine) -> None:
        """Stay away for a while: whatever callers bring, this process does not survive it."""
        self.fault = f"ended again and again in calls: out of service for {quarantine.rest_s:g} s"
        _log.error("%s: %s", self.engine, self.fault)
        with metrics.OUT_OF_SERVICE.labels(self.engine).track_inprogress():
            await asyncio.sleep(quarantine.rest_s)

    async def _run(self) -> int | None:
        """Run the process until it fails, leave the reason in `fault` and return its exit status."""
        # What native code prints may be of use while debugging; engines are told to print no words of a caller.
        stderr = None if _log.isEnabledFor(logging.DEBUG) else DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments, stdin=PIPE, stdout=PIPE, stderr=stderr, env=self._environment
            )
        except OSError as e:
            self.fault = f"cannot be started: {e.strerror}"
            self._lose_all(self.fault)
            return None
        self._process, self.pid = process, process.pid
        reason = "closed"
        try:
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, self._niceness)
            if self._setup is not None:
                with suppress(EngineUnavailable):  # it has ended already, as `_converse` will see
                    self.write(Message(Kind.SETUP, payload=self._setup))
            reason = await self._converse(process)
            reason = self.fault = REPLACED if self._replacing else reason
        finally:
            self._lose_all(reason)
            await end(process)
            self._process = None
        return process.returncode

    async def _converse(self, process: Process) -> str:
        """Deliver what the process says; return why it cannot go on."""
        decoder = Decoder()
        unanswered = 0  # counted rather than timed: when our own loop was late, the answer may be waiting unread
        while True:
            try:
                data = await _read(process, PING_S if self.ready else self._load_s)
            except TimeoutError:
                if not self.ready:
                    return f"not loaded within {self._load_s:g} s"
                unanswered += 1
                if unanswered * PING_S > self._hang_s:
                    return f"hangs: no answer for {self._hang_s:g} s"
                if unanswered == 1:
                    self._ping()
                continue
            unanswered = 0
            if not data:
                return "the process ended"
            try:
                for message in decoder.feed(data):
                    if message.kind is Kind.FAILED and not message.session:
                        return message.payload.decode(errors="replace")
                    self._take(message)
            except Garbage:
                return "the process sent garbage"

    def _ping(self) -> None:
        with suppress(EngineUnavailable):  # so far behind that what it has to do will show whether it lives
            self.write(Message(Kind.PING))
            self._asked_at = self._asked_at or _now()

    def _take(self, message: Message) -> None:
        if message.kind is Kind.READY:
            self.fault = None
            self._ready = True
            self._tell()
        elif message.kind is Kind.PONG and self._asked_at is not None:
            self._answered_s, self._asked_at = _now() - self._asked_at, None
        elif session := self._sessions.get(message.session):
            session.take(message)  # an answer for a session that was closed meanwhile has nobody to go to

    def _lose_all(self, reason: str) -> None:
        self._asked_at, self._answered_s = None, 0.0
        self._ready = self.worn = self.exhausted = False
        self.pid = None
        self._died_in_calls = bool(self._sessions)
        for session in self._sessions.values():
            session.lose(reason)
        self._sessions.clear()
        if not self._replacing:
            self._failures += 1
            self._failed()
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read(process: Process, limit_s: float) -> bytes:
    """Return what the process wrote, b"" when it will write no more. Raises TimeoutError."""
    if process.stdout is None:
        return b""
    async with asyncio.timeout(limit_s):
        return await process.stdout.read(_READ_BYTES)
