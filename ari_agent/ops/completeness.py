"""What `doctor` says about Asterisk's own records of calls: whether they can be read, and whether they are current."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ari_agent.calllog.database import Connection
from ari_agent.calllog.reading import rows
from ari_agent.cdr.reading import read
from ari_agent.config import Settings
from ari_agent.errors import AgentError
from ari_agent.ops.finding import Finding, Level

RECENT = timedelta(days=2)
"""So far back records are read."""
LATE = timedelta(minutes=30)
"""Asterisk may write its records in batches, and a call that was handed over goes on."""
WHAT = "call records"


async def examine_completeness(settings: Settings, connection: Connection) -> Finding:
    """Return whether the call log can be compared with Asterisk's records. Raises CallLogError."""
    if settings.cdr.source == "none":
        remedy = "set cdr.source, or nobody can prove that every call is in the call log"
        return Finding(WHAT, Level.WARNING, "none, as the settings say", remedy)
    now = datetime.now(UTC)
    try:
        records, report = await read(settings.cdr, now - RECENT, settings.log.connect_s)
    except AgentError as e:
        return Finding(WHAT, Level.WARNING, str(e), "compare [cdr] with cdr.conf; README, Completeness")
    if report.broken:
        found = f"{report.broken} unreadable: {report.named[0]}"
        return Finding(WHAT, Level.WARNING, found, "ari-agent calllog reconcile names them all")
    (newest,) = await rows(connection, "newest_call", {"before": now - LATE}, settings.log.connect_s)
    closed_at: datetime | None = newest["closed_at"]
    if (
        closed_at is not None
        and closed_at > now - RECENT
        and (records.newest is None or records.newest < closed_at - LATE)
    ):
        found = (
            f"not current: the newest ended {_told(records.newest)}, the call log's at {closed_at:%Y-%m-%d %H:%M} UTC"
        )
        return Finding(
            WHAT, Level.WARNING, found, "is CDR enabled (cdr show status), and [cdr] the place it writes to?"
        )
    return Finding(WHAT, Level.GOOD, f"{len(records.calls)} channels of two days can be read")


def _told(newest: datetime | None) -> str:
    return f"at {newest:%Y-%m-%d %H:%M} UTC" if newest is not None else "more than two days ago"
