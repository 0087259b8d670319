"""The bytes of a company's file, read without trusting it: regular files of a bounded size only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ari_agent.errors import DocumentError


def load(path: Path, limit: int) -> bytes:
    """Return the bytes of a file of at most `limit` bytes.

    Opened without waiting, so that a FIFO cannot hang it, and measured before it is read. Raises DocumentError.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror}") from e
    except ValueError as e:
        raise DocumentError("a file name with a null byte cannot be read; rename the file") from e
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise DocumentError(f"{path} cannot be read: Is a directory; name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError(f"{path} is no ordinary file; name the document itself")
        if status.st_size > limit:
            raise DocumentError(
                f"{path} has {status.st_size} bytes; a company document has at most {limit}: "
                "split it, or leave out pictures"
            )
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as e:
        raise DocumentError(f"{path} cannot be read: {e.strerror}") from e
    finally:
        os.close(handle)
    if len(data) > limit:
        raise DocumentError(f"{path} grows while it is read, over {limit} bytes; wait until it is complete")
    return data
