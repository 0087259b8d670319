"""The sign of life: what others read of a process that lives, ends, is killed, or has lost its file."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_agent import systemd
from ari_agent.errors import ConfigError
from ari_agent.heartbeat import Beat, Heartbeat, read

EVERY_S = 0.02
OTHER = """
import asyncio, sys
from pathlib import Path
from ari_agent.heartbeat import Heartbeat

async def live():
    async with Heartbeat.begin(Path(sys.argv[1]), "ari_agent_x", 0.02) as heart:
        with heart.serving():
            print("serving", flush=True)
            await asyncio.sleep(60)

asyncio.run(live())
"""
"""A process that serves."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the sign of life is read."""
    return tmp_path / "run" / "ari_agent_x.beat"


@pytest.fixture
async def heart(path: Path) -> AsyncIterator[Heartbeat]:
    """Our own, in a folder that had to be made."""
    async with Heartbeat.begin(path.parent, "ari_agent_x", EVERY_S) as heart:
        yield heart


def seen(path: Path) -> Beat:
    """Return what is read, which must be something."""
    beat = read(path)
    assert beat is not None
    return beat


async def test_it_tells_how_far_the_process_is(path: Path) -> None:
    async with Heartbeat.begin(path.parent, "ari_agent_x", EVERY_S) as heart:
        assert (seen(path).phase, seen(path).locked, seen(path).pid) == ("starting", True, os.getpid())
        assert not seen(path).serving
        with heart.serving():
            assert seen(path).serving
        assert not seen(path).serving
    assert (seen(path).phase, seen(path).locked) == ("ended", False)


async def test_its_stamp_changes_while_the_event_loop_runs_and_only_then(path: Path, heart: Heartbeat) -> None:
    first = seen(path)
    await asyncio.sleep(3 * EVERY_S)
    second = seen(path)
    assert second.at > first.at
    await asyncio.to_thread(lambda: None)
    held = seen(path)
    deadline = asyncio.get_running_loop().time() + 3 * EVERY_S
    while asyncio.get_running_loop().time() < deadline:
        pass  # an event loop that hangs
    assert seen(path) == held


def test_nobody_is_there_before_the_first_sign(path: Path) -> None:
    assert read(path) is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "phase": "serving", "at": 1}', "\0" * 128]
)
def test_what_cannot_be_read_is_no_sign(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ari_agent_x.beat"
    path.write_text(content)
    assert read(path) is None


def test_when_a_process_is_killed_its_death_is_seen_at_once(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OTHER, path.parent], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert seen(path).serving
        other.send_signal(signal.SIGSTOP)
        assert seen(path).serving  # only its stamp grows old
        other.kill()
        other.wait()
        beat = seen(path)
        assert (beat.phase, beat.locked, beat.pid) == ("serving", False, other.pid)


@pytest.mark.usefixtures("heart")
async def test_a_second_process_of_the_name_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="ari_agent_x runs already on this machine: stop it, or name another"):
        async with Heartbeat.begin(path.parent, "ari_agent_x", EVERY_S):
            pass
    assert seen(path).locked


async def test_a_name_that_is_not_held_alone_may_be_used_twice(path: Path) -> None:
    async with (
        Heartbeat.begin(path.parent, "watchdog", EVERY_S, alone=False),
        Heartbeat.begin(path.parent, "watchdog", EVERY_S, alone=False),
    ):
        assert seen(path.with_stem("watchdog")).phase == "starting"


async def test_readers_never_keep_a_process_from_starting(path: Path) -> None:
    ended = asyncio.Event()

    def read_on() -> None:
        while not ended.is_set():
            read(path)

    reading = asyncio.create_task(asyncio.to_thread(read_on))
    for _ in range(100):
        async with Heartbeat.begin(path.parent, "ari_agent_x", EVERY_S):
            pass
    ended.set()
    await reading


async def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file cannot be written \(.*\); .* name another watchdog.runtime"):
        async with Heartbeat.begin(tmp_path / "file", "ari_agent_x", EVERY_S):
            pass


async def test_a_file_that_somebody_removed_is_made_again(path: Path, heart: Heartbeat) -> None:
    with heart.serving():
        shutil.rmtree(path.parent)
        await asyncio.sleep(5 * EVERY_S)
        assert seen(path).serving


async def test_systemd_is_told_what_it_waits_for(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        async with Heartbeat.begin(path.parent, "ari_agent_x", EVERY_S) as heart:
            with heart.serving():
                assert manager.recv(100) == b"READY=1"
                assert await asyncio.to_thread(manager.recv, 100) == b"WATCHDOG=1"
            while (told := manager.recv(100)) == b"WATCHDOG=1":
                pass
            assert told == b"STOPPING=1"


@pytest.mark.parametrize("address", [None, "", "relative", "/nowhere/at/all"])
def test_without_systemd_nothing_is_told(address: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if address is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify(systemd.READY)
