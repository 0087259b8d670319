"""What is encrypted, at rest and on the way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from ari_agent.calllog.database import EMBEDDED
from ari_agent.errors import AgentError
from ari_agent.ops.finding import Level
from ari_agent.ops.numbers import examine_numbers
from ari_agent.ops.proof import disk
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.scene import UNSEEN, Scene, is_this_machine

_DATABASE = "Verbindung zur Datenbank"


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of encryption."""
    log = scene.settings.log
    if log.database == EMBEDDED:
        yield await asyncio.to_thread(_disk, "disk.database", "Datenträger der Datenbank", log.data)
    else:
        reason = "die Datenbank wird nicht von diesem Programm betrieben"
        yield unknown("disk.database", "Datenträger der Datenbank", reason)
    yield await asyncio.to_thread(_disk, "disk.spool", "Datenträger des Zwischenspeichers", log.spool)
    yield await _numbers(scene)
    yield await _keys(scene)
    yield await _database(scene)
    asterisk = scene.settings.asterisk
    yield _way("tls.ari", "Verbindung zur Telefonanlage (ARI)", asterisk.ari_url)
    yield _way("tls.ami", "Verbindung zur Telefonanlage (AMI)", f"tcp://{asterisk.ami_host}")
    if scene.settings.model.engine == "remote" and scene.settings.model.url:
        yield _way("tls.model", "Verbindung zum Modellserver", scene.settings.model.url)
    yield unknown("tls.trunk", "Anschluss der Telefonanlage (TLS, SRTP)", "das weiß nur die Telefonanlage")
    yield await asyncio.to_thread(_secrets, scene)


def _disk(key: str, what: str, folder: Path) -> Fact:
    try:
        found = disk.is_encrypted(folder)
    except OSError:
        found = None
    if found is None:
        return unknown(key, what, "der Kern des Betriebssystems nennt kein Gerät dazu")
    no = "nicht mit LUKS verschlüsselt; was Laufwerk oder Wirt verschlüsseln, ist von hier nicht zu sehen"
    return judged(key, what, "verschlüsselt (dm-crypt, LUKS)" if found else no, met=found)


async def _keys(scene: Scene) -> Fact:
    key, what, path = "numbers.keys", "Schlüssel der Rufnummern (log.number_key)", scene.settings.log.number_key
    if scene.connection is None:
        return unknown(key, what, UNSEEN)
    if path.parent.is_dir() and path.exists() and not os.access(path, os.R_OK):
        return unknown(key, what, "die Datei ist für dieses Konto nicht lesbar")
    try:
        finding = await examine_numbers(scene.settings.log, scene.connection)
    except AgentError:
        return unknown(key, what, UNSEEN)
    there = finding.level is not Level.ERROR
    found = "vorhanden oder noch nicht gebraucht" if there else "fehlen oder sind nicht brauchbar (ari-agent doctor)"
    return judged(key, what, found, met=there)


async def _numbers(scene: Scene) -> Fact:
    key, what = "numbers.sealed", "Rufnummern der Anrufer in der Datenbank"
    row = await scene.row("proof_numbers")
    if not row:
        return unknown(key, what, UNSEEN)
    if row["waiting"]:
        return judged(key, what, f"{row['waiting']} sind noch unverschlüsselt: ari-agent calllog migrate", met=False)
    return judged(key, what, f"verschlüsselt, Schlüssel {row['key'] or 'noch keiner'}", met=True)


async def _database(scene: Scene) -> Fact:
    if scene.settings.log.database == EMBEDDED:
        return judged("tls.database", _DATABASE, "auf diesem Rechner, ohne Netz (Unix-Socket)", met=True)
    row = await scene.row("proof_connection")
    if not row:
        return unknown("tls.database", _DATABASE, UNSEEN)
    if row["tls"]:
        return judged("tls.database", _DATABASE, f"verschlüsselt ({row['protocol']})", met=True)
    here = row["server"] is None or row["server"].is_loopback
    found = "auf diesem Rechner, unverschlüsselt" if here else "über das Netz, unverschlüsselt"
    return judged("tls.database", _DATABASE, found, met=here)


def _way(key: str, what: str, url: str) -> Fact:
    parts = urlsplit(url)
    if is_this_machine(parts.hostname or ""):
        return judged(key, what, "auf diesem Rechner", met=True)
    sealed = parts.scheme == "https"
    found = "über das Netz, mit TLS" if sealed else "über das Netz, unverschlüsselt"
    return judged(key, what, found, met=sealed)


def _secrets(scene: Scene) -> Fact:
    key, what = "secrets.files", "Dateien mit Kennwörtern und Schlüsseln"
    settings = scene.settings
    named = {
        "asterisk.ari_password_file": settings.asterisk.ari_password_file,
        "asterisk.ami_password_file": settings.asterisk.ami_password_file,
        "log.password_file": settings.log.password_file,
        "log.anchor_key": settings.log.anchor_key,
        "log.number_key": settings.log.number_key,
        "model.key_file": settings.model.key_file,
    }
    try:
        modes = {name: path.stat().st_mode for name, path in named.items() if path is not None and path.exists()}
    except OSError:
        return unknown(key, what, "nicht alle sind zu sehen")
    if open_to_all := [name for name, mode in modes.items() if mode & 0o007]:
        return judged(key, what, f"für jedes Konto zugänglich: {', '.join(open_to_all)}", met=False)
    if not modes:
        return stated(key, what, "keine")
    return judged(key, what, f"für fremde Konten nicht zugänglich: {', '.join(modes)}", met=True)
