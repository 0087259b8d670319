"""Which versions of program, notice, knowledge and models serve calls."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

from ari_agent import __version__
from ari_agent.calllog.schema import SHIPPED
from ari_agent.dialogue.script import Script
from ari_agent.errors import AgentError
from ari_agent.knowledge.nothing import NoKnowledge
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, day

_NOTICE = "Zuletzt gespielter KI-Hinweis"
_KNOWLEDGE = "Wissensstand"
_SCHEMA = "Schema der Datenbank"


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of versions."""
    yield stated("version.program", "Programm", f"ari-agent {__version__}")
    script = _script(scene)
    sha256 = hashlib.sha256(script.notice.encode()).hexdigest()
    yield stated("version.notice", "KI-Hinweis, erster Satz", f"„{script.notice}“ SHA-256 {sha256}")
    yield stated("version.greeting", "Danach", f"„{script.greeting}“")
    if script.may_keep is not None:
        asked = hashlib.sha256(script.consent.encode()).hexdigest()
        yield stated("version.consent", "Frage nach der Einwilligung", f"„{script.consent}“ SHA-256 {asked}")
    async for fact in _played(scene, sha256):
        yield fact
    yield await _knowledge(scene)
    yield await _model(scene, "version.recognition", "Spracherkennung", scene.settings.speech.vosk_model)
    yield stated("version.deciding", "Entscheidung", f"model.engine = {scene.settings.model.engine}")
    if scene.settings.model.engine != "search":
        yield await _model(scene, "version.encoder", "Encoder", scene.settings.model.encoder)
    if scene.settings.model.gguf is not None and scene.settings.model.engine in ("llama", "remote"):
        yield await _model(scene, "version.gguf", "Sprachmodell", scene.settings.model.gguf)
    yield await _schema(scene)


def _script(scene: Scene) -> Script:
    company, recording = scene.settings.company, scene.settings.recording
    return Script(
        company.name,
        NoKnowledge(),
        address=company.address,
        wording_stored=scene.settings.log.wording,
        may_keep=recording.scope,
        question=recording.question,
    )


async def _played(scene: Scene, sha256: str) -> AsyncIterator[Fact]:
    row = await scene.row("proof_notice")
    if row is None:
        yield unknown("notice.missing", "Gespräche ohne vorherigen KI-Hinweis", UNSEEN)
        yield unknown("notice.last", _NOTICE, UNSEEN)
        return
    missing = row["missing"]
    yield judged("notice.missing", "Gespräche ohne vorherigen KI-Hinweis", str(missing), met=not missing)
    if row["sha256"] is None:
        yield stated("notice.last", _NOTICE, "noch keiner")
    elif row["sha256"] == sha256:
        yield judged("notice.last", _NOTICE, "der Wortlaut oben", met=True)
    else:
        found = "ein anderer Wortlaut; nach einer Änderung ist das bis zum nächsten Anruf so"
        yield judged("notice.last", _NOTICE, found, met=False)


async def _knowledge(scene: Scene) -> Fact:
    row = await scene.row("proof_knowledge")
    if row is None:
        return unknown("version.knowledge", _KNOWLEDGE, UNSEEN)
    if not row:
        return stated("version.knowledge", _KNOWLEDGE, "noch nichts eingelesen; es gilt company.knowledge")
    found = f"Nr. {row['version']} vom {day(row['at'])}, {row['passages']} Textstellen, SHA-256 {row['sha256']}"
    return stated("version.knowledge", _KNOWLEDGE, found)


async def _model(scene: Scene, key: str, what: str, path: Path) -> Fact:
    try:
        return stated(key, what, f"{path.name}, SHA-256 {await asyncio.to_thread(scene.digest, path)}")
    except (AgentError, OSError):
        return unknown(key, what, f"{path.name} ist nicht lesbar")


async def _schema(scene: Scene) -> Fact:
    row = await scene.row("proof_schema")
    if row is None:
        return unknown("version.schema", _SCHEMA, UNSEEN)
    name = row.get("name", "keine Änderung angewandt")
    return judged("version.schema", _SCHEMA, name, met=name == SHIPPED[-1].name)
