"""Asterisk's queue_log: who entered a queue, and why the AI did not get a call.

The latter are lines of our dialplan (asterisk/extensions.conf), event ARIAGENT. Format of a line:
time|callid|queue|agent|event|data…; https://docs.asterisk.org/Configuration/Applications/Building-Queues/Queue-Logs/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ari_agent.cdr.files import Report, lines
from ari_agent.cdr.leg import known
from ari_agent.cdr.settings import CdrSettings

OURS, ENTERED = "ARIAGENT", "ENTERQUEUE"
FIELDS = 5
"""A line has at least so many."""


@dataclass(frozen=True, slots=True)
class Queued:
    """One line."""

    at: datetime
    uniqueid: str
    """Of the caller's channel."""
    event: str
    data: tuple[str, ...]


def queued(settings: CdrSettings, since: datetime, report: Report) -> Iterator[Queued]:
    """Yield the lines of the two events above that were written after a time. Raises OSError."""
    for line in lines(settings.queue_log, since, report):
        try:
            found = _read(line.text, settings)
        except ValueError as e:
            report.doubt(line, str(e))
            continue
        report.settle(recent=found.at >= since)
        if found.at >= since and found.event in (OURS, ENTERED):
            yield found
    report.settle(recent=True)


def _read(text: str, settings: CdrSettings) -> Queued:
    time, *fields = text.split("|")
    if len(fields) < FIELDS - 1:
        raise ValueError(f"{len(fields) + 1} fields")
    return Queued(known(time, utc=settings.utc), fields[0], fields[3], tuple(fields[4:]))
