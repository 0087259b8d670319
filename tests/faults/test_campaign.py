"""A short campaign of faults over live calls: no caller is left alone, whatever fails; and the oracle can tell."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from sandbox.faults.campaign import Campaign
from sandbox.faults.kinds import ALL
from sandbox.faults.oracle import judge
from sandbox.faults.plan import plan
from sandbox.faults.report import table
from sandbox.faults.stage import Stage, stage
from sandbox.lock import alone

SEED = 20
PARALLEL = 6


@pytest_asyncio.fixture
async def found() -> AsyncIterator[Stage]:
    with alone(print, RuntimeError):
        async with stage() as found:
            yield found


async def test_no_caller_is_left_alone_and_nothing_is_lost_or_left_behind_whatever_fails(
    found: Stage, record_testsuite_property: Callable[[str, object], None]
) -> None:
    evidence = await Campaign(found, plan(SEED, len(ALL)), PARALLEL, print).run()
    assert (violations := judge(evidence)) == [], "\n".join(violation.what for violation in violations)
    assert {fault.kind for fault in evidence.faults} == {kind.name for kind in ALL}
    assert len(evidence.calls) >= len(ALL)
    for row in table(evidence):
        record_testsuite_property(row.kind, f"person {row.worst_person_s} s, silence {row.worst_silence_s} s")


async def test_without_a_watchdog_the_oracle_sees_the_caller_in_silence(found: Stage) -> None:
    found.watchdog.send(signal.SIGSTOP)
    evidence = await Campaign(found, plan(SEED, 1, ["controller-stop"]), 2, print).run()
    violations = judge(evidence)
    assert "silence" in {violation.subject for violation in violations}, violations
    assert all("controller-stop" in violation.what for violation in violations)
