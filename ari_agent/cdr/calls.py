"""The calls of the company in Asterisk's records: one for each channel that came in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ari_agent.cdr.leg import Leg
from ari_agent.cdr.queue_log import ENTERED, OURS, Queued

INSIDE = ("Local/", "WebSocket/", "AudioSocket/", "UnicastRTP/", "Message/", "Surrogate/", "Recorder/", "Announcer/")
"""Channels that Asterisk makes itself: they bring nobody from outside."""
_MADE_AT = re.compile(r"(?:^|-)([0-9]{9,11})\.[0-9]+$")
"""A uniqueid says when its channel was made, after the system's name if it has one."""
_DIALLED = re.compile(r"[+0-9*#]{1,40}")
_ZONE = timedelta(minutes=15)
"""Zones differ by multiples of it."""


@dataclass(slots=True)
class CdrCall:
    """One channel in the CDR, with what queue_log says of it; times are aware."""

    uniqueid: str
    legs: list[Leg]
    shift: timedelta
    """What has to be added to the clock of its lines: they were in another zone than the settings say."""
    cause: str | None = None
    """Why the AI did not get the call, as the dialplan says."""
    dialled: str = ""
    test: bool = False
    queue_at: list[datetime] = field(default_factory=list)
    """When the caller entered a queue."""

    @property
    def start(self) -> datetime:
        """When the channel was made."""
        return min(leg.start for leg in self.legs) + self.shift

    @property
    def end(self) -> datetime:
        """When it ended."""
        return max(leg.end for leg in self.legs) + self.shift

    @property
    def answered_at(self) -> datetime | None:
        """When somebody or something answered it; None when nobody did."""
        answers = [leg.answer for leg in self.legs if leg.answer is not None]
        return min(answers) + self.shift if answers else None

    @property
    def caller(self) -> str | None:
        """The calling number."""
        return next((leg.caller for leg in self.legs if leg.caller), None)

    @property
    def masked(self) -> bool:
        """Whether there was a calling number, which was erased since."""
        return self.caller is None and any(leg.masked for leg in self.legs)

    @property
    def extensions(self) -> set[str]:
        """Where in the dialplan its lines ended."""
        return {leg.extension for leg in self.legs}

    @property
    def applications(self) -> set[str]:
        """What the dialplan did last in its lines."""
        return {leg.application for leg in self.legs}

    def is_inbound(self, contexts: Iterable[str]) -> bool:
        """Whether it came in from outside into one of the contexts."""
        return not self.legs[0].channel.startswith(INSIDE) and bool({leg.context for leg in self.legs} & {*contexts})


@dataclass(frozen=True, slots=True)
class Records:
    """All that was read."""

    calls: Mapping[str, CdrCall]
    """By uniqueid; far legs and Asterisk's own channels too."""
    linked: frozenset[str]
    """Every linkedid."""
    says_why_from: datetime | None
    """Since when the dialplan writes into queue_log why a call did not go to the AI, as far as is known."""

    @property
    def newest(self) -> datetime | None:
        """The latest end of a call."""
        return max((call.end for call in self.calls.values()), default=None)


def gathered(legs: Iterable[Leg], queued: Iterable[Queued]) -> Records:
    """Return the lines by call."""
    by_channel: dict[str, list[Leg]] = defaultdict(list)
    for leg in legs:
        by_channel[leg.uniqueid].append(leg)
    calls = {uniqueid: _call(uniqueid, lines) for uniqueid, lines in by_channel.items()}
    says_why_from = None
    for line in queued:
        if line.event == OURS:
            says_why_from = min(says_why_from or line.at, line.at)
        call = calls.get(line.uniqueid)
        if call is not None:
            _note(call, line)
    linked = frozenset(leg.linkedid for lines in by_channel.values() for leg in lines if leg.linkedid)
    return Records(calls, linked, says_why_from)


def _call(uniqueid: str, legs: list[Leg]) -> CdrCall:
    dialled = next((leg.dialled for leg in legs if leg.dialled), "")
    test = any(leg.test for leg in legs)
    return CdrCall(uniqueid, legs, _shift(uniqueid, legs), dialled=dialled, test=test)


def _note(call: CdrCall, line: Queued) -> None:
    match line.event:
        case event if event == OURS:
            cause, dialled, test, *_ = (*line.data, "", "", "")
            call.cause = cause
            call.test |= test == "1"
            call.dialled = dialled if _DIALLED.fullmatch(dialled) else call.dialled
        case event if event == ENTERED:
            call.queue_at.append(line.at)


def _shift(uniqueid: str, legs: Iterable[Leg]) -> timedelta:
    """Return by how many quarters of an hour the lines are off: at the end of summer time a clock is ambiguous."""
    made = _MADE_AT.search(uniqueid)
    if made is None:
        return timedelta()
    off = datetime.fromtimestamp(int(made.group(1)), UTC) - min(leg.start for leg in legs)
    return _ZONE * round(off / _ZONE)
