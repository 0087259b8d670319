"""The events of Asterisk's REST interface that we act on: a closed set of what its JSON can mean to us.

https://docs.asterisk.org/Latest_API/API_Documentation/Asterisk_REST_Interface/Asterisk_REST_Data_Models/
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ari_agent.errors import AriError, AriUnavailable


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The dialplan offers a call to every controller; the first to claim it gets it."""

    channel: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A channel was handed over to our application."""

    channel: str
    args: tuple[str, ...]
    caller: str
    """Calling number; "" when withheld."""


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed."""

    channel: str
    digit: str


@dataclass(frozen=True, slots=True)
class Left:
    """A channel hung up or left our application: it is no longer ours."""

    channel: str


@dataclass(frozen=True, slots=True)
class Bypassed:
    """The administrator wants people to take over every call of ours, now."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The event connection is up, for the first time or again."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The event connection is lost."""

    reason: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another program has connected under our name: events, calls and keys are told to it alone from now on."""


Event = Broadcast | Entered | Digit | Left | Bypassed | Connected | Disconnected | Replaced

BYPASSED = "ari-agent-bypassed"
"""Name of the user event that is a `Bypassed`."""


def parse(text: str) -> Event | None:
    """Return the event, or None for one that means nothing to us. Raises AriError for what is no event at all."""
    try:
        data = json.loads(text)
        kind, channel = data["type"], data.get("channel") or {}
        match kind:
            case "CallBroadcast":
                return Broadcast(str(channel["id"]))
            case "StasisStart":
                number = (channel.get("caller") or {}).get("number") or ""
                return Entered(str(channel["id"]), tuple(map(str, data["args"])), str(number))
            case "ChannelDtmfReceived":
                return Digit(str(channel["id"]), str(data["digit"]))
            case "StasisEnd" | "ChannelDestroyed" | "ChannelHangupRequest":
                return Left(str(channel["id"]))
            case "ChannelUserevent" if data["eventname"] == BYPASSED:
                return Bypassed()
            case "ApplicationReplaced" if data.get("application"):
                return Replaced()
            case _:
                return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise AriError("Asterisk sent an event that cannot be read") from e


@contextmanager
def understood() -> Iterator[None]:
    """Let the block read an answer. Raises AriUnavailable when that has another form than Asterisk's answers."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise AriUnavailable("what answers is not Asterisk, or speaks another ARI; check ari_url") from e
