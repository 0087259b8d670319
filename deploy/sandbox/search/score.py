"""What is counted of a reader's answers.

recall@1, recall@3
    A right passage is the best one, or among the three best. Of the questions that the document answers.
at once, wrong
    The gate lets the best passage be spoken, and it is right, or it is not. Of the same.
false answers
    The gate lets a passage be spoken. Of the questions that the document does not answer.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from ari_agent.knowledge.calibration import Reader as Calibrated
from ari_agent.knowledge.passage import Passage
from sandbox.search.material import Asked, Case


class Reader(Calibrated, Protocol):
    """Whoever is scored."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages."""

    def ranked(self, text: str, count: int) -> list[tuple[Passage, float]]:
        """Return the best passages, the best first."""


SHARES = {
    "recall@1": ("first", "answered"),
    "recall@3": ("third", "answered"),
    "at once": ("right", "answered"),
    "wrong": ("wrong", "answered"),
    "false answers": ("false", "outside"),
}
"""Columns of the table: what is counted, and of how many."""


@dataclass(slots=True)
class Score:
    """Counts over a set."""

    counts: Counter[str] = field(default_factory=Counter)
    ms: list[float] = field(default_factory=list)

    def __iadd__(self, other: Score) -> Score:
        self.counts.update(other.counts)
        self.ms += other.ms
        return self

    def share(self, name: str) -> float:
        """Return a column as 0..1; 0 where nothing is to count."""
        part, whole = SHARES[name]
        return self.counts[part] / self.counts[whole] if self.counts[whole] else 0.0

    def milliseconds(self) -> tuple[float, float]:
        """Return the median and the 95th percentile of a reading."""
        if len(self.ms) < 2:
            return (0.0, 0.0)
        return statistics.median(self.ms), statistics.quantiles(self.ms, n=20)[-1]

    def fields(self) -> dict[str, Any]:
        """Return everything for JSON."""
        p50, p95 = self.milliseconds()
        shares = {name: round(self.share(name), 4) for name in SHARES}
        return {"shares": shares, "counts": dict(self.counts), "ms_p50": round(p50, 2), "ms_p95": round(p95, 2)}


def score(reader: Reader, case: Case) -> tuple[Score, list[Asked]]:
    """Ask a reader everything; return the figures, and what was read wrongly."""
    found, missed = Score(), []
    for asked in case.asked:
        began = perf_counter()
        match = reader.read(asked.text).match
        found.ms.append((perf_counter() - began) * 1000)
        best = [passage.id for passage, _ in reader.ranked(asked.text, 3)]
        spoken = match.passage.id if match and match.sure else None
        if asked.sources:
            right = spoken in asked.sources
            found.counts.update(answered=1, right=right, wrong=spoken is not None and not right)
            found.counts.update(first=not asked.sources.isdisjoint(best[:1]), third=not asked.sources.isdisjoint(best))
            missed += [] if right else [asked]
        else:
            found.counts.update(outside=1, false=spoken is not None)
            missed += [asked] if spoken else []
    return found, missed


def timed(reader: Reader, asked: Sequence[Asked]) -> Score:
    """Return only how long a reader takes."""
    return score(reader, Case("", reader.passages, tuple(asked)))[0]
