"""The bench's arithmetic on recordings, logs and /proc whose truth is known."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from sandbox.bench import dialogues, figures, machine, program, report, search, usage
from sandbox.bench.callers import shares
from sandbox.bench.figures import Question
from sandbox.bench.measure import BargeIn, Parallel
from sandbox.recording import FRAME, RATE, Recording, Samples


def silence(ms: float) -> Samples:
    return np.zeros(round(ms * RATE / 1000), np.int16)


def voice(ms: float) -> Samples:
    """A sound that is loud in every sample."""
    return np.resize(np.array([4000, -4000], np.int16), round(ms * RATE / 1000))


def phrase(ms: float = 2000, seed: int = 3) -> Samples:
    """A sound that resembles itself at no other moment, as speech."""
    return np.random.default_rng(seed).normal(0, 3000, round(ms * RATE / 1000)).astype(np.int16)


def turn(source: str | None, **more: Any) -> dict[str, Any]:
    return {"source": source, **more}


QUESTIONS = [Question(f"Frage {name}?", name) for name in "abc"]


def test_a_distribution_has_its_extremes_and_nothing_has_none() -> None:
    assert figures.distribution([30, 10, 20]) == figures.Distribution(3, 20, 29, 10, 30)
    assert figures.distribution([]) is None


def test_a_reply_is_right_only_with_the_passage_that_was_asked_for() -> None:
    turns = [turn("a"), turn("c"), turn("c")]
    assert figures.replies(QUESTIONS, turns) == [turns[0], None, turns[2]]


def test_a_question_cut_in_two_does_not_shift_the_replies_to_the_others() -> None:
    turns = [turn("a"), turn(None), turn("b"), turn("c")]
    assert figures.replies(QUESTIONS, turns) == [turns[0], turns[2], turns[3]]


def test_a_question_that_was_not_heard_has_no_reply() -> None:
    turns = [turn("a"), turn("c")]
    assert figures.replies(QUESTIONS, turns) == [turns[0], None, turns[1]]
    assert figures.replies(QUESTIONS, []) == [None, None, None]


def test_barge_in_lasts_from_the_caller_to_the_agents_last_sample() -> None:
    call = np.concatenate((silence(100), voice(650), silence(500)))
    assert figures.barge_in(call, onset=600 * RATE // 1000) == pytest.approx(150, abs=0.2)


def test_an_agent_that_speaks_on_was_not_stopped() -> None:
    assert figures.barge_in(voice(6000), onset=RATE) is None


@pytest.mark.parametrize("onset_ms", [550, 740])
def test_a_pause_of_the_agent_is_no_barge_in(onset_ms: int) -> None:
    call = np.concatenate((voice(500), silence(250), voice(500), silence(500)))
    with pytest.raises(ValueError, match="not speaking"):
        figures.barge_in(call, onset=onset_ms * RATE // 1000)


def test_the_first_word_is_timed_on_the_clock_of_the_machine() -> None:
    recording = Recording(silence(500), np.concatenate((silence(400), voice(100))), started=100.0)
    assert figures.first_word_ms(recording, answered_at=99.9) == pytest.approx(500)
    assert figures.first_word_ms(Recording(silence(9), silence(9), 100.0), 99.9) is None


def test_a_phrase_that_came_through_unharmed_has_no_gap() -> None:
    said = phrase()
    call = np.concatenate((phrase(700, seed=5), (said * 0.8).astype(np.int16), silence(300)))
    found = figures.playout(call, said)
    assert found is not None
    assert found.speech.first == 700 * RATE // 1000
    assert found.speech.ms == 2000
    assert (found.gaps_ms, found.skips_ms, found.damaged_ms) == ((), (), 0)


def test_a_frame_that_came_late_is_a_gap_and_one_left_out_is_a_skip() -> None:
    said = phrase()
    late = np.concatenate((silence(200), said[:8000], silence(20), said[8000:], silence(300)))
    found = figures.playout(late, said)
    assert found is not None
    assert (found.gaps_ms, found.skips_ms) == ((20.0,), ())
    early = np.concatenate((silence(200), said[:8000], said[8320:], silence(300)))
    found = figures.playout(early, said)
    assert found is not None
    assert (found.gaps_ms, found.skips_ms) == ((), (40.0,))


def test_a_frame_that_was_lost_and_filled_up_is_damage() -> None:
    said = phrase()
    lost = np.concatenate((silence(200), said, silence(300)))
    lost[8000 + FRAME : 8000 + 2 * FRAME] = 0
    found = figures.playout(lost, said)
    assert found is not None
    assert (found.gaps_ms, found.skips_ms, found.damaged_ms) == ((), (), 20)


def test_a_phrase_that_comes_ever_later_and_is_cut_off_by_the_end_is_followed_as_far_as_it_goes() -> None:
    said = phrase()
    pieces = [part for start in range(0, len(said), 3200) for part in (said[start : start + 3200], silence(200))]
    found = figures.playout(np.concatenate(pieces)[: len(said)], said)
    assert found is not None
    assert found.gaps_ms
    assert found.damaged_ms > 0


def test_another_phrase_is_not_found() -> None:
    assert figures.playout(phrase(3000, seed=8), phrase()) is None
    assert figures.playout(silence(100), phrase()) is None


def test_what_processes_used_is_counted_from_their_own_beginning() -> None:
    before = usage.Look(10.0, {1: 100, 2: 50}, {1: 1024, 2: 1024})
    after = usage.Look(12.0, {1: 200, 3: 20}, {1: 2048, 3: 1024})
    used = usage.between(before, after, {1, 2, 3})
    assert used.cpu_percent_of_core == pytest.approx(100 * 120 / usage.TICKS / 2)
    assert used.memory_mib == 3


def test_this_process_is_of_its_parents_family_and_uses_memory() -> None:
    assert os.getpid() in usage.family(os.getppid())
    seen = usage.look([os.getpid(), 2**22 + 1])
    assert list(seen.ticks) == [os.getpid()]
    assert seen.memory_kib[os.getpid()] > 1000


def test_the_machine_is_read_from_proc() -> None:
    assert machine.cpu_model("processor : 0\nmodel name\t: Some CPU @ 2 GHz\n") == "Some CPU @ 2 GHz"
    assert machine.cpu_model("") == "unknown"
    before, after = "cpu 10 0 10 100 0 0 0 0 0 0\ncpu0", "cpu 20 0 20 170 10 0 0 0 0 0\ncpu0"
    assert machine.busy_percent(before, after) == pytest.approx(20)
    assert machine.busy_percent(before, before) == machine.stolen_percent(before, before) == 0
    assert machine.stolen_percent(before, "cpu 20 0 20 160 0 0 0 20 0 0\ncpu0") == pytest.approx(20)


def test_callers_ask_different_questions() -> None:
    assert shares(QUESTIONS, callers=2, each=2) == [QUESTIONS[:2], [QUESTIONS[2], QUESTIONS[0]]]


def made(busy: float = 1.0, load: float = 0.1, stolen: float = 0.0, murmurs: int = 1, **changes: Any) -> report.Report:
    values = {"heard_ms": [300.0], "invite_to_answer_ms": [50.0], "answer_to_first_word_ms": [90.0]}
    run = Parallel(calls=1, speech_ms=1000, **{**values, **changes})
    run.usage = {"agent": usage.Usage(15.0, 50.0)}
    facts = machine.Machine("CPU", 2, 4000, busy, stolen, (load, 0.2, 0.3), (1.0, 0.5, 0.3), {"asterisk": "22"})
    return report.Report(
        quick=True,
        started_at="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        transport="WebSocket, 16 kHz",
        machine=facts,
        runs=[run],
        barge_in=BargeIn(1, [200.0], murmurs, [400.0]),
    )


def test_a_complete_report_has_nothing_missing_and_can_be_written() -> None:
    found = made().json()
    assert (found["not_measured"], found["warnings"]) == ([], [])
    assert found["runs"][0]["heard_ms"]["p50"] == 300
    assert found["runs"][0]["processes"]["agent"] == {"cpu_percent_of_core": 15.0, "memory_pss_mib": 50.0}
    json.dumps(found)


def test_a_report_says_what_is_missing_and_that_the_machine_was_busy() -> None:
    incomplete = made(busy=60.0, heard_ms=[], trouble=["the call has ended"])
    assert incomplete.json()["not_measured"] == [
        "1 calls, no model: heard_ms",
        "1 calls, no model: the call has ended",
    ]
    assert made(murmurs=2).not_measured() == ['barge-in: a "mhm" did not make the agent pause and go on 1 times']
    assert "busy" in incomplete.warnings()[0]
    assert "host gave 9 %" in made(stolen=9.0).warnings()[0]
    assert "load 0.8" in made(load=0.8).warnings()[0]


def shown(show: Callable[[dict[str, Any], Console], None], found: dict[str, Any]) -> list[list[str]]:
    """What is printed, as the words of each line."""
    terminal = io.StringIO()
    show({"figures": found}, Console(file=terminal, width=120))
    return [line.split() for line in terminal.getvalue().splitlines() if line.strip()]


async def test_the_table_of_search_has_what_its_program_measures() -> None:
    options = ("--engine", "search", "--passages", "50")
    found = json.loads(await program.run(search.PROGRAM, *options, "--json", limit_s=60))
    lines = shown(search.show, found)
    header = "search recall@1 recall@3 right at once wrong at once false answers ms p50 ms p95"
    assert lines[0] == header.split()
    rows = {line[1]: line[2:] for line in lines if line[0] == "search,"}
    assert set(rows) >= {"decisions", "stadtwerke", "sanitaetshaus", "verleih", "documents", "50"}
    decisions = found["search"]["decisions"]
    assert rows["decisions"] == [
        *(f"{decisions['shares'][share]:.1%}" for share in ("recall@1", "recall@3", "at once", "wrong")),
        f"{decisions['shares']['false answers']:.1%}",
        f"{decisions['ms_p50']:g}",
        f"{decisions['ms_p95']:g}",
    ]
    assert list(rows)[-1] == "50"
    assert rows["50"][1:6] == ["–"] * 5  # of the large company only the times count


async def test_the_table_of_conversations_has_what_its_program_counts() -> None:
    found = json.loads(
        await program.run(dialogues.PROGRAM, "--topic", "goodbye", "--json", limit_s=60, accepted=(0, 1))
    )
    count = [str(found["passed"]), str(found["failed"])]
    assert shown(dialogues.show, found)[2:4] == [["goodbye", *count], ["all", *count]]
    assert int(count[0]) > 0


def test_conversations_that_failed_are_counted_and_named() -> None:
    topics = {"form_ways": {"passed": 3, "failed": 0}, "person": {"passed": 1, "failed": 1}}
    failures = {"person-now": ["turn 1: nothing is said"]}
    found = {"engine": "embedded", "passed": 4, "failed": 1, "topics": topics, "failures": failures}
    lines = shown(dialogues.show, found)
    assert ["form", "ways", "3", "0"] in lines
    assert ["person", "1", "1"] in lines
    assert lines[-2:] == [["all", "4", "1"], ["failed:", "person-now"]]


async def test_a_program_that_fails_or_never_ends_is_an_error() -> None:
    with pytest.raises(OSError, match=r"sandbox.dialogues ended with status 2"):
        await program.run("sandbox.dialogues", "--set", "nowhere", limit_s=60, accepted=(0, 1))
    with pytest.raises(OSError, match=r"sandbox.dialogues took longer than 0.01 s"):
        await program.run("sandbox.dialogues", limit_s=0.01)
