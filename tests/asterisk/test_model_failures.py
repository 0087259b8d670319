"""The language model's process crashes, stands still or hangs while twenty callers speak: each is answered in time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from psycopg.rows import DictRow

from ari_agent.config import Settings
from ari_agent.llm.llama import LlamaDecider
from sandbox.bench.callers import NUMBERS
from sandbox.phone import Phone
from sandbox.recording import RATE

from . import agents
from .agents import Inside
from .conftest import Sandbox
from .people import COMPANY, Ears, nothing_left, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS = 20
RINGS_APART_S = 0.1
APART_S = 0.25
"""Between two callers' first words: so the fault meets some before, some while and some after they speak."""
STRUCK = 5
"""The fault comes when this caller has spoken and is not yet answered."""
HANG_S = 10.0
AFTERWARDS = 4
"""So many callers ask another question at once when the process is back."""
FALL_BACKS, CAUSES = "ari_agent_model_fall_backs_total", ("slow", "busy", "unavailable")

agent = agents.laid_open(
    "model",
    "llama",
    calls={"slots": CALLS, "silence_s": 60},
    # Twenty phones on one machine: recognition may be late, and that is another test's subject.
    speech={"transcript_s": 5},
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ears(agent: Inside) -> Ears:
    return Ears(agent.settings)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def phones(sandbox: Sandbox) -> AsyncIterator[list[Phone]]:
    async with AsyncExitStack() as stack:
        server = f"127.0.0.1:{sandbox.sip_port}"
        found = await asyncio.gather(*(stack.enter_async_context(Phone(server)) for _ in range(CALLS)))
        for number, phone in enumerate(found):
            await phone.show_as(NUMBERS.format(number))
        yield found


Fault = Callable[[int], Coroutine[Any, Any, None]]


async def crashes(process: int) -> None:
    os.kill(process, signal.SIGSEGV)


async def stands_still(process: int) -> None:
    os.kill(process, signal.SIGSTOP)


async def hangs_for_ten_seconds(process: int) -> None:
    handle = os.pidfd_open(process)  # it may be gone by then, and its number another's
    try:
        signal.pidfd_send_signal(handle, signal.SIGSTOP)
        await asyncio.sleep(HANG_S)
        signal.pidfd_send_signal(handle, signal.SIGCONT)
    except ProcessLookupError:
        pass  # it was replaced meanwhile
    finally:
        os.close(handle)


FAULTS = (crashes, stands_still, hangs_for_ten_seconds)


def limit_s(settings: Settings) -> float:
    """Return after how many seconds a caller is answered at the latest, if every part takes all of its own limit."""
    speech = settings.speech
    return speech.end_open_ms / 1000 + speech.transcript_s + settings.model.decide_s + speech.voice_s


@dataclass
class Asking:
    """One caller's question, and the time to the reply at the phone."""

    phone: Phone
    question: str
    spoken: asyncio.Event = field(default_factory=asyncio.Event)
    waited_ms: float = 0.0

    async def greeted(self, after_s: float) -> None:
        """Call and hear notice and greeting to the end."""
        await asyncio.sleep(after_s)
        await self.phone.call(COMPANY)
        await self.phone.wait_answered()
        await self.phone.listen(since=0)

    async def answered(self, limit: float, after_s: float = 0.0) -> None:
        """Ask and hear the reply to its end. Raises PhoneError when none begins within the limit."""
        samples = await asyncio.to_thread(says, self.question)
        await asyncio.sleep(after_s)
        said = await self.phone.say(samples)
        await self.phone.said(said)
        self.spoken.set()
        first = await self.phone.wait_speech(since=said.last + 1, timeout=limit)
        self.waited_ms = (first - said.last) * 1000 / RATE
        await self.phone.wait_quiet(700, since=first)


def askings(phones: Sequence[Phone], ears: Ears, number: int) -> list[Asking]:
    """Return a question for every phone, other ones for every number: those of two crashes are not tried again."""
    known = [question for passage in ears.script.knowledge.passages for question in passage.questions]
    return [Asking(phone, question) for phone, question in zip(phones, cycle(known[number :: len(FAULTS) + 1]))]


def fall_backs() -> Counter[str]:
    """Return how often the model did not decide, by cause."""
    counts = {cause: REGISTRY.get_sample_value(FALL_BACKS, {"cause": cause}) for cause in CAUSES}
    return Counter({cause: int(count or 0) for cause, count in counts.items()})


async def turns_of(agent: Inside, since: int) -> list[list[DictRow]]:
    """Return the turns of every call after the first so many, in the order of the phones."""
    assert await agent.log.flush(5)
    ids = {call["caller"]: call["id"] for call in (await agent.book.calls())[since:]}
    return [await agent.book.turns(ids[NUMBERS.format(place)]) for place in range(CALLS)]


def deciders(calls: Iterable[Iterable[DictRow]]) -> Counter[str]:
    """Return who decided after the latest words of each call."""
    return Counter([turn["decided_by"] for turn in turns if turn["heard"] == "speech"][-1] for turns in calls)


@pytest.mark.parametrize("fault", FAULTS)
async def test_of_twenty_callers_each_is_answered_though_the_models_process(
    agent: Inside,
    ears: Ears,
    phones: Sequence[Phone],
    sandbox: Sandbox,
    fault: Fault,
    capsys: pytest.CaptureFixture[str],
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    decider, limit = agent.decider, limit_s(agent.settings)
    assert isinstance(decider, LlamaDecider)
    await decider.wait_ready()
    process, calls = decider.worker.pid, len(await agent.book.calls())
    assert process is not None
    asked = askings(phones, ears, FAULTS.index(fault))
    await asyncio.gather(*(asking.greeted(place * RINGS_APART_S) for place, asking in enumerate(asked)))
    before = fall_backs()
    async with asyncio.TaskGroup() as group:
        for place, asking in enumerate(asked):
            group.create_task(asking.answered(limit, place * APART_S))
        await asked[STRUCK].spoken.wait()
        group.create_task(fault(process))
    fell_back = fall_backs() - before
    assert all(phone.in_call for phone in phones)
    turns = await turns_of(agent, calls)

    await decider.wait_ready()
    assert decider.worker.pid != process
    before = fall_backs()
    await asyncio.gather(*(asking.answered(limit) for asking in askings(phones[:AFTERWARDS], ears, len(FAULTS))))
    assert fall_backs() == before
    assert deciders((await turns_of(agent, calls))[:AFTERWARDS])["llama"]
    await asyncio.gather(*(phone.hangup() for phone in phones))
    await nothing_left(sandbox)
    assert {call["outcome"] for call in await agent.book.closed(CALLS, since=calls)} == {"caller-hung-up"}

    by, worst = deciders(turns), max(asking.waited_ms for asking in asked)
    figures = f"worst {worst:.0f} ms (limit {1000 * limit:.0f}), decided by {dict(by)}, fell back {dict(fell_back)}"
    record_testsuite_property(fault.__name__, figures)
    with capsys.disabled():
        print(f"\n{fault.__name__}: {figures}", end=" ")  # noqa: T201 - what the test is for
    assert fell_back.total() > 0
    assert by["llama"] < CALLS
    texts = [" ".join(turn["agent_text"] for turn in of_call) for of_call in turns]
    replies = list(zip(phones, texts, strict=True))
    # One sentence of several is enough: twenty phones on one machine lose frames.
    assert [text for phone, text in replies if not any(await ears.where(phone, text))] == []
