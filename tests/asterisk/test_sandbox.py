"""The sandbox keeps to itself: loopback only, least privilege, secrets in files that only root reads."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from .conftest import PBX, Sandbox, Watch

Packet = dict[str, str]
SECRETS = ("ari", "ami", "empfang1", "empfang2", "empfang3")


class Ami:
    """The manager interface, spoken by hand: the test is about what the server allows."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, action: str, **fields: str) -> Packet:
        """Send an action and return the response, passing over events."""
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        while "Response" not in (packet := await self.packet()):
            pass
        return packet

    async def until(self, event: str) -> Packet:
        """Return the next event of that name."""
        while (packet := await self.packet()).get("Event") != event:
            pass
        return packet

    async def packet(self) -> Packet:
        """Return the next packet. Raises TimeoutError after 10 s."""
        async with asyncio.timeout(10):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


@pytest_asyncio.fixture
async def ami(sandbox: Sandbox) -> AsyncIterator[Ami]:
    """Log in as the controller does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.ami_port)
    await reader.readline()
    ami = Ami(reader, writer)
    login = await ami.ask("Login", Username=sandbox.ami_user, Secret=sandbox.secret("ami"))
    assert login["Response"] == "Success"
    yield ami
    writer.close()
    await writer.wait_closed()


def open_sockets(pid: int, table: str) -> list[tuple[str, int]]:
    """Return address and port of the process's sockets in a table of /proc/net; of TCP, those that listen."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        inodes.update(re.findall(r"socket:\[(\d+)\]", str(descriptor.readlink())))
    found = []
    for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] not in inodes or (table.startswith("tcp") and fields[3] != "0A"):
            continue
        address, port = fields[1].split(":")
        # The kernel prints an address as 32-bit words of this machine, which is little-endian.
        words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
        found.append((str(ipaddress.ip_address(b"".join(words))), int(port, 16)))
    return found


def asterisk_pid(sandbox: Sandbox) -> int:
    return int((sandbox.root / "run/asterisk/asterisk.pid").read_text())


def test_every_port_that_takes_calls_or_commands_is_on_loopback(sandbox: Sandbox) -> None:
    pid = asterisk_pid(sandbox)
    listening = open_sockets(pid, "tcp") + open_sockets(pid, "tcp6")
    assert sorted(listening) == [("127.0.0.1", sandbox.ami_port), ("127.0.0.1", 18088)]
    datagrams = open_sockets(pid, "udp") + open_sockets(pid, "udp6")
    assert ("127.0.0.1", sandbox.sip_port) in datagrams
    # pjproject's resolver asks name servers from one socket per family, on ports of the kernel's choice.
    resolver = [address for address, _ in datagrams if not ipaddress.ip_address(address).is_loopback]
    assert sorted(resolver) in ([], ["0.0.0.0"], ["0.0.0.0", "::"])  # noqa: S104  the addresses are compared


async def test_the_audio_of_a_call_is_on_loopback_too(sandbox: Sandbox, watch: Watch) -> None:
    body = {"app": "watcher", "transport": "udp", "format": "alaw", "external_host": "127.0.0.1:9"}
    await watch.request("POST", "channels/externalMedia", body)
    ports = [a for a, p in open_sockets(asterisk_pid(sandbox), "udp") if 20000 <= p <= 20999]
    assert ports
    assert set(ports) == {"127.0.0.1"}


