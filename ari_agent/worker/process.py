"""The end of a child process that has nothing to save."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from contextlib import suppress

END_S = 2.0
"""A process stuck in the kernel for longer is left to the kernel."""
_READ_BYTES = 64 * 1024


async def end(process: Process) -> None:
    """Kill the process, read it out so that its pipes close, and wait until it is gone."""
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(END_S):
            while process.stdout is not None and await process.stdout.read(_READ_BYTES):
                pass
            await process.wait()
