"""A passage in the model's words, guarded: what the passage does not say is not spoken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from ari_agent import metrics
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

    When the guard objects to a sentence, or none comes within the limit, the passage is spoken as it is written. An
    answer with more sentences than the passage and one more has lost its way, and ends there.
    """
    outcome = "phrased"
    passage = split(topic.text)
    try:
        async with aclosing(deliberation.phrase(situation, topic)) as sentences:
            count = 0
            for _ in range(len(passage) + 1):
                if (sentence := await _next(sentences, limit_s)) is None:
                    break
                if not any(map(str.isalnum, sentence)):
                    continue
                if code := objection(sentence, topic):
                    log.info("the guard took the passage instead", objection=code)
                    outcome = "guarded"
                    break
                count += 1
                yield sentence
            if not count and outcome == "phrased":
                outcome = "failed"  # it had nothing to say
    except (EngineError, TimeoutError) as e:
        log.info("the passage is spoken as it is written", reason=type(e).__name__)
        outcome = "failed"
    metrics.PHRASES.labels(outcome).inc()
    for sentence in [*(() if outcome == "phrased" else passage), *split(after)]:
        yield sentence


async def _next(sentences: AsyncGenerator[str, None], limit_s: float) -> str | None:
    """Return the next sentence, None after the last. Raises TimeoutError."""
    async with asyncio.timeout(limit_s):
        return await anext(sentences, None)
