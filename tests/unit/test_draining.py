"""Controllers that end, or whose name another one has taken: nothing of theirs keeps anybody from one that serves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

import pytest
from calls.switchboard import SETTINGS
from fakes import FakeActivity, FakeRecogniser
from scripted_ari import APP, ScriptedAri, asterisk_settings, scripted_ari
from structlog.testing import capture_logs

from ari_agent.call import Engines
from ari_agent.calllog.phone_book import PhoneBook
from ari_agent.controller import Controller, Pbx
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.events import Replaced
from ari_agent.pbx.transport import Transport
from ari_agent.routing import FULL, NOT_READY, UNKNOWN
from ari_agent.schedule import HoursSettings

NIGHT = datetime(2026, 10, 30, 23, tzinfo=ZoneInfo("Europe/Berlin"))
NUMBERS: list[dict[str, Any]] = [
    {"dialled": "1"},
    {"dialled": "2", "mode": "after-hours", "schedule": "buero"},
    {"dialled": "3", "mode": "overflow", "schedule": "buero"},
]


def never(*_: object) -> NoReturn:
    pytest.fail("nobody asks for this here")


def controller(asterisk: ScriptedAri, folder: Path, numbers: list[dict[str, Any]]) -> Controller:
    """Return a controller, at night."""
    values = asterisk_settings(asterisk.ari.url, folder, node="test", ami_port=1)
    hours = HoursSettings.model_validate({"schedules": [{"name": "buero"}], "numbers": numbers})
    pbx = Pbx(asterisk.ari, Ami(values), Transport(values, None))
    engines = Engines(FakeRecogniser(), None, FakeActivity)  # type: ignore[arg-type]  # nobody speaks
    settings = SETTINGS.model_copy(update={"asterisk": values, "hours": hours})
    return Controller(settings, pbx, engines, never, None, PhoneBook(), now=lambda: NIGHT)  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [NUMBERS, []])
@pytest.mark.parametrize("dialled", ["1", "2", "3"])
async def test_a_question_that_comes_while_a_controller_ends_is_answered_for_the_one_that_takes_over(
    tmp_path: Path, dialled: str, numbers: list[dict[str, Any]]
) -> None:
    async with scripted_ari(tmp_path) as asterisk:
        ending = controller(asterisk, tmp_path, numbers)
        ending.stop()
        asterisk.answers["GET /applications"] = (200, [{"name": APP}, {"name": "ari_agent_new"}])
        assert await ending._routing.answer(dialled, None) == "ai"
        asterisk.answers["GET /applications"] = (200, [{"name": APP}])
        assert await ending._routing.answer(dialled, None) == (NOT_READY if numbers else FULL)
        asterisk.answers["GET /applications"] = (503, None)
        assert await ending._routing.answer(dialled, None) == UNKNOWN


class Talking:
    """A call, as far as a controller ends it."""

    def __init__(self) -> None:
        self.dismissed: list[str] = []

    def dismiss(self, reason: str) -> None:
        """Note why."""
        self.dismissed.append(reason)


async def test_who_talks_to_a_controller_whose_name_another_has_taken_is_let_go_and_the_log_says_what_to_do(
    tmp_path: Path,
) -> None:
    async with scripted_ari(tmp_path) as asterisk:
        older, call = controller(asterisk, tmp_path, []), Talking()
        older._calls.add(call)  # type: ignore[arg-type]
        with capture_logs() as lines:
            await older._handle(Replaced())
        assert call.dismissed == ["replaced"]
        assert [(line["log_level"], "asterisk.node" in line["event"]) for line in lines] == [("error", True)]
