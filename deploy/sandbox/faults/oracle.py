"""What must never happen, whatever is injected: pure, from evidence to the list of what did."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.faults.evidence import CallSeen, Evidence, FaultSeen

SILENCE_S = 10.0
"""The promise: no caller hears nothing for longer."""
PICK_UP_S = 10.0
"""The promise before a call is answered: by then the agent or the queue has it."""
SPARE_DESCRIPTORS = 3
"""Connections that the HTTP client keeps for a while, more or fewer of them."""
SPARE_TASKS = 2
"""A connection that is just being made again."""

Subject = Literal["silence", "no-pick-up", "log-lost", "log-double", "log-open", "leak", "mistake", "not-injected"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that must not have happened."""

    subject: Subject
    what: str


def judge(evidence: Evidence) -> list[Violation]:
    """Return everything that is wrong."""
    return [
        *(violation for call in evidence.calls for violation in _alone(call, evidence.faults)),
        *_log(evidence),
        *_leaks(evidence),
        *(Violation("mistake", line) for line in evidence.mistakes),
        *(Violation("not-injected", f"{f.kind}: {f.trouble}") for f in evidence.faults if f.trouble),
    ]


def _alone(call: CallSeen, faults: tuple[FaultSeen, ...]) -> Iterator[Violation]:
    """Yield when the caller heard nothing for too long, or nobody picked up."""
    end = min((t for t in (call.mailbox, call.asterisk_died, call.ended) if t is not None), default=float("inf"))
    for silence in call.silent:
        seconds = min(silence.end, end) - silence.begin
        if seconds > SILENCE_S:
            since = silence.begin - call.invited
            text = f"{call.number} ({call.manner}) heard nothing for {seconds:.1f} s from second {since:.1f} on"
            yield Violation("silence", f"{text}; before: {_before(silence.begin + SILENCE_S, faults)}")
    first = min((t for t in (call.answered, *(t for t, _ in call.served)) if t is not None), default=end)
    if min(first, end) - call.invited > PICK_UP_S:
        text = f"{call.number} waited {min(first, end) - call.invited:.1f} s for the agent or the queue"
        yield Violation("no-pick-up", f"{text}; before: {_before(call.invited + PICK_UP_S, faults)}")


def _before(moment: float, faults: tuple[FaultSeen, ...]) -> str:
    """Name the last faults before a moment."""
    earlier = [f"{fault.kind} {moment - fault.at:.1f} s" for fault in faults if fault.at < moment]
    return ", ".join(earlier[-3:]) or "no fault"


def _log(evidence: Evidence) -> Iterator[Violation]:
    """Yield what the call log has lost, has twice, or has left open."""
    ids = {str(row["id"]) for row in evidence.rows}
    for ident in sorted(evidence.opened - ids):
        yield Violation("log-lost", f"call {ident} was opened and has no row")
    rows = Counter(str(row["caller"]) for row in evidence.rows)
    for call in evidence.calls:
        if call.by_agent and not rows[call.number]:
            yield Violation("log-lost", f"{call.number} was answered by the agent and has no row")
        if rows[call.number] > 1:
            yield Violation("log-double", f"{call.number} has {rows[call.number]} rows")
    for row in evidence.rows:
        if row["closed_at"] is None:
            yield Violation("log-open", f"the row of {row['caller']} was never closed")
        elif row["closings"] != 1:
            yield Violation("log-double", f"the row of {row['caller']} was closed {row['closings']} times")
        if row["opened_at"] is None:
            yield Violation("log-lost", f"the opening of call {row['id']} is missing")
    if evidence.refused:
        yield Violation("log-lost", f"the call log refused {evidence.refused} entries")


def _leaks(evidence: Evidence) -> Iterator[Violation]:
    """Yield what was left behind."""
    left = evidence.leftovers
    for name, found in (
        ("channel", left.channels), ("bridge", left.bridges), ("orphaned process", left.orphans),
        ("process after the stop", left.after_stop),
    ):  # fmt: skip
        for one in found:
            yield Violation("leak", f"{name}: {one}")
    for name, (before, after), spare in (
        ("descriptors", left.descriptors, SPARE_DESCRIPTORS),
        ("tasks", left.tasks, SPARE_TASKS),
    ):
        if after > before + spare:
            yield Violation("leak", f"{name}: {before} when idle, now {after}")
    if left.active:
        yield Violation("leak", f"the controller believes to serve {left.active} calls")
    if left.exit_status:
        yield Violation("leak", f"the controller ended with status {left.exit_status}")