async def test_the_managers_account_counts_receptionists(ami: Ami) -> None:
    assert (await ami.ask("QueueSummary", Queue="empfang"))["Response"] == "Success"
    summary = await ami.until("QueueSummary")
    assert (summary["Queue"], summary["Callers"]) == ("empfang", "0")
    assert int(summary["Available"]) <= int(summary["LoggedIn"]) <= 2
    assert (await ami.ask("QueueStatus", Queue="technik"))["Response"] == "Success"
    # 1: a phone is registered and free; 5: none is.
    assert (await ami.until("QueueMember"))["Status"] in {"1", "5"}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("Command", {"Command": "core show version"}),
        ("Originate", {"Channel": "Local/2901@from-trunk", "Application": "Wait", "Data": "1"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("Setvar", {"Variable": "ARI_AGENT_QUEUE", "Value": "x"}),
        ("DBPut", {"Family": "ari-agent", "Key": "bypass", "Val": "1"}),
        ("Hangup", {"Channel": "/.*/"}),
        ("QueueAdd", {"Queue": "empfang", "Interface": "Local/x@y"}),
        ("ModuleLoad", {"LoadType": "reload"}),
    ],
)
async def test_the_managers_account_may_nothing_else(ami: Ami, action: str, fields: Packet) -> None:
    answer = await ami.ask(action, **fields)
    assert (answer["Response"], answer["Message"]) == ("Error", "Permission denied")


async def test_ari_refuses_a_wrong_password(sandbox: Sandbox) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(
            f"{sandbox.ari_url}/asterisk/ping", headers={"Authorization": aiohttp.encode_basic_auth("ari-agent", "x")}
        ) as answer,
    ):
        assert answer.status == 401


def test_passwords_can_be_read_by_nobody_else(sandbox: Sandbox) -> None:
    for name in SECRETS:
        secret = sandbox.root.parent / "secrets" / name
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert len(sandbox.secret(name)) >= 32
    rendered = [p for p in (sandbox.root / "etc/asterisk").rglob("*secret*") if p.is_file()]
    assert len(rendered) == 3
    for file in rendered:
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert file.stat().st_uid == 0


def test_a_second_start_changes_nothing(sandbox: Sandbox) -> None:
    before = asterisk_pid(sandbox)
    subprocess.run([PBX, "start"], check=True, timeout=30, capture_output=True)
    assert asterisk_pid(sandbox) == before


def test_the_sandbox_leaves_no_mounts_on_the_machine(sandbox: Sandbox) -> None:
    assert str(sandbox.root) not in Path("/proc/self/mounts").read_text()


def test_a_file_of_a_stranger_s_process_id_is_not_believed(sandbox: Sandbox) -> None:
    file = sandbox.root / "run/asterisk/asterisk.pid"
    right = file.read_text()
    file.write_text(f"{os.getpid()}\n")
    try:
        status = subprocess.run([PBX, "status"], capture_output=True, text=True, timeout=10, check=False)
    finally:
        file.write_text(right)
    assert (status.returncode, status.stdout) == (1, "not running\n")


@pytest.mark.parametrize(
    "needed",
    [
        "app_audiosocket.so",
        "app_mixmonitor.so",
        "app_originate.so",
        "app_queue.so",
        "app_stasis.so",
        "app_stasis_broadcast.so",
        "app_voicemail.so",
        "cdr_csv.so",
        "chan_audiosocket.so",
        "chan_pjsip.so",
        "chan_websocket.so",
        "codec_alaw.so",
        "codec_g722.so",
        "res_agi.so",
        "res_ari_channels.so",
        "res_ari_events.so",
        "res_http_websocket.so",
    ],
)
def test_the_server_has_the_module(sandbox: Sandbox, needed: str) -> None:
    assert re.search(rf"^{needed} .*Running", sandbox.cli(f"module show like {needed}"), re.MULTILINE)


async def test_a_caller_without_a_receptionist_leaves_a_message(sandbox: Sandbox, ami: Ami, watch: Watch) -> None:
    await watch.request(
        "POST",
        "channels",
        {
            "endpoint": "Local/2900@from-trunk/n",
            "context": "sandbox-desk",
            "extension": "speaks",
            "priority": 1,
            "channelId": "caller-with-a-message",
            "variables": {"_ARI_AGENT_AGI": "agi://127.0.0.1:9/route"},
        },
    )
    waiting = await ami.until("MessageWaiting")
    assert waiting["Mailbox"] == "100@default"
    folder = sandbox.root / "var/spool/asterisk/voicemail/default/100/INBOX"
    messages = sorted(folder.glob("*.wav"))
    assert messages
    assert messages[-1].stat().st_size > 8000
    for file in folder.iterdir():
        file.unlink()
