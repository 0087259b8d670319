"""The measurements: calls at the same time, and a caller who interrupts."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soxr

from ari_agent.cli.company import company_script
from ari_agent.protocols import SAMPLE_RATE
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.sentences import split
from sandbox import ear
from sandbox.bench import figures
from sandbox.bench.callers import Caller, Take, callers, shares
from sandbox.bench.figures import Question, Row
from sandbox.bench.stage import Stage
from sandbox.bench.usage import Look, Usage, between, look
from sandbox.caller_voice import CallerVoiceError
from sandbox.phone import PhoneError
from sandbox.recording import RATE, Samples

STAGES = ("end_of_turn", "stt", "decide", "tts", "total")
FELL_BACK = "decided without the model"
"""The line of the agent's log for a turn that the model did not decide."""
LOG_LIMIT = 10.0
"""Seconds within which a call that has ended is closed in the call log."""
LONG_ANSWERS = 4
"""Interruptions come in so many of the longest answers."""
MURMURS = ("Mhm.", "Ja.")
"""What a caller says who only listens."""
SHORT_ANSWERS = 8
"""Questions of parallel calls are those with so many of the shortest answers: more turns in the time."""


@dataclass
class Parallel:
    """What calls at the same time gave; values of all calls together."""

    calls: int
    decider: str = "no model"
    """File of the language model that was to decide."""
    decided_by: Counter[str] = field(default_factory=Counter)
    """Turns with words, by who decided them."""
    fell_back: Counter[str] = field(default_factory=Counter)
    """Turns in which the model was asked and did not decide in time, by cause."""
    asked: int = 0
    right: int = 0
    """Replies heard that the log has as the answer to that question."""
    wrong: int = 0
    """Another reply was heard."""
    missing: int = 0
    """Nothing was heard."""
    word_for_word: int = 0
    """Right replies to words that were recognised exactly."""
    heard_ms: list[float] = field(default_factory=list)
    any_reply_ms: list[float] = field(default_factory=list)
    """The same of all replies, wrong ones too."""
    invite_to_answer_ms: list[float] = field(default_factory=list)
    answer_to_first_word_ms: list[float] = field(default_factory=list)
    stages_ms: dict[str, list[float]] = field(default_factory=dict)
    outside_log_ms: list[float] = field(default_factory=list)
    """What of a heard reply the log's total does not see."""
    speech_ms: float = 0.0
    gaps_ms: list[float] = field(default_factory=list)
    skips_ms: list[float] = field(default_factory=list)
    damaged_ms: float = 0.0
    usage: dict[str, Usage] = field(default_factory=dict)
    """By group of processes."""
    trouble: list[str] = field(default_factory=list)


@dataclass
class BargeIn:
    """What interrupting gave."""

    tries: int = 0
    """Interruptions that began while the agent was speaking."""
    stopped_ms: list[float] = field(default_factory=list)
    """From the caller's first sample to the agent's last; who spoke on is missing."""
    murmurs: int = 0
    """Times the caller only said "mhm" or "ja"."""
    hushed_ms: list[float] = field(default_factory=list)
    """How long the agent was silent for that; when it spoke on or did not go on it is missing."""
    trouble: list[str] = field(default_factory=list)


