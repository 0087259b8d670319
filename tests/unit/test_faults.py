"""The judgement of a fault campaign on made-up evidence: what is in order passes, and every offence is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sandbox.faults import report
from sandbox.faults.board import Board
from sandbox.faults.evidence import CallSeen, Evidence, FaultSeen, Leftovers
from sandbox.faults.kinds import ALL, KINDS
from sandbox.faults.oracle import SILENCE_S, judge
from sandbox.faults.plan import plan
from sandbox.faults.silence import Silence, longest, silences
from sandbox.recording import RATE, Samples

NUMBER = "+493023100001"


def sound(seconds: float) -> Samples:
    return np.full(round(seconds * RATE), 4000, np.int16)


def quiet(seconds: float) -> Samples:
    return np.full(round(seconds * RATE), 12, np.int16)  # the noise of a line is no sound


def call(**changes: Any) -> CallSeen:
    """A call from second 100 to 130 that the agent has answered at once."""
    fields: dict[str, Any] = {"invited": 100.0, "answered": 100.1, "ended": 130.0, "by_agent": True, "silent": []}
    return CallSeen(NUMBER, "asks", **{**fields, **changes})


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "caller": NUMBER,
        "opened_at": "now",
        "closed_at": "then",
        "closings": 1,
        "outcome": "to-queue",
        **changes,
    }


def evidence(**changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "calls": (call(),), "faults": (), "opened": frozenset({"1"}), "rows": (row(),), "refused": 0, "mistakes": (),
        "controllers": 1, "leftovers": Leftovers(descriptors=(40, 41), tasks=(20, 20)),
    }  # fmt: skip
    return Evidence(**{**fields, **changes})


def subjects(found: Evidence) -> list[str]:
    return [violation.subject for violation in judge(found)]


def test_a_silence_is_what_lies_between_two_sounds_also_at_both_ends() -> None:
    received = np.concatenate((quiet(2), sound(1), quiet(0.5), sound(1), quiet(3)))
    assert silences(received, 50.0) == [Silence(50.0, 52.0), Silence(54.5, 57.5)]
    assert silences(quiet(0), 50.0) == []
    assert longest(silences(received, 50.0), 51.0, 52.0) == 2.0
    assert longest(silences(received, 50.0), 52.5, 54.0) == 0.0


def test_what_is_in_order_is_no_offence() -> None:
    assert judge(evidence()) == []
    assert judge(evidence(calls=(call(silent=[Silence(105.0, 105.0 + SILENCE_S)]),))) == []


def test_a_caller_who_hears_nothing_for_too_long_is_an_offence_with_the_faults_before_it() -> None:
    faults = (FaultSeen("controller-kill", "agent", 104.0, hit=[NUMBER]), FaultSeen("keys", "agent", 129.0))
    (violation,) = judge(evidence(calls=(call(silent=[Silence(105.0, 116.0)]),), faults=faults))
    assert violation.subject == "silence"
    assert NUMBER in violation.what
    assert "11.0 s from second 5.0 on" in violation.what
    assert "controller-kill" in violation.what
    assert "keys" not in violation.what


@pytest.mark.parametrize("end", ["mailbox", "asterisk_died", "ended"])
def test_silence_counts_until_the_mailbox_listens_asterisk_dies_or_the_call_ends(end: str) -> None:
    silent = [Silence(105.0, 120.0)]
    assert subjects(evidence(calls=(call(silent=silent, **{end: 114.0}),))) == []
    assert subjects(evidence(calls=(call(silent=silent, **{end: 116.0}),))) == ["silence"]


def test_a_caller_whom_neither_agent_nor_queue_takes_in_time_is_an_offence() -> None:
    assert subjects(evidence(calls=(call(answered=111.0),))) == ["no-pick-up"]
    assert subjects(evidence(calls=(call(answered=None, by_agent=False),))) == ["no-pick-up"]
    queued: list[tuple[float, str]] = [(103.0, "person")]
    assert subjects(evidence(calls=(call(answered=111.0, served=queued),))) == []
    assert subjects(evidence(calls=(call(answered=None, ended=104.0, by_agent=False),))) == []


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"rows": (), "opened": frozenset()}, "log-lost"),
        ({"opened": frozenset({"1", "2"})}, "log-lost"),
        ({"rows": (row(opened_at=None),)}, "log-lost"),
        ({"refused": 1}, "log-lost"),
        ({"rows": (row(), row(id="2"))}, "log-double"),
        ({"rows": (row(closings=2),)}, "log-double"),
        ({"rows": (row(closed_at=None, closings=0),)}, "log-open"),
        ({"mistakes": ("Traceback …",)}, "mistake"),
        ({"faults": (FaultSeen("keys", "agent", 104.0, trouble="OSError"),)}, "not-injected"),
    ],
)
def test_what_the_log_lost_doubled_or_left_open_is_an_offence(changes: dict[str, Any], subject: str) -> None:
    assert subjects(evidence(**changes)) == [subject]


@pytest.mark.parametrize(
    "left",
    [
        {"channels": ("PJSIP/caller-1",)},
        {"bridges": ("ari_agent_faults",)},
        {"orphans": ("python -m ari_agent.speech.vosk_worker",)},
        {"after_stop": ("python -m ari_agent.cli run",)},
        {"descriptors": (40, 44)},
        {"tasks": (20, 23)},
        {"active": 1},
        {"exit_status": -9},
    ],
)
def test_what_is_left_behind_is_an_offence(left: dict[str, Any]) -> None:
    assert subjects(evidence(leftovers=replace(evidence().leftovers, **left))) == ["leak"]


def test_the_same_seed_is_the_same_campaign_and_every_kind_comes_before_any_comes_twice() -> None:
    first, second = plan(7, 100), plan(7, 100)
    assert first == second
    assert [next(calls) for calls in [first.calls()] * 50] == [next(calls) for calls in [second.calls()] * 50]
    assert plan(8, 100).faults != first.faults
    assert {fault.kind for fault in first.faults[: len(ALL)]} == set(KINDS)
    assert {fault.kind for fault in plan(7, 20, ["keys", "media-cut"]).faults} == {"keys", "media-cut"}
    assert all(fault.moment in KINDS[fault.kind].moments for fault in first.faults)


def test_the_table_tells_who_served_the_callers_that_were_hit_and_after_what_time() -> None:
    calls = (
        call(served=[(101.0, "agent"), (108.0, "agent"), (109.0, "person")], silent=[Silence(104.0, 107.5)]),
        replace(call(served=[(112.5, "person")]), number="2"),
        replace(call(served=[(104.0, "agent")]), number="3"),
        replace(call(served=[(104.0, "person"), (125.0, "person")]), number="4"),
        replace(call(served=[(107.0, "person")]), number="5"),  # whom the caller asked for
    )
    rows = (row(), row(id="2", caller="5", outcome="handed-over"))
    faults = (FaultSeen("vosk-kill", "agent", 105.0, hit=[NUMBER, "2", "3", "4", "5"]),)
    (found,) = report.table(evidence(calls=calls, faults=faults, rows=rows))
    assert (found.faults, found.hits, found.agent, found.person, found.ended) == (1, 5, 2, 1, 1)
    assert found.with_people == 1
    assert (found.worst_agent_s, found.worst_person_s, found.worst_silence_s) == (3.0, 7.5, 3.5)


def test_files_of_several_campaigns_are_added_up() -> None:
    faults = (FaultSeen("vosk-kill", "agent", 105.0, hit=[NUMBER]),)
    one = report.as_json(1, 60.0, evidence(faults=faults, calls=(call(served=[(108.0, "agent")]),)), [])
    two = report.as_json(2, 60.0, evidence(faults=faults, calls=(call(served=[(109.0, "person")]),), rows=()), [])
    two["violations"] = [{"subject": "log-lost", "what": "a row"}]
    both = report.added([one, two])
    assert (both["faults"], both["calls"], both["seed"]) == (2, 2, [1, 2])
    assert both["violations"] == two["violations"]
    (found,) = both["table"]
    assert (found["faults"], found["agent"], found["person"]) == (2, 1, 1)
    assert (found["worst_agent_s"], found["worst_person_s"]) == (3.0, 4.0)


def test_who_calls_while_asterisk_is_away_is_not_waiting_for_the_agent() -> None:
    board = Board()
    away, back = call(answered=None, by_agent=False), replace(call(answered=None, by_agent=False), number="2")
    board.asterisk_away = True
    board.begin(away, lambda: None)
    board.asterisk_away = False
    board.begin(back, lambda: None)
    assert [violation.what[:1] for violation in judge(evidence(calls=(away, back)))] == ["2"]
