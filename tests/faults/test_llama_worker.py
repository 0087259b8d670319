"""Decisions whose process dies, hangs, or dies of the same words again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from companies import BRIEF, QUESTIONS, turn
from fakes import until
from processes import alive, children

from ari_agent.config import Model
from ari_agent.decision import Decision
from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.llm import llama
from ari_agent.llm.llama import LlamaDecider, LlamaDeliberation
from sandbox import gguf

LIMIT_S = 2.0


@pytest.fixture
async def decider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LlamaDecider]:
    monkeypatch.setattr(llama, "HANG_S", 3.0)
    model = gguf.write(tmp_path / "tiny.gguf", gguf.SHAPES["tiny"])
    settings = Model(gguf=model, cache=tmp_path / "cache", threads=1, decide_s=LIMIT_S, phrase_s=LIMIT_S, queue=20)
    async with LlamaDecider(settings, BRIEF) as decider:
        await decider.wait_ready()
        yield decider
    assert not children()


def process(decider: LlamaDecider) -> int:
    assert decider.worker.pid is not None
    return decider.worker.pid


async def timed(call: LlamaDeliberation, text: str) -> tuple[float, Decision | BaseException]:
    """Return after how many seconds the decision came, and what it was."""
    began = time.perf_counter()
    try:
        result: Decision | BaseException = await call.decide(turn(text))
    except (EngineUnavailable, EngineTimeout) as e:
        result = e
    return time.perf_counter() - began, result


def read(path: Path) -> bytes:
    """Return what the file holds, or all files of the folder."""
    return path.read_bytes() if path.is_file() else b"".join(read(inner) for inner in path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
async def test_killed_while_calls_wait_all_know_at_once_and_then_go_on(decider: LlamaDecider, number: int) -> None:
    async with decider.deliberation() as one, decider.deliberation() as other:
        assert isinstance((await timed(one, QUESTIONS[0]))[1], Decision)
        os.kill(process(decider), signal.SIGSTOP)
        waiting = [asyncio.ensure_future(timed(call, QUESTIONS[1])) for call in (one, other)]
        await asyncio.sleep(0.05)
        os.kill(process(decider), number)
        os.kill(process(decider), signal.SIGCONT)
        for seconds, result in await asyncio.gather(*waiting):
            assert seconds < LIMIT_S
            assert isinstance(result, EngineUnavailable)
        one.ahead(turn(QUESTIONS[2]))  # nothing to read it; nobody cares
        await decider.wait_ready()
        for call in (one, other):
            assert isinstance((await timed(call, QUESTIONS[2]))[1], Decision)


async def test_a_hanging_process_costs_each_decision_its_limit_at_most_and_is_replaced(
    decider: LlamaDecider,
) -> None:
    hanging = process(decider)
    async with decider.deliberation() as call:
        os.kill(hanging, signal.SIGSTOP)
        stopped = time.perf_counter()
        while decider.ready:
            seconds, result = await timed(call, f"frage {time.perf_counter()}")
            assert seconds < LIMIT_S + 0.3
            assert isinstance(result, EngineTimeout | EngineUnavailable)
            assert time.perf_counter() - stopped < llama.HANG_S + 3
        await until(lambda: not alive(hanging))
        await decider.wait_ready()
        assert isinstance((await timed(call, QUESTIONS[0]))[1], Decision)


async def test_a_process_that_was_only_held_up_goes_on_and_no_late_answer_is_taken_for_another(
    decider: LlamaDecider,
) -> None:
    async with decider.deliberation() as call, decider.deliberation() as other:
        expected = {text: (await timed(other, text))[1] for text in QUESTIONS[:3]}
        os.kill(process(decider), signal.SIGSTOP)
        assert isinstance((await timed(call, QUESTIONS[0]))[1], EngineTimeout)
        late = asyncio.ensure_future(timed(call, QUESTIONS[1]))
        await asyncio.sleep(0.05)
        os.kill(process(decider), signal.SIGCONT)
        assert (await late)[1] == expected[QUESTIONS[1]]
        assert (await timed(call, QUESTIONS[2]))[1] == expected[QUESTIONS[2]]


async def test_words_of_which_it_died_twice_are_not_tried_again_and_others_are(decider: LlamaDecider) -> None:
    async with decider.deliberation() as call:
        for _ in range(2):
            os.kill(process(decider), signal.SIGSTOP)
            asked = asyncio.ensure_future(timed(call, "gift"))
            await asyncio.sleep(0.05)
            os.kill(process(decider), signal.SIGKILL)
            assert isinstance((await asked)[1], EngineUnavailable)
            await decider.wait_ready()
        survivor = process(decider)
        seconds, result = await timed(call, "gift")
        assert isinstance(result, EngineUnavailable)
        assert "twice" in str(result)
        assert "gift" not in str(result)
        assert seconds < LIMIT_S / 2
        call.ahead(turn("gift"))
        assert isinstance((await timed(call, "guten tag"))[1], Decision)
        assert process(decider) == survivor


async def test_no_words_reach_arguments_faults_or_files(decider: LlamaDecider, tmp_path: Path) -> None:
    async with decider.deliberation() as call:
        call.ahead(turn("geheimnis und mehr"))
        await timed(call, "geheimnis")
        arguments = read(Path(f"/proc/{process(decider)}/cmdline"))
        assert BRIEF.company.encode() not in arguments
        assert b"geheimnis" not in arguments
        os.kill(process(decider), signal.SIGKILL)
        await until(lambda: decider.fault)
        assert "geheimnis" not in str(decider.fault)
    written = read(tmp_path)
    assert written
    assert b"geheimnis" not in written
