"""Callers and receptionists with real phones, and what they can do in a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ari_agent.cli.company import company_script
from ari_agent.config import Settings
from sandbox import caller_voice, ear
from sandbox.phone import Phone, Ringing
from sandbox.recording import Samples, Segment

from . import hearing
from .conftest import Sandbox

COMPANY = "2900"
NUMBER = "+4971112345"
CALLERS_TONE, STAFF_TONE = 440.0, 600.0
"""Hertz."""
SERVICE = "Eine Wartung der Gasheizung kostet einhundertneunundzwanzig Euro, die Anfahrt ist dabei."
"""What the demo company's document says of a service's price, as it is spoken."""


def says(text: str, voice: int = 0) -> Samples:
    """Return a sentence in one of the voices that the demo model has never heard."""
    return caller_voice.speak(text, caller_voice.voices()[voice])


class Ears:
    """Tells the agent's sentences from each other in what a phone received."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.script = company_script(settings)
        self.wording = self.script.wording
        self._spoken: dict[str, list[Samples]] = {}

    async def where(self, phone: Phone, text: str, since: int = 0) -> list[Segment | None]:
        """Return where each sentence of the text was heard, None for one that was not or was broken off."""
        if text not in self._spoken:
            self._spoken[text] = await hearing.spoken(self.script.say(text), self._settings.speech)
        received = (await phone.recording()).received
        return [hearing.find(received, sentence, since) for sentence in self._spoken[text]]

    async def heard(self, phone: Phone, text: str, since: int = 0) -> bool:
        """Whether every sentence of the text was heard to its end."""
        return None not in await self.where(phone, text, since)


async def ask(phone: Phone, text: str, voice: int = 0) -> int:
    """Say a sentence to its end; return its last sample."""
    speech = await phone.say(says(text, voice))
    await phone.said(speech)
    return speech.last


@asynccontextmanager
async def receptionist(sandbox: Sandbox, name: str = "empfang1") -> AsyncIterator[Phone]:
    """A phone of the reception, registered."""
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.register(name, sandbox.secret(name))
        yield phone


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 5.0) -> None:
    """Wait until something that nobody announces is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - neither Asterisk nor the database sets an event of ours
            await asyncio.sleep(0.03)


async def nothing_left(sandbox: Sandbox, seconds: float = 5.0) -> None:
    """Wait until Asterisk has no channel and no bridge. Raises TimeoutError."""

    async def empty() -> bool:
        return not await asyncio.to_thread(lambda: sandbox.ari("GET", "channels") + sandbox.ari("GET", "bridges"))

    await until(empty, seconds)


async def heard_tone(phone: Phone, hertz: float, since: int = 0) -> None:
    """Wait until a phone has received 200 ms of a tone. Raises TimeoutError."""

    async def there() -> bool:
        return ear.has_tone((await phone.recording()).received[since:], hertz)

    await until(there)


async def notice_over(caller: Phone) -> None:
    """Call and listen to the notice; return in the pause before the greeting, which may be interrupted."""
    await caller.call(COMPANY)
    await caller.wait_answered()
    first = await caller.wait_speech(since=0)
    await caller.wait_quiet(200, since=first)


async def wants_a_person(caller: Phone) -> None:
    """Call and press 0 at once: the wish is fulfilled as soon as the notice is over."""
    await caller.call(COMPANY)
    await caller.wait_answered()
    await caller.dtmf("0")


async def connected(caller: Phone, desk: Phone) -> Ringing:
    """Bring a call to the point where caller and receptionist talk; return what the display showed."""
    await wants_a_person(caller)
    ringing = await desk.wait_ringing()
    await desk.answer()
    await desk.wait_speech()
    await desk.dtmf("1")
    await desk.tone(STAFF_TONE, 1.0)
    await heard_tone(caller, STAFF_TONE)
    return ringing


async def they_hear_each_other(caller: Phone, desk: Phone) -> None:
    """Prove with two tones that the line is open both ways. Raises TimeoutError."""
    at_desk, at_caller = await desk.now(), await caller.now()
    await asyncio.gather(caller.tone(CALLERS_TONE, 0.5), desk.tone(STAFF_TONE, 0.5))
    await asyncio.gather(heard_tone(desk, CALLERS_TONE, at_desk), heard_tone(caller, STAFF_TONE, at_caller))
