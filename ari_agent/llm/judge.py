"""Many calls' requests to one model, in its worker process: who is worked on, who waits, and what becomes of each."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ari_agent.decision import Brief, Exchange
from ari_agent.llm.batch import Batch, Claim, Lane
from ari_agent.llm.choices import Choices
from ari_agent.llm.context import REMEDY, Context
from ari_agent.llm.prefix import establish
from ari_agent.llm.prompt import Writing
from ari_agent.llm.reading import Reading, TooLong
from ari_agent.llm.request import PHRASE_TOKENS, RECORD_TOKENS, Logits, Read, Requests, Steps
from ari_agent.worker.messages import Kind, Message
from ari_agent.worker.pipe import CannotLoad

LEAST_ROOM = 320
"""Tokens that a call needs beside the fixed prompt: a long utterance, a passage and an answer from it."""
STEP_TOKENS = 16
"""Tokens read in a step by a model of STEP_PARAMETERS: about 120 ms on one core, for which the others wait."""
STEP_PARAMETERS = 500_000_000
MOST_STEP_TOKENS = 256


@dataclass(eq=False)
class _Call:
    """One session."""

    lane: Lane
    situation: Mapping[str, Any] = field(default_factory=dict)
    """The latest DATA."""
    unread: bool = False
    """Whether `situation` is still to be read ahead."""
    steps: Steps | None = None
    """The request that is being worked on."""


class Judge:
    """Implements Engine."""

    def __init__(self, context: Context, brief: Brief, options: Mapping[str, Any], sequences: int) -> None:
        self._brief = brief
        self._reading = Reading(context, brief)
        self._requests = Requests(context)
        self._context = context
        self._parallel = int(options["parallel"])
        fixed = len(self._reading.fixed)
        room = min(context.tokens, context.longest) - fixed
        if room < LEAST_ROOM:
            raise CannotLoad(_too_small(context, fixed))
        self._room = min(room, max(LEAST_ROOM, (context.tokens - fixed) // self._parallel))
        establish(context, self._reading.fixed, Path(options["cache"]))
        budget = STEP_TOKENS * STEP_PARAMETERS // max(1, context.parameters)
        self._batch = Batch(context, fixed, sequences, min(MOST_STEP_TOKENS, max(STEP_TOKENS, budget)))
        self._calls: dict[int, _Call] = {}
        # Both are bounded by the service, which lets no more requests begin than wait and work at the same time.
        self._waiting: deque[int] = deque()
        self._working: dict[Lane, int] = {}

    @property
    def pending(self) -> bool:
        """Whether any call waits for an answer or reads ahead."""
        return bool(self._waiting) or self._batch.pending or any(call.unread for call in self._calls.values())

    def handle(self, messages: Sequence[Message]) -> Iterator[Message]:
        """Take what has arrived and do one step."""
        for message in messages:
            yield from self._take(message)
        yield from self._start()
        self._read_ahead()
        ready, stuck = self._batch.step()
        for lane, row in ready:
            if lane in self._working:
                yield from self._go_on(self._working[lane], self._context.logits(row))
            else:
                self._batch.release(lane)
        if stuck is not None:
            yield self._answer(self._working[stuck], {"refused": "busy"})

    def warm(self) -> None:
        """Decide once, so that the first caller does not pay for it."""
        text = json.dumps({"task": "decide", "text": "guten tag", "history": [], "acts": ["message", "goodbye"]})
        work = [Message(Kind.OPEN, 1), Message(Kind.DATA, 1, text.encode()), Message(Kind.END, 1)]
        while work or self.pending:
            for _ in self.handle(work):
                pass
            work = []
        self._close(1)

    def _take(self, message: Message) -> Iterator[Message]:
        number = message.session
        if message.kind is Kind.OPEN:
            self._calls[number] = _Call(self._batch.open())
        elif call := self._calls.get(number):
            if message.kind is Kind.DATA:
                call.situation, call.unread = json.loads(message.payload), True
            elif message.kind is Kind.END:
                call.unread = False
                self._waiting.append(number)
            elif message.kind is Kind.CANCEL:
                self._end(number)
                yield Message(Kind.CANCELLED, number)
            elif message.kind is Kind.CLOSE:
                self._close(number)

    def _start(self) -> Iterator[Message]:
        """Begin with requests that wait, as far as there is place."""
        while self._waiting and len(self._working) < self._parallel:
            number = self._waiting.popleft()
            call = self._calls[number]
            self._working[call.lane] = number
            try:
                call.steps = self._steps(call.situation)
            except TooLong:
                yield self._answer(number, {"refused": "too long"})
            else:
                yield from self._go_on(number, None)

    def _steps(self, situation: Mapping[str, Any]) -> Steps:
        text, history = situation["text"], [Exchange(*turn) for turn in situation["history"]]
        if situation["task"] != "decide":
            room, passage = self._room - PHRASE_TOKENS, situation["passage"]
            writing: Writing = "answer" if situation["task"] == "phrase" else "questions"
            return self._requests.phrase(self._reading.turn(text, history, room, passage=passage, writing=writing))
        begun = self._reading.turn(text, history, self._room - RECORD_TOKENS)
        return self._requests.decide(begun, Choices(self._brief, situation["acts"]))

    def _go_on(self, number: int, logits: Logits | None) -> Iterator[Message]:
        """Let a request take its next step."""
        call = self._calls[number]
        claim = Claim.READ if logits is None else Claim.WRITE
        try:
            while call.steps is not None:
                step = call.steps.send(logits)  # type: ignore[arg-type]  # the first one has to be None
                if isinstance(step, Read):
                    self._batch.want(call.lane, step.tokens, claim, logits=True)
                    return
                logits = None
                yield Message(Kind.PARTIAL, number, json.dumps({"said": step.text}).encode())
        except StopIteration as end:
            yield self._answer(number, end.value)

    def _answer(self, number: int, result: Mapping[str, Any]) -> Message:
        self._end(number)
        return Message(Kind.RESULT, number, json.dumps(result).encode() if result else b"")

    def _read_ahead(self) -> None:
        """Let calls whose caller still speaks hold what was understood so far."""
        for call in self._calls.values():
            if call.unread and call.lane not in self._working:
                call.unread = False
                history = [Exchange(*turn) for turn in call.situation["history"]]
                room = self._room - PHRASE_TOKENS
                tokens = self._reading.turn(call.situation["text"], history, room, ahead=True)
                self._batch.want(call.lane, tokens, Claim.AHEAD, logits=False)

    def _end(self, number: int) -> None:
        """Forget the request of a call, not what was read for it."""
        call = self._calls[number]
        call.steps, call.unread = None, False
        self._working.pop(call.lane, None)
        if number in self._waiting:
            self._waiting.remove(number)
        self._batch.release(call.lane)

    def _close(self, number: int) -> None:
        self._end(number)
        self._batch.close(self._calls.pop(number).lane)


def load(payload: bytes) -> Judge:
    """Load the model, read the fixed prompt and decide once. Raises CannotLoad."""
    options = json.loads(payload)
    brief = TypeAdapter(Brief).validate_python(options["brief"])
    sequences = min(256, 1 + int(options["sequences"]))  # llama.cpp makes no context with more
    context = Context(
        Path(options["gguf"]), tokens=options["context_tokens"], sequences=sequences, threads=options["threads"]
    )
    judge = Judge(context, brief, options, sequences)
    judge.warm()
    return judge


def _too_small(context: Context, fixed: int) -> str:
    """Say why the fixed prompt leaves too little room."""
    needed = fixed + LEAST_ROOM
    if needed > context.longest:
        return f"{context.path}: made for texts of {context.longest} tokens, {needed} are needed; {REMEDY}"
    return f"the company's passages and rules are {fixed} tokens: set model.context_tokens to {needed} or more"
