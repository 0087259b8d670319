"""The dialplan that a company includes: whatever is wrong with the AI, the caller reaches a person or a mailbox."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from .conftest import REPO, Event, Sandbox, Watch, connected

FRAGMENTS = REPO / "asterisk"
SANDBOX_CONFIG = REPO / "deploy" / "sandbox" / "asterisk"
QUEUE = "empfang"
CALL_REJECTED = 21
"""Cause of ITU-T Q.850."""
KNOWN_TO_ASTERISK_ONLY = {
    "app 'StasisBroadcast' does not exist": "core show application StasisBroadcast",
    "function 'IFMODULE' does not exist": "core show function IFMODULE",
}
"""What asterisklint is too old to know, and how to prove to it that the server does know it."""


@pytest.fixture
def desk(sandbox: Sandbox) -> Iterator[None]:
    """Put a receptionist into the queue whose phone rings for ever."""
    member = "Local/rings@sandbox-desk"
    sandbox.cli(f"queue add member {member} to {QUEUE}")
    yield
    sandbox.cli(f"queue remove member {member} from {QUEUE}")


@asynccontextmanager
async def route_server(answer: str | None) -> AsyncIterator[str]:
    """Serve the question of the route (FastAGI) with one answer, or with silence; yield its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        if answer is not None:
            writer.write(f"SET VARIABLE ARI_AGENT_ROUTE {answer}\n".encode())
            await reader.readline()
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"agi://127.0.0.1:{server.sockets[0].getsockname()[1]}/route"


async def claimed(watch: Watch, agent: Watch, app: str, seconds: float = 5.0) -> Event:
    """Claim the next call that is broadcast, as a controller does; return its StasisStart."""
    offer = await agent.until(lambda e: e["type"] == "CallBroadcast", seconds)
    await agent.request("POST", f"events/claim?channelId={offer['channel']['id']}&application={app}")
    return await agent.until(lambda e: e["type"] == "StasisStart")


def lint(folder: Path) -> list[str]:
    """Return asterisklint's messages about the sandbox's dialplan with the fragment in it, each without its place."""
    shutil.copy(SANDBOX_CONFIG / "extensions.conf", folder)
    (folder / "ari-agent").mkdir()
    shutil.copy(FRAGMENTS / "extensions.conf", folder / "ari-agent")
    command = [str(Path(sys.executable).with_name("asterisklint")), "dialplan-check", "extensions.conf"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    return [re.sub(r"^\S+:\d+ [A-Z_]+: ", "", line) for line in lines]


def test_asterisklint_has_nothing_to_say_but_what_it_is_too_old_to_know(tmp_path: Path, sandbox: Sandbox) -> None:
    for message in lint(tmp_path):
        known = [proof for begin, proof in KNOWN_TO_ASTERISK_ONLY.items() if message.startswith(begin)]
        assert known, message
        assert "[Synopsis]" in re.sub(r"\x1b\[[\d;]*m", "", sandbox.cli(known[0]))


def test_the_fragments_run_in_the_server_exactly_as_they_are_in_the_repository(sandbox: Sandbox) -> None:
    for fragment in FRAGMENTS.glob("*.conf"):
        assert (sandbox.root / "etc/asterisk/ari-agent" / fragment.name).read_bytes() == fragment.read_bytes()
    loaded = sandbox.cli("dialplan show")
    for context in ("ari-agent", "ari-agent-defaults", "ari-agent-queue", "ari-agent-features"):
        assert f"Context '{context}' created by 'pbx_config'" in loaded


def test_the_server_loads_the_fragments_without_a_complaint(sandbox: Sandbox) -> None:
    log = sandbox.root / "var/log/asterisk/messages"
    before = log.stat().st_size
    for module in ("pbx_config.so", "res_ari.so", "manager", "http"):
        sandbox.cli(f"module reload {module}")
    with log.open() as lines:
        lines.seek(before)
        complaints = [line for line in lines if "WARNING" in line or "ERROR" in line]
    assert complaints == []


@pytest.mark.usefixtures("desk")
async def test_with_no_agent_running_the_queue_has_the_caller_within_a_second(watch: Watch) -> None:
    started = time.monotonic()
    caller = await watch.call("2900", ARI_AGENT_AGI="agi://127.0.0.1:9/route")
    await watch.until_runs(caller, "Queue", seconds=1)
    assert time.monotonic() - started < 1


@pytest.mark.usefixtures("desk")
async def test_a_hung_controller_costs_the_caller_two_seconds_and_no_time_in_the_queue(watch: Watch) -> None:
    async with route_server(None) as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Queue", seconds=3)
        # The limit that ended the wait is lifted: the queue does not end with it.
        with pytest.raises(TimeoutError):
            await watch.until_gone(caller, seconds=3)


@pytest.mark.usefixtures("desk")
async def test_an_ai_that_is_wanted_but_has_no_free_line_loses_its_caller_to_the_queue(watch: Watch) -> None:
    async with route_server("ai") as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "StasisBroadcast")
        await watch.until_runs(caller, "Queue", seconds=1)


