"""From a seed to a schedule of calls and faults; pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.faults.kinds import KINDS, Moment

Manner = Literal["asks", "wants-a-person", "presses-0", "says-nothing", "hangs-up"]
"""What a caller is out for: an answer and goodbye; a person, by word or by key; nothing; to hang up at some moment."""
DeskManner = Literal["takes", "declines", "presses-2", "presses-nothing"]
"""What a receptionist does whose phone rings."""

MANNERS: tuple[Manner, ...] = (
    "asks", "asks", "asks", "asks", "wants-a-person", "wants-a-person", "presses-0", "presses-0", "says-nothing",
    "hangs-up",
)  # fmt: skip
DESK_MANNERS: tuple[DeskManner, ...] = ("takes",) * 12 + ("declines", "presses-2", "presses-nothing")
PAUSE_S = (0.2, 1.0)
"""Between two faults."""
HANG_UP_S = (0.0, 9.0)
"""After the call was placed."""


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One call that is to be placed."""

    manner: Manner
    question: int
    """Number of a question of the company's document, to be taken modulo their count."""
    hangs_up_after_s: float


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """One fault that is to be injected."""

    kind: str
    pause_s: float
    """After the one before."""
    moment: Moment
    pick: float
    """Which of the calls that stand is struck, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole campaign."""

    seed: int
    faults: tuple[PlannedFault, ...]
    least_calls: int
    """Callers call again and again until all faults are injected, and until so many calls were placed."""

    def calls(self) -> Iterator[PlannedCall]:
        """Yield the calls, without end."""
        dice = random.Random(f"{self.seed} calls")
        while True:
            yield PlannedCall(dice.choice(MANNERS), dice.randrange(1000), dice.uniform(*HANG_UP_S))


def plan(seed: int, faults: int, kinds: Sequence[str] = tuple(KINDS)) -> Plan:
    """Return the schedule of a seed: every kind once before any comes twice, then by weight; a call for every fault."""
    dice = random.Random(seed)
    order = dice.sample(kinds, len(kinds))
    weights = [KINDS[kind].weight for kind in kinds]
    names = [*order, *dice.choices(kinds, weights, k=max(0, faults - len(order)))][:faults]
    return Plan(seed, tuple(_fault(dice, name) for name in names), faults)


def _fault(dice: random.Random, name: str) -> PlannedFault:
    return PlannedFault(name, dice.uniform(*PAUSE_S), dice.choice(KINDS[name].moments), dice.random())
