"""Who is fed when, and who gives way, in a context whose memory is scripted as strictly as the real one is."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from ari_agent.llm.batch import ROWS, Batch, Claim, Lane, Row

PREFIX = [7, 7, 7]
BUDGET = 16


class FakeCells:
    """Implements Cells; whatever would damage the real one is an error here."""

    def __init__(self, tokens: int, sequences: int) -> None:
        self.tokens = tokens
        self.held: list[list[int]] = [PREFIX[:], *([] for _ in range(sequences - 1))]
        self.fed: list[list[Row]] = []
        """Rows of every step."""
        self.refuse = 0
        """So many times there is no room although there should be."""

    @property
    def used(self) -> int:
        return len(PREFIX) + sum(len(held) - len(PREFIX) for held in self.held[1:] if held)

    def decode(self, rows: Sequence[Row]) -> bool:
        assert 0 < len(rows) <= ROWS
        if self.refuse:
            self.refuse -= 1
            return False
        assert self.used + len(rows) <= self.tokens
        for row in rows:
            held = self.held[row.sequence]
            assert held[: len(PREFIX)] == PREFIX
            assert row.position == len(held)
            held.append(row.token)
        self.fed.append(list(rows))
        return True

    def drop(self, sequence: int, first: int = 0) -> None:
        assert sequence > 0
        assert first == 0 or first >= len(PREFIX)
        del self.held[sequence][first:]

    def share(self, sequence: int) -> None:
        assert sequence > 0
        self.held[sequence] = self.held[0][:]


def made(tokens: int = 1000, sequences: int = 9) -> tuple[FakeCells, Batch]:
    cells = FakeCells(tokens, sequences)
    return cells, Batch(cells, len(PREFIX), sequences, BUDGET)


def run(batch: Batch, steps: int = 100) -> list[Lane]:
    """Do steps until nothing is left; return the lanes as they became ready."""
    ready: list[Lane] = []
    while batch.pending:
        steps -= 1
        assert steps > 0
        found, stuck = batch.step()
        assert stuck is None
        ready += [lane for lane, _ in found]
    return ready


def opened(batch: Batch, tokens: Sequence[int], claim: Claim, *, logits: bool = True) -> Lane:
    lane = batch.open()
    batch.want(lane, tokens, claim, logits=logits)
    return lane


def test_a_lane_holds_what_it_wants_behind_the_prefix_and_tells_the_row_of_its_logits() -> None:
    cells, batch = made()
    lane = opened(batch, range(40), Claim.READ)
    assert not batch.step()[0]
    assert not batch.step()[0]
    ((ready, row),) = batch.step()[0]
    assert ready is lane
    assert cells.fed[-1][row] == Row(39, len(PREFIX) + 39, lane.sequence or 0, wanted=True)
    assert sum(row.wanted for rows in cells.fed for row in rows) == 1
    assert [len(rows) for rows in cells.fed] == [16, 16, 8]


def test_only_what_differs_is_fed_again() -> None:
    cells, batch = made()
    lane = opened(batch, [1, 2, 3, 4, 5], Claim.AHEAD, logits=False)
    run(batch)
    batch.want(lane, [1, 2, 3, 9, 9, 9], Claim.READ, logits=True)
    run(batch)
    assert [row.token for row in cells.fed[-1]] == [9, 9, 9]
    assert cells.held[lane.sequence or 0] == [*PREFIX, 1, 2, 3, 9, 9, 9]


def test_for_logits_the_last_token_is_fed_again_when_all_is_held() -> None:
    cells, batch = made()
    lane = opened(batch, [1, 2, 3], Claim.READ)
    run(batch)
    for shorter in ([1, 2, 3], [1, 2]):
        batch.want(lane, shorter, Claim.READ, logits=True)
        assert run(batch) == [lane]
        assert [row.token for row in cells.fed[-1]] == shorter[-1:]


def test_who_writes_is_never_held_up_and_readers_share_the_rest() -> None:
    cells, batch = made()
    reading = [opened(batch, range(100), Claim.READ) for _ in range(3)]
    ahead = opened(batch, range(100), Claim.AHEAD, logits=False)
    writing = [opened(batch, range(number, 12), Claim.WRITE) for number in range(2)]
    ready, _ = batch.step()
    assert [lane for lane, _ in ready] == writing
    shares = [len(lane.held) for lane in reading]
    assert sum(shares) == BUDGET
    assert max(shares) - min(shares) <= 2
    assert not ahead.held
    finished = run(batch)
    assert finished[-1] is ahead
    assert len(cells.fed) <= 1 + -(-400 // BUDGET) + 3


def test_a_newcomer_among_readers_gets_its_share_at_once() -> None:
    _, batch = made()
    opened(batch, range(300), Claim.READ)
    for _ in range(3):
        batch.step()
    newcomer = opened(batch, range(8), Claim.READ)
    assert [lane for lane, _ in batch.step()[0]] == [newcomer]


def test_without_a_free_sequence_the_call_that_was_silent_longest_gives_its_up() -> None:
    _, batch = made(sequences=4)
    silent = [opened(batch, [number] * 5, Claim.READ) for number in range(3)]
    run(batch)
    for lane in silent:
        batch.release(lane)
    batch.want(silent[0], [0] * 6, Claim.READ, logits=True)
    run(batch)
    batch.release(silent[0])
    run_by = opened(batch, [9] * 5, Claim.AHEAD, logits=False)
    run(batch)
    assert silent[1].sequence is None
    assert not silent[1].held
    assert run_by.sequence is not None
    batch.want(silent[1], [1] * 5, Claim.READ, logits=True)
    assert run(batch) == [silent[1]]


def test_while_all_sequences_are_at_work_others_wait() -> None:
    _, batch = made(sequences=3)
    lanes = [opened(batch, range(20), Claim.READ) for _ in range(4)]
    ready: list[Lane] = []
    while len(ready) < 4:
        for lane, _ in batch.step()[0]:
            batch.release(lane)
            ready.append(lane)
    assert set(ready) == set(lanes)


def test_a_full_context_forgets_silent_calls_then_who_reads_ahead() -> None:
    cells, batch = made(tokens=len(PREFIX) + 60)
    silent = opened(batch, range(20), Claim.READ)
    run(batch)
    batch.release(silent)
    ahead = opened(batch, range(20), Claim.AHEAD, logits=False)
    run(batch)
    asked = opened(batch, range(30), Claim.READ)
    assert run(batch) == [asked]
    assert not silent.held
    assert ahead.held
    batch.want(asked, range(50), Claim.READ, logits=True)
    assert asked in run(batch)
    assert len(cells.held[asked.sequence or 0]) == len(PREFIX) + 50


def test_reading_ahead_stops_silently_where_there_is_no_room() -> None:
    _, batch = made(tokens=len(PREFIX) + 50)
    asked = opened(batch, range(40), Claim.READ)
    run(batch)
    batch.want(asked, range(40), Claim.READ, logits=True)
    ahead = opened(batch, range(40), Claim.AHEAD, logits=False)
    assert run(batch) == [asked]
    assert len(ahead.held) <= 10


def test_when_all_wait_for_room_one_of_them_is_named() -> None:
    _, batch = made(tokens=len(PREFIX) + 50)
    lanes = [opened(batch, range(40), Claim.READ) for _ in range(2)]
    stuck = None
    for _ in range(20):
        _, stuck = batch.step()
        if stuck:
            break
    assert stuck in lanes
    batch.close(stuck)
    assert run(batch) == [lane for lane in lanes if lane is not stuck]


@pytest.mark.parametrize("refusals", [1, 3])
def test_when_llama_finds_no_room_where_some_should_be_silent_calls_go_first(refusals: int) -> None:
    cells, batch = made()
    silent = opened(batch, range(20), Claim.READ)
    run(batch)
    batch.release(silent)
    lane = opened(batch, range(5), Claim.READ)
    cells.refuse = refusals
    ready, stuck = batch.step()
    assert not silent.held
    assert ([lane for lane, _ in ready], stuck) == (([lane], None) if refusals == 1 else ([], lane))


def test_closed_lanes_leave_nothing_behind() -> None:
    cells, batch = made(sequences=3)
    for number in range(20):
        lane = opened(batch, [number] * 30, Claim.READ)
        batch.step()
        batch.close(lane)
    assert cells.used == len(PREFIX)
    assert not batch.pending


def test_a_long_crowd_of_writers_never_exceeds_what_llama_takes_at_once() -> None:
    cells, batch = made(tokens=5000, sequences=21)
    lanes = [opened(batch, range(60), Claim.WRITE) for _ in range(20)]
    assert set(run(batch)) == set(lanes)
    assert max(map(len, cells.fed)) == ROWS


@pytest.mark.parametrize("seed", range(20))
def test_whatever_calls_do_everybody_who_asks_is_served_in_the_end(seed: int) -> None:
    chance = random.Random(seed)
    _, batch = made(tokens=len(PREFIX) + 200, sequences=5)
    lanes = [batch.open() for _ in range(8)]
    for _ in range(300):
        lane = chance.choice(lanes)
        tokens = [chance.randrange(3) for _ in range(chance.randrange(1, 40))]
        match chance.randrange(4):
            case 0:
                batch.want(lane, tokens, Claim.AHEAD, logits=False)
            case 1:
                batch.want(lane, tokens, Claim.READ, logits=True)
            case 2:
                batch.release(lane)
            case _:
                for ready, _ in batch.step()[0]:
                    assert ready.held == ready.wanted
                    batch.release(ready)
    for _ in range(100):
        for ready, _ in batch.step()[0]:
            batch.release(ready)
    assert not batch.pending
