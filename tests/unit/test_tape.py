"""The clock inside a phone: both directions stay together, and waits end in the right tick."""

import numpy as np
import pytest

from sandbox.phone import caller_id
from sandbox.recording import FRAME, Samples
from sandbox.tape import Tape, Watch

LOUD_FRAME = np.full(FRAME, 5000, np.int16).tobytes()
SILENT_FRAME = bytes(2 * FRAME)


@pytest.fixture
def tape() -> Tape:
    return Tape(noise_floor=12, seed=1)


def tick(tape: Tape, received: bytes = SILENT_FRAME) -> None:
    tape.outgoing()
    tape.incoming(received)


def both(tape: Tape) -> tuple[Samples, Samples]:
    sent, received = tape.cut(0, tape.now)
    return np.frombuffer(sent, np.int16), np.frombuffer(received, np.int16)


def test_what_is_said_stands_on_the_tape_where_say_told(tape: Tape) -> None:
    tick(tape)
    start = tape.say(np.full(200, 7000, np.int16))
    for _ in range(3):
        tick(tape)
    sent, _ = both(tape)
    assert start == FRAME
    assert np.all(sent[start : start + 200] == 7000)
    assert np.all(np.abs(sent[start + 200 :]) < 300)


def test_speech_that_begins_in_the_middle_of_a_tick_waits_for_the_next(tape: Tape) -> None:
    tape.outgoing()
    start = tape.say(np.full(10, 7000, np.int16))
    tape.incoming(SILENT_FRAME)
    tick(tape)
    assert start == FRAME
    assert both(tape)[0][start] == 7000


def test_a_second_speech_follows_the_first_without_a_gap(tape: Tape) -> None:
    first = tape.say(np.full(300, 7000, np.int16))
    assert tape.say(np.full(10, 7000, np.int16)) == first + 300


def test_who_is_hushed_sends_line_noise(tape: Tape) -> None:
    tape.say(np.full(5 * FRAME, 7000, np.int16))
    tick(tape)
    tape.hush()
    tick(tape)
    sent, _ = both(tape)
    assert sent[FRAME - 1] == 7000
    assert np.all(np.abs(sent[FRAME:]) < 300)


def test_both_directions_stay_together_when_a_tick_brings_only_one(tape: Tape) -> None:
    tape.say(np.full(4 * FRAME, 7000, np.int16))
    tick(tape, LOUD_FRAME)
    tape.outgoing()  # nothing is delivered in this tick
    tick(tape, LOUD_FRAME)
    tape.incoming(b"")  # nothing is asked in this tick
    sent, received = both(tape)
    assert len(sent) == len(received) == 4 * FRAME
    assert [bool(received[n * FRAME]) for n in range(4)] == [True, False, True, False]
    assert [sent[n * FRAME] == 7000 for n in range(4)] == [True, True, True, False]


def test_waiting_for_speech_ends_with_its_first_sample(tape: Tape) -> None:
    found: list[int] = []
    tape.watch(1, Watch("speech", 0, 0, found.append))
    tick(tape)
    assert not found
    late = np.zeros(FRAME, np.int16)
    late[100:] = -5000
    tick(tape, late.tobytes())
    tick(tape, LOUD_FRAME)
    assert found == [FRAME + 100]
    assert tape.watched == []


def test_waiting_for_quiet_ends_with_the_last_sample_before_it(tape: Tape) -> None:
    found: list[int] = []
    tape.watch(1, Watch("quiet", 2 * FRAME, 0, found.append))
    for frame in (LOUD_FRAME, SILENT_FRAME, LOUD_FRAME, SILENT_FRAME):
        tick(tape, frame)
    assert not found
    tick(tape)
    assert found == [3 * FRAME - 1]


def test_a_wait_finds_what_is_on_the_tape_already(tape: Tape) -> None:
    for frame in (SILENT_FRAME, LOUD_FRAME, SILENT_FRAME, SILENT_FRAME):
        tick(tape, frame)
    found: list[int] = []
    tape.watch(1, Watch("speech", 0, 0, found.append))
    tape.watch(2, Watch("quiet", FRAME, FRAME, found.append))
    assert found == [FRAME, 2 * FRAME - 1]


def test_quiet_from_the_start_tells_that_nothing_was_said(tape: Tape) -> None:
    found: list[int] = []
    tape.watch(1, Watch("quiet", FRAME, 0, found.append))
    tick(tape)
    assert found == [-1]


def test_a_moment_passes_when_its_sample_has_been_sent(tape: Tape) -> None:
    found: list[int] = []
    tape.watch(1, Watch("moment", FRAME, 0, found.append))
    tick(tape)
    assert not found
    tick(tape)
    assert found == [FRAME]


def test_a_wait_that_was_given_up_is_not_told(tape: Tape) -> None:
    found: list[int] = []
    tape.watch(1, Watch("speech", 0, 0, found.append))
    assert tape.unwatch(1)
    assert not tape.unwatch(1)
    tick(tape, LOUD_FRAME)
    assert not found


def test_a_tape_that_is_full_says_so_and_keeps_what_it_has(tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.tape.LONGEST", 2 * FRAME)
    for _ in range(4):
        tick(tape, LOUD_FRAME)
    assert tape.full
    assert tape.now == 2 * FRAME
    tape.rewind()
    assert not tape.full


@pytest.mark.parametrize(
    ("address", "name", "number"),
    [
        ('"KI: Termin" <sip:+4971112345@127.0.0.1>', "KI: Termin", "+4971112345"),
        ('"Ein \\"Name\\"" <sip:101@127.0.0.1:15060>;tag=1', 'Ein "Name"', "101"),
        ("Empfang <sips:101@pbx>", "Empfang", "101"),
        ("<sip:anonymous@anonymous.invalid>", "", "anonymous"),
        ("sip:101@127.0.0.1", "", "101"),
        ("tel:101", "", ""),
    ],
)
def test_the_display_shows_name_and_number(address: str, name: str, number: str) -> None:
    assert caller_id(address) == (name, number)
