"""A real SIP phone for asyncio programs: one process per phone, both directions recorded on one sample clock."""

import asyncio
import base64
import itertools
import json
import os
import re
import sys
import wave
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from sandbox.tape import LOUD, RATE, Samples

T = TypeVar("T")
Facts = dict[str, Any]

REPLY_LIMIT = 5.0
"""Seconds within which the phone's process obeys a command; it needs milliseconds."""
START_LIMIT = 20.0
"""Seconds within which the process is ready, also on a machine that is busy with something else."""
PIECE = 30 * RATE
"""Samples fetched in one line from the phone's process."""
LINE_LIMIT = 8 * PIECE
"""Bytes of the longest line: two directions of a piece in base64, with room."""


class PhoneError(Exception):
    """The phone could not do that, what was waited for did not come in time, or the phone's process ended."""


@dataclass(frozen=True)
class Speech:
    """What this phone said or heard, as sample indices on its own clock."""

    first: int
    last: int

    @property
    def ms(self) -> float:
        return (self.last - self.first + 1) * 1000 / RATE


@dataclass(frozen=True)
class Ringing:
    """An incoming call, as the phone's display shows it."""

    name: str
    """Caller-id name; for a receptionist the reason of the call stands here."""
    number: str
    at: float
    """Monotonic time in seconds, comparable between the phones of one machine."""


@dataclass(frozen=True)
class Recording:
    """Both directions of one call; index n is the same moment in both."""

    sent: Samples
    received: Samples
    started: float
    """Monotonic time of sample 0 in seconds."""

    def save(self, directory: Path, name: str) -> tuple[Path, Path]:
        """Write `<name>-sent.wav` and `<name>-received.wav`; blocks."""
        paths = directory / f"{name}-sent.wav", directory / f"{name}-received.wav"
        for path, samples in zip(paths, (self.sent, self.received), strict=True):
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(samples.astype("<i2").tobytes())
        return paths


