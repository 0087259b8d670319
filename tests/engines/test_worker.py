"""Supervision of worker processes, with real processes that behave and misbehave."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import islice
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from fakes import until
from processes import children

from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.metrics import OUT_OF_SERVICE
from ari_agent.worker import supervisor
from ari_agent.worker.messages import Kind
from ari_agent.worker.quarantine import Quarantine
from ari_agent.worker.session import Session
from ari_agent.worker.supervisor import BEHIND_BYTES, Worker, backoff

ECHO = """
import sys
from ari_agent.worker.messages import Kind, Message
from ari_agent.worker.pipe import CannotLoad, serve

class Echo:
    pending = False
    said = {}
    def handle(self, messages):
        for message in messages:
            number = message.session
            match message.kind:
                case Kind.DATA if message.payload == b"sleep":
                    import time
                    time.sleep(60)
                case Kind.DATA if message.payload == b"die":
                    sys.exit(7)
                case Kind.DATA if message.payload == b"babble":
                    import os
                    os.write(3, b"LOG: loading")
                case Kind.DATA if message.payload == b"print":
                    print("native noise", flush=True)
                case Kind.DATA if message.payload == b"refuse":
                    yield Message(Kind.FAILED, number, b"not with me")
                case Kind.DATA:
                    self.said[number] = self.said.get(number, b"") + message.payload
                    yield Message(Kind.PARTIAL, number, self.said[number])
                case Kind.END:
                    yield Message(Kind.RESULT, number, self.said.pop(number, b""))
"""
SERVE = "sys.exit(serve(Echo))"

COUNTER = """
import os, sys, time
from ari_agent.worker.messages import Kind, Message
from ari_agent.worker.pipe import serve, setup

class Counter:
    def __init__(self, begin):
        self.begin, self.goals, self.counts = begin, {}, {}

    @property
    def pending(self):
        return bool(self.counts)

    def handle(self, messages):
        for message in messages:
            number = message.session
            match message.kind:
                case Kind.DATA:
                    self.goals[number] = int(message.payload)
                case Kind.END:
                    self.counts[number] = self.begin
                case Kind.CANCEL:
                    self.counts.pop(number, None)
                    yield Message(Kind.CANCELLED, number)
                case Kind.CLOSE:
                    self.counts.pop(number, None)
        time.sleep(0.001)
        for number, count in list(self.counts.items()):
            if count == self.goals[number]:
                del self.counts[number]
                yield Message(Kind.RESULT, number, b"" if count % 2 else b"even")
            else:
                self.counts[number] += 1
                yield Message(Kind.PARTIAL, number, b"%d" % count)

