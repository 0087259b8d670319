"""A passage in the model's words, guarded: what the passage does not say is not spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from ari_agent.decision import Situation, Topic
from ari_agent.dialogue.guard import objection
from ari_agent.errors import EngineError
from ari_agent.protocols import Deliberation
from ari_agent.speech.sentences import split

log = structlog.get_logger(__name__)


async def phrased(
    deliberation: Deliberation, situation: Situation, topic: Topic, after: str, limit_s: float
) -> AsyncGenerator[str, None]:
    """Yield the answer sentence by sentence, then what is said `after` it.

    When the guard objects to a sentence, or none comes within the limit, the passage is spoken as it is written.
    """
    said = 0
    try:
        async with aclosing(deliberation.phrase(situation, topic)) as sentences:
            while True:
                async with asyncio.timeout(limit_s):
                    sentence = await anext(sentences, None)
                if sentence is None:
                    break
                if code := objection(sentence, topic):
                    log.info("the guard took the passage instead", objection=code)
                    said = 0
                    break
                said += 1
                yield sentence
    except (EngineError, TimeoutError) as e:
        log.info("the passage is spoken as it is written", reason=type(e).__name__)
        said = 0
    for sentence in [*(split(topic.text) if not said else ()), *split(after)]:
        yield sentence
