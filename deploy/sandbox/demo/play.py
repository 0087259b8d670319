"""One call while it is played: what the phones do, and what the call log tells of it at the same time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

from ari_agent.calllog.reading import Row
from sandbox import ear
from sandbox.demo.result import TONE_HZ, CallResult, Left, bridge_proof, turns
from sandbox.demo.screen import Screen
from sandbox.demo.stage import CALLER, Stage
from sandbox.phone import PhoneError
from sandbox.recording import RATE, Recording, Samples, Segment

COMPANY = "2900"
"""The number that the caller dials."""
PAUSE_MS = 450.0
"""The AI has finished when it is silent for so long; between its sentences it pauses half of that."""
RINGS_S = 2.0
"""How long the receptionist lets the phone ring."""
LISTENS_S = 1.5
"""How much of the whisper the receptionist waits for after the tones."""
REPLY_LIMIT = 6.0
"""Seconds until the AI replies; then something is wrong."""
LOG_LIMIT = 20.0
"""Seconds until the call log tells what a scene waits for; the notice alone takes six of them."""
TONE_S = 0.8
"""Long enough to be found (200 ms) even if it starts before the two are quite connected."""
TRAVEL_S = 0.2
"""From phone to phone sound takes less, on a busy machine too."""
HEARD_SHARE = 0.8
"""Share of the notice's length that the caller's phone must have heard as sound; the rest are its pauses."""


class NotLoggedError(Exception):
    """The call log did not tell in time what a scene waits for."""


class Play:
    """One call between the caller, the AI and the receptionist."""

    def __init__(self, stage: Stage, screen: Screen, voice: Mapping[str, Samples], scene: str) -> None:
        """`voice`: every sentence of the caller as speech."""
        self.caller = stage.caller
        self.desk = stage.desk
        self.screen = screen
        self.result = CallResult(scene)
        self._reader = stage.reader
        self._tasks = stage.tasks
        self._voice = voice
        self._spoken: list[tuple[str, Segment]] = []
        self._keys: tuple[int, int] | None = None
        self._interruption: int | None = None
        self._events: list[Row] = []
        self._news = asyncio.Event()  # set and replaced at every event

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Follow the call log inside the block."""
        position = await self._reader.position()
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._follow(position))
            yield
            following.cancel()

    # What the caller does

    async def dial(self) -> None:
        """Call the company and wait for the answer."""
        await self.caller.call(COMPANY)
        self.result.answered_in_ms = round(await self.caller.wait_answered(), 1)

    async def hear_notice(self) -> None:
        """Wait for the end of the notice that an AI speaks."""
        await self.logged("disclosed")

    async def hear_out(self) -> None:
        """Listen to the reply to one's last sentence, to the end."""
        await self.hear_from(self._spoken[-1][1].last + 1)

    async def hear_from(self, since: int) -> None:
        """Listen from a sample on until the AI has spoken and finished."""
        first = await self.caller.wait_speech(since=since, timeout=REPLY_LIMIT)
        await self.caller.wait_quiet(PAUSE_MS, since=first)

    async def say(self, sentence: str) -> None:
        """Say it to the end."""
        said = await self.caller.say(self._voice[sentence])
        self._spoken.append((sentence, said))
        self.screen.caller(sentence)
        await self.caller.said(said)

    async def interrupt(self, sentence: str, after_s: float) -> None:
        """Say it when the AI has been replying to the last sentence for so many seconds."""
        reply = await self.caller.wait_speech(since=self._spoken[-1][1].last + 1, timeout=REPLY_LIMIT)
        await self.caller.said(Segment(reply, reply + round(after_s * RATE)))
        self.screen.note("the caller interrupts")
        self._interruption = len(self._spoken)
        await self.say(sentence)

    async def say_goodbye(self, sentence: str) -> None:
        """Say it and wait until the AI has said goodbye too and hung up."""
        await self.say(sentence)
        await self.caller.wait_ended()

    # What the receptionist does

    async def take_call(self) -> None:
        """Answer, hear the whisper, press 1; before and after that both phones send the tone."""
        ringing = await self.desk.wait_ringing()
        self.screen.rings(ringing.name)
        await self.desk.answer(after_ms=1000 * RINGS_S)
        await self.desk.wait_speech()
        self.screen.whisper()
        tones = await asyncio.gather(self.caller.tone(TONE_HZ, TONE_S), self.desk.tone(TONE_HZ, TONE_S))
        await asyncio.gather(self.caller.said(tones[0]), self.desk.said(tones[1]))
        await asyncio.sleep(LISTENS_S)
        self._keys = await self.caller.now(), await self.desk.dtmf("1")
        self.screen.note("the receptionist presses 1")
        await self.logged("escalated")
        for phone in (self.desk, self.caller):
            await phone.said(await phone.tone(TONE_HZ, TONE_S))
        await asyncio.sleep(TRAVEL_S)

    async def ignore_call(self) -> None:
        """Let the phone ring until it stops."""
        ringing = await self.desk.wait_ringing()
        self.screen.rings(ringing.name)
        await self.desk.wait_ended()
        await self.logged("escalated")

    # What the log tells

    async def logged(self, kind: str) -> Row:
        """Wait for the call's first event of this kind. Raises NotLoggedError."""
        try:
            async with asyncio.timeout(LOG_LIMIT):
                while True:
                    for event in self._events:
                        if event["kind"] == kind:
                            return event
                        if event["kind"] == "closed":
                            raise NotLoggedError(f"the call has ended, without the event {kind!r} in the call log")
                    await self._news.wait()
        except TimeoutError as e:
            lacks = f"no event {kind!r}" if self._events else "nothing: another agent must have taken the call"
            raise NotLoggedError(f"after {LOG_LIMIT:g} s the call log tells {lacks}") from e

    async def finish(self, trouble: str | None) -> None:
        """Hang up what is still up and wait until the log is closed; keep the first thing that went wrong."""
        try:
            await self.caller.hangup()
            await self.desk.hangup()
            await self.logged("closed")
        except (PhoneError, NotLoggedError) as e:
            trouble = trouble or str(e)
        self.result.trouble = trouble

    async def evaluate(self) -> None:
        """Fill in the result; the log is not followed any more."""
        if not self._events:
            return
        self.result.id = str(self._events[0]["call"])
        (call,) = await self._reader.calls(1, self.result.id)
        rows = await self._reader.turns(self.result.id)
        self._measure(call, await self.caller.recording(), [row for row in rows if row["heard"] == "speech"])
        self.result.outcome, self.result.escalated_to = call["outcome"], call["escalated_to"]
        self.result.escalations = [
            {"result": event["code"], "waited_ms": round(event["detail"]["waited_ms"], 1)}
            for event in self._events
            if event["kind"] == "escalated"
        ]
        self.result.back_again = next((row["agent_text"] for row in rows if row["heard"] == "refusal"), None)
        self.result.tasks = [_left(task) for task in await self._tasks.tasks() if str(task["call"]) == self.result.id]
        if self._keys is not None:
            caller_key, desk_key = self._keys
            self.result.bridge_proof = bridge_proof(
                await self.caller.recording(), caller_key, await self.desk.recording(), desk_key
            )

    def _measure(self, call: Row, recording: Recording, rows: list[Row]) -> None:
        result, received = self.result, recording.received
        result.turns = turns(self._spoken, rows, recording)
        result.first_word_ms = ear.leading_silence_ms(received)
        heard = ear.speech(received[: self._spoken[0][1].first] if self._spoken else received)
        played_ms = call["disclosure_played_ms"]
        result.disclosure_played = played_ms is not None and sum(s.ms for s in heard) >= HEARD_SHARE * played_ms
        if self._interruption is not None:
            result.barge_in_ms = ear.barge_in_ms(received, self._spoken[self._interruption][1].first)

    async def _follow(self, position: int) -> None:
        async with aclosing(self._reader.follow(position)) as events:
            async for event in events:
                if self._events and event["call"] != self._events[0]["call"]:
                    continue  # the end of an earlier call
                self._events.append(event)
                self.screen.event(event)
                self._news.set()
                self._news = asyncio.Event()


def _left(task: Row) -> Left:
    due = task["due"].isoformat() if task["due"] else None
    return Left(task["kind"], task["number"] == CALLER[0], due, task["complete"])
