"""Processes that leak, and who replaces them between calls."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from blockbuster import BlockBuster
from companies import BRIEF
from fakes import until
from processes import children

from ari_agent.cli.run import keepers
from ari_agent.config import Settings
from ari_agent.errors import EngineUnavailable
from ari_agent.llm.llama import LlamaDecider
from ari_agent.llm.remote import RemoteDecider
from ari_agent.speech.vosk import VoskRecogniser
from ari_agent.worker import keeper
from ari_agent.worker.keeper import Keeper, memory_mib
from ari_agent.worker.messages import Kind
from ari_agent.worker.supervisor import Worker

LEAKING = """
import sys
from ari_agent.worker.messages import Kind, Message
from ari_agent.worker.pipe import serve

class Leak:
    pending = False
    kept = []
    def handle(self, messages):
        for message in messages:
            match message.kind:
                case Kind.DATA:
                    self.kept.append(b"x" * (int(message.payload) << 20))
                case Kind.END:
                    yield Message(Kind.RESULT, message.session, b"done")

sys.exit(serve(Leak))
"""
LIMIT_MIB = 150


@asynccontextmanager
async def leaking(folder: Path, count: int = 1) -> AsyncIterator[list[Worker]]:
    """Run workers that keep as many MiB as they are sent; a failure of theirs is one of the test."""
    program = folder / "leak.py"
    program.write_text(LEAKING)
    failures: list[str] = []
    workers = [
        Worker("leak", [str(program)], load_s=10, failed=lambda: failures.append("failed")) for _ in range(count)
    ]
    async with AsyncExitStack() as stack:
        for worker in workers:
            worker.start()
            stack.push_async_callback(worker.aclose)
            await worker.wait_ready(10)
        yield workers
        assert not failures
    assert not children()


async def leak(worker: Worker, mib: int) -> None:
    """Let the process keep so much more, and have it answer."""
    session = worker.open()
    session.send(Kind.DATA, b"%d" % mib)
    assert await session.finish(5) == b"done"
    session.close()


def pid(worker: Worker) -> int:
    assert worker.pid is not None
    return worker.pid


async def test_who_stays_within_the_limit_is_left_alone(tmp_path: Path, blocking: BlockBuster) -> None:
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], LIMIT_MIB, lambda: True), pid(worker)
        await keeping.look()
        await leak(worker, 50)
        await keeping.look()
        assert (worker.pid, worker.worn) == (first, False)


async def test_who_leaks_is_replaced_at_once_when_nobody_calls_and_serves_again_soon(tmp_path: Path) -> None:
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], LIMIT_MIB, lambda: True), pid(worker)
        await keeping.look()
        await leak(worker, LIMIT_MIB)
        began = time.perf_counter()
        await keeping.look()
        assert not worker.ready
        with pytest.raises(EngineUnavailable, match="it took too much memory and is replaced"):
            worker.open()
        await worker.wait_ready(10)
        assert time.perf_counter() - began < 5
        assert pid(worker) != first
        assert not worker.worn
        await leak(worker, 1)
        await keeping.look()
        assert worker.ready


async def test_while_somebody_calls_it_stays_and_takes_no_new_calls_far_above_the_limit(tmp_path: Path) -> None:
    calling = True
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], LIMIT_MIB, lambda: not calling), pid(worker)
        await keeping.look()
        await leak(worker, LIMIT_MIB)
        await keeping.look()
        assert (worker.serving, worker.worn, worker.exhausted) == (first, True, False)
        await leak(worker, LIMIT_MIB)  # who calls is served on
        await keeping.look()
        assert (worker.serving, worker.exhausted) == (first, True)
        calling = False
        await keeping.look()
        await worker.wait_ready(10)
        assert pid(worker) != first
        assert not worker.exhausted


async def test_what_calls_can_do_without_is_replaced_far_above_the_limit_although_somebody_calls(
    tmp_path: Path,
) -> None:
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], LIMIT_MIB, lambda: False, needed=False), pid(worker)
        await keeping.look()
        await leak(worker, LIMIT_MIB)
        await keeping.look()
        assert worker.serving == first
        await leak(worker, LIMIT_MIB)
        await keeping.look()
        await worker.wait_ready(10)
        assert pid(worker) != first


async def test_of_two_the_one_that_leaks_is_replaced_while_the_other_serves_and_never_both(tmp_path: Path) -> None:
    async with leaking(tmp_path, 2) as workers:
        keeping, first = Keeper(workers, LIMIT_MIB, lambda: False), [pid(worker) for worker in workers]
        await keeping.look()
        session = workers[0].open()
        await leak(workers[0], LIMIT_MIB)
        await keeping.look()
        assert workers[0].serving == first[0]  # somebody is at it
        session.close()
        await keeping.look()
        await workers[0].wait_ready(10)
        assert pid(workers[0]) != first[0]
        assert pid(workers[1]) == first[1]
        await keeping.look()
        for worker in workers:
            await leak(worker, LIMIT_MIB)
        await keeping.look()
        await keeping.look()
        assert [worker.ready for worker in workers].count(True) == 1


async def test_without_a_limit_it_may_take_twice_what_it_took_at_first_and_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "ROOM_MIB", 100)
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], 0, lambda: True), pid(worker)
        await keeping.look()
        await leak(worker, 90)
        await keeping.look()
        assert worker.serving == first
        await leak(worker, 90)
        await keeping.look()
        await worker.wait_ready(10)
        assert pid(worker) != first


async def test_a_limit_below_what_it_needs_does_not_replace_it_for_ever(tmp_path: Path) -> None:
    async with leaking(tmp_path) as (worker,):
        keeping, first = Keeper([worker], 1, lambda: True), pid(worker)
        for _ in range(3):
            await keeping.look()
        assert worker.serving == first


async def test_it_looks_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(keeper, "LOOK_S", 0.02)
    async with leaking(tmp_path) as (worker,):
        first = pid(worker)
        looking = asyncio.create_task(Keeper([worker], LIMIT_MIB, lambda: True).run())
        await asyncio.sleep(0.1)
        with suppress(EngineUnavailable):  # it may be found before it has answered
            await leak(worker, LIMIT_MIB)
        await until(lambda: worker.pid != first)
        await worker.wait_ready(10)
        looking.cancel()
        await asyncio.wait([looking])


async def test_a_replacement_is_no_failure_for_who_waits_and_no_reason_to_wait(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with leaking(tmp_path) as (worker,):
        worker.replace()
        await worker.wait_ready(10)
        assert worker.fault is None
    assert "next start" not in caplog.text


@pytest.mark.parametrize("remote", [False, True])
def test_the_processes_of_recognition_and_of_a_local_model_are_looked_after(*, remote: bool) -> None:
    settings = Settings.model_validate(
        {
            "company": {"name": "Lindner", "knowledge": __file__},
            "asterisk": {"ari_password_file": __file__, "ami_password_file": __file__},
            "speech": {"vosk_model": str(Path(__file__).parent)},
        }
    )
    recogniser = VoskRecogniser(settings.speech)
    local = LlamaDecider(settings.model.model_copy(update={"gguf": Path(__file__)}), BRIEF)
    decider = RemoteDecider(settings.model, BRIEF, local) if remote else local
    assert [found.engine for found in keepers(settings, recogniser, decider, lambda: True)] == ["vosk", "llama"]
    assert [found.engine for found in keepers(settings, recogniser, None, lambda: True)] == ["vosk"]


def test_the_memory_of_a_process_that_is_gone_is_unknown() -> None:
    assert memory_mib(2**22 + 1) is None
    assert (memory_mib(os.getpid()) or 0) > 10
