"""Queue states over the manager interface, with phones that come, talk and go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ari_agent.errors import AmiUnavailable
from ari_agent.pbx.ami import Ami, QueueState
from sandbox.phone import Phone

from .conftest import Sandbox
from .people import receptionist
from .test_ari import settings

PEOPLE = "2903"


def ami(sandbox: Sandbox, **changes: object) -> Ami:
    return Ami(settings(sandbox, ami_port=sandbox.ami_port, **changes))


async def test_a_member_is_free_while_their_phone_is_registered_and_not_in_use(sandbox: Sandbox) -> None:
    manager = ami(sandbox)
    assert await manager.queue("empfang") == QueueState(exists=True, members=2, free=0)
    async with receptionist(sandbox) as desk, Phone(f"127.0.0.1:{sandbox.sip_port}") as caller:
        assert (await manager.queue("empfang")).free == 1
        async with receptionist(sandbox, "empfang2"):
            assert (await manager.queue("empfang")).free == 2
        await caller.call(PEOPLE)
        await desk.wait_ringing()
        assert (await manager.queue("empfang")).free == 0
        await desk.answer()
        assert (await manager.queue("empfang")).free == 0
        await caller.hangup()
        await desk.wait_ended()
        assert (await manager.queue("empfang")).free == 1
    assert (await manager.queue("empfang")).free == 0


async def test_a_paused_member_is_not_free(sandbox: Sandbox) -> None:
    async with receptionist(sandbox):
        sandbox.cli("queue pause member PJSIP/empfang1 queue empfang")
        try:
            assert (await ami(sandbox).queue("empfang")).free == 0
        finally:
            sandbox.cli("queue unpause member PJSIP/empfang1 queue empfang")


async def test_a_queue_that_asterisk_does_not_know_is_told(sandbox: Sandbox) -> None:
    assert await ami(sandbox).queue("niemand") == QueueState(exists=False, members=0, free=0)


async def test_a_wrong_password_is_told_with_its_remedy_and_leaves_nothing_behind(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    with pytest.raises(AmiUnavailable, match=r"refused ami_user; compare manager\.conf"):
        await ami(sandbox, ami_password_file=wrong).check()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_thirty_questions_at_once_are_all_answered_and_leave_nothing_behind(sandbox: Sandbox) -> None:
    manager = ami(sandbox)
    states = await asyncio.gather(*(manager.queue("empfang") for _ in range(30)))
    assert {state.members for state in states} == {2}
    assert asyncio.all_tasks() == {asyncio.current_task()}
