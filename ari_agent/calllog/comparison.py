"""Compares calls as Asterisk recorded them with the rows of the call log: what is missing, doubled or different.

Pure: what is read and filed is the business of `completeness`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from ari_agent.cdr.calls import CdrCall, Records

Kind = Literal["missing", "no-cdr", "doubled", "differs", "event-gap"]

NEAR = timedelta(seconds=30)
"""Asterisk's clock has whole seconds, and the end of a call is written by a program that may be busy."""
SOON = timedelta(seconds=2)
"""A second may be missing in Asterisk's clock."""
FALLBACK = "fallback"
"""Extension of our dialplan that rings the people."""
OFFER, UNCLAIMED, OVERFLOW = "offer", "unclaimed", "overflow"
"""Extensions in which a call waits for the AI, has not got it, and rings the people first; the last two are causes."""
CAUSES = (
    {"staff": "hours"} | {f"staff-{why}": why for why in ("full", "not-ready")} | {"staff-unknown": "route-unknown"}
)
"""What the controller answers to the dialplan, by what it means; every other word of the dialplan is a cause."""
EXPLAINED = {
    "bypass", "hours", "full", "not-ready", "route-unknown", "no-controller", "controller-hung", UNCLAIMED, OVERFLOW,
    "blocked", "hung-up",
}  # fmt: skip
"""Causes for which the AI is not meant to have a row of the call."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One row of the call log."""

    id: UUID
    began_at: datetime
    opened_at: datetime | None
    """None: the opening entry was lost, later ones were not."""
    answered_at: datetime | None
    closed_at: datetime | None
    channel: str | None
    """None: lost with the opening entry, or erased on request."""
    outcome: str | None
    reason: str | None
    filed_at: datetime | None
    erased: bool
    """Whether its number was erased."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """Events of a call whose row is gone."""

    call: UUID
    at: datetime
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an auditor should know."""

    kind: Kind
    cause: str
    call: UUID | None
    at: datetime

    @property
    def explained(self) -> bool:
        """Whether the AI is not meant to have taken the call."""
        return self.kind == "missing" and self.cause in EXPLAINED


@dataclass(frozen=True, slots=True)
class Missing:
    """A call to be filed."""

    cdr: CdrCall
    outcome: str
    cause: str
    id: UUID | None = None
    """Of the row that was, or of the one that has no beginning; None: a new one."""
    only_opening: bool = False
    """The rest of its row is there."""


@dataclass(slots=True)
class Comparison:
    """The result."""

    missing: list[Missing] = field(default_factory=list)
    withdrawn: list[UUID] = field(default_factory=list)
    """Filed rows whose own entries came late."""
    findings: list[Finding] = field(default_factory=list)
    """Of rows that are there; filed ones whose cause is not explained stay findings."""
    calls: int = 0
    """Calls from outside in Asterisk's records."""


def compare(
    records: Records, rows: Collection[LoggedCall], orphans: Iterable[Orphan], inbound: Collection[CdrCall]
) -> Comparison:
    """Return what is to be filed, and what else was found. `inbound`: the calls of `records` that need a row."""
    result = Comparison(calls=len(inbound))
    by_channel: dict[str, list[LoggedCall]] = {}
    for row in rows:
        if row.channel is not None:
            by_channel.setdefault(row.channel, []).append(row)
    for same in by_channel.values():
        _doubled(result, same)
    for channel, (row, *_) in by_channel.items():
        cdr = records.calls.get(channel)
        if cdr is not None:
            result.findings += _differences(row, cdr)
        elif channel not in records.linked and row.closed_at is not None:
            result.findings.append(Finding("no-cdr", "no-cdr", row.id, row.began_at))
    without = [call for call in inbound if call.uniqueid not in by_channel]
    headless = {row.id: row for row in rows if row.channel is None}
    deleted = {orphan.call: orphan for orphan in orphans}
    moments = {ident: row.began_at for ident, row in headless.items()} | {o.call: o.at for o in deleted.values()}
    pairs = _pairs([call for call in without if _may_have_been_ours(call)], moments)
    for call in without:
        ident = pairs.get(call.uniqueid)
        if ident in headless:
            if not headless[ident].erased:
                result.missing.append(Missing(call, "unknown", "opening-lost", ident, only_opening=True))
        elif ident in deleted:
            result.missing.append(Missing(call, deleted[ident].outcome or "unknown", "row-deleted", ident))
        else:
            told_from = records.says_why_from
            cause = _cause(call, says_why=told_from is not None and told_from <= call.start)
            result.missing.append(Missing(call, _outcome(call, cause), cause))
    found = {*pairs.values()}
    result.findings += [Finding("no-cdr", "row-deleted", key, o.at) for key, o in deleted.items() if key not in found]
    return result


