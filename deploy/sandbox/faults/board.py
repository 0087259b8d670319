"""What is known of the calls at this moment: told by callers, receptionists and Asterisk, read by whoever injects."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from sandbox.faults.evidence import CallSeen
from sandbox.faults.kinds import Moment

State = Literal["ringing", "agent", "speaking", "whisper", "talking"]
"""Not answered yet; with the agent, or waiting; the caller speaks; a receptionist has answered; the two talk."""
WAITING: tuple[State, ...] = ("ringing", "agent", "speaking", "whisper")
"""States in which the caller does not talk to a person."""


class Board:
    """The calls that stand and those that are over."""

    def __init__(self) -> None:
        self.calls: dict[str, CallSeen] = {}
        """By calling number, all of them."""
        self.states: dict[str, State] = {}
        """Of the calls that stand."""
        self.hang_up: dict[str, Callable[[], object]] = {}
        """What makes the caller of a call that stands hang up."""
        self.asterisk_away = False
        """Whoever calls meanwhile reaches nobody, which is no fault of the agent's."""
        self._talking: dict[str, asyncio.Event] = {}

    def begin(self, call: CallSeen, hang_up: Callable[[], object]) -> None:
        """A call is placed."""
        if self.asterisk_away:
            call.asterisk_died = call.invited
        self.calls[call.number] = call
        self.states[call.number] = "ringing"
        self.hang_up[call.number] = hang_up
        self._talking[call.number] = asyncio.Event()

    def end(self, number: str) -> None:
        """A call is over."""
        for known in (self.states, self.hang_up, self._talking):
            known.pop(number, None)

    def state(self, number: str, state: State) -> None:
        """A call is in another state; one that is over or a stranger's has none."""
        if number in self.states:
            self.states[number] = state
            if state == "talking":
                self._talking[number].set()

    def rang(self, number: str, at: float) -> None:
        """A person's phone rings for this call."""
        if number in self.calls:
            self.calls[number].served.append((at, "person"))

    async def talking(self, number: str) -> None:
        """Return when a receptionist has taken this call."""
        if number in self._talking:
            await self._talking[number].wait()

    def asterisk_died(self) -> None:
        """Every call that stands ended with Asterisk."""
        for number in self.states:
            call = self.calls[number]
            call.asterisk_died = call.asterisk_died or time.monotonic()
        for hang_up in list(self.hang_up.values()):
            hang_up()

    def standing(self, moment: Moment, *, waiting: bool = False) -> list[str]:
        """Return the calls in which a fault may strike at this moment; `waiting`: not those who talk to a person."""
        fits: tuple[State, ...] = WAITING if waiting else (*WAITING, "talking")
        match moment:
            case "any":
                pass
            case "agent":
                fits = ("agent", "speaking")
            case "speaking" | "whisper" | "talking":
                fits = (moment,)
        return sorted(number for number, state in self.states.items() if state in fits)
