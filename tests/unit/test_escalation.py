"""The way to a person when Asterisk does not do as it should; what it should do is tested with a real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fakes import FakeVoice, until
from scripted_ari import APP, ScriptedAri, scripted_ari
from structlog.testing import capture_logs

from ari_agent.config import Settings
from ari_agent.escalation import QueueEscalation
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.events import Entered, Left
from ari_agent.protocols import Refusal

NUMBER = "+4930901820"


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[ScriptedAri]:
    async with scripted_ari(tmp_path) as server:
        yield server


@asynccontextmanager
async def escalation(asterisk: ScriptedAri, folder: Path, ring_s: float = 20.0) -> AsyncIterator[QueueEscalation]:
    """Escalate in a world without a manager interface."""
    secret = str(folder / "secret")
    settings = Settings.model_validate(
        {
            "company": {"name": "Muster", "knowledge": secret},
            "asterisk": {"ari_password_file": secret, "ami_password_file": secret, "ami_port": 1},
            "calls": {"setup_s": 0.2},
            "speech": {"vosk_model": secret},
            "escalation": {"ring_s": ring_s},
        }
    )
    async with QueueEscalation(asterisk.ari, Ami(settings.asterisk), FakeVoice(), settings, "4711", NUMBER) as way:
        yield way
    assert not asterisk.ari._watched


def staff(asterisk: ScriptedAri) -> str:
    """Return the far leg's channel, once it rings."""
    return next(
        asked.rpartition("/")[2] for asked in asterisk.asked if asked.startswith("POST /channels/ari-agent-staff-")
    )


async def rings(asterisk: ScriptedAri) -> str:
    """Wait for the far leg to ring and return its channel."""
    await until(lambda: any("ari-agent-staff-" in asked for asked in asterisk.asked))
    return staff(asterisk)


async def test_when_nobody_can_say_who_is_free_the_queue_is_rung(asterisk: ScriptedAri, tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with escalation(asterisk, tmp_path) as way:
            assert await way.available("empfang")
    assert [line["event"] for line in lines] == ["queue state unknown"]


async def test_the_queue_is_rung_through_the_dialplan_with_the_matter_on_the_display(
    asterisk: ScriptedAri, tmp_path: Path
) -> None:
    async with escalation(asterisk, tmp_path) as way, asyncio.TaskGroup() as group:
        ringing = group.create_task(way.ring("empfang", "Hier ist …", "KI: Taste 0"))
        channel = await rings(asterisk)
        asterisk.says(Left(channel))
        assert await ringing == Refusal("no-answer")
    assert asterisk.params[f"POST /channels/{channel}"] == {
        "endpoint": "Local/empfang@ari-agent-queue/n",
        "app": APP,
        "appArgs": "staff-leg,4711",
        "callerId": f'"KI: Taste 0" <{NUMBER}>',
        "timeout": "20",
    }
    assert f"DELETE /channels/{channel}" in asterisk.asked


async def test_an_asterisk_that_never_reports_the_end_of_ringing_is_not_waited_for(
    asterisk: ScriptedAri, tmp_path: Path
) -> None:
    async with escalation(asterisk, tmp_path, ring_s=0.05) as way:
        assert await way.ring("empfang", "", "") == Refusal("no-answer")
    assert f"DELETE /channels/{staff(asterisk)}" in asterisk.asked


@pytest.mark.parametrize(("status", "reason"), [(500, "unavailable"), (403, "unavailable"), (404, "no-key")])
async def test_an_asterisk_that_refuses_to_ring_is_a_refusal(
    asterisk: ScriptedAri, tmp_path: Path, status: int, reason: str
) -> None:
    asterisk.answers["POST /channels/ari-agent-staff-*"] = (status, {"message": "Allocation failed"})
    with capture_logs() as lines:
        async with escalation(asterisk, tmp_path) as way:
            assert await way.ring("empfang", "", "") == Refusal(reason)
    assert NUMBER not in str(lines)


async def test_a_receptionist_whose_audio_cannot_be_connected_is_hung_up(asterisk: ScriptedAri, tmp_path: Path) -> None:
    asterisk.answers["POST /channels/externalMedia"] = (500, {"message": "no"})
    async with escalation(asterisk, tmp_path) as way, asyncio.TaskGroup() as group:
        ringing = group.create_task(way.ring("empfang", "", ""))
        channel = await rings(asterisk)
        asterisk.says(Entered(channel, ("staff-leg", "4711"), ""))
        assert await ringing == Refusal("unavailable")
    assert f"DELETE /channels/{channel}" in asterisk.asked
    assert [asked for asked in asterisk.asked if asked.startswith("DELETE /bridges/")]


async def test_a_caller_who_hangs_up_while_it_rings_stops_the_ringing(asterisk: ScriptedAri, tmp_path: Path) -> None:
    async with escalation(asterisk, tmp_path) as way:
        ringing = asyncio.create_task(way.ring("empfang", "", ""))
        channel = await rings(asterisk)
        ringing.cancel()
        await asyncio.wait([ringing])
        assert ringing.cancelled()
        assert f"DELETE /channels/{channel}" in asterisk.asked
