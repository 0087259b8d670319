"""Whether what is too old is gone, and requests of data subjects are answered in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from ari_agent.errors import AgentError
from ari_agent.ops.finding import Level
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, ago
from ari_agent.ops.retention import UNWRITTEN, examine_compaction, examine_files

RUNS_WITHIN = timedelta(hours=26)
"""The timer runs four times a day; once a day is the least."""
KINDS = {
    "Wortlaut eines Gesprächsschritts": "wording",
    "Notiz zum Anruf": "note",
    "erledigter Rückruf, erledigte Nachricht": "task",
    "unerledigter Rückruf, unerledigte Nachricht": "open-task",
    "Rufnummer des Anrufers": "caller-number",
    "Anruf mit seinen Gesprächsschritten": "call",
    "Anfrage einer betroffenen Person": "request",
    "Ereignis der Kette, ohne personenbezogene Daten": "event",
    "Tonaufzeichnung": "audio",
    "Mitschrift": "transcript",
}
"""Kinds of data by what an auditor's account sees of them."""
_LAST_RUN = "Letzter Löschlauf"
_REWRITTEN = "Gelöschtes in den Dateien der Datenbank"
_REQUESTS = "Überfällige Anfragen betroffener Personen"


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of retention."""
    async for fact in _periods(scene):
        yield fact
    row = await scene.row("proof_counts")
    if not row:
        yield unknown("retention.run", _LAST_RUN, UNSEEN)
        yield unknown("requests.late", _REQUESTS, UNSEEN)
    else:
        last = row["last_run"]
        recent = last is not None and scene.now - last < RUNS_WITHIN
        yield judged("retention.run", _LAST_RUN, ago(last, scene.now) if last else "noch keiner", met=recent)
        late = row["late_requests"]
        yield judged("requests.late", _REQUESTS, str(late), met=not late)
    yield await _rewritten(scene)
    for fact in await asyncio.to_thread(_asterisk, scene):
        yield fact


async def _periods(scene: Scene) -> AsyncIterator[Fact]:
    rules = await scene.rows("proof_retention")
    if rules is None:
        yield unknown("retention.rules", "Fristen in der Datenbank", UNSEEN)
        return
    periods = scene.settings.retention.periods()
    for rule in rules:
        kind = KINDS[rule["label"]]
        found = f"{rule['days']} Tage, Beginn: {rule['starts']}; überfällig: {rule['overdue']}"
        met = periods[kind] == rule["days"] and not rule["overdue"]
        if periods[kind] != rule["days"]:
            found += f"; eingestellt sind {periods[kind]} Tage, sie gelten ab dem nächsten Löschlauf"
        yield judged(f"retention.{kind}", f"Frist: {rule['label']}", found, met=met)


async def _rewritten(scene: Scene) -> Fact:
    if scene.connection is None:
        return unknown("retention.rewritten", _REWRITTEN, UNSEEN)
    try:
        finding = await examine_compaction(scene.settings, scene.connection)
    except AgentError:
        return unknown("retention.rewritten", _REWRITTEN, UNSEEN)
    gone = finding.level is Level.GOOD
    hours = f"{UNWRITTEN.total_seconds() / 3600:.0f} Stunden"
    found = f"keines, das älter als {hours} ist" if gone else f"älter als {hours} (ari-agent calllog compact)"
    return judged("retention.rewritten", _REWRITTEN, found, met=gone)


def _asterisk(scene: Scene) -> list[Fact]:
    kept = scene.settings.retention
    deletes = "werden gelöscht" if kept.asterisk_files == "delete" else "werden nur gemeldet"
    periods = f"Mailbox {kept.voicemail_days}, CDR {kept.cdr_days}, Protokolle {kept.asterisk_log_days} Tage"
    facts = [stated("retention.asterisk", "Alte Dateien der Telefonanlage", f"{deletes}; {periods}")]
    what = "Dateien der Telefonanlage über ihrer Frist"
    if not (kept.asterisk_logs.is_dir() and kept.asterisk_spool.is_dir()):
        return [*facts, unknown("retention.files", what, "ihre Ordner sind nicht zu sehen")]
    old = [finding for finding in examine_files(scene.settings) if finding.level is not Level.GOOD]
    found = "es gibt sie, oder nicht alles ist lesbar; ari-agent doctor nennt sie" if old else "keine"
    return [*facts, judged("retention.files", what, found, met=not old)]
