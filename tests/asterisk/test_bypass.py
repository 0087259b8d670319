"""The administrator puts people back: every caller is with the queue within seconds, and nobody's talk is cut."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.phone import Phone

from .agents import Agent, served
from .conftest import Sandbox
from .people import COMPANY, NUMBER, connected, nothing_left, receptionist, they_hear_each_other, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

agent = served("bypass")


async def bypass(agent: Agent, word: str) -> tuple[int, dict[str, object]]:
    """Run `ari-agent bypass`; return its exit status and what it says to machines."""
    command = "-m", "ari_agent.cli.start", "bypass", word, "--config", str(agent.settings), "--json"
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return process.returncode or 0, json.loads(said)


async def test_callers_of_the_ai_and_new_ones_ring_the_queue_and_who_talks_to_a_person_goes_on(
    sandbox: Sandbox, agent: Agent, record_testsuite_property: Callable[[str, object], None]
) -> None:
    address = f"127.0.0.1:{sandbox.sip_port}"
    async with (
        receptionist(sandbox) as desk,
        Phone(address) as served_by_a_person,
        Phone(address) as caller,
        Phone(address) as newcomer,
    ):
        await connected(served_by_a_person, desk)
        async with receptionist(sandbox, "empfang2") as colleague:
            await caller.call(COMPANY)
            await caller.wait_answered()
            await caller.wait_speech()
            assert await bypass(agent, "status") == (0, {"bypass": False})
            began = time.monotonic()
            assert await bypass(agent, "on") == (0, {"bypass": True, "controllers": 1})
            waited_s = (await colleague.wait_ringing()).at - began
            record_testsuite_property("bypass_to_ring_s", round(waited_s, 2))
            await colleague.answer()
            await they_hear_each_other(caller, colleague)
            await they_hear_each_other(served_by_a_person, desk)
            await caller.hangup()
            await colleague.wait_ended()
            assert await bypass(agent, "status") == (1, {"bypass": True})
            await newcomer.call(COMPANY)
            await colleague.wait_ringing()
            await newcomer.hangup()
            await colleague.wait_ended()
            assert await bypass(agent, "off") == (0, {"bypass": False, "controllers": 0})
            await newcomer.call(COMPANY)
            await newcomer.wait_answered()
            await newcomer.wait_speech()
            await newcomer.hangup()
    await nothing_left(sandbox)
    rows = await agent.book.closed(3)
    assert [(row["outcome"], row["reason"]) for row in rows] == [
        ("handed-over", "key-0"),
        ("to-queue", "bypass"),
        ("caller-hung-up", "caller"),
    ]


async def test_a_dialplan_without_the_switch_is_told_with_its_remedy(sandbox: Sandbox, agent: Agent) -> None:
    sandbox.cli("dialplan remove context ari-agent-bypass")
    try:
        command = "-m", "ari_agent.cli.start", "bypass", "on", "--config", str(agent.settings)
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
    finally:
        sandbox.cli("dialplan reload")
    assert process.returncode == 2
    assert b"is asterisk/extensions.conf of this version included" in said


async def reconciled(agent: Agent) -> tuple[int, Any]:
    """Run `ari-agent calllog reconcile` over all calls of this file; return its exit status and what it tells."""
    begin = (await agent.book.calls())[0]["opened_at"] - timedelta(seconds=2)
    span = "--from", f"{begin:%Y-%m-%dT%H:%M:%S%z}", "--to", "2099-01-01"
    command = "-m", "ari_agent.cli", "calllog", "reconcile", "--config", str(agent.settings), "--json", *span
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    return process.returncode or 0, json.loads(said)


async def test_every_call_of_this_asterisk_is_in_the_log_whatever_became_of_it(sandbox: Sandbox, agent: Agent) -> None:
    records = sandbox.root / "var/log/asterisk/cdr-csv/Master.csv"
    before = len(records.read_text())

    async def recorded() -> bool:
        """Whether Asterisk has written down the three calls of people: it does so just after their end."""
        return records.read_text()[before:].count(f'"{NUMBER}","fallback","ari-agent"') >= 3

    async with receptionist(sandbox) as desk, Phone(f"127.0.0.1:{sandbox.sip_port}") as caller:

        async def rings() -> None:
            """Call; the phone of the reception rings, and the caller hangs up."""
            await caller.call(COMPANY)
            await desk.wait_ringing()
            await caller.hangup()
            await desk.wait_ended()

        await caller.show_as(NUMBER)
        await caller.call(COMPANY)
        await caller.wait_answered()
        await caller.wait_speech()
        await caller.hangup()
        entries = len(await agent.book.calls())
        await agent.book.closed(1, since=entries - 1)
        sandbox.cli("database put ari-agent bypass 1")
        await rings()
        sandbox.cli("database del ari-agent bypass")
        with agent.book.opened():
            await agent.stop()
            await rings()  # no controller to ask
            await caller.call(COMPANY)  # the same, and a person answers
            await desk.wait_ringing()
            await desk.answer()
            await caller.wait_answered()
            await caller.hangup()
            await desk.wait_ended()
            await nothing_left(sandbox)
            await until(recorded)
            await judged(agent, entries)


async def judged(agent: Agent, entries: int) -> None:
    """Prove that every call has its row, and that a second time there is nothing to file."""
    status, told = await reconciled(agent)
    assert (status, told["whole"], told["broken"], told["unexplained"]) == (0, True, 0, 0), told
    assert told["causes"] == {"bypass": told["causes"]["bypass"], "no-controller": 2}
    calls = entries + told["causes"]["bypass"] + 2
    assert (told["calls"], told["entries"], told["filed"]) == (calls, entries, calls - entries)
    rows = [row for row in await agent.book.calls() if row["filed_at"]]
    assert {(row["outcome"], row["dialled"]) for row in rows} == {("to-people", COMPANY)}
    assert {row["caller"] for row in rows[-3:]} == {NUMBER}
    status, again = await reconciled(agent)
    assert (status, again["calls"], again["entries"], again["filed"], again["findings"]) == (0, calls, calls, 0, [])
