"""Stop one thread of a process, so that its event loop hangs while its other threads run: `PROCESS SECONDS`.

By ptrace(2), as debuggers do. When this program ends, for
whatever reason, the kernel lets the thread go on.
"""

import ctypes
import os
import sys
import time

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
"""Requests of ptrace(2)."""
ALL_CHILDREN = 0x40000000
"""__WALL of waitpid(2): threads too."""


def main() -> int:
    """Hang the main thread of a process for some seconds."""
    process, seconds = int(sys.argv[1]), float(sys.argv[2])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, process, None, None):
            print(os.strerror(ctypes.get_errno()), file=sys.stderr)
            return 1
    os.waitpid(process, ALL_CHILDREN)
    time.sleep(seconds)
    libc.ptrace(DETACH, process, None, None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
