"""Whether the call log is as it was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from ari_agent.calllog.audit import Anchored, verify
from ari_agent.calllog.chain import ChainReader, Examined
from ari_agent.errors import AgentError, AnchorError
from ari_agent.ops.doctor import ANCHOR_HOURS
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, ago

COMPARED_WITHIN = timedelta(hours=26)
"""The timer runs every night."""
_CHAIN = "Hashkette der Ereignisse"
_SEALS = "Siegel der personenbezogenen Daten"
_ANCHORS = "Anker außerhalb der Datenbank"
_COMPARED = "Abgleich mit der Telefonanlage (CDR)"
_STAMPS = "Zeitstempel der Anker durch einen Dienst (RFC 3161)"


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of chain, seals and anchors; the whole chain is computed anew."""
    examined: Examined | None = None
    anchored, reason = None, UNSEEN
    try:
        report = await verify(scene.settings.log)
        examined, anchored = report.database, report.anchored
    except AnchorError:
        reason = "Anker, Zeitstempel oder ihre Schlüssel sind nicht lesbar (ari-agent audit verify)"
        examined = await _without_anchors(scene)
    except AgentError:
        pass  # told as unknown
    for fact in _chain(examined):
        yield fact
    yield _anchors(anchored, scene.now) if anchored is not None else unknown("anchor", _ANCHORS, reason)
    yield _stamps(scene, anchored, reason)
    yield await _compared(scene)


async def _without_anchors(scene: Scene) -> Examined | None:
    try:
        async with ChainReader.open(scene.settings.log) as reader:
            return await reader.examine()
    except AgentError:
        return None


def _chain(examined: Examined | None) -> list[Fact]:
    if examined is None:
        return [unknown("chain", _CHAIN, UNSEEN), unknown("seals", _SEALS, UNSEEN)]
    head, faults, broken = examined.head, examined.faults, examined.seal_faults
    span = f"Ereignisse {head.first} bis {head.number}, letzter Hash {head.hash}"
    chain = f"{span}; Fehler ab Nummer {faults[0].number}" if faults else f"{span}; neu berechnet, ohne Fehler"
    seals = f"{examined.sealed}, davon {examined.erased} nach Löschung ohne Salz; verändert: {len(broken)}"
    return [judged("chain", _CHAIN, chain, met=not faults), judged("seals", _SEALS, seals, met=not broken)]


def _anchors(anchored: Anchored, now: datetime) -> Fact:
    if anchored.newest is None:
        return judged("anchor", _ANCHORS, "keiner (ari-agent audit anchor)", met=False)
    at = datetime.fromisoformat(anchored.newest.at)
    found = f"letzter bei Nummer {anchored.newest.number}, {ago(at, now)}; bestätigt bis Nummer {anchored.holds_to}"
    fresh = (now - at).total_seconds() / 3600 <= ANCHOR_HOURS
    if anchored.faults:
        found += f"; {len(anchored.faults)} stimmen nicht mit der Datenbank überein (ari-agent audit verify)"
    return judged("anchor", _ANCHORS, found, met=fresh and not anchored.faults)


def _stamps(scene: Scene, anchored: Anchored | None, reason: str) -> Fact:
    if scene.settings.log.stamp_url is None:
        return stated("stamps", _STAMPS, "ausgeschaltet")
    if anchored is None:
        return unknown("stamps", _STAMPS, reason)
    if anchored.stamped_at is None:
        return judged("stamps", _STAMPS, "eingeschaltet, noch keiner", met=False)
    found = f"{anchored.stamped}, der neueste bei Nummer {anchored.stamped_to}, {ago(anchored.stamped_at, scene.now)}"
    return stated("stamps", _STAMPS, found)


async def _compared(scene: Scene) -> Fact:
    if scene.settings.cdr.source == "none":
        return judged("reconciliation", _COMPARED, "ausgeschaltet (cdr.source)", met=False)
    row = await scene.row("proof_reconciliation")
    if row is None:
        return unknown("reconciliation", _COMPARED, UNSEEN)
    if not row:
        return judged("reconciliation", _COMPARED, "noch keiner (ari-agent calllog reconcile)", met=False)
    open_ones = f"ungeklärt: {row['unexplained']}, unlesbare Zeilen: {row['broken']}"
    found = f"Nr. {row['number']} vom {ago(row['at'], scene.now)}, {row['calls']} Anrufe der Telefonanlage; {open_ones}"
    whole = not row["unexplained"] and not row["broken"]
    return judged("reconciliation", _COMPARED, found, met=whole and scene.now - row["at"] < COMPARED_WITHIN)
