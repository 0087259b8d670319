"""The C allocator's habits that make a service of days grow, set otherwise."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc; mallopt(3)
_BLOCK = 128 * 1024
"""glibc's own value at the start, in bytes."""


def give_back_what_is_freed() -> None:
    """Keep large blocks out of the heap, so that what a call frees goes back to the system.

    glibc raises its threshold to the largest block that was ever freed, up to 32 MiB; the audio of replies and the
    voice activity of calls then lie between small objects that stay, and the heap grows for hundreds of calls. A
    threshold that is set stays where it is. A C library without `mallopt` does without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD):
            mallopt(parameter, _BLOCK)
