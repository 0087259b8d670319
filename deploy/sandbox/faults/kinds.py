"""The closed list of faults that a campaign injects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Moment = Literal["any", "agent", "speaking", "whisper", "talking"]
"""In which call a fault strikes: any that waits, one that the agent has, one whose caller speaks, one in which a
receptionist listens or already talks."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    name: str
    does: str
    weight: int = 2
    """How often it comes, compared with the others; what takes long to recover from comes less often."""
    strikes_all: bool = True
    """Every call that stands is hit, and not only the one that is picked."""
    moments: tuple[Moment, ...] = ("any", "any", "speaking", "whisper", "talking")
    """Chosen from."""
    restarts: bool = False
    """Controller, watchdog or Asterisk is away afterwards: the next fault waits for it."""


ALL = (
    Kind("controller-kill", "the controller is killed (-9) and restarted", 2, restarts=True),
    Kind("controller-stop", "the controller stands still (SIGSTOP) and is killed after 12 s", 1, restarts=True),
    Kind("controller-pause", "the controller stands still for 3 s (SIGSTOP, SIGCONT)", 2),
    Kind("controller-hang", "the controller's event loop hangs for 12 s, its other threads run", 1),
    Kind("controller-drain", "the controller is stopped in order (SIGTERM) and restarted", 1, restarts=True),
    # It and the controller guard each other's callers: nobody promises anything when both die in the same second.
    Kind("watchdog-kill", "the watchdog is killed (-9) and restarted", 1, restarts=True),
    Kind("vosk-kill", "the recognition's process is killed"),
    Kind("vosk-stop", "the recognition's process stands still (SIGSTOP)"),
    Kind("llama-kill", "the language model's process is killed"),
    Kind("llama-stop", "the language model's process stands still (SIGSTOP)"),
    Kind("postgres-kill", "Postgres is killed (-9) and started again after 2 s"),
    Kind("postgres-stop", "Postgres is stopped for 4 s"),
    Kind("postgres-hang", "Postgres stands still for 4 s (SIGSTOP)"),
    Kind("postgres-read-only", "Postgres refuses to write for 4 s"),
    Kind("postgres-sessions", "every session of the database is ended"),
    Kind("ari-cut", "every HTTP connection to Asterisk is cut and refused for 2 s"),
    Kind("ari-swallow", "what travels over HTTP to and from Asterisk is lost for 4 s, without a close"),
    Kind("events-cut", "the event connection is closed"),
    Kind("events-swallow", "what travels over the event connection is lost, without a close"),
    Kind("ami-cut", "the manager interface is cut and refused for 3 s", 1),
    Kind("ami-swallow", "what travels to and from the manager interface is lost for 4 s", 1),
    Kind("media-cut", "the media connection of a call is closed", 6, strikes_all=False, moments=("agent", "speaking")),
    Kind(
        "media-swallow",
        "what travels over a call's media connection is lost, without a close",
        5,
        strikes_all=False,
        moments=("agent", "speaking"),
    ),
    Kind("asterisk-reload", "Asterisk reloads its settings"),
    Kind("asterisk-restart", "Asterisk is stopped and started: every call ends", 1, restarts=True),
    Kind("disk-full", "the disk of the controller's log and spool is full for 4 s"),
    Kind("descriptors", "the controller may open no more files or connections for 4 s"),
    Kind("clock-forward", "the controller's wall clock jumps ahead by 5 hours for 3 s"),
    Kind("clock-back", "the controller's wall clock jumps back by 5 hours for 3 s"),
    Kind(
        "caller-hangs-up",
        "the caller hangs up",
        8,
        strikes_all=False,
        moments=("any", "speaking", "whisper", "talking"),
    ),
    Kind("keys", "the caller presses twelve keys at random, fast", 5, strikes_all=False, moments=("agent", "speaking")),
    Kind("desk-hangs-up", "the receptionist hangs up", 4, strikes_all=False, moments=("whisper", "talking")),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in ALL}