class Bench:
    """Measures one agent."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._numbers = itertools.count()
        self._script = company_script(stage.settings)
        self._voice = EspeakVoice(stage.settings.speech)
        self._rendered: dict[str, Samples] = {}
        passages = sorted(self._script.knowledge.passages, key=lambda passage: len(passage.text))
        self._questions = [Question(passage.questions[0], passage.id) for passage in passages if passage.questions]

    async def parallel(self, calls: int, turns: int) -> Parallel:
        """Place `calls` calls at the same time and ask `turns` questions in each."""
        model, agent = self._stage.settings.model, self._stage.agent
        result = Parallel(calls, model.gguf.name if model.engine == "llama" and model.gguf else "no model")
        logged = len(agent.lines())
        async with callers(calls) as people:
            try:
                await self._talk(people, shares(self._questions[:SHORT_ANSWERS], calls, turns), result)
            except ExceptionGroup as failures:
                raise failures.exceptions[0] from failures
            for caller in people:
                await self._judge(caller.take, result)
        result.fell_back.update(line["reason"] for line in agent.lines()[logged:] if line["event"] == FELL_BACK)
        return result

    async def barge_in(self, tries: int) -> BargeIn:
        """Interrupt the greeting, and then every answer to the question that interrupted; then murmur into answers."""
        result = BargeIn()
        longest = list(itertools.islice(itertools.cycle(self._questions[-LONG_ANSWERS:]), tries))

        async def interrupt(caller: Caller) -> None:
            await caller.outlast(len(await self._render(self._script.notice)) * 1000 / RATE)
            for question in longest:
                await caller.interrupt(question)

        async def murmur(caller: Caller) -> None:
            await caller.hear_out()
            for question, word in zip(longest, itertools.cycle(MURMURS), strict=False):
                await caller.murmur(question, word)

        if (recording := (take := await self._call(interrupt, result)).recording) is not None:
            for _, spoken in take.asked:
                try:
                    stopped = figures.barge_in(recording.received, spoken.first)
                except ValueError:  # a pause of the agent's own
                    continue
                result.tries += 1
                result.stopped_ms += [] if stopped is None else [stopped]
        if (recording := (take := await self._call(murmur, result)).recording) is not None:
            result.murmurs = len(take.murmured)
            hushed = [ear.hush_ms(recording.received, spoken.first) for spoken in take.murmured]
            result.hushed_ms = [ms for ms in hushed if ms is not None]
        return result

    async def _call(self, talk: Callable[[Caller], Awaitable[None]], result: BargeIn) -> Take:
        """Let somebody call and talk; return what the phone has of it."""
        async with callers(1) as (caller,):
            try:
                await caller.ring_up(next(self._numbers))
                await talk(caller)
            except (PhoneError, CallerVoiceError) as e:
                result.trouble.append(str(e))
            await caller.ring_off()
        return caller.take

    async def _talk(self, people: Sequence[Caller], questions: Sequence[Sequence[Question]], result: Parallel) -> None:
        """All call, wait until everybody has heard the greeting, and ask; the usage is that of the asking."""
        talking = asyncio.Event()
        greeted = asyncio.Semaphore(0)

        async def call(caller: Caller, own: Sequence[Question]) -> None:
            try:
                try:
                    await caller.ring_up(next(self._numbers))
                    await caller.hear_out()
                finally:
                    greeted.release()
                await talking.wait()
                for question in own:
                    await caller.ask(question)
            except (PhoneError, CallerVoiceError) as e:
                caller.take.trouble = str(e)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call(*pair)) for pair in zip(people, questions, strict=True)]
            for _ in people:
                await greeted.acquire()
            before = await self._look(people)
            talking.set()
            if asking := [task for task in tasks if not task.done()]:
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)  # from now on not everybody talks
                self._note_usage(before, await self._look(people), result)
        await asyncio.gather(*(caller.ring_off() for caller in people))

    async def _look(self, people: Sequence[Caller]) -> tuple[dict[str, set[int]], Look]:
        groups = await asyncio.to_thread(self._stage.groups)
        groups["phones"] = {caller.phone.pid for caller in people}
        return groups, await asyncio.to_thread(look, itertools.chain(*groups.values()))

    def _note_usage(
        self, before: tuple[dict[str, set[int]], Look], after: tuple[dict[str, set[int]], Look], result: Parallel
    ) -> None:
        for name, processes in after[0].items():
            result.usage[name] = between(before[1], after[1], processes)

    async def _judge(self, take: Take, result: Parallel) -> None:
        """Compare what the phone heard with what the log says of the call."""
        if take.trouble:
            result.trouble.append(take.trouble)
        result.invite_to_answer_ms += [] if take.invite_to_answer_ms is None else [take.invite_to_answer_ms]
        recording = take.recording
        if recording is None:
            return
        first = figures.first_word_ms(recording, take.answered_at)
        result.answer_to_first_word_ms += [] if first is None else [first]
        turns = [turn for turn in await self._logged(take.number, result) if turn["heard"] == "speech"]
        result.decided_by.update(turn["decided_by"] for turn in turns)
        found = figures.replies([question for question, _ in take.asked], turns)
        nexts = [spoken.first for _, spoken in take.asked[1:]] + [None]
        for (question, spoken), turn, until in zip(take.asked, found, nexts, strict=True):
            heard = ear.heard_ms(recording.received, spoken.last, until)
            _count(result, question, turn, heard)
        spoken_texts = [turn["agent_text"] for turn in found if turn and turn["agent_text"]]
        replies = [text for text in spoken_texts if not text.endswith("…")]  # neither interrupted nor cut by the end
        await self._compare(recording.received, [self._script.notice, self._script.greeting, *replies], result)

    async def _logged(self, number: str, result: Parallel) -> list[Any]:
        """The turns of the call from this number, once it is closed; none when that does not happen."""
        end = time.monotonic() + LOG_LIMIT
        while time.monotonic() < end:
            for call in await self._stage.log.calls(1000):
                if call["caller"].endswith(number[-3:]) and call["closed_at"]:
                    return await self._stage.log.turns(call["id"])
            await asyncio.sleep(0.1)
        result.trouble.append("a call is not in the call log")
        return []

    async def _compare(self, received: Samples, texts: Sequence[str], result: Parallel) -> None:
        """Look for every sentence in the order in which they were said, and for what became of it."""
        since = 0
        for sentence in itertools.chain(*map(split, texts)):
            found = await asyncio.to_thread(figures.playout, received, await self._render(sentence), since)
            if found is None:
                result.trouble.append("a sentence of the agent is not in the caller's recording")
                continue
            since = found.speech.last
            result.speech_ms += found.speech.ms
            result.gaps_ms += found.gaps_ms
            result.skips_ms += found.skips_ms
            result.damaged_ms += found.damaged_ms

    async def _render(self, text: str) -> Samples:
        """The text in the agent's voice, as a phone would get it over a line without any fault."""
        if text not in self._rendered:
            pcm = b"".join([chunk async for chunk in self._voice.speak(text)])
            self._rendered[text] = np.asarray(soxr.resample(np.frombuffer(pcm, "<i2"), SAMPLE_RATE, RATE), np.int16)
        return self._rendered[text]


def _count(result: Parallel, question: Question, turn: Row | None, heard_ms: float | None) -> None:
    result.asked += 1
    result.any_reply_ms += [] if heard_ms is None else [heard_ms]
    if heard_ms is None:
        result.missing += 1
    elif turn is None:
        result.wrong += 1
    else:
        result.right += 1
        result.word_for_word += figures.words(turn["caller_text"] or "") == figures.words(question.text)
        result.heard_ms.append(heard_ms)
        for name in STAGES:
            if (value := turn[f"{name}_ms"]) is not None:
                result.stages_ms.setdefault(name, []).append(value)
        if turn["total_ms"] is not None:
            result.outside_log_ms.append(heard_ms - turn["total_ms"])
