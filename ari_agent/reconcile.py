"""Cleaning up after a controller that ended without doing so itself, and after a lost connection to Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack

import structlog

from ari_agent.pbx.ari import Ari, settle
from ari_agent.pbx.events import Digit, Entered, Left
from ari_agent.pbx.leg import PREFIX

log = structlog.get_logger(__name__)


async def reconcile(ari: Ari, context: str, extension: str) -> list[tuple[str, Sequence[str]]]:
    """Send callers that a predecessor left behind to the queue, and take its far legs and bridges away.

    Return the bridges in which two people talk, with their channels: they go on talking, `attend` them.
    """
    orphans = await ari.ours()
    talking: list[tuple[str, Sequence[str]]] = []
    for bridge in await ari.bridges():
        if bridge["name"] != ari.app:
            continue
        people = [channel for channel in bridge["channels"] if not _is_media(channel)]
        if len(people) > 1:
            orphans -= set(people)
            talking.append((str(bridge["id"]), people))
        else:
            await settle(ari.destroy_bridge(bridge["id"]))
    for channel in orphans:
        log.warning("a channel was left behind by a controller that ended")
        ours = channel.startswith(PREFIX)
        await settle(ari.hang_up(channel) if ours else ari.continue_in(channel, context, extension))
    return talking


async def rescue(ari: Ari, context: str, extension: str) -> None:
    """Send callers to the queue who came to us or were given up by us while the connection was lost.

    What of their calls could not be taken away meanwhile is taken away now; of calls that go on, the channels are
    watched and the bridges held.
    """
    callers = {channel for channel in await ari.ours() - ari.watched if not channel.startswith(PREFIX)}
    await settle(*(ari.continue_in(channel, context, extension) for channel in callers))
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


def _is_media(channel: str) -> bool:
    return channel.startswith(PREFIX) and not channel.startswith(f"{PREFIX}staff-")


async def _left(events: asyncio.Queue[Entered | Digit | Left]) -> None:
    while not isinstance(await events.get(), Left):
        pass
