"""What a storm shows: who was served by whom, how fast, and whether anything was lost or left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.bench.figures import Distribution, distribution
from sandbox.storm.fates import Fate

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """The figures of a storm."""

    calls: int
    seconds: float
    """From the first call to the last."""
    agent: int
    """Callers whom the agent answered."""
    queue: int
    """Callers for whom the queue rang instead."""
    neither: int
    agent_then_queue: int
    """Of those that the agent answered, the ones it gave to the queue afterwards."""
    answered_ms: Distribution | None
    """From the call to the agent's answer."""
    queue_ms: Distribution | None
    """From the call to the queue, of those whom the agent did not answer."""
    reply_ms: Distribution | None
    """From a caller's last words to the first sound of the reply handed to the line, of all turns."""
    rows: int
    lost: int
    """Answered calls that have no row, or one that is not closed."""
    outcomes: Mapping[str, int]
    channels_left: int
    bridges_left: int

    @property
    def complaints(self) -> list[str]:
        """What must not be."""
        return [
            text
            for count, text in (
                (self.neither, "callers reached nobody"),
                (self.lost, "answered calls are not in the log"),
                (self.channels_left, "channels are left in Asterisk"),
                (self.bridges_left, "bridges are left in Asterisk"),
            )
            if count
        ]


def result(
    fates: Sequence[tuple[str, Fate]], rows: Sequence[Row], turns: Sequence[Row], seconds: float, left: tuple[int, int]
) -> Result:
    """Return the figures of what became of channels, and of the rows and turns in the log."""
    agent = [fate for _, fate in fates if fate.by_agent]
    people = [fate for _, fate in fates if fate.by_people]
    closed = {row["channel"] for row in rows if row["closed_at"]}
    replies = [turn["total_ms"] for turn in turns if turn["total_ms"] is not None]
    return Result(
        calls=len(fates),
        seconds=round(seconds, 1),
        agent=len(agent),
        queue=len(people),
        neither=len(fates) - len(agent) - len(people),
        agent_then_queue=sum(fate.queued is not None for fate in agent),
        answered_ms=distribution([fate.ms_to(fate.answered) for fate in agent]),
        queue_ms=distribution([fate.ms_to(fate.queued) for fate in people]),
        reply_ms=distribution(replies),
        rows=len(rows),
        lost=sum(fate.by_agent and channel not in closed for channel, fate in fates),
        outcomes=dict(Counter(f"{row['outcome']}/{row['reason']}" for row in rows)),
        channels_left=left[0],
        bridges_left=left[1],
    )
