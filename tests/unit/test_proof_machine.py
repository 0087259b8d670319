"""What the proof of measures sees of the machine: disks, ports, the unit's limits; and that it claims no more."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ari_agent.ops.proof import disk, unit
from ari_agent.ops.proof.fact import State
from ari_agent.ops.proof.listening import listening
from ari_agent.ops.proof.network import egress

SHOWN = """\
UMask=0027
LimitCORE=0
IPAddressAllow=::1/128 127.0.0.0/8
IPAddressDeny=::/0 0.0.0.0/0
CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectHome=yes
ProtectSystem=strict
NoNewPrivileges=yes
RestrictNamespaces=yes
ProtectProc=invisible
LoadState=loaded
"""
"""What systemctl shows of the unit of this release."""


def device(sys: Path, name: str, uuid: str = "", on: tuple[str, ...] = ()) -> Path:
    """Make a block device as the kernel tells of it."""
    folder = sys / "devices" / name
    (folder / "slaves").mkdir(parents=True)
    if uuid:
        (folder / "dm").mkdir()
        (folder / "dm" / "uuid").write_text(uuid)
    for other in on:
        (folder / "slaves" / other).symlink_to(sys / "devices" / other)
    return folder


def mounted(sys: Path, folder: Path, on: Path) -> None:
    """Let the kernel tell that a folder lies on a device."""
    number = folder.stat().st_dev
    (sys / "dev" / "block").mkdir(parents=True)
    (sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(on)


LUKS = "CRYPT-LUKS2-0123456789abcdef-root"


@pytest.mark.parametrize(
    ("stack", "encrypted"),
    [
        ([("vda", "", ())], False),
        ([("vda", "", ()), ("dm-0", LUKS, ("vda",))], True),
        ([("vda", "", ()), ("dm-0", LUKS, ("vda",)), ("dm-1", "LVM-abc", ("dm-0",))], True),
        ([("vda", "", ()), ("vdb", "", ()), ("dm-0", LUKS, ("vda",)), ("md0", "", ("dm-0", "vdb"))], False),
        ([("vda", "", ()), ("dm-0", "LVM-abc", ("vda",))], False),
    ],
    ids=["plain", "LUKS", "LVM on LUKS", "RAID of which one half is plain", "LVM"],
)
def test_encryption_is_found_wherever_it_lies_below(
    tmp_path: Path, stack: list[tuple[str, str, tuple[str, ...]]], encrypted: bool
) -> None:
    made = [device(tmp_path, *each) for each in stack]
    if not os.major(tmp_path.stat().st_dev):
        assert disk.is_encrypted(tmp_path, tmp_path) is None
        return
    mounted(tmp_path, tmp_path, made[-1])
    assert disk.is_encrypted(tmp_path / "not" / "there", tmp_path) is encrypted


def test_of_a_device_that_the_kernel_does_not_tell_of_nothing_is_claimed(tmp_path: Path) -> None:
    assert disk.is_encrypted(tmp_path, tmp_path) is None


def test_memory_is_no_swap_and_a_swap_file_lies_on_its_disk(tmp_path: Path) -> None:
    table = tmp_path / "swaps"
    head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
    table.write_text(f"{head}/dev/zram0                              partition\t1\t0\t100\n")
    assert disk.swaps(table, tmp_path) == []
    (tmp_path / "swapfile").touch()
    table.write_text(f"{head}{tmp_path}/swapfile file\t1\t0\t-2\n/dev/no-such partition\t1\t0\t-3\n")
    if os.major(tmp_path.stat().st_dev):
        mounted(tmp_path, tmp_path, device(tmp_path, "vda"))
        assert disk.swaps(table, tmp_path) == [False, None]


@pytest.mark.parametrize(
    ("family", "address", "told"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0", "0.0.0.0"),  # noqa: S104 - what is to be found
        (socket.AF_INET6, "::1", "::1"),
        (socket.AF_INET6, "::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_whoever_listens_is_found_with_the_address(family: socket.AddressFamily, address: str, told: str) -> None:
    with socket.socket(family) as server:
        server.bind((address, 0))
        port: int = server.getsockname()[1]
        assert port not in listening()  # bound, and nobody can connect yet
        server.listen()
        assert {str(one) for one in listening()[port]} == {told}


def shown(told: str) -> dict[str, str]:
    found = unit.parse(told)
    assert found is not None
    return found


def test_the_unit_of_this_release_lets_nothing_out() -> None:
    found = shown(SHOWN)
    assert unit.loosened(found) == []
    fact = egress(found)
    assert (fact.state, fact.found) == (State.MET, "nur dieser Rechner")


def test_every_limit_is_a_line_of_the_unit() -> None:
    text = (Path(__file__).resolve().parents[2] / "deploy" / "systemd" / unit.SERVICE).read_text(encoding="utf-8")
    assert {f"{name}={value}" for name, value in unit.LIMITS.items()} <= set(text.splitlines())


def test_a_drop_in_that_opens_a_way_is_named() -> None:
    found = shown(SHOWN.replace("127.0.0.0/8", "127.0.0.0/8 10.0.0.5/32"))
    fact = egress(found)
    assert (fact.state, fact.found) == (State.DEVIATES, "außer diesem Rechner erlaubt: 10.0.0.5/32")


@pytest.mark.parametrize("deny", ["", "0.0.0.0/0", "::/0"])
def test_half_a_limit_is_none(deny: str) -> None:
    found = shown(SHOWN.replace("::/0 0.0.0.0/0", deny))
    assert (egress(found).state, egress(found).found) == (State.DEVIATES, "nicht beschränkt")


def test_a_limit_that_was_loosened_or_is_not_told_is_named() -> None:
    found = shown(SHOWN.replace("LimitCORE=0", "LimitCORE=infinity").replace("UMask=0027\n", ""))
    assert unit.loosened(found) == ["LimitCORE", "UMask"]


def test_of_a_service_that_systemd_does_not_know_nothing_is_claimed() -> None:
    assert unit.parse(SHOWN.replace("LoadState=loaded", "LoadState=not-found")) is None
    assert unit.properties("ari-agent-no-such-service.service") is None
