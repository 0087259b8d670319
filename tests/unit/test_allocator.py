"""Large blocks that are freed go back to the system, whatever was freed before them."""

from __future__ import annotations

import subprocess
import sys

# Frees 8 MiB, for which glibc raises its threshold to 8 MiB, and tells how many mapped blocks 1 MiB makes after that.
BLOCKS = """
import ctypes
{begin}
class Info(ctypes.Structure):  # struct mallinfo2, malloc.h
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks".split()]
    _fields_ += [(name, ctypes.c_size_t) for name in "uordblks fordblks keepcost".split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype, libc.malloc.restype, libc.free.argtypes = Info, ctypes.c_void_p, [ctypes.c_void_p]
libc.free(libc.malloc(8 << 20))
before = libc.mallinfo2().hblks
libc.malloc(1 << 20)
print(libc.mallinfo2().hblks - before)
"""
BEGIN = "from ari_agent.allocator import give_back_what_is_freed; give_back_what_is_freed()"


def mapped(begin: str) -> int:
    program = BLOCKS.format(begin=begin)
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60).stdout)


def test_a_large_block_is_mapped_by_itself_even_after_a_larger_one_was_freed() -> None:
    assert mapped(BEGIN) == 1
    assert mapped("") == 0  # as glibc is otherwise: if this changes, nobody needs our setting
