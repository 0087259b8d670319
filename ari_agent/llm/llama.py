"""Decisions by a local language model, in one worker process shared by all calls."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from typing import Any, Self

from ari_agent.config import Model
from ari_agent.decision import Brief, Decision, Situation, Topic
from ari_agent.errors import EngineBusy, EngineUnavailable
from ari_agent.llm.choices import Choices, decision
from ari_agent.worker.messages import Kind
from ari_agent.worker.session import Session
from ari_agent.worker.supervisor import Worker
from ari_agent.worker.suspects import Suspects

ENGINE = "llama"
ENVIRONMENT = {"GOMP_SPINCOUNT": "1000", "GGML_NO_BACKTRACE": "1"}
"""Threads that wait for each other soon sleep instead of taking the core from the one they wait for; a failed assertion
of llama.cpp ends its process without starting a debugger."""
NO_TURN = Situation("", (), (), Decision("message"))
"""Where nobody calls: what is written from a passage alone."""
HANG_S = 5.0
"""A single step of the model takes 0.2 s; the biggest models on small machines may need 2 s."""


class LlamaDecider:
    """Implements Decider. An async context manager: it starts its process and ends it."""

    def __init__(self, settings: Model, brief: Brief, niceness: int = 0) -> None:
        """`settings.gguf` must be named."""
        self.settings = settings
        self.brief = brief
        self.suspects = Suspects(ENGINE, HANG_S + settings.decide_s)
        """Words that the process did not survive."""
        self.worker = Worker(
            ENGINE,
            ["-m", "ari_agent.llm.llama_worker"],
            load_s=settings.load_s,
            hang_s=HANG_S,
            niceness=niceness,
            environment=ENVIRONMENT,
            setup=_setup(settings, brief),
            failed=self.suspects.crashed,
        )
        """The process."""
        self._places = settings.parallel + settings.queue

    async def __aenter__(self) -> Self:
        self.worker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.worker.aclose()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded, has read the fixed prompt, and its process lives."""
        return self.worker.ready

    @property
    def fault(self) -> str | None:
        """Why it cannot decide, in words for an administrator; None while it can or nothing is known yet."""
        return None if self.ready else self.worker.fault

    async def wait_ready(self) -> None:
        """Wait until the model can decide. Raises EngineUnavailable after `load_s`."""
        await self.worker.wait_ready(self.settings.load_s)

    async def settled(self) -> None:
        """Return when it is ready or has failed to become so once; it goes on trying. Never raises."""
        with suppress(EngineUnavailable):
            await self.wait_ready()

    @asynccontextmanager
    async def deliberation(self) -> AsyncIterator[LlamaDeliberation]:
        """Take part for the length of a call; costs the process nothing until something is asked."""
        deliberation = LlamaDeliberation(self)
        try:
            yield deliberation
        finally:
            deliberation.close()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places of those who work or wait. Raises EngineBusy when there is none."""
        if not self._places:
            raise EngineBusy(ENGINE, f"{self.settings.parallel + self.settings.queue} decisions wait already")
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1


class LlamaDeliberation:
    """Implements Deliberation."""

    def __init__(self, decider: LlamaDecider) -> None:
        self._decider = decider
        self._session: Session | None = None
        self._read = b""

    def ahead(self, situation: Situation) -> None:
        """Begin to read a turn that is still being spoken; never blocks, never raises. Later words revise it."""
        payload = _payload("decide", situation)
        if payload == self._read or self._decider.suspects.guilty(situation.text):
            return
        try:
            self._open().send(Kind.DATA, payload)
        except EngineUnavailable:
            return
        self._read = payload
        self._decider.suspects.watch(situation.text)

    async def decide(self, situation: Situation) -> Decision:
        """Return what shall happen. Raises EngineBusy, EngineTimeout, EngineUnavailable."""
        brief = self._decider.brief
        if not Choices(brief, situation.acts).any:
            return situation.default
        payload = _payload("decide", situation)
        with self._decider.place(), self._decider.suspects.trying(situation.text):
            answer = json.loads(await self._open().ask(payload, self._decider.settings.decide_s))
        _check(answer)
        return decision(answer["chosen"], brief, answer["confidence"], ENGINE)

    async def phrase(self, situation: Situation, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield the passage as an answer to the caller's words, sentence by sentence; unguarded. Raises as `decide`."""
        async with aclosing(self._written(_payload("phrase", situation, topic.text), situation.text)) as sentences:
            async for sentence in sentences:
                yield sentence

    async def questions(self, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield how callers may ask for the passage, as the model writes it; unguarded. Raises as `decide`."""
        async with aclosing(self._written(_payload("questions", NO_TURN, topic.text), topic.text)) as sentences:
            async for sentence in sentences:
                yield sentence

    async def _written(self, payload: bytes, words: str) -> AsyncGenerator[str, None]:
        with self._decider.place(), self._decider.suspects.trying(words):
            stream = self._open().stream(payload, self._decider.settings.phrase_s)
            async with aclosing(stream):
                async for piece in stream:
                    answer = json.loads(piece)
                    _check(answer)
                    yield answer["said"]

    def close(self) -> None:
        """Leave: what was asked and not answered is not wanted any more."""
        if self._session is not None:
            self._session.close()

    def _open(self) -> Session:
        """Return our session, a new one when the process was restarted. Raises EngineUnavailable."""
        if self._session is None or self._session.lost:
            self._session = self._decider.worker.open()
            self._read = b""
        return self._session


def threads(settings: Model) -> int:
    """Return how many threads the model gets: at two on two busy cores they wait for each other, many times longer."""
    return settings.threads or max(1, len(os.sched_getaffinity(0)) - 1)


def _setup(settings: Model, brief: Brief) -> bytes:
    places = settings.parallel + settings.queue
    options = {
        "gguf": str(settings.gguf),
        "cache": str(settings.cache),
        "context_tokens": settings.context_tokens,
        "threads": threads(settings),
        "parallel": settings.parallel,
        "sequences": 2 * places,  # calls that are silent keep what was read for them
        "brief": dataclasses.asdict(brief),
    }
    return json.dumps(options).encode()


def _payload(task: str, situation: Situation, passage: str | None = None) -> bytes:
    told = {
        "task": task,
        "text": situation.text,
        "history": [(exchange.caller, exchange.agent) for exchange in situation.history],
        "acts": situation.acts,
        "passage": passage,
    }
    return json.dumps(told).encode()


def _check(answer: dict[str, Any]) -> None:
    """Raise EngineBusy or EngineUnavailable when it is a refusal."""
    match answer.get("refused"):
        case None:
            pass
        case "busy":
            raise EngineBusy(ENGINE, "the context is full of other calls")
        case reason:
            raise EngineUnavailable(ENGINE, reason)
