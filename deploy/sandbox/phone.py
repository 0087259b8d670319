"""A real SIP phone for asyncio programs: one process per phone, both directions recorded on one sample clock."""

import asyncio
import base64
import re
from collections import deque
from dataclasses import dataclass
from typing import Self

import numpy as np

from sandbox.handset_process import PIECE, REPLY_LIMIT, Facts, HandsetProcess, PhoneError
from sandbox.recording import RATE, Recording, Samples, Segment, loud

__all__ = ["Phone", "PhoneError", "Ringing"]

START_LIMIT = 20.0
"""Seconds within which a phone is ready, also on a machine that is busy with something else."""
SPEAKING_MARGIN = 5.0
"""Seconds that speech may take longer than its samples, before a phone is given up."""


@dataclass(frozen=True)
class Ringing:
    """An incoming call, as the phone's display shows it."""

    name: str
    """Caller-id name; for a receptionist the reason of the call stands here."""
    number: str
    at: float
    """Monotonic time in seconds, comparable between the phones of one machine."""


class Phone:
    """One SIP phone; use it as an async context manager.

    It has one call at a time. Every wait has a limit in seconds: when that passes, when the call ends meanwhile and
    when the phone's process dies, `PhoneError` is raised. Samples (8 kHz) are counted from the first frame of a call.
    """

    def __init__(
        self, server: str = "127.0.0.1:15060", *, noise_floor: float = 12.0, suppressing: bool = False
    ) -> None:
        """`server`: host:port of the PBX. `noise_floor`: standard deviation of the line noise sent in silence.

        `suppressing`: send next to nothing in silence, as phones with silence suppression (DTX) do.
        """
        self.server = server
        self.port = 0
        """UDP port on which this phone takes SIP requests."""
        self.answered_at: float | None = None
        """Monotonic time in seconds at which the current or last call was answered."""
        self._noise_floor = noise_floor
        self._suppressing = suppressing
        self._process = HandsetProcess(self._take)
        self._ready = False
        self._registered: int | None = None
        self._digits: deque[str] = deque(maxlen=64)  # when full, the oldest key is forgotten
        self._new_call(None)
        self._busy = False

    async def __aenter__(self) -> Self:
        await self._process.start(self._noise_floor, suppressing=self._suppressing)
        try:
            await self._process.until("the phone's process to start", lambda: self._ready or None, START_LIMIT)
            await self.show_as("caller")
            self.port = int((await self._process.do("address"))["port"])
        except BaseException:
            await self._process.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up, unregister and end the process; once more does nothing."""
        await self._process.close()

    @property
    def pid(self) -> int:
        """The phone's process."""
        return self._process.pid

    @property
    def gone(self) -> bool:
        """Whether the phone's process has ended."""
        return bool(self._process.gone)

    # Who this phone is

    async def register(self, user: str, password: str, *, timeout: float = 10.0) -> None:
        """Register as `user` at the PBX, which can ring this phone from then on."""
        self._registered = None
        await self._process.do("identify", uri=self._address(user), registrar=f"sip:{self.server}", password=password)
        code = await self._process.until("the registration", lambda: self._registered, timeout)
        if code != 200:
            raise PhoneError(f"the PBX refused the registration with SIP status {code}")

    async def show_as(self, number: str, name: str = "") -> None:
        """Call from now on with this number and caller-id name in From, without a registration."""
        await self._process.do("identify", uri=self._address(number, name))

    def _address(self, user: str, name: str = "") -> str:
        uri = f"<sip:{user}@{self.server.partition(':')[0]}>"
        return f'"{name}" {uri}' if name else uri

    # Calls

    async def call(self, extension: str) -> None:
        """Send the INVITE to an extension of the PBX or to a whole SIP address."""
        if self._busy:
            raise PhoneError("this phone has a call already")
        self._new_call(None)
        uri = extension if extension.startswith("sip:") else f"sip:{extension}@{self.server}"
        try:
            await self._process.do("call", uri=uri)
        except PhoneError:
            self._busy = False
            raise

    async def wait_answered(self, *, timeout: float = 20.0) -> float:
        """Wait for the 200 and the audio path; returns the milliseconds from INVITE to 200."""

        def answered() -> float | None:
            if not self._busy and self._answered_ms is None:
                raise PhoneError(f"the call ended with SIP status {self._ended} before it was answered")
            return self._answered_ms if self._audio else None

        return await self._process.until("an answer", answered, timeout)

    async def wait_ringing(self, *, timeout: float = 20.0) -> Ringing:
        """Wait until a call comes in and rings; one that has ended again does not count."""
        return await self._process.until("an incoming call", lambda: self._ringing, timeout)

    async def answer(self, after_ms: float = 0.0) -> None:
        """Take the call that rings; returns when the audio path is there."""
        await asyncio.sleep(after_ms / 1000)
        await self._process.do("answer", code=200)
        await self.wait_answered(timeout=REPLY_LIMIT)

    async def decline(self) -> None:
        """Refuse the call that rings (603)."""
        await self._process.do("answer", code=603)
        await self.wait_ended(timeout=REPLY_LIMIT)

    async def hangup(self) -> None:
        """End the call, if there is one; its recording stays until the next call."""
        await self._process.do("hangup")
        if self._busy:
            await self.wait_ended(timeout=REPLY_LIMIT)

    async def wait_ended(self, *, timeout: float = 20.0) -> int:
        """Wait for the end of the call; returns its last SIP status."""
        return await self._process.until("the end of the call", lambda: self._ended, timeout)

    @property
    def in_call(self) -> bool:
        """Whether there is an answered call."""
        return self._busy and self._answered_ms is not None

    async def dtmf(self, digits: str) -> int:
        """Press keys (RFC 4733); returns the sample at which the first one was pressed."""
        return int((await self._process.do("dial", digits=digits))["at"])

    async def wait_digit(self, *, timeout: float = 10.0) -> str:
        """The next key that the other side has pressed, in order."""
        await self._process.until("a key", lambda: self._digits or None, timeout)
        return self._digits.popleft()

    # Speaking and listening

    async def say(self, samples: Samples) -> Segment:
        """Start to speak now, or right after what is still being said; returns at once.

        The result tells which samples of the call are the first and the last one of this speech.
        """
        pcm = base64.b64encode(samples.astype("<i2").tobytes()).decode()
        start = int((await self._process.do("say", pcm=pcm))["start"])
        spoken = loud(samples)
        first, last = (spoken[0], spoken[-1]) if len(spoken) else (0, len(samples) - 1)
        return Segment(start + int(first), start + int(last))

    async def tone(self, hertz: float, seconds: float) -> Segment:
        """Send a sine of a quarter of full scale, as `say` does."""
        time = np.arange(round(seconds * RATE)) / RATE
        return await self.say(np.rint(8192 * np.sin(2 * np.pi * hertz * time)).astype(np.int16))

    async def hush(self) -> None:
        """Stop speaking."""
        await self._process.do("hush")

    async def said(self, speech: Segment) -> None:
        """Wait until the last sample of one's own speech has been sent."""
        limit = (speech.last - await self.now()) / RATE + SPEAKING_MARGIN
        await self._process.watch("the end of one's own speech", limit, kind="moment", samples=speech.last)

    async def wait_speech(self, *, since: int | None = None, timeout: float = 10.0) -> int:
        """The first sample from `since` (None: from now) on at which the other side speaks."""
        return await self._process.watch("the other side to speak", timeout, kind="speech", since=since)

    async def wait_quiet(self, ms: float, *, since: int | None = None, timeout: float = 30.0) -> int:
        """Wait until the other side has been silent for `ms`, counted from `since` (None: from now) at the earliest.

        Returns the last sample at which it spoke, `since - 1` when it did not.
        """
        samples = round(ms * RATE / 1000)
        return await self._process.watch(
            "the other side to fall silent", timeout, kind="quiet", samples=samples, since=since
        )

    async def listen(self, quiet_ms: float = 700.0, *, since: int | None = None, timeout: float = 30.0) -> Segment:
        """Wait until the other side has spoken and then been silent for `quiet_ms`; returns where it spoke."""
        first = await self.wait_speech(since=since, timeout=timeout)
        return Segment(first, await self.wait_quiet(quiet_ms, since=first, timeout=timeout))

    async def now(self) -> int:
        """Samples since the first frame of the call."""
        return int((await self._process.do("clock"))["now"])

    async def recording(self) -> Recording:
        """Both directions of the current or last call so far; raises when the call was longer than the tape."""
        clock = await self._process.do("clock")
        if clock["full"]:
            raise PhoneError("the call was longer than the recording")
        end = int(clock["now"])
        sent, received = bytearray(), bytearray()
        for start in range(0, end, PIECE):
            piece = await self._process.do("cut", start=start, stop=min(start + PIECE, end))
            sent += base64.b64decode(piece["sent"])
            received += base64.b64decode(piece["received"])
        return Recording(np.frombuffer(sent, np.int16), np.frombuffer(received, np.int16), float(clock["started"]))

    # News from the phone's process

    def _new_call(self, ringing: Ringing | None) -> None:
        self._ringing = ringing
        self._answered_ms: float | None = None
        self.answered_at = None
        self._audio = False
        self._ended: int | None = None
        self._busy = True
        self._digits.clear()

    def _take(self, message: Facts) -> None:
        match message:
            case {"event": "ready"}:
                self._ready = True
            case {"event": "registered", "code": code}:
                self._registered = code
            case {"event": "ringing", "caller": caller, "at": at}:
                self._new_call(Ringing(*caller_id(caller), at))
            case {"event": "answered", "after_ms": after_ms, "at": at}:
                self._answered_ms, self.answered_at = after_ms, at
            case {"event": "audio"}:
                self._audio = True
            case {"event": "digit", "digit": digit}:
                self._digits.append(digit)
            case {"event": "ended", "code": code}:
                self._ended, self._ringing, self._busy = code, None, False


def caller_id(address: str) -> tuple[str, str]:
    """Name and number in a From header such as `"Name" <sip:number@host>`; empty where there is none."""
    shown = re.match(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^<"]*?))\s*<?sips?:([^@;>]*)', address)
    if shown is None:
        return "", ""
    return re.sub(r"\\(.)", r"\1", shown[1] or shown[2] or ""), shown[3]
