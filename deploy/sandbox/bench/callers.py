"""Callers who ask questions by phone: one after the other, or into the agent's word; their calls are kept."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from sandbox import caller_voice
from sandbox.bench.figures import Question
from sandbox.phone import Phone, PhoneError
from sandbox.recording import RATE, Recording, Samples, Segment

COMPANY = "2900"
NUMBERS = "+493023125{:03d}"
"""Numbers reserved for fiction; the last three digits, which the call log shows, tell our calls apart."""
QUIET_MS = 700.0
"""The agent has finished when it is silent for longer than between two sentences (250 ms)."""
REPLY_LIMIT = 5.0
"""Seconds after which a reply is missing."""
THINKING_S = (0.2, 0.8)
"""So long a caller waits before the next question, so that parallel calls do not speak in step."""
INTO_THE_WORD_S = (0.6, 1.2)
"""So long the agent has been speaking when it is interrupted: in the middle of its first sentence."""


@dataclass
class Take:
    """One call as the caller's phone has it."""

    number: str
    invite_to_answer_ms: float | None = None
    answered_at: float = 0.0
    """Monotonic time in seconds."""
    asked: list[tuple[Question, Segment]] = field(default_factory=list)
    """In order, with the samples of the call in which they were spoken."""
    murmured: list[Segment] = field(default_factory=list)
    """Where somebody only said "mhm" into the agent's word."""
    recording: Recording | None = None
    trouble: str = ""
    """Why the call was not played to its end."""


class Caller:
    """A phone; every call it makes has another number, and the next of the voices."""

    def __init__(self, phone: Phone, index: int) -> None:
        self.phone = phone
        self._voices = caller_voice.voices()
        self._voice = self._voices[0]
        self._random = random.Random(index)
        self.take = Take("")

    async def ring_up(self, number: int) -> None:
        """Call the company and wait for the answer. Raises PhoneError."""
        self.take = Take(NUMBERS.format(number))
        self._voice = self._voices[number % len(self._voices)]
        await self.phone.show_as(self.take.number)
        await self.phone.call(COMPANY)
        self.take.invite_to_answer_ms = await self.phone.wait_answered()
        self.take.answered_at = self.phone.answered_at or 0.0

    async def hear_out(self) -> None:
        """Listen until the agent has finished. Raises PhoneError."""
        await self.phone.wait_speech(timeout=REPLY_LIMIT)
        await self.phone.wait_quiet(QUIET_MS)

    async def ask(self, question: Question) -> None:
        """Think, ask, and hear the reply to its end; one that does not come is waited for. Raises PhoneError."""
        samples = await self._render(question)
        await asyncio.sleep(self._random.uniform(*THINKING_S))
        spoken = await self._speak(question, samples)
        try:
            first = await self.phone.wait_speech(since=spoken.last + 1, timeout=REPLY_LIMIT)
        except PhoneError:
            if not self.phone.in_call:
                raise
        else:
            await self.phone.wait_quiet(QUIET_MS, since=first)

    async def interrupt(self, question: Question) -> None:
        """Ask into the agent's word some moments after it has begun, and wait for the reply to begin.

        Raises PhoneError, also when no reply comes.
        """
        samples = await self._render(question)
        await asyncio.sleep(self._random.uniform(*INTO_THE_WORD_S))
        await self.phone.wait_speech(timeout=REPLY_LIMIT)  # not into a pause between two words
        spoken = await self._speak(question, samples)
        await self.phone.wait_speech(since=spoken.last + 1, timeout=REPLY_LIMIT)

    async def murmur(self, question: Question, word: str) -> None:
        """Ask, say no more than this into the answer some moments after it has begun, and hear it to its end.

        Raises PhoneError, also when the agent does not go on.
        """
        samples = await asyncio.to_thread(caller_voice.speak, word, self._voice)
        asked = await self._speak(question, await self._render(question))
        await self.phone.wait_speech(since=asked.last + 1, timeout=REPLY_LIMIT)
        await asyncio.sleep(self._random.uniform(*INTO_THE_WORD_S))
        spoken = await self.phone.say(samples)
        self.take.murmured.append(spoken)
        await self.phone.said(spoken)
        first = await self.phone.wait_speech(since=spoken.last + 1, timeout=REPLY_LIMIT)
        await self.phone.wait_quiet(QUIET_MS, since=first)

    async def outlast(self, ms: float) -> None:
        """Wait until the agent has been speaking for so long since its first word. Raises PhoneError."""
        first = await self.phone.wait_speech(since=0, timeout=REPLY_LIMIT)
        late = first + round(ms * RATE / 1000) - await self.phone.now()
        await asyncio.sleep(max(0.0, late / RATE))

    async def ring_off(self) -> None:
        """End the call and keep its recording; a phone that cannot any more leaves the trouble it has."""
        try:
            if self.phone.in_call:
                await self.phone.hangup()
            self.take.recording = await self.phone.recording()
        except PhoneError as e:
            self.take.trouble = self.take.trouble or str(e)

    async def _render(self, question: Question) -> Samples:
        return await asyncio.to_thread(caller_voice.speak, question.text, self._voice)

    async def _speak(self, question: Question, samples: Samples) -> Segment:
        spoken = await self.phone.say(samples)
        self.take.asked.append((question, spoken))
        await self.phone.said(spoken)
        return spoken


@asynccontextmanager
async def callers(count: int) -> AsyncIterator[list[Caller]]:
    """So many phones, each a process of its own. Raises PhoneError."""
    async with AsyncExitStack() as stack:
        yield [Caller(await stack.enter_async_context(Phone()), index) for index in range(count)]


def shares(questions: Sequence[Question], callers: int, each: int) -> list[list[Question]]:
    """Hand out `each` different questions to every caller, so that all are asked about equally often."""
    return [[questions[(caller * each + i) % len(questions)] for i in range(each)] for caller in range(callers)]
