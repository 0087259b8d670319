"""Whether calls and entries survive what fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ari_agent.ops.doctor import examine_spool, examine_watchdog
from ari_agent.ops.finding import Level
from ari_agent.ops.proof.fact import Fact, judged, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, ago

_PROOFS = {"backup": "Letzte gemeldete Sicherung", "restore_test": "Letzte gemeldete geprobte Rücksicherung"}


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of the watchdog, waiting entries and backups."""
    watched = await asyncio.to_thread(examine_watchdog, scene.settings.watchdog)
    runs = watched.level is Level.GOOD
    yield judged("watchdog", "Wächter (ari-agent watchdog)", "läuft" if runs else "läuft nicht", met=runs)
    worst = max(finding.level for finding in await asyncio.to_thread(examine_spool, scene.settings.log))
    waits = "ohne Befund" if worst is Level.GOOD else "mit Befund; ari-agent doctor nennt ihn"
    yield judged("spool", "Zwischenspeicher der Einträge", waits, met=worst is Level.GOOD)
    row = await scene.row("proof_backups")
    for key, what in _PROOFS.items():
        if not row:
            yield unknown(f"backup.{key}", what, UNSEEN)
        else:
            at = row[key]
            yield judged(f"backup.{key}", what, ago(at, scene.now) if at else "keine", met=at is not None)
