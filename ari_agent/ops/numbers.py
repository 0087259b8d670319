"""What `doctor` says about the sealing of callers' numbers."""

from __future__ import annotations

from pathlib import Path

from ari_agent.calllog.database import Connection
from ari_agent.calllog.reading import rows
from ari_agent.calllog.sealing import Numbers
from ari_agent.config import Log
from ari_agent.ops.finding import Finding, Level

_WITHOUT = "until then calls go on, but their numbers are not stored"
_OLD = "until then these numbers stay sealed; new ones are not affected"


def _can_be_made(path: Path) -> bool:
    """Return whether there is no file yet, and a folder for it."""
    return not path.exists() and next(step for step in path.absolute().parents if step.exists()).is_dir()


async def examine_numbers(settings: Log, connection: Connection) -> Finding:
    """Return whether the keys of callers' numbers are there, all that are needed. Raises CallLogError."""
    used = [row["id"] for row in await rows(connection, "number_keys", {}, settings.connect_s)]
    (state,) = await rows(connection, "unsealed_count", {}, settings.connect_s)
    numbers = Numbers(settings.number_key)
    if not await numbers.refresh():
        if not used and _can_be_made(settings.number_key):
            return Finding("numbers", Level.GOOD, f"{settings.number_key} is made at the first start")
        return Finding("numbers", Level.ERROR, numbers.trouble or "", _WITHOUT)
    if missing := numbers.missing(used):
        return Finding("numbers", Level.ERROR, numbers.lacks(missing[0]), _OLD)
    if state["waiting"]:
        found = f"{state['waiting']} numbers of an older version are not sealed"
        return Finding("numbers", Level.WARNING, found, "ari-agent calllog migrate, as ari_agent_migrate, seals them")
    return Finding("numbers", Level.GOOD, f"sealed with key {numbers.names[-1]} of {settings.number_key}")
