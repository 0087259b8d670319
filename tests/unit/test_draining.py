"""What a controller that is being stopped still answers to the dialplan: nothing that keeps anybody from a free one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pytest
from calls.switchboard import SETTINGS
from fakes import FakeActivity, FakeRecogniser
from scripted_ari import APP, ScriptedAri, asterisk_settings, scripted_ari

from ari_agent.call import Engines
from ari_agent.calllog.phone_book import PhoneBook
from ari_agent.controller import Controller, Pbx
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.transport import Transport
from ari_agent.schedule import HoursSettings

NIGHT = datetime(2026, 10, 30, 23, tzinfo=ZoneInfo("Europe/Berlin"))
NUMBERS: list[dict[str, Any]] = [
    {"dialled": "1"},
    {"dialled": "2", "mode": "after-hours", "schedule": "buero"},
    {"dialled": "3", "mode": "overflow", "schedule": "buero"},
]


def never(*_: object) -> NoReturn:
    pytest.fail("nobody asks for this here")


def stopped(asterisk: ScriptedAri, folder: Path, numbers: list[dict[str, Any]]) -> Controller:
    """Return a controller that has been told to stop, at night."""
    values = asterisk_settings(asterisk.ari.url, folder, node="test", ami_port=1)
    hours = HoursSettings.model_validate({"schedules": [{"name": "buero"}], "numbers": numbers})
    pbx = Pbx(asterisk.ari, Ami(values), Transport(values, None))
    engines = Engines(FakeRecogniser(), None, FakeActivity)  # type: ignore[arg-type]  # nobody speaks
    settings = SETTINGS.model_copy(update={"asterisk": values, "hours": hours})
    controller = Controller(settings, pbx, engines, never, None, PhoneBook(), now=lambda: NIGHT)  # type: ignore[arg-type]
    controller.stop()
    return controller


@pytest.mark.parametrize("numbers", [NUMBERS, []])
@pytest.mark.parametrize("dialled", ["1", "2", "3"])
async def test_a_question_that_comes_while_a_controller_ends_is_answered_for_the_one_that_takes_over(
    tmp_path: Path, dialled: str, numbers: list[dict[str, Any]]
) -> None:
    async with scripted_ari(tmp_path) as asterisk:
        controller = stopped(asterisk, tmp_path, numbers)
        asterisk.answers["GET /applications"] = (200, [{"name": APP}, {"name": "ari_agent_new"}])
        assert await controller._routing.answer(dialled, None) == "ai"
        asterisk.answers["GET /applications"] = (200, [{"name": APP}])
        assert await controller._routing.answer(dialled, None) == "staff"
        asterisk.answers["GET /applications"] = (503, None)
        assert await controller._routing.answer(dialled, None) == "staff"
