"""An Asterisk's records beside a call log, for the tests of their reconciliation."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from ari_agent.calllog.completeness import Reconciled, reconcile, window
from ari_agent.calllog.phone_book import same_for_all
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.config import Settings, load
from ari_agent.record import CallAnswered, CallClosed, Entry
from database.asterisk_records import CALLER, Logs, Recorded, recorded
from database.pbx_files import settings_file
from database.servers import WAIT_S, CallDatabase, now, opened

HOUR = timedelta(hours=1)
S = timedelta(seconds=1)


class Pbx:
    """A call log, and an Asterisk beside it."""

    def __init__(self, database: CallDatabase, folder: Path) -> None:
        self.database = database
        self.logs = Logs(folder / "log")
        path = settings_file(folder, "embedded:", None, self.logs.section)
        self.settings = load(path).model_copy(update={"log": database.settings})
        self.logs.begin(now() - HOUR)

    async def write(self, *entries: Entry, node: str = "eins") -> None:
        async with PostgresLog.open(self.database.settings, node) as log:
            for entry in entries:
                log.write(entry)
            assert await log.flush(WAIT_S)
            assert log.refused == 0

    async def served(self, outcome: str = "solved") -> tuple[UUID, Recorded]:
        """A call that the AI took, in the log and on record."""
        call, ident = recorded(now() - HOUR), uuid4()
        await self.write(*entries_of(ident, call, outcome))
        self.logs.write(call.cdr("fallback" if outcome == "to-queue" else "offer", "StasisBroadcast"))
        return ident, call

    async def reconcile(self, settings: Settings | None = None, **span: datetime) -> Reconciled:
        used, moment = settings or self.settings, now()
        return await reconcile(used, window(used.cdr, moment, span.get("since"), span.get("until")), moment)

    @property
    def pseudonym(self) -> str:
        """What auditors see of the caller."""
        return self.database.pseudonym(same_for_all(CALLER, self.settings.company.area_code))

    def rows(self, text: str = "SELECT * FROM ari_agent.call ORDER BY opened_at", *values: object) -> list[Any]:
        """Rows as they are, calls with their callers' numbers opened."""
        found = self.database.query(text, *values)
        for row in found:
            if row.get("caller") is not None:
                row["caller"] = self.database.number("call", row["id"], row["caller"])
        return found

    def superuser(self, text: str, *values: object) -> None:
        """What only somebody with all rights can do: without the triggers."""
        with psycopg.connect(**self.database.admin, autocommit=True) as connection:
            for trigger in ("DISABLE", "ENABLE ALWAYS"):
                connection.execute(
                    sql.SQL("ALTER TABLE ari_agent.event {} TRIGGER event_append_only").format(sql.SQL(trigger))
                )
                if trigger == "DISABLE":
                    connection.execute(text.encode(), values)


def entries_of(ident: UUID, call: Recorded, outcome: str) -> list[Entry]:
    """What the log is told of a call that the AI took and ended so."""
    return [
        opened(ident, at=call.at + S, channel=call.uniqueid, dialled="2900", caller=CALLER),
        CallAnswered(ident, call.at + S, 20.0),
        CallClosed(ident, call.at + 60 * S, outcome, "goodbye", 2),
    ]


def told(result: Reconciled) -> list[tuple[str, str]]:
    """Kind and cause of every finding."""
    return sorted((finding.kind, finding.cause) for finding in result.findings)
