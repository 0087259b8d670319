"""On which addresses somebody listens, and where our service may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit

from ari_agent.calllog.database import EMBEDDED
from ari_agent.config import Settings
from ari_agent.ops.proof import unit
from ari_agent.ops.proof.fact import Fact, judged, stated, unknown
from ari_agent.ops.proof.listening import Address, listening
from ari_agent.ops.proof.scene import Scene, is_this_machine

_EGRESS = "Verbindungen des Dienstes nach außen (systemd)"
_LIMITS = "Übrige Beschränkungen des Dienstes (systemd)"
_NO_UNIT = "systemd sagt nichts über ari-agent.service"


async def facts(scene: Scene) -> AsyncIterator[Fact]:
    """Yield what is known of the network."""
    for fact in await asyncio.to_thread(_listening, scene.settings):
        yield fact
    found = await asyncio.to_thread(unit.properties)
    if found is None:
        yield unknown("unit.egress", _EGRESS, _NO_UNIT)
        yield unknown("unit.limits", _LIMITS, _NO_UNIT)
        return
    yield egress(found)
    loose = unit.loosened(found)
    yield judged(
        "unit.limits", _LIMITS, f"gelockert: {', '.join(loose)}" if loose else "wie ausgeliefert", met=not loose
    )


def egress(found: Mapping[str, str]) -> Fact:
    """Return where the service may go, by what systemd has in force."""
    ways = unit.ways_out(found)
    if ways is None:
        return judged("unit.egress", _EGRESS, "nicht beschränkt", met=False)
    if ways:
        return judged("unit.egress", _EGRESS, f"außer diesem Rechner erlaubt: {', '.join(ways)}", met=False)
    return judged("unit.egress", _EGRESS, "nur dieser Rechner", met=True)


def _listening(settings: Settings) -> list[Fact]:
    try:
        open_ports = listening()
    except OSError:
        return [unknown("listen", "Lauschende Adressen", "der Kern des Betriebssystems sagt es nicht")]
    asterisk, ari = settings.asterisk, urlsplit(settings.asterisk.ari_url)
    found = [
        _port("listen.agi", "Frage des Wählplans (FastAGI)", asterisk.agi_port, open_ports),
        _elsewhere("listen.ari", "Telefonanlage (ARI)", ari.hostname or "", ari.port or 80, open_ports),
        _elsewhere("listen.ami", "Telefonanlage (AMI)", asterisk.ami_host, asterisk.ami_port, open_ports),
    ]
    if settings.metrics.port:
        found.append(_port("listen.metrics", "Kennzahlen", settings.metrics.port, open_ports))
    if asterisk.audiosocket_port:
        found.append(_port("listen.audio", "Ton (AudioSocket)", asterisk.audiosocket_port, open_ports))
    if settings.log.database == EMBEDDED:
        found.append(stated("listen.database", "Datenbank", "die mitgelieferte wird ohne Netz gestartet"))
    return found


def _elsewhere(key: str, what: str, host: str, port: int, open_ports: Mapping[int, set[Address]]) -> Fact:
    if not is_this_machine(host):
        return unknown(key, what, "liegt laut Einstellungen auf einem anderen Rechner")
    return _port(key, what, port, open_ports)


def _port(key: str, what: str, port: int, open_ports: Mapping[int, set[Address]]) -> Fact:
    addresses = open_ports.get(port)
    if not addresses:
        return unknown(key, what, f"Port {port}: gerade lauscht niemand")
    told = ", ".join(sorted(map(str, addresses)))
    return judged(key, what, f"Port {port} auf {told}", met=all(address.is_loopback for address in addresses))
