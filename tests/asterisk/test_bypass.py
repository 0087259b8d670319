"""The administrator puts people back: every caller is with the queue within seconds, and nobody's talk is cut."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable

import pytest

from sandbox.phone import Phone

from .agents import Agent, served
from .conftest import Sandbox
from .people import COMPANY, connected, nothing_left, receptionist, they_hear_each_other

pytestmark = pytest.mark.asyncio(loop_scope="module")

WITHIN_S = 5.0

agent = served("bypass")


async def bypass(agent: Agent, word: str) -> tuple[int, dict[str, object]]:
    """Run `ari-agent bypass`; return its exit status and what it says to machines."""
    command = "-m", "ari_agent.cli", "bypass", word, "--config", str(agent.settings), "--json"
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
            assert waited_s <= WITHIN_S
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
        command = "-m", "ari_agent.cli", "bypass", "on", "--config", str(agent.settings)
        process = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
    finally:
        sandbox.cli("dialplan reload")
    assert process.returncode == 2
    assert b"is asterisk/extensions.conf of this version included" in said
