"""What a campaign found, as a table for people and as JSON. Pure but for printing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.faults.evidence import CallSeen, Evidence, FaultSeen
from sandbox.faults.kinds import ALL
from sandbox.faults.oracle import Violation
from sandbox.faults.silence import longest

AFTERMATH_S = 30.0
"""A silence that begins later is not counted as this fault's."""

Json = dict[str, Any]


@dataclass(slots=True)
class Row:
    """All faults of one kind; "hits" are pairs of a fault and a call that stood, or was picked."""

    kind: str
    faults: int = 0
    hits: int = 0
    with_people: int = 0
    """Hits of callers who talked to a person or waited in the queue already."""
    agent: int = 0
    """Hits after which the agent said the next thing, or rang the person whom the caller asked for."""
    person: int = 0
    """Hits after which a person's phone rang or the queue took the call first, and not because the caller asked."""
    mailbox: int = 0
    ended: int = 0
    """Hits after which the call ended first: the caller or the agent hung up, or Asterisk was gone."""
    worst_person_s: float | None = None
    """Longest from the fault to that."""
    worst_agent_s: float | None = None
    worst_silence_s: float = 0.0
    """Longest that a caller who was hit heard nothing, around the fault or after it."""


def table(evidence: Evidence) -> list[Row]:
    """Return a row per kind that was injected."""
    rows = {kind.name: Row(kind.name) for kind in ALL}
    calls = {call.number: call for call in evidence.calls}
    asked = {str(found["caller"]) for found in evidence.rows if found["outcome"] != "to-queue"}
    for fault in evidence.faults:
        row = rows[fault.kind]
        row.faults += 1
        for number in fault.hit:
            _count(row, fault, calls[number], asked=number in asked)
    return [row for row in rows.values() if row.faults]


def _count(row: Row, fault: FaultSeen, call: CallSeen, *, asked: bool) -> None:
    """`asked`: the caller was not sent to the queue against their will."""
    row.hits += 1
    end = min((t for t in (call.mailbox, call.asterisk_died, call.ended) if t is not None), default=fault.at)
    silence = min(longest(call.silent, fault.at, fault.at + AFTERMATH_S), max(0.0, end - call.invited))
    row.worst_silence_s = round(max(row.worst_silence_s, silence), 1)
    served = sorted(call.served)
    earlier = [by for t, by in served if t < fault.at]
    if earlier and earlier[-1] == "person":
        row.with_people += 1
        return
    at, by = next(((t, by) for t, by in served if t >= fault.at), (end, "over"))
    after = round(at - fault.at, 1)
    match by:
        case "agent" | "person" if by == "agent" or asked:
            row.agent += 1
            row.worst_agent_s = max(row.worst_agent_s or 0.0, after)
        case "person":
            row.person += 1
            row.worst_person_s = max(row.worst_person_s or 0.0, after)
        case "mailbox":
            row.mailbox += 1
        case _:
            row.ended += 1


def as_json(seed: int, seconds: float, evidence: Evidence, violations: Sequence[Violation]) -> Json:
    """Return what stands in the file of --json."""
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "calls": len(evidence.calls),
        "faults": len(evidence.faults),
        "hits": sum(len(fault.hit) for fault in evidence.faults),
        "controllers": evidence.controllers,
        "log_rows": len(evidence.rows),
        "violations": [asdict(violation) for violation in violations],
        "table": [asdict(row) for row in table(evidence)],
        "leftovers": asdict(evidence.leftovers),
        "suspects": [asdict(call) for call in evidence.calls if any(call.number in v.what for v in violations)],
    }


def added(found: Sequence[Json]) -> Json:
    """Return what several campaigns found, as one."""
    rows: dict[str, Json] = {}
    for one in (row for campaign in found for row in campaign["table"]):
        so_far = rows.setdefault(one["kind"], asdict(Row(one["kind"])))
        for key, value in one.items():
            if key.startswith("worst"):
                so_far[key] = max((v for v in (so_far[key], value) if v is not None), default=None)
            elif key != "kind":
                so_far[key] += value
    sums = ("seconds", "calls", "faults", "hits", "controllers", "log_rows")
    return {
        "seed": [campaign["seed"] for campaign in found],
        **{key: round(sum(campaign[key] for campaign in found), 1) for key in sums},
        "violations": [violation for campaign in found for violation in campaign["violations"]],
        "table": [rows[kind.name] for kind in ALL if kind.name in rows],
    }


def show(found: Json, console: Console) -> None:
    """Print it."""
    head = ("fault", "injected", "calls hit", "with people", "agent went on", "person", "mailbox", "call over")
    printed = Table(*head, "worst s to agent", "worst s to person", "worst silence s")
    for row in found["table"]:
        cells = (row[key] for key in ("faults", "hits", "with_people", "agent", "person", "mailbox", "ended"))
        worst = (row[key] for key in ("worst_agent_s", "worst_person_s", "worst_silence_s"))
        printed.add_row(row["kind"], *map(str, cells), *("–" if value is None else f"{value:.1f}" for value in worst))
    console.print(printed)
    console.print(
        f"seed {found['seed']}: {found['faults']} faults, {found['calls']} calls, {found['hits']} hits, "
        f"{found['controllers']} lives of the controller, {found['log_rows']} rows in the call log, "
        f"{found['seconds']:.0f} s"
    )
    for violation in found["violations"]:
        console.print(f"{violation['subject']}: {violation['what']}", style="red", markup=False)
    console.print(f"{len(found['violations'])} violations")
