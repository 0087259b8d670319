"""Calls with real phones whose callers are asked for a recording: what is on the disk afterwards, and what is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import pytest_asyncio
import soxr
from database.servers import open_folder

from ari_agent.archive.archive import Archive
from ari_agent.sealing import Header
from sandbox import ear
from sandbox.phone import Phone
from sandbox.recording import RATE, Samples

from . import agents, hearing
from .agents import Agent
from .conftest import Sandbox
from .people import (
    CALLERS_TONE,
    SERVICE,
    STAFF_TONE,
    Ears,
    ask,
    heard_tone,
    nothing_left,
    notice_over,
    receptionist,
    says,
    they_hear_each_other,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "Was kostet eine Wartung?"
KEPT_S = 15.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(sandbox: Sandbox) -> AsyncIterator[Agent]:
    """An agent that asks for sound and words."""
    with open_folder() as folder:
        keep: dict[str, Any] = {"enabled": True, "transcript": True}
        where = {"folder": str(folder / "recordings"), "keys": str(folder / "recording-keys")}
        async with Agent(folder, agents.tables(folder, "consent", "embedded", recording=keep | where)) as agent:
            yield agent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears(served: Agent) -> Ears:
    return Ears(served.checked)


@pytest_asyncio.fixture(loop_scope="module")
async def phone(sandbox: Sandbox) -> AsyncIterator[Callable[[str], Awaitable[Phone]]]:
    """Makes phones with numbers of their own."""
    made: list[Phone] = []

    async def make(number: str) -> Phone:
        made.append(await Phone(f"127.0.0.1:{sandbox.sip_port}").__aenter__())
        await made[-1].show_as(number)
        return made[-1]

    yield make
    for each in made:
        await each.__aexit__(None, None, None)


class Company:
    """What the company has of the calls of one number."""

    def __init__(self, agent: Agent, number: str) -> None:
        self._agent = agent
        self._number = number
        self.archive = Archive.of(agent.checked.recording)

    async def call(self) -> UUID:
        """Return the id of the call, once it is in the log."""
        await until(self._calls, KEPT_S)
        return UUID(str((await self._calls())[0]["id"]))

    async def answers(self) -> list[tuple[str, str]]:
        """Return what the caller answered to the question for consent, once there is something."""
        call = await self.call()
        sql = (
            "SELECT code, detail ->> 'way' AS way FROM ari_agent.event WHERE call = %s AND kind = 'consent' ORDER BY 1"
        )
        await until(lambda: self._agent.book.rows(sql, call), KEPT_S)
        return [(row["code"], row["way"]) for row in await self._agent.book.rows(sql, call)]

    async def kept(self) -> dict[str, tuple[Header, bytes]]:
        """Return both recordings of the call, opened, by kind; wait until they are there."""
        call = await self.call()
        sql = "SELECT 1 FROM ari_agent.recording WHERE call = %s"

        async def both() -> bool:
            return len(await self._agent.book.rows(sql, call)) == 2

        await until(both, KEPT_S)
        return {header.kind: (header, self.archive.read(header)) for header in self.archive.of_calls([call])}

    async def nothing(self) -> bool:
        """Whether nothing is kept of the call, now that it is over."""
        call = await self.call()
        sql = "SELECT closed_at FROM ari_agent.call WHERE id = %s AND closed_at IS NOT NULL"
        await until(lambda: self._agent.book.rows(sql, call), KEPT_S)
        return self.archive.of_calls([call]) == []

    async def _calls(self) -> list[Any]:
        return [call for call in await self._agent.book.calls() if call["caller"] == self._number]


async def asked_whether(caller: Phone) -> None:
    """Call, and hear what is asked and how to agree; that it goes on without is still to be said."""
    await notice_over(caller)
    for _ in range(2):
        begun = await caller.wait_speech()
        await caller.wait_quiet(200, since=begun)


async def hears(caller: Phone, ears: Ears, text: str, since: int) -> None:
    """Listen until the agent has finished; the text must have been in what it said."""
    await caller.listen(since=since, quiet_ms=700)
    assert await ears.heard(caller, text, since)


def tracks(pcm: bytes) -> tuple[Samples, Samples]:
    """Return caller and agent of a recording as a phone would have heard them, at 8 kHz."""
    both = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    left, right = (soxr.resample(both[:, side].astype(np.float64), 16_000, RATE) for side in (0, 1))
    return np.rint(left).astype(np.int16), np.rint(right).astype(np.int16)


async def is_in(track: Samples, text: str, agent: Agent) -> bool:
    """Whether the agent says the whole text in a track."""
    return all(hearing.find(track, part) is not None for part in await hearing.spoken(text, agent.checked.speech))


async def test_a_yes_by_voice_keeps_both_sides_from_then_on_sealed_and_with_its_consent(
    served: Agent, ears: Ears, phone: Callable[[str], Awaitable[Phone]], sandbox: Sandbox
) -> None:
    number = "+493023125011"
    caller, company = await phone(number), Company(served, number)
    await asked_whether(caller)
    agreed = await ask(caller, "Ja.")
    await hears(caller, ears, ears.wording.agreed["audio+transcript"], agreed)
    asked = await ask(caller, QUESTION)
    await hears(caller, ears, SERVICE, asked)
    await caller.hangup()
    assert await company.answers() == [("given", "voice")]
    kept = await company.kept()
    header, pcm = kept["audio"]
    left, right = tracks(pcm)
    assert hearing.find(left, says(QUESTION)) is not None
    assert hearing.find(left, says("Ja.")) is None  # it came before
    assert await is_in(right, SERVICE, served)
    assert not await is_in(right, ears.script.notice, served)
    assert not await is_in(right, ears.script.question, served)
    assert await is_in(right, ears.wording.agreed["audio+transcript"], served)
    words = [json.loads(line)["text"] for line in kept["transcript"][1].splitlines()]
    assert words[0] == "was kostet eine wartung"
    assert words[1].startswith(SERVICE)
    for path in (*company.archive.folder.iterdir(), *company.archive.keys.folder.iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    assert b"RIFF" not in (company.archive.folder / f"{header.ident}.audio").read_bytes()
    assert await served.book.rows("SELECT * FROM ari_agent.v_aufzeichnung_ohne_einwilligung") == []
    await nothing_left(sandbox)


async def test_key_1_is_a_yes_and_nothing_is_kept_of_the_person_who_takes_the_call(
    served: Agent, ears: Ears, phone: Callable[[str], Awaitable[Phone]], sandbox: Sandbox
) -> None:
    number = "+493023125012"
    caller, company = await phone(number), Company(served, number)
    async with receptionist(sandbox) as desk:
        await asked_whether(caller)
        pressed = await caller.now()
        await caller.dtmf("1")
        await hears(caller, ears, ears.wording.agreed["audio+transcript"], pressed)
        await caller.dtmf("0")
        await desk.wait_ringing()
        await desk.answer()
        await desk.wait_speech()
        await desk.dtmf("1")
        await desk.tone(STAFF_TONE, 1.0)
        await heard_tone(caller, STAFF_TONE)
        kept = await company.kept()  # complete while the two still talk
        await they_hear_each_other(caller, desk)
        await caller.hangup()
    assert await company.answers() == [("given", "key")]
    left, right = tracks(kept["audio"][1])
    assert not any(ear.has_tone(track, tone) for track in (left, right) for tone in (STAFF_TONE, CALLERS_TONE))
    assert not await is_in(right, ears.wording.connecting, served)
    await nothing_left(sandbox)


async def test_a_no_silence_and_a_stop_leave_nothing_and_the_calls_go_on(
    served: Agent, ears: Ears, phone: Callable[[str], Awaitable[Phone]], sandbox: Sandbox
) -> None:
    async def refuses(number: str) -> list[tuple[str, str]]:
        caller = await phone(number)
        await asked_whether(caller)
        await ask(caller, "Nein.")
        await caller.listen(quiet_ms=1000)
        return await goes_on(caller, number)

    async def is_silent(number: str) -> list[tuple[str, str]]:
        caller = await phone(number)
        await asked_whether(caller)
        await caller.listen(quiet_ms=1000)  # the end of the question
        await caller.listen(quiet_ms=1000)  # what comes of no answer
        return await goes_on(caller, number)

    async def stops(number: str) -> list[tuple[str, str]]:
        caller = await phone(number)
        await asked_whether(caller)
        pressed = await caller.now()
        await caller.dtmf("1")
        await hears(caller, ears, ears.wording.agreed["audio+transcript"], pressed)
        stopped = await ask(caller, "Aufnahme stopp!")
        await hears(caller, ears, ears.wording.withdrawn, stopped)
        return await goes_on(caller, number)

    async def goes_on(caller: Phone, number: str) -> list[tuple[str, str]]:
        asked = await ask(caller, QUESTION)
        await hears(caller, ears, SERVICE, asked)
        await caller.hangup()
        company = Company(served, number)
        assert await company.nothing()
        return await company.answers()

    answers = await asyncio.gather(refuses("+493023125013"), is_silent("+493023125014"), stops("+493023125015"))
    assert tuple(answers) == (
        [("refused", "voice")],
        [("refused", "silence")],
        [("given", "key"), ("withdrawn", "voice")],
    )
    await nothing_left(sandbox)


async def test_a_controller_that_is_killed_leaves_no_sound_and_no_key(
    served: Agent, ears: Ears, phone: Callable[[str], Awaitable[Phone]]
) -> None:
    number = "+493023125016"
    caller, company = await phone(number), Company(served, number)
    before = files(company.archive)
    await asked_whether(caller)
    pressed = await caller.now()
    await caller.dtmf("1")
    await hears(caller, ears, ears.wording.agreed["audio+transcript"], pressed)
    asked = await ask(caller, QUESTION)
    await hears(caller, ears, SERVICE, asked)
    assert await company.answers() == [("given", "key")]
    served.kill()
    await served.ended()
    assert files(company.archive) == before


def files(archive: Archive) -> set[Path]:
    return {*archive.folder.iterdir(), *archive.keys.folder.iterdir()}
