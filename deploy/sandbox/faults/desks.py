"""Receptionists with real phones: they take calls, decline them, or do nothing, and talk for as long as it takes."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress

from sandbox.faults.board import Board
from sandbox.faults.plan import DESK_MANNERS
from sandbox.faults.stage import ADD_MEMBER, pbx
from sandbox.phone import Phone, PhoneError, Ringing

TONE_HZ, TONE_S = 600.0, 9.0
"""What a receptionist "says", for longer than any caller listens."""
REACTION_S = (0.3, 1.2)
KEY_AFTER_S = 0.6
"""A part of the whisper is heard first."""
RESTING_S = 0.3
FOR_EVER = 86_400.0

USERS = ("empfang1", "empfang2", "empfang3")


class Desk:
    """One receptionist."""

    def __init__(self, phone: Phone, user: str, password: str, board: Board, seed: int) -> None:
        self._phone = phone
        self._user = user
        self._password = password
        self._board = board
        self._dice = random.Random(f"{seed} {user}")
        self.talks_with = ""
        """The calling number of the call that is answered."""

    async def register(self) -> None:
        """Be known to Asterisk, again after its restart. Raises PhoneError."""
        await self._phone.register(self._user, self._password)

    async def hang_up(self) -> None:
        """Hang up in the middle of it."""
        with suppress(PhoneError):
            await self._phone.hangup()

    async def serve(self) -> None:
        """Deal with calls for ever."""
        while True:
            try:
                ringing = await self._phone.wait_ringing(timeout=FOR_EVER)
                await self._deal_with(ringing)
            except PhoneError:
                if self._phone.gone:
                    raise
                await self.hang_up()
            finally:
                self.talks_with = ""
            await asyncio.sleep(RESTING_S)

    async def _deal_with(self, ringing: Ringing) -> None:
        self._board.rang(ringing.number, ringing.at)
        manner = self._dice.choice(DESK_MANNERS)
        await asyncio.sleep(self._dice.uniform(*REACTION_S))
        if manner == "declines":
            await self._phone.decline()
            return
        await self._phone.answer()
        self.talks_with = ringing.number
        self._board.state(ringing.number, "whisper")
        await asyncio.sleep(KEY_AFTER_S)
        await self._phone.tone(TONE_HZ, TONE_S)  # for who came straight from the dialplan's queue, whatever is pressed
        if manner == "takes":
            await self._phone.dtmf("1")
            self._board.state(ringing.number, "talking")
        elif manner == "presses-2":
            await self._phone.dtmf("2")
        with suppress(PhoneError):
            await self._phone.wait_ended(timeout=TONE_S)
        await self._phone.hangup()


async def staffed(desks: Sequence[Desk]) -> None:
    """Have all receptionists at their phones and in the queue, after a start of Asterisk too. Raises PhoneError."""
    await asyncio.gather(*(desk.register() for desk in desks))
    await asyncio.to_thread(pbx, "cli", ADD_MEMBER)
