"""What a campaign has seen: by callers' phones, by Asterisk, in the call log, in /proc. All times are monotonic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.faults.silence import Silence

Served = Literal["agent", "person", "mailbox", "over"]
"""Who served a caller: the agent said something new, a person's phone rang or the queue took the call, the dialplan's
mailbox did, or the call was ended in order."""


@dataclass(slots=True)
class CallSeen:
    """One call, as its caller and Asterisk saw it."""

    number: str
    """Calling number; no two calls have the same."""
    manner: str
    invited: float
    answered: float | None = None
    """By the agent, a person or the mailbox."""
    ended: float | None = None
    silent: list[Silence] = field(default_factory=list)
    """What the caller heard nothing in."""
    served: list[tuple[float, Served]] = field(default_factory=list)
    """In the order of time."""
    by_agent: bool = False
    """Asterisk shows that the agent has answered it."""
    mailbox: float | None = None
    """From then on nothing is to be heard: the mailbox listens."""
    asterisk_died: float | None = None
    """Nothing counts from then on: the caller's own call ended with Asterisk."""
    trouble: str = ""
    """Why the phone could not play its part."""


@dataclass(slots=True)
class FaultSeen:
    """One fault that was injected."""

    kind: str
    moment: str
    at: float
    over: float = 0.0
    """When the cause was taken away again."""
    hit: list[str] = field(default_factory=list)
    """The numbers of the calls that stood, or of the one that was picked."""
    trouble: str = ""
    """Why it could not be injected."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is there when all calls are over and everything had time to settle."""

    channels: tuple[str, ...] = ()
    """Names of Asterisk's channels."""
    bridges: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    """Processes of the agent's whose controller is gone."""
    after_stop: tuple[str, ...] = ()
    """Processes of the agent's that have outlived its stop."""
    descriptors: tuple[int, int] = (0, 0)
    """The controller's open files: when it was ready and idle, and now."""
    tasks: tuple[int, int] = (0, 0)
    """Its asyncio tasks, likewise."""
    active: int = 0
    """Calls it believes to serve."""
    exit_status: int = 0
    """Of the last controller, which was stopped in order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything."""

    calls: tuple[CallSeen, ...]
    faults: tuple[FaultSeen, ...]
    opened: frozenset[str]
    """The ids of the calls that controllers said they serve, in their own words."""
    rows: tuple[Mapping[str, Any], ...]
    """The call log: id, caller, channel, closed_at, outcome and how many events "closed" there are ("closings")."""
    refused: int
    """Entries that the call log would not take."""
    mistakes: tuple[str, ...]
    """Lines of the controllers' logs that tell of a mistake in the program."""
    controllers: int
    """Lives of the controller."""
    leftovers: Leftovers
