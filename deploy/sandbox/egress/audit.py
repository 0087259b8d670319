"""Reads what strace saw: to which addresses a family of processes connected or sent, and which files it wrote.

With `-s 0` strace writes no data, so that nothing of a call is in its file, and what is read here is never a caller's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

CALLS = ("connect", "sendto", "sendmsg", "sendmmsg", "io_uring_setup")
"""The system calls that can name an address; with the last one a process can send what strace does not see."""
WRITES = ("open", "openat", "openat2", "creat", "memfd_create")
"""The system calls with which a file can be opened to be written; the last one makes one in memory."""
DNS_PORTS = frozenset({53, 853, 5353, 5355})
"""A resolver on the loopback would ask others in our name."""
RESOLVER = re.compile(r"/(resolve|avahi-daemon|nss)[^/]*/|mDNSResponder")
"""Sockets in the file system behind which a resolver is. That of nscd is asked for accounts too, and answers hosts from
the network: it counts as one only when it is there, which `connect` tells by succeeding."""

_OPENED = re.compile(rf'\b({"|".join(WRITES[:-1])})\((?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"(.*)')
_TO_WRITE = re.compile(r"\bO_(WRONLY|RDWR|CREAT|TMPFILE)\b")
_COMPILED = re.compile(r"/__pycache__/[^/]+\.pyc(\.\d+)?$")
"""What Python keeps of its own programs."""

_MADE_IN_MEMORY = re.compile(r"\bmemfd_create\b.* = \d+</memfd:([^ >]*)")
"""Told when the call returns."""
_NO_SOUND = frozenset({"libffi", "pulseaudio"})
"""The few instructions of ctypes' callbacks, and a pool that espeak-ng makes for a sound card it never uses."""

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
    seen = ",".join((*CALLS, *WRITES))
    # -y: with the folder that a path begins in.
    return ["strace", "-D", "-f", "--seccomp-bpf", "-q", "-y", "-s", "0", "-e", f"trace={seen}", "-o", str(trace)]


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


def written(lines: Iterable[str], ours: Sequence[Path]) -> list[str]:
    """Return every file that was opened to be written and lies in none of our folders, once each.

    Devices, what the kernel shows as files, and what Python keeps of its own programs are none.
    """
    found: dict[str, None] = {}
    for line in lines:
        if (made := _MADE_IN_MEMORY.search(line)) and made[1] not in _NO_SOUND:
            found[f"in memory: {made[1]}"] = None
        if (call := _OPENED.search(line)) is None or ") = -1" in line:
            continue
        name, folder, path, rest = call.groups()
        if name == "creat" or _TO_WRITE.search(rest):
            path = str(Path(folder or "/") / path)
            if not (_COMPILED.search(path) or _is_within(path, (*ours, Path("/dev"), Path("/proc")))):
                found[path] = None
    return list(found)


def _is_within(path: str, folders: Iterable[Path]) -> bool:
    """Tell whether a path is one of these or in one of them, or is a file that shall take the place of one."""
    return any(Path(path).is_relative_to(folder) or path.startswith(f"{folder}.") for folder in folders)


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
