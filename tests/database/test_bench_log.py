"""The section of deploy/bench about the call log measures what it says, here with small numbers."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from sandbox.bench import calllog


async def test_the_call_log_is_measured_and_shown(embedded_server: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CALLS": 4, "EVENTS": 2000, "STEP": 1000, "WRITERS": (1, 2)}.items():
        monkeypatch.setattr(calllog, name, value)
    report = await calllog.measure(lambda _: None)
    figures = report["figures"]
    assert [(rate["writers"], rate["entries"]) for rate in figures["rates"]] == [(1, 40), (2, 40)]
    assert figures["events"] == 2000 + 2 * 40
    assert min(figures["bytes_per_call"], figures["bytes_per_event"], figures["made_per_second"]) > 0
    terminal = io.StringIO()
    calllog.show(report, Console(file=terminal, width=120))
    assert "2,080" in terminal.getvalue()
