"""What other users of the machine and of the network can see of a running agent: no secret, and no open port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.bench.usage import PROC, family, runs
from sandbox.phone import Phone

from .agents import Agent, served
from .conftest import Sandbox
from .people import NUMBER, ask, notice_over

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTENING = "0A"
"""State of a TCP socket in /proc/net/tcp: https://docs.kernel.org/networking/proc_net_tcp.html"""
WORKERS = ("ari_agent.speech.vosk_worker", "ari_agent.llm.llama_worker")

agent = served("secrets", metrics={"port": 19464})


@pytest_asyncio.fixture(loop_scope="module")
async def talking(agent: Agent, sandbox: Sandbox) -> AsyncIterator[Agent]:
    """The agent in the middle of a call, after a question, so that every process of it has something to do."""
    await agent.model_ready()
    async with Phone(f"127.0.0.1:{sandbox.sip_port}") as caller:
        await caller.show_as(NUMBER)
        await notice_over(caller)
        asked = await ask(caller, "Wann haben Sie geöffnet?")
        await caller.wait_speech(since=asked)
        yield agent


def seen(process: int, *files: str) -> Iterator[bytes]:
    """Yield what /proc shows of a process; one that has just ended shows nothing."""
    for file in files:
        with suppress(OSError):
            yield (PROC / str(process) / file).read_bytes()


def sockets(processes: Iterable[int]) -> set[str]:
    """Return the numbers of all sockets that the processes hold."""
    found = set()
    for process in processes:
        with suppress(OSError):
            for handle in (PROC / str(process) / "fd").iterdir():
                with suppress(OSError):
                    if match := re.fullmatch(r"socket:\[(\d+)\]", str(handle.readlink())):
                        found.add(match[1])
    return found


def address(field: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address in a field such as "0100007F:1F90": words of 32 bits in the machine's order."""
    words = bytes.fromhex(field.partition(":")[0])
    swapped = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return ipaddress.ip_address(swapped)


def bound(process: int, held: set[str]) -> dict[str, ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Return where the sockets listen (TCP) or are bound (UDP), by protocol and port."""
    found = {}
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in (PROC / str(process) / "net" / protocol).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in held and (protocol.startswith("udp") or fields[3] == LISTENING):
                found[f"{protocol} {int(fields[1].partition(':')[2], 16)}"] = address(fields[1])
    return found


def postgres(data: Path) -> int:
    """Return the process of the embedded server."""
    return int(next(data.glob("*/postmaster.pid")).read_text().split()[0])


async def test_no_secret_and_no_number_is_in_a_process_list_an_environment_or_the_log(
    talking: Agent, sandbox: Sandbox
) -> None:
    processes = family(talking.pid) | family(postgres(talking.checked.log.data))
    assert all(any(runs(process, worker) for process in processes) for worker in WORKERS)
    secrets = [sandbox.secret(name).encode() for name in ("ari", "ami")]
    assert all(len(secret) >= 16 for secret in secrets)
    shown = [text for process in processes for text in seen(process, "cmdline", "environ", "comm")]
    assert len(shown) >= 3 * len(processes) - 3
    shown.append(talking.log.read_bytes())
    shown.append(talking.settings.read_bytes())
    hidden = [*secrets, NUMBER.lstrip("+").encode()]
    assert not [text[:80] for text in shown for secret in hidden if secret in text]


async def test_everything_listens_on_the_loopback_only(agent: Agent) -> None:
    found = bound(agent.pid, sockets(family(agent.pid)))
    assert {"tcp 14573", "tcp 19464"} <= found.keys()  # FastAGI and the figures: the search finds what there is
    assert {name: str(ip) for name, ip in found.items() if not ip.is_loopback} == {}


async def test_the_embedded_database_listens_on_no_port(agent: Agent) -> None:
    held = sockets(family(postgres(agent.checked.log.data)))
    assert held
    assert not [name for name in bound(agent.pid, held) if name.startswith("tcp")]
