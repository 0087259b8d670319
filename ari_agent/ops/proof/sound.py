"""Whether sound or words stay anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ari_agent.ops.finding import Level
from ari_agent.ops.proof import disk
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene
from ari_agent.ops.recording import examine_recording
from ari_agent.record import Scope
from ari_agent.traces.files import AsteriskFiles

_SWAP = "Auslagerung des Arbeitsspeichers"
_CONSENT = "Aufzeichnungen ohne Einwilligung oder trotz Widerruf"
_KEPT_NOW = "Aufbewahrte Aufzeichnungen und Mitschriften"
_RECORDINGS = "Aufnahmen der Telefonanlage"
_KEPT: dict[Scope, str] = {
    "audio": "recording.enabled", "transcript": "recording.transcript",
    "audio+transcript": "recording.enabled, recording.transcript",
}  # fmt: skip


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of sound and words."""
    scope = scene.settings.recording.scope
    kept = f"wird nach Einwilligung verschlüsselt aufbewahrt ({_KEPT[scope]})" if scope else "wird nicht aufgezeichnet"
    yield stated("sound.stored", "Ton der Gespräche", kept)
    wording = scene.settings.log.wording
    found = "wird gespeichert (log.wording)" if wording else "wird nicht gespeichert (log.wording)"
    yield judged("wording.setting", "Wortlaut der Gespräche", found, met=not wording)
    row = await scene.row("proof_wording")
    if row is None:
        yield unknown("wording.calls", "Anrufe mit gespeichertem Wortlaut", UNSEEN)
    else:
        yield judged("wording.calls", "Anrufe mit gespeichertem Wortlaut", str(row["calls"]), met=not row["calls"])
    async for fact in _consents(scene):
        yield fact
    yield await asyncio.to_thread(_keys, scene)
    yield await asyncio.to_thread(_recordings, scene)
    yield await asyncio.to_thread(_swap)


async def _consents(scene: Scene) -> AsyncIterator[Fact]:
    row = await scene.row("proof_recordings")
    if row is None:
        yield unknown("consent.missing", _CONSENT, UNSEEN)
        yield unknown("recording.kept", _KEPT_NOW, UNSEEN)
        return
    yield judged("consent.missing", _CONSENT, str(row["missing"]), met=not row["missing"])
    yield stated("recording.kept", _KEPT_NOW, str(row["kept"]))


def _keys(scene: Scene) -> Fact:
    key, what = "recording.keys", "Schlüssel der Aufzeichnungen"
    findings = [finding for finding in examine_recording(scene.settings) if finding.what == "recording"]
    safe = all(finding.level is Level.GOOD for finding in findings)
    if safe and scene.settings.recording.scope is None and not scene.settings.recording.folder.exists():
        return stated(key, what, "keine nötig")
    return judged(key, what, "nur für das Dienstkonto" if safe else "mit Befund; ari-agent doctor nennt ihn", met=safe)


def _recordings(scene: Scene) -> Fact:
    kept = scene.settings.retention
    if not kept.asterisk_spool.is_dir():
        return unknown("sound.pbx", _RECORDINGS, f"{kept.asterisk_spool} ist nicht zu sehen")
    try:
        count = sum(1 for _ in AsteriskFiles(kept.asterisk_logs, kept.asterisk_spool).recordings())
    except OSError:
        return unknown("sound.pbx", _RECORDINGS, f"{kept.asterisk_spool} ist nicht lesbar")
    where = f"in {kept.asterisk_spool / 'monitor'}; andere Orte und der Wählplan wurden nicht geprüft"
    return judged("sound.pbx", _RECORDINGS, f"{count} Dateien {where}", met=not count)


def _swap() -> Fact:
    try:
        found = disk.swaps()
    except OSError:
        return unknown("sound.swap", _SWAP, "der Kern des Betriebssystems sagt es nicht")
    if None in found:
        return unknown("sound.swap", _SWAP, "eingeschaltet; ob verschlüsselt, ist nicht zu sehen")
    if not found:
        return judged("sound.swap", _SWAP, "ausgeschaltet", met=True)
    sealed = all(found)
    return judged("sound.swap", _SWAP, "verschlüsselt" if sealed else "eingeschaltet, nicht verschlüsselt", met=sealed)
