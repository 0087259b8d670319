"""Many sequences in one context: what each shall hold, and which tokens go through the model next.

    sequence 0   prefix ─────────────────┐  the same for all, evaluated once
    lane 1       └ … tokens it holds ┤ tokens it still wants …
    lane 2       └ … ┤ …

Who waits for an answer goes before who reads ahead, and what is being written before what is being read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

ROWS = 512
"""Most tokens of one `decode`; one more and llama.cpp aborts the process."""


class Row(NamedTuple):
    """One token on its way through the model."""

    token: int
    position: int
    sequence: int
    wanted: bool
    """Whether the logits behind it are wanted."""


class Cells(Protocol):
    """The memory of a context, and the way into it."""

    tokens: int
    """Room for so many, those of all sequences together; what sequences share counts once."""

    def decode(self, rows: Sequence[Row]) -> bool:
        """Feed 1 to ROWS tokens; False, with nothing changed, when there is no room for them."""

    def drop(self, sequence: int, first: int = 0) -> None:
        """Forget the sequence from this position on."""

    def share(self, sequence: int) -> None:
        """Let the sequence hold what sequence 0 does, and nothing else."""


class Claim(IntEnum):
    """How urgent a lane's tokens are; the lower the sooner."""

    WRITE = 0
    """An answer is being written: all its tokens at once."""
    READ = 1
    """A prompt is read whose answer is awaited."""
    AHEAD = 2
    """A turn is read that is still being spoken."""
    IDLE = 3
    """Nothing; what it holds may be useful in the next turn."""


class Lane:
    """One call's share of the context."""

    def __init__(self) -> None:
        self.sequence: int | None = None
        """None while others have all sequences, or nothing was wanted yet."""
        self.held: list[int] = []
        """Tokens in the context, behind the prefix."""
        self.wanted: list[int] = []
        """Tokens that it shall hold; `held` is their beginning."""
        self.claim = Claim.IDLE
        self.logits = False
        """Whether the logits behind the last token are wanted."""
        self.served = 0
        """Number of the step that served it last."""

    @property
    def rest(self) -> int:
        """Tokens still to be fed."""
        return 0 if self.claim is Claim.IDLE else len(self.wanted) - len(self.held)


