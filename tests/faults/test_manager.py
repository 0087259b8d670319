"""A manager interface that is away, silent, or talks nonsense: told in time, and nothing of ours is left waiting."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from wires import serving

from ari_agent.config import Asterisk
from ari_agent.errors import AmiUnavailable
from ari_agent.pbx.ami import Ami

LIMIT_S = 0.3
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
SHUTDOWN = b"Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n"
WELCOME = b"Response: Success\r\nActionID: %b\r\nMessage: Authentication accepted\r\n\r\n"


@pytest.fixture
def settings(tmp_path: Path) -> Asterisk:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    return Asterisk(ari_password_file=secret, ami_password_file=secret, node="test", request_s=LIMIT_S)


@asynccontextmanager
async def manager(settings: Asterisk, *answers: bytes, hang_up: bool) -> AsyncIterator[Ami]:
    """A server that answers each request with the next of these, then says nothing more or hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            if answer is not BANNER:
                request = await reader.readuntil(b"\r\n\r\n")
                action = next(line[10:] for line in request.split(b"\r\n") if line.startswith(b"ActionID: "))
                answer = answer.replace(b"%b", action)
            writer.write(answer)
        if not hang_up:
            await reader.read()

    async with serving(serve) as port:
        yield Ami(settings.model_copy(update={"ami_port": port}))


@contextmanager
def cutting(greeting: bytes) -> Iterator[int]:
    """A server in a thread of its own, so that it has hung up before our loop looks again; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):  # the end of the test
                while True:
                    connection, _ = server.accept()
                    connection.sendall(greeting)
                    connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


async def fails(ami: Ami, within_s: float = LIMIT_S) -> str:
    """Prove that a question fails in time and leaves no task, timer or traceback; return the sentence."""
    before, asked = asyncio.all_tasks(), time.monotonic()
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    with pytest.raises(AmiUnavailable) as failure:
        await ami.queue("empfang")
    assert time.monotonic() - asked < within_s + 0.5
    assert failure.value.retryable
    await asyncio.sleep(0)  # a server of this test may be ending
    loop = asyncio.get_running_loop()
    assert unhandled == []
    assert {task for task in asyncio.all_tasks() - before if "serve" not in repr(task)} == set()
    assert [timer for timer in loop._scheduled if not timer.cancelled()] == []  # type: ignore[attr-defined]
    return str(failure.value)


async def test_a_closed_port_is_told_at_once(settings: Asterisk) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sentence = await fails(Ami(settings.model_copy(update={"ami_port": port})))
    assert sentence == f"the manager interface at 127.0.0.1:{port} cannot be reached; see manager.conf"


async def test_a_server_that_says_nothing_is_given_up_after_the_limit(settings: Asterisk) -> None:
    async with manager(settings, hang_up=False) as ami:
        assert "did not answer in time" in await fails(ami)


async def test_a_server_that_hangs_up_before_the_login_is_an_error(settings: Asterisk) -> None:
    async with manager(settings, BANNER, hang_up=True) as ami:
        assert (await fails(ami)).endswith(" hung up")


@pytest.mark.parametrize("last", [SHUTDOWN, b""])
async def test_a_server_that_hangs_up_in_the_moment_of_connecting_is_an_error_without_a_traceback(
    settings: Asterisk, last: bytes
) -> None:
    """What it says and its end come before panoramisk knows that there is a connection."""
    with cutting(BANNER + last) as port:
        ami = Ami(settings.model_copy(update={"ami_port": port, "request_s": 5.0}))
        for _ in range(20):
            assert await fails(ami, within_s=5.0) in {
                f"the manager interface at 127.0.0.1:{port} {what}"
                for what in ("hung up", "cannot be reached; see manager.conf")
            }


async def test_a_server_that_falls_silent_before_the_login_is_given_up_after_the_limit(settings: Asterisk) -> None:
    async with manager(settings, BANNER, hang_up=False) as ami:
        assert "did not answer in time" in await fails(ami)


async def test_a_server_that_goes_away_after_the_login_is_an_error(settings: Asterisk) -> None:
    async with manager(settings, BANNER, WELCOME, hang_up=True) as ami:
        assert (await fails(ami)).endswith(" hung up")


async def test_a_server_that_falls_silent_after_the_login_is_given_up_after_the_limit(settings: Asterisk) -> None:
    async with manager(settings, BANNER, WELCOME, hang_up=False) as ami:
        assert "did not answer in time" in await fails(ami)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)) * 64, b"\r\n\r\n" * 50])
async def test_a_server_that_talks_nonsense_is_given_up_after_the_limit(settings: Asterisk, garbage: bytes) -> None:
    async with manager(settings, BANNER, garbage, hang_up=False) as ami:
        assert "the manager interface at" in await fails(ami)