sys.exit(serve(lambda: Counter(int(setup()) + int(os.environ["MORE"]))))
"""
FOREVER = b"1000000000"


@asynccontextmanager
async def running(
    folder: Path,
    end: str = SERVE,
    *,
    load_s: float = 10,
    hang_s: float = 10,
    niceness: int = 0,
    quarantine: Quarantine | None = None,
) -> AsyncIterator[Worker]:
    """Run a worker whose program ends with these lines."""
    program = folder / "echo.py"
    program.write_text(ECHO + end)
    worker = Worker("echo", [str(program)], load_s=load_s, hang_s=hang_s, niceness=niceness, quarantine=quarantine)
    worker.start()
    try:
        yield worker
    finally:
        async with asyncio.timeout(5):
            await worker.aclose()
        assert not children()


@asynccontextmanager
async def counting(folder: Path) -> AsyncIterator[Worker]:
    """Run a worker that counts from 5, a number in each step, and is told so by setup and environment."""
    program = folder / "counter.py"
    program.write_text(COUNTER)
    worker = Worker("counter", [str(program)], load_s=10, setup=b"3", environment={"MORE": "2"})
    worker.start()
    try:
        await worker.wait_ready(10)
        yield worker
    finally:
        await worker.aclose()


def send_much(session: Session) -> None:
    for _ in range(BEHIND_BYTES // 640 * 2):
        session.send(Kind.DATA, bytes(640))


async def test_a_session_is_answered(tmp_path: Path, blocking: BlockBuster) -> None:
    async with running(tmp_path) as worker:
        with pytest.raises(EngineUnavailable, match="still loading"):
            worker.open()
        await worker.wait_ready(10)
        session = worker.open()
        session.send(Kind.DATA, b"guten ")
        session.send(Kind.DATA, b"tag")
        assert await session.finish(5) == b"guten tag"
        assert session.partial == b"guten tag"
        session.send(Kind.DATA, b"noch etwas")
        assert await session.finish(5) == b"noch etwas"
        assert worker.busy == 1
        session.close()
        assert worker.busy == 0


async def test_sessions_do_not_mix(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        sessions = [worker.open() for _ in range(20)]
        for number, session in enumerate(sessions):
            session.send(Kind.DATA, b"%d" % number)
        results = await asyncio.gather(*(session.finish(5) for session in sessions))
        assert results == [b"%d" % number for number in range(20)]


async def test_what_native_code_prints_does_not_disturb(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        session = worker.open()
        session.send(Kind.DATA, b"print")
        session.send(Kind.DATA, b"tag")
        assert await session.finish(5) == b"tag"


async def test_a_session_may_fail_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        failing, other = worker.open(), worker.open()
        failing.send(Kind.DATA, b"refuse")
        with pytest.raises(EngineUnavailable, match="not with me"):
            await failing.finish(5)
        assert await other.finish(5) == b""


@pytest.mark.parametrize(("deed", "fault"), [(b"die", "ended"), (b"babble", "garbage"), (b"sleep", "hangs")])
async def test_whatever_happens_to_the_process_all_sessions_fail_and_it_comes_back(
    tmp_path: Path, deed: bytes, fault: str
) -> None:
    async with running(tmp_path, hang_s=0.6) as worker:
        await worker.wait_ready(10)
        guilty, innocent = worker.open(), worker.open()
        guilty.send(Kind.DATA, deed)
        with pytest.raises(EngineUnavailable, match=fault):
            await innocent.finish(5)
        with pytest.raises(EngineUnavailable, match=fault):
            guilty.send(Kind.DATA, b"tag")
        with pytest.raises(EngineUnavailable, match=fault):
            worker.open()
        guilty.close()
        innocent.close()
        await worker.wait_ready(10)
        assert worker.fault is None
        assert await worker.open().finish(5) == b""


async def test_a_late_answer_is_a_time_out_and_the_process_lives(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGSTOP)
        session = worker.open()
        session.send(Kind.DATA, b"late")
        with pytest.raises(EngineTimeout, match="within 0"):
            await session.finish(0.1)
        os.kill(worker.pid, signal.SIGCONT)
        session.close()
        assert await worker.open().finish(5) == b""


async def test_an_engine_too_far_behind_is_unavailable(tmp_path: Path, blocking: BlockBuster) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        session = worker.open()
        session.send(Kind.DATA, b"sleep")
        with pytest.raises(EngineUnavailable, match="too far behind"):
            send_much(session)
        session.close()


async def test_an_idle_process_is_asked_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PING_S", 0.01)
    async with running(tmp_path, hang_s=5) as worker:
        await worker.wait_ready(10)
        pid = worker.pid
        session = worker.open()
        with pytest.raises(TimeoutError):  # thirty pings long nothing happens
            await until(lambda: not worker.ready, 0.3)
        assert worker.pid == pid
        assert await session.finish(5) == b""


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        ("def load(): raise CannotLoad('install it')\nsys.exit(serve(load))", "install it"),
        ("import time; time.sleep(60)", "not loaded within 0.5 s"),
        ("sys.exit(3)", "the process ended"),
        ("print('hello')", "garbage"),
    ],
)
async def test_an_engine_that_cannot_load_says_why(
    tmp_path: Path, end: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path, end, load_s=0.5) as worker:
        await until(lambda: worker.fault)
        with pytest.raises(EngineUnavailable, match=fault):
            await worker.wait_ready(0.01)
    assert f"echo: {worker.fault}" in caplog.text


async def test_signals_of_the_terminal_and_of_systemd_do_not_end_it(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        assert worker.pid is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(worker.pid, number)
        assert await worker.open().finish(5) == b""


async def test_it_may_run_below_the_priority_of_calls(tmp_path: Path) -> None:
    async with running(tmp_path, niceness=7) as worker:
        await worker.wait_ready(10)
        assert worker.pid is not None
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == 7


async def test_partials_arrive_while_one_speaks(tmp_path: Path) -> None:
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        session = worker.open()
        session.send(Kind.DATA, b"guten")
        await until(lambda: session.partial == b"guten")


async def test_no_payload_reaches_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(tmp_path) as worker:
        await worker.wait_ready(10)
        session = worker.open()
        session.send(Kind.DATA, b"geheimnis")
        session.send(Kind.DATA, b"die")
        with pytest.raises(EngineUnavailable) as caught:
            await session.finish(5)
    assert "geheimnis" not in caplog.text + str(caught.value)


async def test_a_session_answers_one_request_after_the_other_whole_or_in_pieces(tmp_path: Path) -> None:
    async with counting(tmp_path) as worker:
        session = worker.open()
        assert await session.ask(b"8", 5) == b"even"
        assert [piece async for piece in session.stream(b"8", 5)] == [b"5", b"6", b"7", b"even"]
        assert [piece async for piece in session.stream(b"7", 5)] == [b"5", b"6"]
        assert await session.ask(b"9", 5) == b""


async def test_sessions_are_worked_on_in_turns(tmp_path: Path) -> None:
    async with counting(tmp_path) as worker:
        endless, short = worker.open(), worker.open()
        waiting = asyncio.ensure_future(endless.ask(FOREVER, 5))
        assert await short.ask(b"50", 5) == b"even"
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_what_is_not_waited_for_any_more_is_cancelled_and_never_taken_for_a_later_answer(tmp_path: Path) -> None:
    async with counting(tmp_path) as worker:
        session = worker.open()
        with pytest.raises(EngineTimeout):
            await session.ask(FOREVER, 0.05)
        assert await session.ask(b"7", 5) == b""
        async with aclosing(session.stream(FOREVER, 5)) as pieces:
            assert [await anext(pieces) for _ in range(3)] == [b"5", b"6", b"7"]
        assert await session.ask(b"8", 5) == b"even"
        task = asyncio.ensure_future(session.ask(b"8", 5))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await session.ask(b"7", 5) == b""
        assert not session.lost


async def test_a_stream_that_stalls_is_a_time_out(tmp_path: Path) -> None:
    async with counting(tmp_path) as worker:
        assert worker.pid is not None
        pieces = worker.open().stream(FOREVER, 0.2)
        assert await anext(pieces) == b"5"
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(EngineTimeout, match="nothing more within"):
            async for _ in pieces:
                pass
        os.kill(worker.pid, signal.SIGCONT)
        assert await worker.open().ask(b"8", 5) == b"even"


async def test_a_stream_whose_process_dies_or_that_nobody_reads_fails(tmp_path: Path) -> None:
    async with counting(tmp_path) as worker:
        assert worker.pid is not None
        unread = worker.open()
        pieces = unread.stream(FOREVER, 5)
        await anext(pieces)
        await until(lambda: unread.lost)
        with pytest.raises(EngineUnavailable, match="nobody reads"):
            async for _ in pieces:
                pass
        unread.close()
        other = worker.open().stream(FOREVER, 5)
        await anext(other)
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(EngineUnavailable, match="ended"):
            async for _ in other:
                pass


async def test_whoever_wants_to_know_is_told_of_every_failure(tmp_path: Path) -> None:
    failures: list[bool] = []
    program = tmp_path / "echo.py"
    program.write_text(ECHO + SERVE)
    worker = Worker("echo", [str(program)], load_s=10, failed=lambda: failures.append(worker.ready))
    worker.start()
    for number in range(2):
        await worker.wait_ready(10)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: len(failures) > number)  # noqa: B023 - awaited within the turn of the loop
    assert failures == [False, False]
    await worker.aclose()


async def test_who_keeps_dying_in_calls_rests_and_is_back_on_probation(tmp_path: Path) -> None:
    async with running(tmp_path, quarantine=Quarantine(2, 1.0)) as worker:
        for _ in range(3):  # nobody was using it
            await died(worker)
            assert not resting(worker)
        await died(worker, in_a_call=True)
        assert not resting(worker)
        await died(worker, in_a_call=True)
        await until(lambda: resting(worker))
        with pytest.raises(EngineUnavailable, match="out of service for 1 s"):
            worker.open()
        assert OUT_OF_SERVICE.labels("echo")._value.get() == 1
        await died(worker, in_a_call=True)
        await until(lambda: resting(worker))
        assert OUT_OF_SERVICE.labels("echo")._value.get() == 1
    assert OUT_OF_SERVICE.labels("echo")._value.get() == 0


async def died(worker: Worker, *, in_a_call: bool = False) -> None:
    """Let it be ready and die."""
    await until(lambda: worker.ready)
    session = worker.open() if in_a_call else None
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not worker.ready)
    if session is not None:
        session.close()


def resting(worker: Worker) -> bool:
    return "out of service" in (worker.fault or "")


def test_deaths_that_are_long_past_do_not_count() -> None:
    clock = iter((0.0, 300.0, 700.0, 899.0, 1600.0, 3000.0, 3001.0))
    quarantine = Quarantine(3, 600.0, lambda: next(clock))
    assert [quarantine.died() for _ in range(7)] == [False, False, False, True, True, False, False]
    assert not any(Quarantine(0, 600.0).died() for _ in range(9))


def test_restarts_wait_longer_and_longer_but_not_in_step() -> None:
    one, other = (list(islice(backoff(0.1, 30), 12)) for _ in range(2))
    assert one != other
    assert all(0.08 <= delay <= 36 for delay in one)
    assert one[0] < 0.13
    assert one[-1] > 20
