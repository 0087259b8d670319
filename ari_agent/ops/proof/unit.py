"""The limits that systemd really sets our service, drop-ins included."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from ipaddress import ip_network

SERVICE = "ari-agent.service"
LIMITS = {
    "LimitCORE": "0",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectProc": "invisible",
    "CapabilityBoundingSet": "",
    "RestrictNamespaces": "yes",
    "UMask": "0027",
}
"""Lines of the unit whose values systemd tells as they are written."""
_SHOW_S = 10.0
_EVERYWHERE = {"::/0", "0.0.0.0/0"}


def properties(service: str = SERVICE) -> dict[str, str] | None:
    """Return what systemd has in force for a service; None without systemd, or when it does not know the service."""
    names = ",".join(("LoadState", "IPAddressDeny", "IPAddressAllow", *LIMITS))
    command = ["systemctl", "show", service, f"--property={names}"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=_SHOW_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parse(told)


def parse(told: str) -> dict[str, str] | None:
    """Return the values of lines such as "LimitCORE=0"; None for the defaults of a service that is not there."""
    found = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    return found if found.get("LoadState") == "loaded" else None


def ways_out(found: Mapping[str, str]) -> list[str] | None:
    """Return the networks beyond this machine that the service may talk to; None when nothing limits it."""
    if not set(found.get("IPAddressDeny", "").split()) >= _EVERYWHERE:
        return None
    allowed = found.get("IPAddressAllow", "").split()
    return [network for network in allowed if not ip_network(network, strict=False).is_loopback]


def loosened(found: Mapping[str, str]) -> list[str]:
    """Return the names of limits that are not as the unit of this release sets them."""
    return [name for name, value in LIMITS.items() if found.get(name) != value]
