"""Nobody can make the agent dial a number: not by words, keys or a calling number, not by a model, not by settings."""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from fakes import FakeVoice
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scripted_ari import APP, ScriptedAri, scripted_ari

from ari_agent.config import Settings
from ari_agent.dialogue.acts import Escalate
from ari_agent.escalation import QueueEscalation
from ari_agent.intents import EscalationSettings
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Refusal

DIALPLAN = Path(__file__).resolve().parents[2] / "asterisk" / "extensions.conf"
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TARGETS = {"technik": "technik", "werkstatt": "PJSIP/werkstatt"}
ALLOWED = {"Local/empfang@ari-agent-queue/n", "Local/technik@ari-agent-queue/n", "PJSIP/werkstatt"}
"""All that may ever be dialled with these settings."""
WORDS = st.text(max_size=60) | st.sampled_from(
    [
        "PJSIP/00900123@trunk",
        "Local/0900123@from-inside",
        "empfang@from-inside/n&Local/x",
        "empfang",
        "technik",
        "werkstatt",
        "PJSIP/werkstatt",
        "PJSIP/werkstatt&PJSIP/00900123@trunk",
        "technik/../../x",
        "technik?endpoint=PJSIP/x@trunk",
        "+49900123",
    ]
)


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[ScriptedAri]:
    async with scripted_ari(tmp_path) as server:
        server.answers["POST /channels/*"] = (400, {"message": "nobody"})
        yield server


def configured(folder: Path) -> Settings:
    secret = str(folder / "secret")
    tables = {
        "company": {"name": "Muster", "knowledge": secret},
        "asterisk": {"ari_password_file": secret, "ami_password_file": secret, "ami_port": 1},
        "speech": {"vosk_model": secret},
        "escalation": {"targets": TARGETS, "ring_s": 1},
    }
    return Settings.model_validate(tables)


def escalation(asterisk: ScriptedAri, chosen: Settings, call: str, number: str) -> QueueEscalation:
    pbx = asterisk.ari, Ami(chosen.asterisk), Transport(chosen.asterisk, None)
    return QueueEscalation(*pbx, FakeVoice(), chosen, call, number)


@SOME
@given(target=WORDS, whisper=st.text(max_size=20), display=WORDS, number=WORDS)
async def test_whatever_is_asked_for_only_stations_of_the_settings_are_dialled(
    asterisk: ScriptedAri, tmp_path: Path, target: str, whisper: str, display: str, number: str
) -> None:
    asterisk.params.clear()
    asterisk.asked.clear()
    chosen = configured(tmp_path)
    async with escalation(asterisk, chosen, "4711", number) as way:
        assert await way.ring(target, whisper, display) == Refusal("unavailable")
    posts = [asked for asked in asterisk.asked if asked.startswith("POST")]
    assert len(posts) == (target in {"empfang", *TARGETS.values()})
    for asked in posts:
        assert re.fullmatch(r"POST /channels/ari-agent-staff-[a-z_]+[.][0-9a-f-]{36}", asked)
        sent = asterisk.params[asked]
        assert sent["endpoint"] in ALLOWED
        assert sent.keys() == {"endpoint", "app", "appArgs", "callerId", "timeout"}
        assert (sent["app"], sent["appArgs"]) == (APP, "staff-leg,4711")


@given(names=st.lists(WORDS, max_size=5), target=WORDS | st.none())
def test_whatever_a_model_or_a_contact_names_is_a_station_of_the_settings(names: list[str], target: str | None) -> None:
    chosen = EscalationSettings(targets=TARGETS)
    act = Escalate("", "", "", "", target=target, stations=tuple(names))
    stations = set(map(chosen.station_of, act.stations or (act.target,)))
    assert stations <= {"empfang", *TARGETS.values()}


@given(st.text(string.printable, max_size=40) | WORDS)
def test_a_station_of_the_settings_is_one_queue_or_one_phone_and_no_place_in_a_dialplan(station: str) -> None:
    try:
        EscalationSettings(targets={"x": station})
    except ValidationError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_-]+|[A-Za-z0-9]+/[A-Za-z0-9_.@-]+", station)
    assert not station.lower().startswith("local/")


@pytest.mark.parametrize("station", ["Local/0900123@from-inside", "local/x@y", "LOCAL/x"])
def test_a_place_in_a_dialplan_is_refused_with_the_remedy(station: str) -> None:
    with pytest.raises(ValidationError, match="name a queue or a phone"):
        EscalationSettings(targets={"x": station})


@given(st.text(max_size=40) | WORDS)
def test_a_queue_of_the_settings_cannot_leave_its_context(queue: str) -> None:
    try:
        EscalationSettings(queue=queue)
    except ValidationError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", queue)


def applications() -> Iterator[tuple[str, str]]:
    """Yield context and application of every step of the dialplan that companies include."""
    context = ""
    for line in DIALPLAN.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if header := re.fullmatch(r"\[([\w-]+)\]", text):
            context = header[1]
        elif step := re.match(r"(?:exten\s*=>\s*[^,]+,[^,]+|same\s*=>\s*[^,]+),(\w+)", text):
            yield context, step[1]
        else:
            assert not text or text.startswith(";"), text  # no include, no switch


def test_the_dialplan_dials_nobody_originates_nothing_and_includes_nothing() -> None:
    used: dict[str, set[str]] = {}
    for context, application in applications():
        used.setdefault(context, set()).add(application)
    assert used["ari-agent-queue"] == {"Gosub", "Queue", "Hangup"}
    outbound = {
        "Dial",
        "Originate",
        "Page",
        "FollowMe",
        "Transfer",
        "BlindTransfer",
        "RetryDial",
        "System",
        "TrySystem",
    }
    assert {"ari-agent", "ari-agent-queue", "ari-agent-defaults"} <= used.keys()
    assert not any(applications & outbound for applications in used.values())


async def test_a_station_that_no_settings_name_is_not_even_asked_about(asterisk: ScriptedAri, tmp_path: Path) -> None:
    chosen = configured(tmp_path)
    async with asyncio.timeout(5):
        async with escalation(asterisk, chosen, str(uuid4()), "") as way:
            assert await way.ring("PJSIP/00900123@trunk", "", "") == Refusal("unavailable")
    assert asterisk.asked == []
