"""Runs the scoring programs of the sandbox, each in a process of its own, so that nothing measured before is in it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Container

from sandbox.settings import HERE

DEPLOY = HERE.parent
"""Where Python finds the programs."""
DONE = (0,)


async def run(module: str, *options: str, limit_s: float, accepted: Container[int | None] = DONE) -> str:
    """Run `python -m module` and return what it prints. Raises OSError when it fails or takes longer.

    `accepted`: exit statuses with which it has measured.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *options, stdout=PIPE, cwd=DEPLOY)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), limit_s)
    except TimeoutError as e:
        raise OSError(f"{module} took longer than {limit_s:g} s") from e
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in accepted:
        raise OSError(f"{module} ended with status {process.returncode}")
    return out.decode()
