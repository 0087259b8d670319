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
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Refusal

NUMBER = "+4930901820"
WORKSHOP = "PJSIP/werkstatt"


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
            "escalation": {"ring_s": ring_s, "targets": {"werkstatt": WORKSHOP}},
        }
    )
    pbx = asterisk.ari, Ami(settings.asterisk), Transport(settings.asterisk, None)
    async with QueueEscalation(*pbx, FakeVoice(), settings, "4711", NUMBER) as way:
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


PHONE = "GET /endpoints/PJSIP/werkstatt"


@pytest.mark.parametrize(
    ("state", "calls", "free"),
    [("online", [], True), ("online", ["7"], False), ("offline", [], False), ("unknown", [], True)],
)
async def test_a_phone_is_free_when_it_is_registered_and_has_no_call(
    asterisk: ScriptedAri, tmp_path: Path, state: str, calls: list[str], free: bool
) -> None:
    asterisk.answers[PHONE] = (
        200,
        {"technology": "PJSIP", "resource": "werkstatt", "state": state, "channel_ids": calls},
    )
    async with escalation(asterisk, tmp_path) as way:
        assert await way.available("PJSIP/werkstatt") is free


async def test_a_trunk_may_have_many_calls(asterisk: ScriptedAri, tmp_path: Path) -> None:
    asterisk.answers["GET /endpoints/PJSIP/trunk"] = (200, {"state": "online", "channel_ids": ["7", "8"]})
    async with escalation(asterisk, tmp_path) as way:
        assert await way.available("PJSIP/100@trunk")


@pytest.mark.parametrize(
    ("status", "free", "line"),
    [
        (404, False, "Asterisk does not know a phone of the settings; compare escalation.targets"),
        (500, True, "phone state unknown"),
    ],
)
async def test_when_nothing_can_be_said_of_a_phone_it_is_rung_but_not_one_that_does_not_exist(
    asterisk: ScriptedAri, tmp_path: Path, status: int, free: bool, line: str
) -> None:
    asterisk.answers[PHONE] = (status, {"message": "no"})
    with capture_logs() as lines:
        async with escalation(asterisk, tmp_path) as way:
            assert await way.available("PJSIP/werkstatt") is free
    assert [entry["event"] for entry in lines] == [line]


async def test_a_phone_is_rung_itself_with_the_matter_on_its_display(asterisk: ScriptedAri, tmp_path: Path) -> None:
    async with escalation(asterisk, tmp_path) as way, asyncio.TaskGroup() as group:
        ringing = group.create_task(way.ring("PJSIP/werkstatt", "Hier ist …", "KI: Taste 0"))
        channel = await rings(asterisk)
        asterisk.says(Left(channel))
        assert await ringing == Refusal("no-answer")
    asked = asterisk.params[f"POST /channels/{channel}"]
    assert (asked["endpoint"], asked["callerId"]) == ("PJSIP/werkstatt", f'"KI: Taste 0" <{NUMBER}>')
    assert f"DELETE /channels/{channel}" in asterisk.asked
