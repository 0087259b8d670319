"""Puts the chain in the database and the anchors outside it together: the whole examination, and a new anchor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.chain import ChainReader, Examined, Fault, Head
from ari_agent.config import Log
from ari_agent.errors import StampError
from ari_agent.keeping import LEAST_EVENT_DAYS

LEAST = timedelta(days=LEAST_EVENT_DAYS)
"""An anchor up to which events were forgotten is at least so much older; 0017_forgetting.sql says the same."""


@dataclass(slots=True)
class Anchored:
    """What the anchors say of the chain."""

    examined: int = 0
    """Anchors of events that should be there."""
    forgotten: int = 0
    """Anchors of events that have been forgotten after their time."""
    newest: Anchor | None = None
    holds_to: int | None = None
    """Number of the newest event whose hash an anchor confirms."""
    stamped: int = 0
    """Anchors whose time stamp is right."""
    stamped_to: int | None = None
    """Number of the newest event that an authority has seen, and `stamped_at` when."""
    stamped_at: datetime | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole examination."""

    database: Examined
    anchored: Anchored

    @property
    def holds(self) -> bool:
        """Whether everything is as it was written, as far as it can be known."""
        return not (self.database.faults or self.database.seal_faults or self.anchored.faults)


async def verify(settings: Log) -> Report:
    """Examine chain, seals and anchors. Raises CallLogError or AnchorError."""
    kept = await asyncio.to_thread(anchors.kept, settings.anchors)  # first: none can be newer than what is examined
    async with ChainReader.open(settings) as reader:
        database = await reader.examine()
        if not kept and database.head.first == 1:
            return Report(database, Anchored())
        is_signed = await asyncio.to_thread(_signature, settings)
        anchored = await _anchored(kept, is_signed, reader, database.head)
        anchored.faults += await _beginning(kept, is_signed, reader, database.head)
        await asyncio.to_thread(_stamps, kept, settings, anchored)
        return Report(database, anchored)


@dataclass(frozen=True, slots=True)
class Made:
    """A new anchor."""

    anchor: Anchor
    announced: bool
    """Whether journald or syslogd took it."""
    stamped: int
    """How many of the newest anchors got a time stamp."""
    trouble: str | None
    """Why not all of them did; the anchor itself is kept, and the next run tries again."""


async def anchor(settings: Log) -> Made:
    """Sign and keep number and hash of the newest event, then get it a time stamp if the settings name an authority.

    Raises CallLogError or AnchorError.
    """
    from ari_agent.calllog import signing

    key = await asyncio.to_thread(signing.private_key, settings.anchor_key)
    async with ChainReader.open(settings) as reader:
        head = await reader.head()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        made = signing.sign(Anchor(str(head.chain), head.number, head.hash, now), key)
        await asyncio.to_thread(anchors.keep, made, settings.anchors)
        announced = await asyncio.to_thread(anchors.announce, made)
        await reader.keep(made)
    return Made(made, announced, *await _stamped(settings))


async def _stamped(settings: Log) -> tuple[int, str | None]:
    if settings.stamp_url is None:
        return 0, None
    from ari_agent.calllog import stamping

    kept = await asyncio.to_thread(anchors.kept, settings.anchors)
    try:
        return await stamping.stamp(kept, settings), None
    except StampError as e:
        return 0, str(e)


def _signature(settings: Log) -> Callable[[Anchor], bool]:
    """Return what examines a signature; only an audit loads it."""
    from ari_agent.calllog import signing

    key = signing.public_key(settings.anchor_key)
    return lambda one: signing.is_signed(one, key)


async def _anchored(
    kept: list[Anchor], is_signed: Callable[[Anchor], bool], reader: ChainReader, head: Head
) -> Anchored:
    found = Anchored(newest=kept[-1] if kept else None)
    for one in kept:
        if not is_signed(one):
            found.faults.append(Fault(one.number, "Anker: die Unterschrift ist nicht die unseres Schlüssels"))
        elif one.chain != str(head.chain):
            found.faults.append(Fault(one.number, f"Anker vom {one.at} gehört zu einer anderen Kette"))
        elif one.number < head.first - 1:
            found.forgotten += 1
        else:
            await _compare(found, one, reader, head)
    return found


def _stamps(kept: list[Anchor], settings: Log, found: Anchored) -> None:
    """Examine the time stamps that there are, if it is known who vouches for them. Raises StampError."""
    if settings.stamp_ca is None or not settings.stamps.is_dir():
        return
    from ari_agent.calllog import stamping

    roots, others = stamping.certificates(settings.stamp_ca)
    for one in kept:
        path = anchors.stamp_path(one, settings.stamps)
        if not path.exists():
            continue
        try:
            at = stamping.stamped_at(one, path, roots, others)
        except StampError:
            found.faults.append(Fault(one.number, f"der Zeitstempel des Ankers vom {one.at} ist nicht echt"))
        else:
            found.stamped += 1
            found.stamped_to, found.stamped_at = one.number, at


async def _beginning(
    kept: list[Anchor], is_signed: Callable[[Anchor], bool], reader: ChainReader, head: Head
) -> list[Fault]:
    """Return what is wrong when older events are missing and no anchor of ours stands for them."""
    if head.first == 1:
        return []
    wanted, at = (str(head.chain), head.first - 1, head.before), await reader.forgotten_at(head.first - 1)
    for one in [*kept, *await reader.anchors_at(head.first - 1)]:
        stands_for_it = (one.chain, one.number, one.hash) == wanted and is_signed(one)
        if stands_for_it and at is not None and at - datetime.fromisoformat(one.at) >= LEAST:
            return []
    text = f"davor fehlen {head.first - 1} Ereignisse, und kein Anker sagt, dass ihre Frist vorbei war"
    return [Fault(head.first, text)]


async def _compare(found: Anchored, one: Anchor, reader: ChainReader, head: Head) -> None:
    found.examined += 1
    hash_now = head.before if one.number == head.first - 1 else await reader.hash_at(one.number)
    if hash_now == one.hash:
        found.holds_to = max(found.holds_to or 0, one.number)
    elif one.number > head.number:
        missing = one.number - head.number
        text = f"das Ende fehlt, {missing} Ereignisse: Anker vom {one.at} bei Nummer {one.number}"
        found.faults.append(Fault(head.number + 1, text))
    else:
        since = head.first if found.holds_to is None else found.holds_to + 1
        text = f"von hier bis Nummer {one.number} verändert und neu berechnet: Anker vom {one.at}"
        found.faults.append(Fault(since, text))
