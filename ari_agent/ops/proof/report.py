"""The whole proof: what is in force on this machine, in the order of deploy/compliance/tom.rst."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from ari_agent.config import Settings
from ari_agent.ops.proof import accounts, encryption, integrity, keeping, network, sound, standing, versions
from ari_agent.ops.proof.fact import Fact, Part, State
from ari_agent.ops.proof.scene import Digest, Scene

PARTS: dict[str, Callable[[Scene], AsyncIterator[Fact]]] = {
    "Fassungen": versions.facts,
    "Ton und Wortlaut": sound.facts,
    "Verschlüsselung": encryption.facts,
    "Netz": network.facts,
    "Konten und Rechte": accounts.facts,
    "Aufbewahrung und Rechte der Betroffenen": keeping.facts,
    "Unveränderbarkeit": integrity.facts,
    "Verfügbarkeit": standing.facts,
}
"""By section of the document, what looks at it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen at one moment."""

    company: str
    at: datetime
    parts: tuple[Part, ...]

    def count(self, state: State) -> int:
        """Return how many facts stand so."""
        return sum(fact.state is state for part in self.parts for fact in part.facts)


async def prove(settings: Settings, digest: Digest) -> Proof:
    """Look at everything once and change nothing; whatever cannot be seen is said to be so."""
    async with Scene.open(settings, digest) as scene:
        parts = [Part(title, [fact async for fact in look(scene)]) for title, look in PARTS.items()]
        return Proof(settings.company.name, scene.now, tuple(parts))