def _doubled(result: Comparison, same: list[LoggedCall]) -> None:
    """Leave one row of a channel: that of the controller, if it has come."""
    own = [row for row in same if row.filed_at is None] or same[:1]
    result.withdrawn += [row.id for row in same if row.filed_at is not None and row not in own]
    result.findings += [Finding("doubled", "doubled", row.id, row.began_at) for row in own[1:]]
    same[:] = own[:1]


def _differences(row: LoggedCall, cdr: CdrCall) -> Iterable[Finding]:
    if row.filed_at is not None:
        if row.reason not in EXPLAINED:
            yield Finding("missing", row.reason or "unknown", row.id, row.began_at)
        return
    causes = []
    if (row.answered_at is not None) > (cdr.answered_at is not None):
        causes.append("answered")
    # Who hangs up at the moment in which the queue is to have the call never gets there.
    if (
        row.closed_at is not None
        and (row.outcome == "to-queue") != _was_queued(row, cdr)
        and (row.outcome != "to-queue" or cdr.end > row.closed_at + SOON)
    ):
        causes.append("queue")
    late = row.closed_at is not None and row.closed_at > cdr.end + NEAR and row.reason != "controller-died"
    early = row.began_at < cdr.start - NEAR or (row.answered_at or cdr.start) > cdr.end + NEAR
    if late or early:
        causes.append("time")
    for cause in causes:
        yield Finding("differs", cause, row.id, row.began_at)


def _was_queued(row: LoggedCall, cdr: CdrCall) -> bool:
    """Whether people were rung for the caller after the AI had the call: as its dialplan ended, or queue_log says."""
    at_the_end = bool({FALLBACK, UNCLAIMED} & cdr.extensions)
    return at_the_end or any(at > row.began_at for at in cdr.queue_at)


def _may_have_been_ours(call: CdrCall) -> bool:
    """Whether the dialplan does not say that the AI did not get it; after an overflow it may have."""
    return call.cause in (None, OVERFLOW)


def _cause(call: CdrCall, *, says_why: bool) -> str:
    """Return why there is no row of a call."""
    if _may_have_been_ours(call) and OFFER in call.extensions and call.answered_at is not None:
        return "entry-lost"
    if call.cause is not None:
        return CAUSES.get(call.cause, call.cause if call.cause in EXPLAINED else "unknown")
    if UNCLAIMED in call.extensions:
        return UNCLAIMED
    reached_people = FALLBACK in call.extensions or bool(call.queue_at)
    if not reached_people and call.answered_at is None:
        return "hung-up"
    # Whoever did not get to the AI has a line in queue_log, if the dialplan writes them.
    return "unknown" if reached_people and not says_why else "entry-lost"


def _outcome(call: CdrCall, cause: str) -> str:
    if cause == "blocked":
        return "turned-away"
    if cause == "entry-lost":
        return "unknown"
    if call.answered_at is None and not call.queue_at and FALLBACK not in call.extensions:
        return "caller-hung-up"
    return "to-people"


def _pairs(calls: Collection[CdrCall], at: Mapping[UUID, datetime]) -> dict[str, UUID]:
    """Return which row belongs to which call, by time alone: the nearest first, each once."""
    near = sorted(
        (abs(moment - call.start), call.uniqueid, ident)
        for call in calls
        for ident, moment in at.items()
        if call.start - NEAR <= moment <= call.end + NEAR
    )
    pairs: dict[str, UUID] = {}
    taken: set[UUID] = set()
    for _, uniqueid, ident in near:
        if uniqueid not in pairs and ident not in taken:
            pairs[uniqueid] = ident
            taken.add(ident)
    return pairs
