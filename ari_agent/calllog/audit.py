"""Puts the chain in the database and the anchors outside it together: the whole examination, and a new anchor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog.anchor import Anchor
from ari_agent.calllog.chain import ChainReader, Examined, Fault, Head
from ari_agent.config import Log


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
    is_signed = await asyncio.to_thread(_signature, settings) if kept else None
    async with ChainReader.open(settings) as reader:
        database = await reader.examine()
        anchored = await _anchored(kept, is_signed, reader, database.head) if is_signed else Anchored()
        return Report(database, anchored)


async def anchor(settings: Log) -> tuple[Anchor, bool]:
    """Sign and keep number and hash of the newest event; also return whether journald or syslogd took it.

    Raises CallLogError or AnchorError.
    """
    from ari_agent.calllog import signing

    key = await asyncio.to_thread(signing.private_key, settings.anchor_key)
    async with ChainReader.open(settings) as reader:
        head = await reader.head()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = signing.sign(Anchor(str(head.chain), head.number, head.hash, now), key)
    await asyncio.to_thread(anchors.keep, made, settings.anchors)
    return made, await asyncio.to_thread(anchors.announce, made)


def _signature(settings: Log) -> Callable[[Anchor], bool]:
    """Return what examines a signature; its package is loaded here, because only an audit needs it."""
    from ari_agent.calllog import signing

    key = signing.public_key(settings.anchor_key)
    return lambda one: signing.is_signed(one, key)


async def _anchored(
    kept: list[Anchor], is_signed: Callable[[Anchor], bool], reader: ChainReader, head: Head
) -> Anchored:
    found = Anchored(newest=kept[-1])
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
