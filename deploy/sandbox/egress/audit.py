"""Reads what strace saw: to which addresses a family of processes connected or sent.

With `-s 0` strace writes no data, so that nothing of a call is in its file, and what is read here is never a caller's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

CALLS = ("connect", "sendto", "sendmsg", "sendmmsg", "io_uring_setup")
"""The system calls that can name an address; with the last one a process can send what strace does not see."""
DNS_PORTS = frozenset({53, 853, 5353, 5355})
"""A resolver on the loopback would ask others in our name."""
RESOLVER = re.compile(r"/(resolve|avahi-daemon|nss)[^/]*/|mDNSResponder")
"""Sockets in the file system behind which a resolver is. That of nscd is asked for accounts too, and answers hosts from
the network: it counts as one only when it is there, which `connect` tells by succeeding."""

_CALL = re.compile(rf"\b({'|'.join(CALLS)})\((.*)")
_ADDRESS = re.compile(r"sa_family=AF_(\w+)([^}]*)\}")
_IP = re.compile(r'inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"')
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_LOCAL_FAMILIES = frozenset({"NETLINK", "UNSPEC"})
"""The kernel itself, and the end of a connection."""


def command(trace: Path) -> Sequence[str]:
    """Return what to put before a command so that it and all its descendants are audited into a file.

    The command stays the child of whoever starts it: strace is a grandchild (-D).
    """
    return ["strace", "-D", "-f", "--seccomp-bpf", "-q", "-s", "0", "-e", f"trace={','.join(CALLS)}", "-o", str(trace)]


def outside(lines: Iterable[str]) -> list[str]:
    """Return every address that is not this machine's own loopback, and every question to a resolver, once each."""
    found: dict[str, None] = {}
    for line in lines:
        if (call := _CALL.search(line)) is None:
            continue
        if call[1] == "io_uring_setup":
            found["io_uring: what is sent by it cannot be audited"] = None
        for address in _ADDRESS.finditer(call[2]):
            if complaint := _complaint(address[1], address[2], call[2]):
                found[complaint] = None
    return list(found)


def connections(lines: Iterable[str]) -> int:
    """Return how many connections to the loopback were made, which proves that the audit sees any."""
    return sum("connect(" in line and "sa_family=AF_INET" in line and not outside([line]) for line in lines)


def _complaint(family: str, rest: str, call: str) -> str | None:
    match family:
        case "INET" | "INET6":
            ip, port = _IP.search(rest), _PORT.search(rest)
            if ip is None or port is None:
                return f"unreadable address of family {family}"
            if not _is_loopback(ip[1]):
                return f"{ip[1]} port {port[1]}"
            return f"resolver on {ip[1]} port {port[1]}" if int(port[1]) in DNS_PORTS else None
        case "UNIX":
            asked = RESOLVER.search(rest) or ("nscd" in rest and ") = 0" in call)
            return "resolver behind a socket of the file system" if asked else None
        case _ if family in _LOCAL_FAMILIES:
            return None
        case _:
            return f"address of family {family}"


def _is_loopback(text: str) -> bool:
    ip = ipaddress.ip_address(text.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
