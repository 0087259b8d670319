"""A whole call without a network: agent and workers talk to nobody but this machine, and nobody resolves a name.

The program that audits runs in namespaces of its own, beside whatever sandbox the other tests use.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
DEPLOY = REPO / "deploy"
LIMIT_S = 240
"""A call takes half a minute; making the sandbox first, two more."""
GOOD, BAD, ERROR = 0, 1, 2

PLANT = """
import socket, sys
if "ari_agent.speech.vosk_worker" in sys.orig_argv:
    with socket.socket() as planted:
        planted.setblocking(False)
        planted.connect_ex(("192.0.2.7", 443))
if "ari_agent.cli" in sys.orig_argv:
    with open(__file__.replace("sitecustomize.py", "planted.wav"), "wb"):
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as planted:
        try:
            planted.sendto(b"", ("192.0.2.53", 53))
        except OSError:
            pass
"""
"""Run by every Python as it starts: a connection of the recogniser's process, a file and a question of the agent."""


async def audited(*options: str, planted: Path | None = None, offline: bool = True) -> tuple[int, dict[str, Any]]:
    """Run the audit; return its exit status and what it found."""
    environment = dict(os.environ) | ({"PYTHONPATH": str(planted)} if planted else {})
    command = [str(DEPLOY / "sandbox" / "offline")] if offline else []
    process = await asyncio.create_subprocess_exec(
        *command,
        sys.executable,
        "-m",
        "sandbox.egress",
        *options,
        cwd=DEPLOY,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out or b"{}")


async def test_in_a_whole_call_nobody_outside_this_machine_is_addressed_and_no_file_holds_sound() -> None:
    status, found = await audited()
    assert found["outside"] == found["written"] == []
    assert found["outcome"] == "handed-over"
    assert found["turns"] >= 2
    assert found["loopback_connections"] >= 3  # events, media, manager interface
    assert status == GOOD


async def test_of_a_recorded_call_nothing_is_written_but_what_is_sealed() -> None:
    status, found = await audited("--recording")
    assert {Path(path).name.partition(".")[2] for path in found["written"]} == {"key", "audio.part"}
    assert found["sound"] == []
    assert (status, found["outcome"]) == (GOOD, "handed-over")


async def test_a_connection_of_a_worker_a_question_for_a_name_and_a_file_with_sound_are_found(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(PLANT)
    status, found = await audited(planted=tmp_path)
    assert sorted(found["outside"]) == ["192.0.2.53 port 53", "192.0.2.7 port 443"]
    assert found["written"] == [str(tmp_path / "planted.wav")]
    assert found["outcome"] == "handed-over"
    assert status == BAD


async def test_where_there_is_a_route_the_audit_refuses_to_run(tmp_path: Path) -> None:
    # In a network namespace of its own, so that this holds on a machine without a network too.
    script = 'ip link set lo up && ip route add 192.0.2.0/24 dev lo && exec "$@"'
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--net", "sh", "-c", script, "sh", sys.executable, "-m", "sandbox.egress"),
        cwd=DEPLOY, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    out, complaint = await process.communicate()
    assert (process.returncode, out) == (ERROR, b"")
    assert b"run it by deploy/sandbox/offline" in complaint
