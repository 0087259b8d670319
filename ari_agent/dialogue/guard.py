"""Guard over phrased answers: nothing is spoken that the company has not written."""

from __future__ import annotations

import re

from ari_agent.decision import Topic


def objection(sentence: str, topic: Topic) -> str | None:
    """Return a code for what the sentence claims beyond the passage, None when it may be spoken."""
    if set(re.findall(r"\d+", sentence)) - set(re.findall(r"\d+", topic.text)):
        return "number"
    return None
