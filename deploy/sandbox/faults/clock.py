"""The controller's wall clock, which can be made to jump (clock.c)."""

import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")
COMPILE_S = 60
HOURS = 3600


class Clock:
    """A library that shifts the wall clock of the programs that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        """Compile it; blocks for a moment. Raises OSError or CalledProcessError."""
        library, self._shift = folder / "clock.so", folder / "clock"
        compiler = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
        subprocess.run(compiler, check=True, capture_output=True, timeout=COMPILE_S)
        self._shift.write_bytes(bytes(8))
        self.environment = {"LD_PRELOAD": str(library), "SANDBOX_CLOCK": str(self._shift)}

    def jump(self, seconds: int) -> None:
        """Show a time so far from the true one, from now on."""
        with self._shift.open("r+b") as file:
            file.write(struct.pack("q", seconds))
