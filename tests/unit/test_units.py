"""The systemd units: what they start exists, what they allow is little, and the watchdog depends on nobody."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
import typer

from ari_agent.asterisk import Watchdog
from ari_agent.cli.__main__ import app
from ari_agent.config import Calls, Log, Settings
from ari_agent.controller import HAND_BACK_S

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
NAMES = ["ari-agent.service", "ari-agent-watchdog.service"]
TIMED = ["ari-agent-retention", "ari-agent-compact", "ari-agent-anchor", "ari-agent-reconcile"]


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit; of a key that is set more than once the last line counts."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((UNITS / name).read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("name", NAMES)
def test_what_a_unit_starts_is_a_command(name: str) -> None:
    _, command, *options = unit(name)["Service"]["ExecStart"].split()
    root: Any = typer.main.get_command(app)
    known = {option for parameter in root.commands[command].params for option in parameter.opts}
    assert set(options) <= known


@pytest.mark.parametrize("name", NAMES)
def test_nothing_leaves_the_machine_and_no_right_is_given(name: str) -> None:
    service = unit(name)["Service"]
    assert service["IPAddressDeny"] == "any"
    assert service["IPAddressAllow"] == "localhost"
    assert service["CapabilityBoundingSet"] == ""
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["User"] != "root"
    assert service["LimitCORE"] == "0"


@pytest.mark.parametrize("name", NAMES)
def test_both_share_the_folder_of_the_settings_and_a_stop_does_not_remove_it(name: str) -> None:
    service = unit(name)["Service"]
    assert Path("/run") / service["RuntimeDirectory"] == Watchdog().runtime
    assert service["RuntimeDirectoryPreserve"] == "yes"
    assert service["User"] == unit(NAMES[0])["Service"]["User"]


def test_the_agent_may_write_where_its_settings_say() -> None:
    state = Path("/var/lib") / unit(NAMES[0])["Service"]["StateDirectory"]
    model = Settings.model_fields["model"].default.cache
    assert all(path.is_relative_to(state) for path in (Log().data, model))


def test_the_agent_has_time_to_end_its_calls() -> None:
    service = unit(NAMES[0])["Service"]
    assert float(service["TimeoutStopSec"]) > Calls().drain_s + HAND_BACK_S + Log().connect_s
    assert service["KillMode"] == "mixed"
    assert service["Restart"] == "always"


def test_a_hung_agent_is_killed_after_its_callers_were_taken_away() -> None:
    assert float(unit(NAMES[0])["Service"]["WatchdogSec"]) > Watchdog().after_s + Watchdog().heartbeat_s


def test_the_watchdog_outlives_the_agent() -> None:
    watchdog = unit(NAMES[1])
    assert not {"Requires", "BindsTo", "PartOf", "Requisite"} & set(watchdog["Unit"])
    assert watchdog["Service"]["Restart"] == "always"
    assert watchdog["Unit"]["StartLimitIntervalSec"] == "0"
    assert NAMES[1] in unit(NAMES[0])["Unit"]["Wants"]


@pytest.mark.parametrize("name", TIMED)
def test_what_a_timer_starts_is_a_command_that_reaches_nothing_but_this_machine(name: str) -> None:
    service = unit(f"{name}.service")["Service"]
    _, group, command, *options = service["ExecStart"].split()
    root: Any = typer.main.get_command(app)
    known = {option for parameter in root.commands[group].commands[command].params for option in parameter.opts}
    assert set(options) <= known
    assert (service["Type"], service["IPAddressDeny"], service["IPAddressAllow"]) == ("oneshot", "any", "localhost")
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    assert service["User"] == unit(NAMES[0])["Service"]["User"]
    assert "OnCalendar" in unit(f"{name}.timer")["Timer"]


def test_an_anchor_is_made_every_hour() -> None:
    assert unit("ari-agent-anchor.timer")["Timer"]["OnCalendar"] == "hourly"
