"""What a soak calls growth."""

from __future__ import annotations

from dataclasses import replace

from sandbox.faults.soak import growth
from sandbox.faults.standing import Standing

FIRST = Standing(
    descriptors=40, tasks=20, active=0, agent_mib=140.0, workers_mib=90.0, phrases_mib=20.0, channels=0, bridges=0
)


def test_phrases_that_fill_their_place_are_no_leak_and_what_grows_beside_them_is() -> None:
    filling = [replace(FIRST, agent_mib=140.0 + 6 * n, phrases_mib=20.0 + 6 * n) for n in range(10)]
    assert growth(filling) == []
    leaking = [replace(look, phrases_mib=20.0) for look in filling]
    assert [(found.subject, found.what) for found in growth(leaking)] == [
        ("leak", "agent_mib without phrases: 126.0 in the first third, 168.0 in the last")
    ]


def test_workers_descriptors_and_tasks_have_to_be_flat() -> None:
    last = replace(FIRST, workers_mib=120.0, descriptors=43, tasks=22, channels=1, bridges=1)
    assert len(growth([FIRST, last])) == 5
    assert growth([FIRST, replace(FIRST, descriptors=42, tasks=21, workers_mib=100.0)]) == []