class Batch:
    """Feeds lanes step by step, in one thread."""

    def __init__(self, cells: Cells, prefix: int, sequences: int, budget: int) -> None:
        """`prefix` tokens stand in sequence 0, `sequences` are there in all, `budget` tokens are read in a step."""
        self._cells = cells
        self._prefix = prefix
        self._free = list(range(sequences - 1, 0, -1))
        self._budget = budget
        self._lanes: list[Lane] = []
        self._step = 0

    def open(self) -> Lane:
        """Return a new lane that holds only the prefix."""
        lane = Lane()
        self._lanes.append(lane)
        return lane

    def close(self, lane: Lane) -> None:
        """Free all that the lane holds."""
        self._evict(lane)
        self._lanes.remove(lane)

    def want(self, lane: Lane, tokens: Sequence[int], claim: Claim, *, logits: bool) -> None:
        """Let the lane hold exactly these tokens; what it holds of them already stays."""
        same = _common(lane.held, tokens)
        if logits and same == len(tokens):
            same -= 1  # logits come only from a token that is fed
        self._cut(lane, same)
        lane.wanted, lane.claim, lane.logits = list(tokens), claim, logits

    def release(self, lane: Lane) -> None:
        """Let the lane want nothing more; it keeps what it holds until somebody needs the room."""
        lane.wanted, lane.claim, lane.logits = list(lane.held), Claim.IDLE, False

    @property
    def pending(self) -> bool:
        """Whether any lane has tokens to be fed."""
        return any(lane.rest for lane in self._lanes)

    def step(self) -> tuple[list[tuple[Lane, int]], Lane | None]:
        """Feed some tokens.

        Return the lanes that hold all they want, each with the row of its logits where it wanted them, and a lane that
        cannot go on because the context is full of those that cannot either.
        """
        self._step += 1
        waiting = sorted((lane for lane in self._lanes if lane.rest), key=lambda lane: (lane.claim, lane.served))
        rows, served = self._compose([lane for lane in waiting if self._seat(lane)])
        while rows and not self._cells.decode(rows):
            if not self._make_room(Claim.WRITE, served):
                rows = []
        if not rows:
            return [], self._give_up(waiting)
        at, ready = 0, []
        for lane, count in served.items():
            at += count
            lane.held += lane.wanted[len(lane.held) : len(lane.held) + count]
            lane.served = self._step
            if not lane.rest:
                ready.append((lane, at - 1))
        return ready, None

    def _compose(self, waiting: Sequence[Lane]) -> tuple[list[Row], dict[Lane, int]]:
        """Share this step's tokens out among the lanes: who writes gets all, readers of a kind share the budget."""
        rows: list[Row] = []
        served: dict[Lane, int] = {}
        budget, alike = self._budget, Counter(lane.claim for lane in waiting)
        for lane in waiting:
            count = lane.rest if lane.claim is Claim.WRITE else min(lane.rest, -(-budget // alike[lane.claim]))
            alike[lane.claim] -= 1
            if lane.sequence is None:  # evicted for one that is more urgent
                continue
            room = self._room(len(rows) + count, lane, served)
            count = min(count, ROWS - len(rows), room - len(rows))
            if count <= 0:
                continue
            if lane.claim is not Claim.WRITE:
                budget -= count
            rows += self._rows(lane, count)
            served[lane] = count
        return rows, served

    def _give_up(self, waiting: Sequence[Lane]) -> Lane | None:
        """Choose whom the full context stops: who reads ahead stops silently, who awaits an answer is returned."""
        if not waiting:
            return None
        last = waiting[-1]
        if last.claim is not Claim.AHEAD:
            return last
        self.release(last)
        return None

    def _rows(self, lane: Lane, count: int) -> Iterable[Row]:
        sequence, first = lane.sequence or 0, len(lane.held)
        last = len(lane.wanted) - 1
        for at in range(first, first + count):
            yield Row(lane.wanted[at], self._prefix + at, sequence, wanted=lane.logits and at == last)

    def _room(self, needed: int, lane: Lane, served: Iterable[Lane]) -> int:
        """Return the free cells, after making room for so many if the lane is urgent enough for that."""
        while (free := self._cells.tokens - self._prefix - sum(len(lane.held) for lane in self._lanes)) < needed:
            if not self._make_room(lane.claim, [*served, lane]):
                return free
        return free

    def _make_room(self, claim: Claim, keep: Iterable[Lane]) -> bool:
        """Evict an idle lane, or one that only reads ahead, for a more urgent claim; False when there is none."""
        kept = set(keep)
        return self._evict_one([lane for lane in self._lanes if lane.held and lane not in kept and lane.claim > claim])

    def _evict_one(self, lanes: Iterable[Lane]) -> bool:
        """Evict the least urgent, of those the one that was served longest ago; nobody who awaits an answer."""
        found = [lane for lane in lanes if lane.claim >= Claim.AHEAD]
        if found:
            self._evict(min(found, key=lambda lane: (-lane.claim, lane.served)))
        return bool(found)

    def _seat(self, lane: Lane) -> bool:
        """Give the lane a sequence; False when all are taken by lanes that are no less urgent."""
        if lane.sequence is not None:
            return True
        seated = (other for other in self._lanes if other.sequence is not None and other.claim > lane.claim)
        if not self._free and not self._evict_one(seated):
            return False
        lane.sequence = self._free.pop()
        self._cells.share(lane.sequence)
        return True

    def _cut(self, lane: Lane, count: int) -> None:
        """Let the lane hold only its first tokens."""
        if count < len(lane.held):
            if lane.sequence is not None:
                self._cells.drop(lane.sequence, self._prefix + count)
            del lane.held[count:]

    def _evict(self, lane: Lane) -> None:
        if lane.sequence is not None:
            self._cells.drop(lane.sequence)
            self._free.append(lane.sequence)
        lane.sequence = None
        lane.held = []
        if lane.claim is Claim.IDLE:
            lane.wanted = []


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
