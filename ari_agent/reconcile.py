"""Cleaning up after a controller that ended without doing so itself, and after a lost connection to Asterisk.

The controller does it at its start for its predecessor, the watchdog for one that is dead or hung.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import structlog

from ari_agent.pbx.ari import PREFIX, Ari, is_in_stasis, settle
from ari_agent.pbx.events import Digit, Entered, Left

log = structlog.get_logger(__name__)

FALLBACK = "fallback"
"""Extension of the dialplan context that takes callers to the queue, then to the mailbox."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What Asterisk holds of an application whose controller takes care of nothing any more."""

    callers: frozenset[str]
    """Channels of people who wait for us, in silence."""
    ours: frozenset[str]
    """Channels that end with us: media, and far legs of which nobody has taken the call."""
    bridges: frozenset[str]
    """Bridges in which nobody talks to anybody."""
    talking: Mapping[str, Sequence[str]]
    """Bridges in which two people talk, with their channels."""

    def __bool__(self) -> bool:
        """Whether there is anything to clear away."""
        return bool(self.callers or self.ours or self.bridges)

    def after_talking(self, people: Collection[str]) -> Leftovers:
        """Return the same, knowing who talked before: when one of two has hung up, the other's line is to be freed."""
        over = self.callers.intersection(people)
        return replace(self, callers=self.callers - over, ours=self.ours | over)


async def look(ari: Ari) -> Leftovers:
    """Return what is left of the client's application; changes nothing. Raises AriError."""
    bridges = [bridge for bridge in await ari.bridges() if bridge["name"] == ari.app]
    held = (await ari.held_channels()).union(*(bridge["channels"] for bridge in bridges))
    channels = await ari.channels()
    waiting = {channel["id"] for channel in channels if channel["id"] in held and is_in_stasis(channel)}
    # Legs that still ring and media that was never connected are in nobody's hands yet.
    made = {channel["id"] for channel in channels if _is_leg(ari, channel["id"])}
    talking = {}
    for bridge in bridges:
        people = [channel for channel in bridge["channels"] if not _is_media(channel)]
        if len(people) > 1:
            talking[bridge["id"]] = people
    left = (waiting | made).difference(*talking.values())
    ours = frozenset(channel for channel in left if channel.startswith(PREFIX))
    empty = frozenset(bridge["id"] for bridge in bridges if bridge["id"] not in talking)
    return Leftovers(frozenset(left - ours), ours, empty, talking)


async def clear(ari: Ari, context: str, found: Leftovers) -> None:
    """Send the callers to the queue and take the rest away; what is gone meanwhile is fine, what fails is logged."""
    await settle(
        *(ari.hang_up(channel) for channel in found.ours),  # first: it frees the phones that the queue will ring
        *(ari.continue_in(channel, context, FALLBACK) for channel in found.callers),
        *(ari.destroy_bridge(bridge) for bridge in found.bridges),
    )


async def reconcile(ari: Ari, context: str) -> Mapping[str, Sequence[str]]:
    """Clear away what a predecessor left behind, at once after the start. Raises AriError.

    Return the bridges in which two people talk, with their channels: they go on talking, `attend` them.
    """
    found = await look(ari)
    if found:
        log.warning("calls were left behind by a controller that ended", callers=len(found.callers))
    await clear(ari, context, found)
    return found.talking


async def rescue(ari: Ari, context: str) -> None:
    """Send callers to the queue who came to us or were given up by us while the connection was lost.

    What of their calls could not be taken away meanwhile is taken away now; of calls that go on, the channels are
    watched and the bridges held.
    """
    callers = {channel for channel in await ari.ours() - ari.watched if not channel.startswith(PREFIX)}
    await settle(*(ari.continue_in(channel, context, FALLBACK) for channel in callers))
    for bridge in await ari.bridges():
        channels = set(bridge["channels"])
        if bridge["name"] == ari.app and bridge["id"] not in ari.held and not channels & ari.watched:
            ours = (ari.hang_up(channel) for channel in channels if channel.startswith(PREFIX))
            await settle(*ours, ari.destroy_bridge(bridge["id"]))


async def attend(ari: Ari, bridge: str, people: Sequence[str]) -> None:
    """Wait until one of two talking people hangs up, then free the other one's line."""
    with ExitStack() as watches:
        leaving = {asyncio.create_task(_left(watches.enter_context(ari.watch(channel)))) for channel in people}
        try:
            await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in leaving:
                task.cancel()
        await settle(*(ari.hang_up(channel) for channel in people), ari.destroy_bridge(bridge))


def _is_leg(ari: Ari, channel: str) -> bool:
    """Whether the channel is one that the application has made; the far halves of Local channels end with them."""
    begins = (ari.id_prefix("staff"), ari.id_prefix("media"))
    return channel.startswith(begins) and not channel.endswith(";2")


def _is_media(channel: str) -> bool:
    return channel.startswith(PREFIX) and not channel.startswith(f"{PREFIX}staff-")


async def _left(events: asyncio.Queue[Entered | Digit | Left]) -> None:
    while not isinstance(await events.get(), Left):
        pass
