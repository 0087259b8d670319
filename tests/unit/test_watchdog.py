"""What the watchdog does and when: to dead, hung, starting and serving controllers, and to whom they had."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from scripted_ari import APP, ScriptedAri, asterisk_settings, scripted_ari
from structlog.testing import capture_logs

from ari_agent.asterisk import Watch, load_watch
from ari_agent.asterisk import Watchdog as Settings
from ari_agent.errors import ConfigError
from ari_agent.heartbeat import SUFFIX
from ari_agent.ops.watchdog import SELDOM_S, Watchdog
from ari_agent.pbx.ari import Ari

STAFF = "ari-agent-staff-1"
TO_QUEUE = "POST /channels/caller/continue"
LOOK_S = 0.5
LOOKS_UNTIL_HUNG = 10
"""Of half a second each, the first of which only learns the stamp: more than `watchdog.after_s`."""


class Controller:
    """A controller whose signs of life a test gives."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / f"{APP}{SUFFIX}").open("w+")
        self._stamp = 0

    def signs(self, phase: str = "serving") -> None:
        """Give a sign of life, alive."""
        self._stamp += 1
        self._file.seek(0)
        self._file.write(json.dumps({"pid": 1, "phase": phase, "at": self._stamp}).ljust(128))
        self._file.flush()
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def dies(self) -> None:
        """Be killed: the kernel releases the lock."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class Kennel:
    """A watchdog with a clock, a scripted Asterisk and a controller."""

    def __init__(self, folder: Path, asterisk: ScriptedAri) -> None:
        settings = Watch(asterisk=asterisk_settings(asterisk.ari.url, folder), watchdog=Settings(runtime=folder))
        self.asterisk = asterisk
        self.controller = Controller(folder)
        self.now_s = 100.0
        self.dog = Watchdog(settings, self._client, lambda: self.now_s)

    def _client(self, app: str) -> Ari:
        assert app == APP
        return self.asterisk.ari

    async def look(self, times: int = 1, *, alive: bool = False) -> None:
        """Look so often, half a second after each other; `alive`: with a sign of life before each."""
        for _ in range(times):
            if alive:
                self.controller.signs()
            self.now_s += LOOK_S
            await self.dog.look()


@pytest_asyncio.fixture
async def kennel(tmp_path: Path) -> AsyncIterator[Kennel]:
    async with scripted_ari(tmp_path) as asterisk:
        asterisk.holds("caller", bridges={"b": ["caller"]})
        kennel = Kennel(tmp_path, asterisk)
        yield kennel
        kennel.controller.close()


async def test_a_controller_that_serves_costs_asterisk_nothing(kennel: Kennel) -> None:
    await kennel.look(20, alive=True)
    assert kennel.asterisk.asked == []


async def test_callers_of_a_dead_controller_go_to_the_queue_at_the_next_look(kennel: Kennel) -> None:
    await kennel.look(alive=True)
    kennel.controller.dies()
    await kennel.look()
    assert kennel.asterisk.done() == {TO_QUEUE, "DELETE /bridges/b"}
    assert kennel.asterisk.params[TO_QUEUE] == {"context": "ari-agent", "extension": "fallback", "priority": "1"}


async def test_a_controller_is_hung_when_its_stamp_has_not_changed_for_the_time_of_the_settings(kennel: Kennel) -> None:
    await kennel.look(alive=True)
    await kennel.look(LOOKS_UNTIL_HUNG - 2)
    assert kennel.asterisk.asked == []
    await kennel.look()
    assert kennel.asterisk.done() == {TO_QUEUE, "DELETE /bridges/b"}


async def test_time_in_which_the_watchdog_itself_was_stopped_is_nobodys_silence(kennel: Kennel) -> None:
    await kennel.look(alive=True)
    kennel.now_s += 3600
    await kennel.look()
    assert kennel.asterisk.asked == []


async def test_callers_left_behind_are_cared_for_while_the_next_controller_still_loads(kennel: Kennel) -> None:
    kennel.controller.signs("starting")
    await kennel.look()
    assert TO_QUEUE in kennel.asterisk.done()


@pytest.mark.parametrize("before", ["dead", "hung", "starting"])
async def test_a_controller_that_serves_again_while_asterisk_was_asked_is_left_alone(
    kennel: Kennel, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kennel.controller.signs("starting" if before == "starting" else "serving")
    if before == "dead":
        kennel.controller.dies()
    ask = kennel.asterisk.ari.channels

    async def serves_meanwhile() -> list[dict[str, Any]]:
        kennel.controller.signs()
        return await ask()

    monkeypatch.setattr(kennel.asterisk.ari, "channels", serves_meanwhile)
    await kennel.look(LOOKS_UNTIL_HUNG)
    assert "GET /channels" in kennel.asterisk.asked
    assert kennel.asterisk.done() == set()


async def test_people_who_talk_are_left_alone_and_when_one_leaves_the_other_is_freed(kennel: Kennel) -> None:
    kennel.asterisk.holds("caller", STAFF, bridges={"b": ["caller", STAFF]})
    kennel.controller.signs()
    kennel.controller.dies()
    await kennel.look(3)
    assert kennel.asterisk.done() == set()
    kennel.asterisk.holds("caller", bridges={"b": ["caller"]})
    await kennel.look()
    assert kennel.asterisk.done() == {"DELETE /channels/caller", "DELETE /bridges/b"}


async def test_a_call_that_could_not_be_cleared_is_tried_again_and_complained_of_once(kennel: Kennel) -> None:
    kennel.controller.signs()
    kennel.controller.dies()
    kennel.asterisk.answers["GET /bridges"] = (503, {"message": "starting"})
    with capture_logs() as lines:
        await kennel.look(3)
    assert [line["event"] for line in lines].count("Asterisk cannot be asked for lost callers") == 1
    kennel.asterisk.holds("caller")
    await kennel.look()
    assert kennel.asterisk.done() == {TO_QUEUE}


async def test_of_a_dead_controller_that_has_left_nothing_asterisk_is_asked_seldom(kennel: Kennel) -> None:
    kennel.asterisk.holds()
    kennel.controller.signs()
    kennel.controller.dies()
    await kennel.look(round(SELDOM_S / LOOK_S))
    assert kennel.asterisk.asked.count("GET /channels") == 1
    kennel.asterisk.holds("caller")
    await kennel.look()
    assert kennel.asterisk.done() == {TO_QUEUE}


async def test_a_name_without_a_sign_that_can_be_read_is_nobodys_to_judge(kennel: Kennel, tmp_path: Path) -> None:
    await kennel.look(3)
    (tmp_path / f"{APP}{SUFFIX}").unlink()
    await kennel.look(3)
    assert kennel.asterisk.asked == []


async def test_the_log_tells_of_changes_once_and_of_no_caller(kennel: Kennel) -> None:
    await kennel.look(alive=True)
    kennel.controller.dies()
    with capture_logs() as lines:
        await kennel.look()
        kennel.asterisk.holds()
        await kennel.look(4)
        await kennel.look(alive=True)
    assert [line.get("condition") for line in lines] == ["dead", "dead", "serving"]
    assert (lines[1]["callers_to_queue"], lines[1]["bridges_destroyed"]) == (1, 1)


# The process


def test_the_command_loads_no_engine_no_database_and_no_model() -> None:
    heavy = {"numpy", "vosk", "psycopg", "panoramisk", "phonenumbers", "holidays", "llama_cpp", "pypdf"}
    loaded = "import sys, ari_agent.cli.start, ari_agent.cli.watchdog; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=60, check=True)
    assert heavy.isdisjoint(done.stdout.split())


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A settings file of which only the watchdog's part is good."""
    (tmp_path / "ari").write_text("geheim")
    path = tmp_path / "agent.toml"
    path.write_text(
        '[company]\nnonsense = 1\n[asterisk]\nari_password_file = "ari"\nami_password_file = "ari"\n'
        '[watchdog]\nruntime = "run"\nafter_s = 2\n'
    )
    return path


def test_a_mistake_elsewhere_in_the_settings_does_not_keep_it_from_watching(settings_file: Path) -> None:
    settings = load_watch(settings_file)
    assert settings.watchdog.runtime == settings_file.parent / "run"
    assert settings.asterisk.context == "ari-agent"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("after_s", "after", "unknown setting 'watchdog.after'; did you mean 'watchdog.after_s'?"),
        ("after_s = 2", "after_s = 1.5", "watchdog.after_s must be at least 2 times watchdog.heartbeat_s"),
        ("[asterisk]", "[other]", "'asterisk' is missing; add it"),
    ],
)
def test_a_mistake_in_its_own_part_is_told_in_one_sentence(
    settings_file: Path, old: str, new: str, complaint: str
) -> None:
    settings_file.write_text(settings_file.read_text().replace(old, new))
    with pytest.raises(ConfigError) as refusal:
        load_watch(settings_file)
    assert complaint in str(refusal.value)