@pytest.mark.usefixtures("desk")
async def test_an_older_asterisk_without_a_connected_controller_rings_the_queue_too(watch: Watch) -> None:
    async with route_server("ai") as address:
        caller = await watch.call("2902", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Stasis")
        await watch.until_runs(caller, "Queue", seconds=1)


@pytest.mark.usefixtures("desk")
async def test_a_number_for_people_rings_the_queue_without_asking_the_ai(watch: Watch) -> None:
    async with route_server("queue") as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Queue", seconds=1)
    assert not any(e.get("dialplan_app") == "StasisBroadcast" for e in watch.seen)


FALLBACK_QUEUE = f"{QUEUE},r,,,30"
"""The arguments with which the sandbox's fallback runs Queue()."""


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    "answer",
    ["staff", "", "AI", "ai-after-4", "ai-after-121", "ai-after-020", "ai-after-", "ai-after-20,x", "blocked-not"],
)
async def test_every_other_answer_rings_the_queue_of_the_fallback(watch: Watch, answer: str) -> None:
    async with route_server(answer) as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        rings = await watch.until_runs(caller, "Queue", seconds=2)
    assert rings["dialplan_app_data"] == FALLBACK_QUEUE


@pytest.mark.usefixtures("desk")
async def test_in_overflow_the_staff_are_rung_for_the_seconds_given_and_then_the_ai_gets_the_call(
    sandbox: Sandbox, watch: Watch
) -> None:
    async with route_server("ai-after-5") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        rings = await watch.until_runs(caller, "Queue")
        began = time.monotonic()
        start = await claimed(watch, agent, "ari_agent_test", seconds=8)
    assert rings["dialplan_app_data"] == f"{QUEUE},r,,,5"
    assert 4.5 < time.monotonic() - began < 7
    assert start["args"] == ["inbound", "2900"]
    assert start["channel"]["state"] == "Ring"


async def test_in_overflow_an_empty_queue_passes_the_caller_to_the_ai_at_once(sandbox: Sandbox, watch: Watch) -> None:
    async with route_server("ai-after-60") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Queue")
        await claimed(watch, agent, "ari_agent_test", seconds=1)


@pytest.mark.usefixtures("desk")
async def test_in_overflow_a_caller_whom_no_ai_wants_is_back_in_the_queue_and_no_further(watch: Watch) -> None:
    async with route_server("ai-after-5") as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Queue")
        await watch.until_runs(caller, "StasisBroadcast", seconds=7)
        again = await watch.until_runs(caller, "Queue", seconds=1)
    assert again["dialplan_app_data"] == FALLBACK_QUEUE


