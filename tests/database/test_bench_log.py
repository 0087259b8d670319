"""The sections of deploy/bench about the call log measure what they say, here with small numbers."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from sandbox.bench import audited, calllog


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


@pytest.mark.parametrize("server", ["embedded", "company"])
async def test_the_auditor_is_asked_everything_in_a_log_that_is_as_it_should_be(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audited, "ROUNDS", 2)
    monkeypatch.setattr(audited, "BATCH", 700)
    admin = request.getfixturevalue(f"{server}_server")
    address = admin["conninfo"] if server == "company" else None
    monkeypatch.setenv("PGPASSWORD", admin.get("password", ""))
    report = await audited.measure(lambda _: None, calls=1400, database=address)
    figures = report["figures"]
    assert (figures["calls"], len(figures["questions"])) == (1400, 15)
    rows = {number: [each["rows"] for each in asked["statements"]] for number, asked in figures["questions"].items()}
    # What the filling does wrong on purpose, once in a thousand calls, is all there is to be found.
    (incomplete,) = [
        count for count, text in zip(rows["1"], audited.questions()["1"], strict=True) if "v_unvollstaendig" in text
    ]
    assert incomplete == 2 * 2
    assert (rows["2"], set(rows["3"])) == ([2 * 2], {0})
    chain, *_ = figures["whole"]
    assert (chain["rows"], [each["rows"] for each in figures["whole"][1:]]) == (1, [0])
    assert min(figures["bytes_per_call"], figures["questions"]["11"]["ms_p50"]) > 0
    terminal = io.StringIO()
    audited.show(report, Console(file=terminal, width=120))
    assert "1,400 calls" in terminal.getvalue()
