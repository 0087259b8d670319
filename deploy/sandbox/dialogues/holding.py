"""Holds a conversation with the dialogue of a call: the caller's lines go in, what the agent does comes out."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ari_agent.cli.company import company_decider, company_script
from ari_agent.config import Dialogue as DialogueSettings
from ari_agent.consulting import Consulting
from ari_agent.decision import Decision, Situation
from ari_agent.dialogue.acts import Act, Answer, Escalate, Goodbye, Noted
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.reach import Caller
from ari_agent.dialogue.script import Script
from ari_agent.errors import ConfigError
from ari_agent.protocols import Decider, Manner
from ari_agent.task import Contact, Note, Task
from sandbox.dialogues.caller import Knowledge, is_typed, subject_of
from sandbox.dialogues.conversations import Dialogue, Turn
from sandbox.settings import REPO

COMPANIES = REPO / "tests" / "dialogues" / "companies"
DIALLED = "2900"
MOST_ANSWERS = 40
"""A form that asks more often than this goes in circles."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the agent did, as the caller heard it."""

    act: Act
    reply: str
    decision: Decision | None
    manner: Manner
    said: str = ""
    """What the caller had said or done."""


@dataclass(slots=True)
class Held:
    """What came of a conversation."""

    turns: list[list[Heard]] = field(default_factory=list)
    """For each turn what was heard; several where a form was answered, none where nothing was asked."""
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Turns (from 0) that could not be held, with the reason."""
    greeting: str = ""
    tasks: list[Task] = field(default_factory=list)
    unfinished: Task | None = None
    note: Note | None = None
    ended: str = "open"
    """"goodbye", "escalation" or "open"."""


class Companies:
    """The companies of the conversations, each read once for the same settings."""

    def __init__(self, engine: dict[str, Any], folder: Path = COMPANIES) -> None:
        """`engine`: the table `model` of the settings."""
        self._engine = engine
        self._folder = folder
        self._scripts: dict[str, tuple[DialogueSettings, Script, Decider | None]] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def of(self, dialogue: Dialogue) -> tuple[DialogueSettings, Script, Decider | None]:
        """Return settings, script and language model of a conversation's company. Raises ConfigError."""
        key = json.dumps([dialogue.company, dialogue.settings], sort_keys=True, default=str)
        if key not in self._scripts:
            settings = self._settings(dialogue)
            script = company_script(settings)
            decider = await self._stack.enter_async_context(company_decider(settings.model, script))
            if decider is not None:
                await decider.settled()
            self._scripts[key] = settings, script, decider
        return self._scripts[key]

    def _settings(self, dialogue: Dialogue) -> DialogueSettings:
        file = self._folder / f"{dialogue.company}.toml"
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
            merged = _merged(_merged(values, dialogue.settings), {"model": self._engine})
            return DialogueSettings.model_validate(merged, context={"folder": file.parent})
        except (OSError, ValueError) as e:
            raise ConfigError(f"company of conversation {dialogue.id}: {e}") from e


async def hold(dialogue: Dialogue, companies: Companies) -> Held:
    """Hold a conversation. What it should not have come to is for `judging` to say. Raises ConfigError."""
    settings, script, decider = await companies.of(dialogue)
    known = dialogue.contact
    contact = Contact(dialogue.caller, **known.model_dump()) if known else None
    conversation = Conversation(script, Caller(dialogue.caller, contact, DIALLED), lambda: dialogue.now)
    consulting = Consulting(conversation, decider, settings.model)
    async with consulting.opened():
        return await _Holding(conversation, consulting).hold(dialogue)


class _Holding:
    """One conversation while it is held."""

    def __init__(self, conversation: Conversation, consulting: Consulting) -> None:
        self._conversation = conversation
        self._consulting = consulting
        self._held = Held(greeting=conversation.greeting)
        self._last: Act | None = None

    async def hold(self, dialogue: Dialogue) -> Held:
        held = self._held
        for number, turn in enumerate(dialogue.turns):
            if fault := self._over(turn):
                held.faults.append((number, fault))
                break
            held.turns.append([])
            if turn.answers is None:
                await self._hear(turn)
            elif fault := await self._answer(turn.answers, turn.until):
                held.faults.append((number, fault))
        held.ended = {Goodbye: "goodbye", Escalate: "escalation"}.get(type(self._last), "open")
        held.unfinished = self._conversation.unfinished()
        outcome = {"goodbye": "solved", "escalation": "handed-over", "open": "caller-hung-up"}[held.ended]
        held.note = self._conversation.note(outcome)
        return held

    def _over(self, turn: Turn) -> str:
        """Return why this turn cannot come now; "" when it can."""
        match self._last:
            case Goodbye():
                return "the agent had said goodbye already"
            case Escalate() if turn.refusal is None:
                return f"a person is being rung ({self._last.reason}), the caller talks with nobody"
            case Escalate():
                return ""
            case _:
                return "" if turn.refusal is None else "nobody was rung who could refuse"

    async def _answer(self, answers: Mapping[str, tuple[str, ...]], until: str | None) -> str:
        """Answer what is asked until nothing more is, or the subject `until` is; return what went wrong."""
        knowledge = Knowledge(answers)
        for _ in range(MOST_ANSWERS):
            subject = subject_of(self._last)
            if subject is None or subject == until:
                return ""
            try:
                answer = knowledge.answer(subject)
            except LookupError:
                return f"the caller is asked for {subject} and has no answer"
            for key in answer if is_typed(answer) else ():
                await self._hear(Turn(key=key))
            if not is_typed(answer):
                await self._hear(Turn(says=answer))
        return f"the agent still asks after {MOST_ANSWERS} answers"

    async def _hear(self, turn: Turn) -> None:
        conversation = self._conversation
        match turn:
            case Turn(says=str(said)):
                act = conversation.said(said)
                if isinstance(act, Situation):
                    act = conversation.decided(act, await self._consulting.ask(act))
            case Turn(key=str(key)):
                act = conversation.key(key)
            case Turn(refusal=str(refusal)):
                act = conversation.refused(refusal)
            case _:
                act = conversation.silent()
        reply = await self._reply(act)
        conversation.replied(reply)
        if isinstance(act, Noted):
            self._held.tasks.append(act.task)
        self._last = act
        decision, manner = conversation.decision, conversation.manner
        self._held.turns[-1].append(Heard(act, reply, decision, manner, turn.says or str(turn)))

    async def _reply(self, act: Act) -> str:
        """Return all that the caller hears."""
        words = self._consulting.words(act) if isinstance(act, Answer) else act.text
        if not isinstance(words, str):
            async with aclosing(words):
                words = " ".join([sentence async for sentence in words])
        return f"{act.before} {words}".strip() if isinstance(act, Escalate) else words


def _merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with changes, table by table."""
    merged = dict(values)
    for key, value in changes.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
