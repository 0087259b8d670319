"""On which addresses of this machine somebody listens, as Linux tells every account.

The format is https://docs.kernel.org/networking/proc_net_tcp.html: hexadecimal, each four bytes in the machine's order.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

NET = Path("/proc/net")
_LISTENS = "0A"

Address = IPv4Address | IPv6Address


def listening(net: Path = NET) -> dict[int, set[Address]]:
    """Return by TCP port the addresses that somebody listens on. Raises OSError."""
    found: dict[int, set[Address]] = defaultdict(set)
    for table in (net / "tcp", net / "tcp6"):
        if not table.exists():  # a kernel without IPv6
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == _LISTENS:
                address, port = local.split(":")
                found[int(port, 16)].add(_address(bytes.fromhex(address)))
    return dict(found)


def _address(raw: bytes) -> Address:
    step = 4
    words = [raw[i : i + step] for i in range(0, len(raw), step)]
    address = ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    return getattr(address, "ipv4_mapped", None) or address