class Phone:
    """One SIP phone in a process of its own; use it as an async context manager.

    One call at a time. Every wait has a limit in seconds; when it passes, when the call ends meanwhile or when the process dies,
    `PhoneError` is raised. Sample indices count from the first frame of the current call, at 8 kHz.
    """

    def __init__(self, server: str = "127.0.0.1:15060", *, noise_floor: float = 12.0) -> None:
        """`server`: host:port of the PBX. `noise_floor`: standard deviation of the line noise this phone sends in silence."""
        self.server = server
        self._noise_floor = noise_floor
        self._keys = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Facts]] = {}  # bounded by the commands in flight, each with a time limit
        self._news = asyncio.Condition()
        self._gone = ""
        self._ready = False
        self._registered: int | None = None
        self._digits: deque[str] = deque(maxlen=64)  # when full, the oldest digit is forgotten
        self._forget_call()

    def _forget_call(self) -> None:
        self._ringing: Ringing | None = None
        self._answered: Facts | None = None
        self._audio = False
        self._ended: int | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox.handset", str(self._noise_floor),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_LIMIT,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())
        try:
            await self._until("the phone's process to start", lambda: self._ready or None, START_LIMIT)
            self.port = int((await self._identify("sip:caller@127.0.0.1"))["port"])
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up and end the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), REPLY_LIMIT)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader

    # Who this phone is

    async def register(self, user: str, password: str, *, timeout: float = 10.0) -> None:
        """Register as `user` at the PBX, which can ring this phone from then on."""
        self._registered = None
        await self._identify(f"sip:{user}@{self.server.partition(':')[0]}", user, password)
        code = await self._until("the registration", lambda: self._registered, timeout)
        if code != 200:
            raise PhoneError(f"the PBX refused the registration with SIP status {code}")

    async def show_as(self, number: str, name: str = "") -> None:
        """Call from now on with this number and caller-id name in From."""
        display = f'"{name}" ' if name else ""
        await self._identify(f"{display}<sip:{number}@{self.server.partition(':')[0]}>")

    async def _identify(self, uri: str, user: str = "", password: str = "") -> Facts:
        registrar = f"sip:{self.server}" if user else ""
        return await self._do("identify", uri=uri, registrar=registrar, user=user, password=password)

    # Calls

    async def call(self, extension: str) -> None:
        """Send the INVITE for an extension of the PBX, or for a whole SIP address."""
        self._forget_call()
        await self._do("call", uri=extension if extension.startswith("sip:") else f"sip:{extension}@{self.server}")

    async def wait_answered(self, *, timeout: float = 20.0) -> float:
        """Wait for the 200 and the audio path; returns the milliseconds from INVITE to 200."""

        def answered() -> Facts | None:
            if self._ended is not None and self._answered is None:
                raise PhoneError(f"the call ended with SIP status {self._ended} before it was answered")
            return self._answered if self._audio else None

        return float((await self._until("an answer", answered, timeout))["after_ms"])

    async def wait_ringing(self, *, timeout: float = 20.0) -> Ringing:
        """Wait for an incoming call."""
        return await self._until("an incoming call", lambda: self._ringing, timeout)

    async def answer(self, after_ms: float = 0.0) -> None:
        """Take the call that rings; returns when the audio path is there."""
        await asyncio.sleep(after_ms / 1000)
        await self._do("answer", code=200)
        await self.wait_answered(timeout=REPLY_LIMIT)

    async def decline(self) -> None:
        """Refuse the call that rings (603)."""
        await self._do("answer", code=603)
        await self.wait_ended(timeout=REPLY_LIMIT)

    async def hangup(self) -> None:
        """End the call, if there is one; its recording stays until the next call."""
        await self._do("hangup")
        if self._answered is not None or self._ringing is not None:
            await self.wait_ended(timeout=REPLY_LIMIT)

    async def wait_ended(self, *, timeout: float = 20.0) -> int:
        """Wait for the end of the call; returns its last SIP status."""
        return await self._until("the end of the call", lambda: self._ended, timeout)

    @property
    def in_call(self) -> bool:
        """Whether a call is answered and not ended."""
        return self._answered is not None and self._ended is None

    async def dtmf(self, digits: str) -> int:
        """Press keys (RFC 4733); returns the sample at which the first one began."""
        return int((await self._do("dial", digits=digits))["at"])

    async def wait_digit(self, *, timeout: float = 10.0) -> str:
        """The next key that the other side has pressed, in order."""
        await self._until("a key", lambda: self._digits or None, timeout)
        return self._digits.popleft()

    # Speaking and listening

    async def say(self, samples: Samples) -> Speech:
        """Start to speak now, or right after what is still being said; returns at once where the speech will begin and end."""
        pcm = base64.b64encode(samples.astype("<i2").tobytes()).decode()
        start = int((await self._do("say", pcm=pcm))["start"])
        loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > LOUD)
        return Speech(start + int(loud[0]), start + int(loud[-1])) if len(loud) else Speech(start, start + len(samples) - 1)

    async def tone(self, hertz: float, seconds: float) -> Speech:
        """Send a sine of a quarter of full scale, which stays clear of what A-law clips."""
        time = np.arange(round(seconds * RATE)) / RATE
        return await self.say(np.rint(8192 * np.sin(2 * np.pi * hertz * time)).astype(np.int16))

    async def hush(self) -> None:
        """Stop speaking."""
        await self._do("hush")

    async def said(self, speech: Speech) -> None:
        """Wait until the last sample of one's own speech has been sent."""
        while (now := int((await self._do("clock"))["now"])) <= speech.last:
            await asyncio.sleep((speech.last - now) / RATE + 0.005)

    async def wait_speech(self, *, since: int | None = None, timeout: float = 10.0) -> int:
        """The first sample from `since` (None: from now) at which the other side speaks."""
        return await self._watch("the other side to speak", None, since, timeout)

    async def wait_quiet(self, ms: float, *, since: int | None = None, timeout: float = 30.0) -> int:
        """Wait until the other side has been silent for `ms`; returns its last speech sample, `since - 1` if it never spoke."""
        return await self._watch("the other side to fall silent", round(ms * RATE / 1000), since, timeout)

    async def listen(self, quiet_ms: float = 700.0, *, since: int | None = None, timeout: float = 30.0) -> Speech:
        """Wait until the other side has spoken and then been silent for `quiet_ms`; returns what was heard."""
        first = await self.wait_speech(since=since, timeout=timeout)
        return Speech(first, await self.wait_quiet(quiet_ms, since=first, timeout=timeout))

    async def now(self) -> int:
        """Samples since the first frame of the call."""
        return int((await self._do("clock"))["now"])

    async def recording(self) -> Recording:
        """Both directions of the current or last call up to now; raises when the call was longer than a tape."""
        clock = await self._do("clock")
        if clock["full"]:
            raise PhoneError("the call was longer than the recording")
        pieces = [
            await self._do("cut", start=start, stop=min(start + PIECE, clock["now"])) for start in range(0, clock["now"], PIECE)
        ]
        sent, received = (b"".join(base64.b64decode(piece[side]) for piece in pieces) for side in ("sent", "received"))
        return Recording(np.frombuffer(sent, np.int16), np.frombuffer(received, np.int16), float(clock["started"]))

    # The phone's process

    async def _watch(self, what: str, quiet: int | None, since: int | None, timeout: float) -> int:
        key = next(self._keys)
        try:
            facts = await self._ask(key, {"do": "watch", "quiet": quiet, "since": since}, what, timeout)
        except (PhoneError, asyncio.CancelledError):
            self._write({"id": next(self._keys), "do": "unwatch", "key": key})
            raise
        return int(facts["at"])

    async def _do(self, name: str, **arguments: object) -> Facts:
        return await self._ask(next(self._keys), {"do": name, **arguments}, f"the phone to obey {name!r}", REPLY_LIMIT)

    async def _ask(self, key: int, command: Facts, what: str, limit: float) -> Facts:
        if self._gone:
            raise PhoneError(self._gone)
        reply = self._replies[key] = asyncio.get_running_loop().create_future()
        try:
            self._write({"id": key, **command})
            async with asyncio.timeout(limit):
                return await reply
        except TimeoutError as e:
            raise PhoneError(f"waited {limit:g} s for {what}") from e
        finally:
            del self._replies[key]

    def _write(self, command: Facts) -> None:
        assert self._process.stdin is not None
        if not self._gone:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def _until(self, what: str, probe: Callable[[], T | None], limit: float) -> T:
        """Wait until `probe` finds something in what the phone's process has told."""

        def found() -> bool:
            return bool(self._gone) or probe() is not None

        try:
            async with asyncio.timeout(limit), self._news:
                await self._news.wait_for(found)
        except TimeoutError as e:
            raise PhoneError(f"waited {limit:g} s for {what}") from e
        result = probe()
        if result is None:
            raise PhoneError(self._gone)
        return result

    async def _read(self) -> None:
        """Take replies and events until the process ends; then everything that waits fails."""
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                self._take(json.loads(line))
                async with self._news:
                    self._news.notify_all()
        finally:
            self._gone = f"the phone's process ended with status {await self._process.wait()}"
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(PhoneError(self._gone))
            async with self._news:
                self._news.notify_all()

    def _take(self, message: Facts) -> None:
        match message:
            case {"id": key}:
                reply = self._replies.get(key)
                if reply is None or reply.done():  # its time limit has passed
                    return
                if "error" in message:
                    reply.set_exception(PhoneError(message["error"]))
                else:
                    reply.set_result(message["ok"])
            case {"event": "ready"}:
                self._ready = True
            case {"event": "registered", "code": code}:
                self._registered = code
            case {"event": "ringing", "caller": caller, "at": at}:
                self._forget_call()
                self._ringing = Ringing(*_caller_id(caller), at)
            case {"event": "answered"}:
                self._answered = message
            case {"event": "audio"}:
                self._audio = True
            case {"event": "digit", "digit": digit}:
                self._digits.append(digit)
            case {"event": "ended", "code": code}:
                self._ended = code


def _caller_id(uri: str) -> tuple[str, str]:
    """Name and number of a From header such as `"Name" <sip:number@host>`."""
    shown = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<?sips?:([^@;>]*)', uri)
    if shown is None:
        return "", ""
    return re.sub(r"\\(.)", r"\1", shown[1] or shown[2] or ""), shown[3]
