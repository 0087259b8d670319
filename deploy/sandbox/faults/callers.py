"""Callers with real phones. Whatever happens to their calls, they stay on the line long enough to prove it."""

import asyncio
import random
import time
from contextlib import suppress

from sandbox import caller_voice
from sandbox.faults.board import Board
from sandbox.faults.evidence import CallSeen
from sandbox.faults.oracle import SILENCE_S
from sandbox.faults.plan import PlannedCall
from sandbox.faults.silence import silences
from sandbox.phone import Phone, PhoneError
from sandbox.recording import RATE, Samples, Segment

COMPANY = "2900"
NUMBERS = "+4930231{:05d}"
PATIENCE_S = 45.0
"""So long a caller stays altogether."""
TOO_QUIET_S = SILENCE_S + 2.0
"""Who hears nothing for so long hangs up: the recording shows it."""
PICK_UP_S = 25.0
"""Who is answered by nobody for so long gives up: all receptionists are busy."""
WITH_A_PERSON_S = 2.0
QUIET_MS = 700.0
"""The other side has finished when it is silent for longer than between two sentences."""
PERSON = "Ich möchte bitte mit einem Mitarbeiter sprechen."
GOODBYE = "Vielen Dank, auf Wiederhören."
GOODBYE_S = 8.0
QUESTIONS = (
    "Wann haben Sie geöffnet?",
    "Was kostet eine Wartung?",
    "Wo kann ich parken?",
    "Kann ich mit Karte zahlen?",
    "Wie ist Ihre Adresse?",
    "Was kostet eine Reparatur?",
)
HANG_UPS = 8
"""Attempts of some seconds each: the phone repeats its goodbye for half a minute to an Asterisk that is away."""
KEYS = "123456789*#"
"""Without 0, which is the wish for a person."""


class Caller:
    """One phone; each of its calls has another number."""

    def __init__(self, phone: Phone, board: Board, dice: random.Random) -> None:
        self._phone = phone
        self._board = board
        self._dice = dice
        self._voice = dice.choice(caller_voice.voices())
        self._spoken: dict[str, Samples] = {}

    async def play(self, planned: PlannedCall, number: str) -> None:
        """Place one call and play it to its end; what was seen is on the board."""
        call = CallSeen(number, planned.manner, time.monotonic())
        acting = asyncio.create_task(self._act(planned, call), name=number)
        self._board.begin(call, acting.cancel)
        try:
            await asyncio.wait([acting], timeout=PATIENCE_S)
            acting.cancel()
            await asyncio.wait([acting])
            await self._keep(call)
            if not acting.cancelled() and isinstance(error := acting.exception(), Exception):
                if not isinstance(error, PhoneError):
                    raise error
                call.trouble = str(error)
        finally:
            self._board.end(number)
            acting.cancel()
            await asyncio.gather(acting, return_exceptions=True)

    async def press(self, keys: str) -> None:
        """Press keys, whatever the call is at."""
        with suppress(PhoneError):
            await self._phone.dtmf(keys)

    async def _act(self, planned: PlannedCall, call: CallSeen) -> None:
        await self._phone.show_as(call.number)
        call.invited = time.monotonic()
        await self._phone.call(COMPANY)
        if planned.manner == "hangs-up":
            await asyncio.sleep(planned.hangs_up_after_s)
            return
        await self._phone.wait_answered(timeout=PICK_UP_S)
        self._board.state(call.number, "agent")
        talking = asyncio.create_task(self._talk(planned, call))
        person = asyncio.create_task(self._talk_to_a_person(call.number))
        over = asyncio.create_task(self._phone.wait_ended(timeout=PATIENCE_S))
        try:
            await asyncio.wait({talking, person, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (talking, person, over):
                task.cancel()
            *_, ended = await asyncio.gather(talking, person, over, return_exceptions=True)
        if isinstance(ended, int):
            call.served.append((time.monotonic(), "over"))

    async def _talk_to_a_person(self, number: str) -> None:
        """Wait for a person; they are there when they can be heard."""
        await self._board.talking(number)
        await self._phone.wait_speech(timeout=TOO_QUIET_S)
        await asyncio.sleep(WITH_A_PERSON_S)

    async def _talk(self, planned: PlannedCall, call: CallSeen) -> None:
        """Hold the conversation with whoever is there; a person ends it from outside. Returns to hang up."""
        greeting = await self._heard(0)
        if greeting is None:
            return
        await self._note(call, greeting)
        if planned.manner == "presses-0":
            await self.press("0")
        elif planned.manner in ("asks", "wants-a-person"):
            wish = PERSON if planned.manner == "wants-a-person" else QUESTIONS[planned.question % len(QUESTIONS)]
            if not await self._reply_to(wish, call):
                return
        if planned.manner == "asks" and not await self._goodbye(call):
            return
        while heard := await self._heard(None):
            await self._note(call, heard)

    async def _goodbye(self, call: CallSeen) -> bool:
        """Say goodbye and wait for the end; False when there was silence instead, or it was time to hang up anyhow."""
        if not await self._reply_to(GOODBYE, call):
            return False
        await asyncio.sleep(GOODBYE_S)
        return False

    async def _reply_to(self, text: str, call: CallSeen) -> bool:
        """Say something and hear the reply to its end; False when there is none."""
        if text not in self._spoken:
            self._spoken[text] = await asyncio.to_thread(caller_voice.speak, text, self._voice)
        self._board.state(call.number, "speaking")
        try:
            spoken = await self._phone.say(self._spoken[text])
            await self._phone.said(spoken)
        finally:
            if self._board.states.get(call.number) == "speaking":
                self._board.state(call.number, "agent")
        replied = await self._heard(spoken.last + 1)
        if replied is None:
            return False
        await self._note(call, replied)
        return True

    async def _note(self, call: CallSeen, heard: Segment) -> None:
        """Note when the other side began to say something new."""
        ago = (await self._phone.now() - heard.first) / RATE
        call.served.append((time.monotonic() - ago, "agent"))

    async def _heard(self, since: int | None) -> Segment | None:
        """Hear the other side to its end; None when it says nothing for too long."""
        try:
            return await self._phone.listen(QUIET_MS, since=since, timeout=TOO_QUIET_S)
        except PhoneError:
            return None

    async def _keep(self, call: CallSeen) -> None:
        """Hang up, and keep of the recording what the oracle needs."""
        call.ended = time.monotonic()
        call.answered = self._phone.answered_at
        with suppress(PhoneError):  # an Asterisk that is away does not confirm it
            await self._phone.hangup()
        if call.answered is not None:
            recording = await self._phone.recording()
            if len(recording.received):
                call.silent = silences(recording.received, recording.started)

    async def free(self) -> None:
        """Wait until the phone can place a call. Raises PhoneError when its last one does not end."""
        for _ in range(HANG_UPS):
            try:
                await self._phone.hangup()
            except PhoneError:
                if self._phone.gone:
                    raise
            else:
                return
        raise PhoneError("a call does not end at its phone")


def keys(dice: random.Random, count: int = 12) -> str:
    """Return keys that mean nothing."""
    return "".join(dice.choices(KEYS, k=count))
