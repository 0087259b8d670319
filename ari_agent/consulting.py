"""One conversation and its share of the model: asking it, and going on without it when it does not answer in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import structlog

from ari_agent import metrics
from ari_agent.config import Model
from ari_agent.decision import Decision, Situation
from ari_agent.dialogue.acts import Answer
from ari_agent.dialogue.conversation import Conversation
from ari_agent.errors import EngineBusy, EngineError, EngineTimeout
from ari_agent.phrasing import phrased
from ari_agent.protocols import Decider, Deliberation

log = structlog.get_logger(__name__)

Words = str | AsyncGenerator[str, None]
"""A text, or its sentences as they come."""
GRACE_S = 0.2
"""So much later than its own limit a decider is given up, should it not keep it."""


class Consulting:
    """Decides a conversation's turns with the model, if there is one; without it policy and search decide."""

    def __init__(self, conversation: Conversation, decider: Decider | None, settings: Model) -> None:
        self._conversation = conversation
        self._decider = decider
        self._settings = settings
        self._deliberation: Deliberation | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Take part in the model for as long as the conversation lasts."""
        if self._decider is None:
            yield
            return
        async with self._decider.deliberation() as deliberation:
            self._deliberation = deliberation
            try:
                yield
            finally:
                self._deliberation = None  # before it is closed: the ears may go on for a moment

    def read_ahead(self, partial: str) -> None:
        """Let the model read what the caller has said so far, so that little is left to read at the end."""
        if self._deliberation is not None and (situation := self._conversation.ahead(partial)):
            self._deliberation.ahead(situation)

    async def ask(self, situation: Situation) -> Decision | None:
        """Return what the model decides, None when it does not in time. Changes nothing in the conversation."""
        if self._deliberation is None:
            return None
        try:
            async with asyncio.timeout(self._settings.decide_s + GRACE_S):
                return await self._deliberation.decide(situation)
        except (EngineError, TimeoutError) as e:
            metrics.FALL_BACKS.labels(_cause(e)).inc()
            log.info("decided without the model", reason=_cause(e))
            return None

    def words(self, act: Answer) -> Words:
        """Return the passage as it stands, or, where the settings ask for it, as the model phrases it under guard."""
        situation, style = self._conversation.consulted, self._settings.answer_style
        if self._deliberation is None or situation is None or style == "passage":
            return f"{act.text} {act.after}".strip()
        topic = self._conversation.script.topic(act.source)
        return phrased(self._deliberation, situation, topic, act.after, self._settings.phrase_s)


def _cause(error: EngineError | TimeoutError) -> str:
    match error:
        case EngineTimeout() | TimeoutError():
            return "slow"
        case EngineBusy():
            return "busy"
        case _:
            return "unavailable"
