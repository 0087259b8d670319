"""The dialplan's question on the FastAGI port, asked by clients that are none."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ari_agent.errors import AgentError
from ari_agent.pbx.agi import MAX_REQUEST_BYTES, route_server

LIMIT_S = 0.3
Asked = tuple[str, str | None]
"""The dialled and the calling number."""
QUESTION = b"agi_network: yes\nagi_network_script: route\nagi_callerid: +4971112345\nagi_arg_1: 4971155501\n\n"


@asynccontextmanager
async def serving(answer: str | None = "ai", port: int = 0) -> AsyncIterator[tuple[int, list[Asked]]]:
    """Serve the question, without end when there is no answer; yield the port and the numbers asked about."""
    asked: list[Asked] = []

    async def route(dialled: str, caller: str | None) -> str:
        asked.append((dialled, caller))
        if answer is None:
            await asyncio.Event().wait()
        return answer or ""

    async with route_server("127.0.0.1", port, LIMIT_S, route) as server:
        yield server.sockets[0].getsockname()[1], asked


async def ask(port: int, request: bytes, reply: bytes = b"200 result=1\n") -> bytes:
    """Send a request and return all that comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(LIMIT_S + 1):
        writer.write(request)
        command = await reader.read(1000)
        if command:
            writer.write(reply)
            command += await reader.read()
    writer.close()
    return command


async def test_the_question_is_answered_by_the_number_dialled_and_the_number_calling() -> None:
    async with serving("staff") as (port, asked):
        assert (await ask(port, QUESTION)).strip() == b"SET VARIABLE ARI_AGENT_ROUTE staff"
    assert asked == [("4971155501", "+4971112345")]


@pytest.mark.parametrize("header", [b"agi_callerid: unknown\n", b""])
async def test_a_number_that_is_withheld_is_none(header: bytes) -> None:
    async with serving() as (port, asked):
        assert b"ARI_AGENT_ROUTE ai" in await ask(port, QUESTION.replace(b"agi_callerid: +4971112345\n", header))
    assert asked == [("4971155501", None)]


async def test_a_callers_name_in_a_strange_encoding_costs_no_answer() -> None:
    name = "agi_calleridname: Müller\n".encode("latin-1")
    async with serving() as (port, asked):
        assert b"ARI_AGENT_ROUTE ai" in await ask(port, QUESTION.replace(b"agi_network: yes\n", name))
    assert asked == [("4971155501", "+4971112345")]


async def test_a_route_that_is_never_decided_is_waited_for_no_longer_than_the_limit() -> None:
    async with serving(None) as (port, _):
        started = time.monotonic()
        assert await ask(port, QUESTION) == b""
        assert time.monotonic() - started < LIMIT_S + 0.5


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\n\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\n\n",
        b"\xff\xfe\xfd\n\n",
        b"agi_network_script: other\n\n",
        b"x" * (MAX_REQUEST_BYTES + 10_000),
        b"agi_network_script: route\n" * 2000 + b"\n",
    ],
    ids=["empty", "http", "no text", "another script", "one endless line", "too many lines"],
)
async def test_what_is_no_question_gets_no_answer_and_the_next_client_does(request_bytes: bytes) -> None:
    async with serving() as (port, asked):
        started = time.monotonic()
        assert await ask(port, request_bytes) == b""
        assert time.monotonic() - started < LIMIT_S + 0.3
        assert asked == []
        assert b"ARI_AGENT_ROUTE ai" in await ask(port, QUESTION)


async def test_a_mistake_while_the_route_is_decided_ends_the_question_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def mistaken(dialled: str, caller: str | None) -> str:
        raise ZeroDivisionError

    async with route_server("127.0.0.1", 0, LIMIT_S, mistaken) as server:
        port = server.sockets[0].getsockname()[1]
        started = time.monotonic()
        assert await ask(port, QUESTION) == b""
        assert time.monotonic() - started < LIMIT_S
    assert "ZeroDivisionError" in caplog.text
    assert "71112345" not in caplog.text


async def test_half_a_question_is_waited_for_no_longer_than_the_limit() -> None:
    async with serving() as (port, _):
        started = time.monotonic()
        assert await ask(port, QUESTION[:40]) == b""
        assert LIMIT_S * 0.8 < time.monotonic() - started < LIMIT_S + 0.5


async def test_clients_that_connect_and_close_cost_no_processor_and_nobody_their_answer() -> None:
    async with serving() as (port, _):
        for _ in range(50):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
        used = time.process_time()
        await asyncio.sleep(0.5)  # a loop that spins would use all of it
        assert time.process_time() - used < 0.25
        assert b"ARI_AGENT_ROUTE ai" in await ask(port, QUESTION)
        others = {task.get_name() for task in asyncio.all_tasks()} - {asyncio.current_task().get_name()}  # type: ignore[union-attr]
        assert not others


async def test_an_asterisk_that_does_not_confirm_is_waited_for_no_longer_than_the_limit() -> None:
    async with serving() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(QUESTION)
        started = time.monotonic()
        async with asyncio.timeout(LIMIT_S + 1):
            await reader.read()
        assert time.monotonic() - started < LIMIT_S + 0.5
        writer.close()


async def test_controllers_share_the_port_and_one_that_ends_leaves_it_to_the_others() -> None:
    async with serving("one") as (port, _):
        async with serving("two", port):
            answers = Counter([await ask(port, QUESTION) for _ in range(60)])
            assert len(answers) == 2
        assert {await ask(port, QUESTION) for _ in range(20)} == {b"SET VARIABLE ARI_AGENT_ROUTE one\n"}


async def test_a_port_that_another_program_holds_is_told_with_the_setting_to_change() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            AgentError, match=rf"127\.0\.0\.1:{port} cannot be used for FastAGI .*; set asterisk.agi_port"
        ):
            async with serving(port=port):
                pass
