"""What is counted of an engine's decisions; every utterance begins a conversation of its own.

act
    The first act is among those that the item allows.
right source at once
    A passage of the item is spoken at once. Of the items that have one and are questions.
right after one ask-back
    The same, or it is spoken after one question of the agent: to "Geht es um X?" the caller says "ja" where X is a
    title of the item, and to "Geht es um X oder um Y?" names it; else "nein", which never counts.
wrong source
    Another passage is spoken at once. Of the same items.
false answers
    A passage is spoken at once to a question that the document does not answer. Of the items of kind "outside".
escalation recall
    A person is brought at once. Of the items for which nothing else is right.
urgent recall
    A person is brought at once and told that it is urgent. Of the items marked so.
"""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ari_agent.knowledge.passage import Passage
from sandbox.decisions.chat import Turn

Item = Mapping[str, Any]
SHARES = {
    "act": ("act", "items"),
    "right source at once": ("right", "questions"),
    "right after one ask-back": ("right_later", "questions"),
    "wrong source": ("wrong", "questions"),
    "false answers": ("false", "outside"),
    "escalation recall": ("escalated", "to_escalate"),
    "urgent recall": ("urgent_told", "urgent"),
}
"""Lines of the table: what is counted, and of how many."""


class Agent(Protocol):
    """Whoever is scored."""

    def begin(self) -> None:
        """Begin a new conversation."""

    def say(self, text: str) -> Turn:
        """Return what is decided after the caller's words."""


@dataclass(slots=True)
class Score:
    """Counts over a set."""

    counts: Counter[str] = field(default_factory=Counter)
    decide_ms: list[float] = field(default_factory=list)

    def share(self, line: str) -> float:
        """Return a line of the table as 0..1; 0 where nothing is to count."""
        part, whole = SHARES[line]
        return self.counts[part] / self.counts[whole] if self.counts[whole] else 0.0

    def milliseconds(self) -> tuple[float, float]:
        """Return the median and the 95th percentile of a decision."""
        if len(self.decide_ms) < 2:
            return (0.0, 0.0)
        return statistics.median(self.decide_ms), statistics.quantiles(self.decide_ms, n=20)[-1]

    def fields(self) -> dict[str, Any]:
        """Return everything for a JSON file."""
        p50, p95 = self.milliseconds()
        shares = {line: round(self.share(line), 4) for line in SHARES}
        return {"shares": shares, "counts": dict(self.counts), "ms_p50": round(p50, 2), "ms_p95": round(p95, 2)}


def read_items(path: Path) -> list[Item]:
    """Return the items of a set."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def hear(agent: Agent, item: Item, passages: Sequence[Passage], score: Score) -> tuple[Turn, bool]:
    """Say one item in a new conversation, count it, and return the first turn and whether all of it was right."""
    agent.begin()
    turn = agent.say(item["text"])
    counts, sources = score.counts, item["sources"]
    score.decide_ms.append(turn.decide_ms)
    spoken = turn.source if turn.act == "answer" else None
    good = turn.act in item["acts"] and (spoken is None or not sources or spoken in sources)
    counts.update(items=1, act=turn.act in item["acts"])
    if item["kind"] == "question":
        right = spoken in sources
        later = right or _asked_back(agent, turn, sources, passages)
        counts.update(questions=1, right=right, right_later=later, wrong=spoken is not None and not right)
    if item["kind"] == "outside":
        counts.update(outside=1, false=spoken is not None)
    if item["acts"] == ["escalate"]:
        counts.update(to_escalate=1, escalated=turn.act == "escalate")
    if item["urgent"]:
        counts.update(urgent=1, urgent_told=turn.act == "escalate" and turn.urgency == "high")
    return turn, good


def _asked_back(agent: Agent, turn: Turn, sources: Sequence[str], passages: Sequence[Passage]) -> bool:
    """Answer the agent's question as the caller would; tell whether a right passage is spoken then."""
    if turn.act != "ask" or turn.reason not in ("confirm", "which"):
        return False
    named = [p for p in passages if p.id in sources and re.search(rf"\b{re.escape(p.title)}\b", turn.reply)]
    if not named:
        return False
    again = agent.say("ja" if turn.reason == "confirm" else named[0].title)
    return again.act == "answer" and again.source in sources