@pytest.mark.parametrize("options", ["r", "rc"])
async def test_a_caller_whom_a_person_took_in_the_overflow_is_not_offered_to_the_ai_afterwards(
    sandbox: Sandbox, watch: Watch, options: str
) -> None:
    member = "Local/answers@sandbox-desk"
    sandbox.cli(f"queue add member {member} to {QUEUE}")
    try:
        async with route_server("ai-after-5") as address:
            caller = await watch.call("2900", ARI_AGENT_AGI=address, ARI_AGENT_QUEUE_OPTIONS=options)
            await watch.until(lambda e: e["type"] == "StasisStart")  # the calling side has been answered
            await end_of(watch, "Local/answers@sandbox-desk")
            if "c" in options:
                await watch.until_runs(caller, "Hangup")  # the dialplan went on after Queue()
            await watch.until_gone(caller)
    finally:
        sandbox.cli(f"queue remove member {member} from {QUEUE}")
    assert not any(e.get("dialplan_app") == "StasisBroadcast" for e in watch.seen)


async def end_of(watch: Watch, name: str) -> None:
    """Hang up the side of a channel that is somebody's phone."""
    channels = await watch.request("GET", "channels")
    (phone,) = [c["id"] for c in channels if c["name"].startswith(name) and c["name"].endswith(";2")]
    await watch.request("DELETE", f"channels/{phone}")


@pytest.mark.usefixtures("desk")
async def test_a_blocked_caller_is_turned_away_unanswered_and_nobody_is_rung(watch: Watch) -> None:
    async with route_server("blocked") as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        gone = await watch.until_gone(caller, seconds=2)
    assert gone["cause"] == CALL_REJECTED
    assert not any(e.get("dialplan_app") in ("Queue", "StasisBroadcast", "VoiceMail") for e in watch.seen)
    assert not any(e["type"] == "ChannelStateChange" and e["channel"]["state"] == "Up" for e in watch.seen)


async def test_the_ai_gets_an_unanswered_caller_with_the_number_dialled(sandbox: Sandbox, watch: Watch) -> None:
    async with route_server("ai") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        await watch.call("2900", ARI_AGENT_AGI=address)
        start = await claimed(watch, agent, "ari_agent_test")
    assert start["args"] == ["inbound", "2900"]
    assert start["channel"]["state"] == "Ring"


async def test_an_older_asterisk_gives_the_call_to_the_controller_named(sandbox: Sandbox, watch: Watch) -> None:
    async with route_server("ai") as address, connected(sandbox, "ari_agent_1", everything=False) as agent:
        await watch.call("2902", ARI_AGENT_AGI=address, ARI_AGENT_APP="ari_agent_1")
        start = await agent.until(lambda e: e["type"] == "StasisStart")
    assert start["args"] == ["inbound", "2902"]


@pytest.mark.usefixtures("desk")
async def test_a_caller_whom_the_controller_hands_back_goes_to_the_queue_and_not_to_the_ai_again(
    sandbox: Sandbox, watch: Watch
) -> None:
    async with route_server("ai") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await claimed(watch, agent, "ari_agent_test")
        await agent.request("POST", f"channels/{caller}/continue?context=ari-agent&extension=fallback&priority=1")
        await watch.until_runs(caller, "Queue")
        with pytest.raises(TimeoutError):
            await agent.until(lambda e: e["type"] == "CallBroadcast", seconds=1)


@pytest.mark.usefixtures("desk")
async def test_after_the_controller_hung_up_nobody_is_rung(sandbox: Sandbox, watch: Watch) -> None:
    async with route_server("ai") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await claimed(watch, agent, "ari_agent_test")
        await agent.request("DELETE", f"channels/{caller}")
        await watch.until_gone(caller)
    assert not any(e.get("dialplan_app") == "Queue" for e in watch.seen)


async def test_an_empty_queue_passes_the_caller_to_the_mailbox_at_once(watch: Watch) -> None:
    caller = await watch.call("2900", ARI_AGENT_AGI="agi://127.0.0.1:9/route")
    await watch.until_runs(caller, "Queue")
    await watch.until_runs(caller, "VoiceMail", seconds=1)


