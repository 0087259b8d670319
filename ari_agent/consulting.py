"""One conversation and its share of the model: asking it, and going on without it when it does not answer in time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import structlog

from ari_agent import metrics
from ari_agent.config import Model
from ari_agent.decision import Situation
from ari_agent.dialogue.acts import Act, Answer
from ari_agent.dialogue.conversation import Conversation
from ari_agent.errors import EngineBusy, EngineError, EngineTimeout
from ari_agent.phrasing import phrased
from ari_agent.protocols import Decider, Deliberation

log = structlog.get_logger(__name__)

Words = str | AsyncGenerator[str, None]
"""A text, or its sentences as they come."""


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
        async with self._decider.deliberation() as self._deliberation:
            yield
        self._deliberation = None

    def read_ahead(self, partial: str) -> None:
        """Let the model read what the caller has said so far, so that little is left to read at the end."""
        if self._deliberation is not None and (situation := self._conversation.ahead(partial)):
            self._deliberation.ahead(situation)

    async def decide(self, situation: Situation) -> Act:
        """Return what the model decides, as far as the policy admits it; else what policy and search decided."""
        if self._deliberation is None:
            return self._conversation.fall_back(situation)
        try:
            decision = await self._deliberation.decide(situation)
        except EngineError as e:
            metrics.FALL_BACKS.labels(_cause(e)).inc()
            log.info("decided without the model", reason=_cause(e))
            return self._conversation.fall_back(situation)
        return self._conversation.decided(situation, decision)

    def words(self, act: Answer) -> Words:
        """Return the passage as it stands, or, where the settings ask for it, as the model phrases it under guard."""
        situation, style = self._conversation.consulted, self._settings.answer_style
        if self._deliberation is None or situation is None or style == "passage":
            return f"{act.text} {act.after}".strip()
        topic = self._conversation.script.topic(act.source)
        return phrased(self._deliberation, situation, topic, act.after, self._settings.phrase_s)


def _cause(error: EngineError) -> str:
    match error:
        case EngineTimeout():
            return "slow"
        case EngineBusy():
            return "busy"
        case _:
            return "unavailable"
