"""A small disk of its own, in memory, that can be filled to the last byte."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = "24m"
MOUNT_S = 10
CHUNK = bytes(64 * 1024)


class Disk:
    """A mounted file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Disk"]:
        """Mount it; needs root. Raises OSError or CalledProcessError."""
        folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "sandbox-faults", str(folder))
        try:
            yield cls(folder)
        finally:
            _run("umount", "-l", str(folder))

    def fill(self) -> None:
        """Leave no byte free."""
        with self._filler.open("ab", buffering=0) as file:
            for chunk in (CHUNK, b"\0"):
                with suppress(OSError):
                    while file.write(chunk):
                        pass

    def empty(self) -> None:
        """Take away what fills it."""
        self._filler.unlink(missing_ok=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=MOUNT_S)
