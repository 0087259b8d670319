"""Whether Linux encrypts what a folder or the swap lies on, as far as the kernel tells."""

from __future__ import annotations

import os
from pathlib import Path

SYS = Path("/sys")
SWAPS = Path("/proc/swaps")
_NO_DEVICE = 0
"""Major number of file systems without a block device of their own: overlay, tmpfs, btrfs, network."""


def is_encrypted(folder: Path, sys: Path = SYS) -> bool | None:
    """Return whether dm-crypt (LUKS) lies below the folder, or below the nearest one above it that exists.

    None: the kernel does not tell. False leaves open whether the drive itself or a host encrypts. Raises OSError.
    """
    there = next(step for step in (folder.absolute(), *folder.absolute().parents) if step.exists())
    device = there.stat().st_dev
    return None if os.major(device) == _NO_DEVICE else _encrypted(os.major(device), os.minor(device), sys)


def swaps(table: Path = SWAPS, sys: Path = SYS) -> list[bool | None]:
    """Return for every swap whether it is encrypted; zram, which is memory, is none. Raises OSError."""
    lines = table.read_text(encoding="utf-8").splitlines()[1:]
    names = [Path(line.split()[0]) for line in lines if line.strip()]
    return [_swap(name, sys) for name in names if not name.name.startswith("zram")]


def _swap(name: Path, sys: Path) -> bool | None:
    try:
        status = name.stat()
    except OSError:
        return None
    if name.is_block_device():
        return _encrypted(os.major(status.st_rdev), os.minor(status.st_rdev), sys)
    return is_encrypted(name.parent, sys)


def _encrypted(major: int, minor: int, sys: Path) -> bool | None:
    device = sys / "dev" / "block" / f"{major}:{minor}"
    return _below(device) if device.exists() else None


def _below(device: Path) -> bool | None:
    """Look at a device and at those it is made of (LVM, RAID): one that is not encrypted is enough."""
    uuid = device / "dm" / "uuid"
    if uuid.exists() and uuid.read_text(encoding="utf-8").startswith("CRYPT-"):
        return True
    slaves = device / "slaves"
    parts = [_below(slave) for slave in sorted(slaves.iterdir())] if slaves.is_dir() else []
    if not parts or False in parts:
        return False
    return None if None in parts else True
