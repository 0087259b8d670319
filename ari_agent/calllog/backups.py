"""That backups were made and tested, as it was reported; ari-agent makes none."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ari_agent.calllog.database import Database
from ari_agent.calllog.reading import rows
from ari_agent.config import Log

Kind = Literal["backup", "restore-test"]

_NOT_WRITTEN = "the backup could not be put on record: may the account do so? ari_agent_privacy may"


async def report(settings: Log, kind: Kind, at: datetime) -> None:
    """Put a backup, or the test of one, on record. Raises CallLogError."""
    async with Database(settings, create=False) as database, await database.connect() as connection:
        await rows(connection, "backup_report", {"kind": kind, "at": at}, database.limit_s, _NOT_WRITTEN)
