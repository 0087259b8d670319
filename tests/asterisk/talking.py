"""Callers who hold a whole conversation: they wait until the agent has finished, know what was asked, and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from psycopg.rows import DictRow

from sandbox.dialogues.caller import SUBJECTS, Knowledge, is_typed
from sandbox.phone import Phone

from .agents import Book
from .conftest import Sandbox
from .people import COMPANY, says, until

QUIET_MS = 700
"""The agent has finished when it has been silent for so long."""
TURN_S = 15.0
"""A turn is in the call log behind the call, and the machine may be busy."""
MOST_ANSWERS = 15
"""A form asks for less, unless it goes in circles."""


class Talk:
    """One call of one caller."""

    def __init__(self, phone: Phone, book: Book, number: str, voice: int = 0) -> None:
        self.phone = phone
        self.number = number
        self._book = book
        self._voice = voice
        self._seen = 0
        self._call: DictRow | None = None

    async def begin(self, company: str = COMPANY) -> None:
        """Call and listen to the notice; return in the pause before the greeting, which may be interrupted."""
        await self.phone.call(company)
        await self.phone.wait_answered()
        first = await self.phone.wait_speech(since=0)
        await self.phone.wait_quiet(200, since=first)

    async def say(self, text: str) -> DictRow:
        """Say a sentence, listen to the whole reply; return the turn as it is in the call log."""
        speech = await self.phone.say(await asyncio.to_thread(says, text, self._voice))
        await self.phone.said(speech)
        await self.phone.listen(QUIET_MS, since=speech.last + 1)
        return await self.turn()

    async def farewell(self, text: str = "auf wiederhören") -> None:
        """Say goodbye and wait until the agent has ended the call."""
        await self.phone.said(await self.phone.say(await asyncio.to_thread(says, text, self._voice)))
        await self.phone.wait_ended()

    async def press(self, keys: str) -> DictRow:
        """Press keys one after the other; listen to the reply to the last one."""
        for key in keys:
            pressed = await self.phone.dtmf(key)
            await asyncio.sleep(0.3)  # as fingers do
        await self.phone.listen(QUIET_MS, since=pressed + 1)
        return await self.turn()

    async def answer(self, row: DictRow, answers: Mapping[str, str | tuple[str, ...]]) -> DictRow:
        """Answer what is asked until nothing more is; return the last turn. Raises LookupError."""
        given = {subject: (said,) if isinstance(said, str) else said for subject, said in answers.items()}
        knowledge = Knowledge(given)
        for _ in range(MOST_ANSWERS):
            if (subject := asked_for(row)) is None:
                break
            said = knowledge.answer(subject)
            row = await (self.press(said) if is_typed(said) else self.say(said))
        return row

    async def call(self) -> DictRow:
        """Return the call as it is in the call log."""
        if self._call is None:
            *_, self._call = [call for call in await self._book.calls() if call["caller"] == self.number]
        return self._call

    async def turn(self) -> DictRow:
        """Return the last turn, once there is a new one."""
        call = (await self.call())["id"]

        async def newer() -> bool:
            turns = await self._book.turns(call)
            return bool(turns) and turns[-1]["number"] > self._seen

        await until(newer, TURN_S)
        row = (await self._book.turns(call))[-1]
        self._seen = row["number"]
        return row

    async def transcript(self) -> str:
        """Return all turns so far, for the report of a test that fails."""
        turns = await self._book.turns((await self.call())["id"])
        said = "{heard}: {caller_text} -> {act} {reason}: {agent_text}"
        return "\n".join(said.format_map(turn) for turn in turns)

    async def tasks(self, count: int = 1) -> list[DictRow]:
        """Return the tasks of the call, once there are so many. Raises TimeoutError."""
        call = (await self.call())["id"]
        sql = "SELECT * FROM ari_agent.task WHERE call = %s ORDER BY taken_at"

        async def there() -> bool:
            return len(await self._book.rows(sql, call)) >= count

        await until(there, TURN_S)
        return await self._book.rows(sql, call)

    async def note(self) -> DictRow:
        """Return the note on the call, once there is one. Raises TimeoutError."""
        call = (await self.call())["id"]
        sql = "SELECT * FROM ari_agent.note WHERE call = %s"
        await until(lambda: self._book.rows(sql, call), TURN_S)
        return (await self._book.rows(sql, call))[0]


def asked_for(row: DictRow) -> str | None:
    """Return what the agent asked for in a turn; None when it is nothing that a form asks."""
    return SUBJECTS.get(row["reason"]) if row["act"] in ("ask", "answer", "message") else None


@asynccontextmanager
async def talking(sandbox: Sandbox, book: Book, number: str, voice: int = 0) -> AsyncIterator[Talk]:
    """A phone that calls with this number, and the conversation of its caller."""
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as phone:
        await phone.show_as(number)
        yield Talk(phone, book, number, voice)