async def test_without_a_mailbox_an_empty_queue_ends_the_call_unanswered(watch: Watch, sandbox: Sandbox) -> None:
    mailbox = "ARI_AGENT_MAILBOX"
    before = sandbox.cli("dialplan show globals")
    assert f"{mailbox}=100@default" in before
    sandbox.cli(f'dialplan set global {mailbox} ""')
    try:
        caller = await watch.call("2900", ARI_AGENT_AGI="agi://127.0.0.1:9/route")
        await watch.until_gone(caller)
    finally:
        sandbox.cli(f"dialplan set global {mailbox} 100@default")
    assert not any(e["type"] == "ChannelStateChange" and e["channel"]["state"] == "Up" for e in watch.seen)


async def test_the_feature_code_switches_the_ai_off_and_on_and_can_be_heard(sandbox: Sandbox, watch: Watch) -> None:
    for expected in ("1", "0"):
        phone = await watch.call("*95", context="from-inside")
        await watch.until_runs(phone, "PlayTones")
        await watch.until_gone(phone)
        assert f"Value: {expected}" in sandbox.cli("database get ari-agent bypass")


@pytest.mark.usefixtures("desk")
async def test_a_bypassed_ai_is_not_even_asked(sandbox: Sandbox, watch: Watch) -> None:
    sandbox.cli("database put ari-agent bypass 1")
    async with route_server("ai") as address:
        caller = await watch.call("2900", ARI_AGENT_AGI=address)
        await watch.until_runs(caller, "Queue", seconds=1)
    assert not any(e.get("dialplan_app") == "AGI" for e in watch.seen)


async def test_the_test_code_reaches_the_ai_though_bypassed_and_is_marked_as_a_test(
    sandbox: Sandbox, watch: Watch
) -> None:
    sandbox.cli("database put ari-agent bypass 1")
    async with connected(sandbox, "ari_agent_test", everything=False) as agent:
        await watch.call("*96", context="from-inside")
        start = await claimed(watch, agent, "ari_agent_test")
    assert start["args"] == ["inbound", "*96", "test"]


@pytest.mark.usefixtures("desk")
async def test_a_test_call_that_nobody_claims_does_not_ring_the_staff(watch: Watch) -> None:
    phone = await watch.call("*96", context="from-inside")
    await watch.until_runs(phone, "Congestion")
    assert not any(e.get("dialplan_app") == "Queue" for e in watch.seen)


async def test_a_hand_over_rings_the_queue_and_counts_as_answered_when_a_person_answers(
    sandbox: Sandbox, watch: Watch
) -> None:
    sandbox.cli(f"queue add member Local/answers@sandbox-desk to {QUEUE}")
    try:
        staff = await watch.call(QUEUE, context="ari-agent-queue")
        await watch.until_runs(staff, "Queue")
        start = await watch.until(lambda e: e["type"] == "StasisStart")
    finally:
        sandbox.cli(f"queue remove member Local/answers@sandbox-desk from {QUEUE}")
    assert start["channel"]["state"] == "Up"


async def test_a_hand_over_to_an_empty_queue_ends_at_once_and_dials_nothing(watch: Watch) -> None:
    staff = await watch.call(QUEUE, context="ari-agent-queue")
    await watch.until_gone(staff, seconds=1)


async def test_nothing_but_queues_can_be_reached_through_the_hand_over(sandbox: Sandbox, watch: Watch) -> None:
    applications = re.findall(r"\d+\. (\w+)\(", sandbox.cli("dialplan show ari-agent-queue"))
    assert applications == ["Gosub", "Queue", "Hangup"]
    staff = await watch.call("004915112345678", context="ari-agent-queue")
    await watch.until_gone(staff, seconds=1)
    names = {e["channel"]["name"] for e in watch.seen if e["type"] == "ChannelCreated"}
    assert all(name.startswith("Local/004915112345678@ari-agent-queue") for name in names)


async def test_a_dialled_number_cannot_smuggle_arguments_into_the_dialplan(sandbox: Sandbox, watch: Watch) -> None:
    async with route_server("ai") as address, connected(sandbox, "ari_agent_test", everything=False) as agent:
        await watch.call("2900:test,x", context="ari-agent", ARI_AGENT_AGI=address)
        start = await claimed(watch, agent, "ari_agent_test")
    assert start["args"] == ["inbound", "2900"]
