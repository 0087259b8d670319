"""What `doctor` says about data that is kept for too long, in the call log and in Asterisk's own files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ari_agent.calllog.database import Connection
from ari_agent.calllog.reading import rows
from ari_agent.config import Settings
from ari_agent.ops.finding import Finding, Level
from ari_agent.traces.aging import age
from ari_agent.traces.files import AsteriskFiles

UNWRITTEN = timedelta(hours=36)
"""The timer runs every night."""


async def examine_compaction(settings: Settings, connection: Connection) -> Finding:
    """Return whether what was deleted is gone from the database's files too. Raises CallLogError."""
    (state,) = await rows(connection, "compaction_state", {}, settings.log.connect_s)
    if state["since"] is not None and datetime.now(UTC) - state["since"] > UNWRITTEN:
        found = f"what was deleted since {state['since']:%Y-%m-%d} is still in the files of the database"
        remedy = "ari-agent calllog compact; deploy/systemd/ari-agent-compact.timer does so every night"
        return Finding("compaction", Level.WARNING, found, remedy)
    return Finding("compaction", Level.GOOD, "what was deleted is gone from the database's files")


async def examine_retention(settings: Settings, connection: Connection) -> Finding:
    """Return whether everything was deleted in time. Raises CallLogError."""
    (counts,) = await rows(connection, "counts_for_metrics", {}, settings.log.connect_s)
    if counts["overdue_rows"]:
        found = f"{counts['overdue_rows']} rows of the call log should have been deleted more than a day ago"
        remedy = "ari-agent retention run; deploy/systemd/ari-agent-retention.timer does so regularly"
        return Finding("retention", Level.WARNING, found, remedy)
    return Finding("retention", Level.GOOD, "nothing in the call log is overdue")


def examine_files(settings: Settings) -> Iterator[Finding]:
    """Yield what there is to say about Asterisk's logs, CDR files and voicemail; slow where they are large."""
    files = AsteriskFiles(settings.retention.asterisk_logs, settings.retention.asterisk_spool)
    for key, folder in (("retention.asterisk_logs", files.logs), ("retention.asterisk_spool", files.spool)):
        if not folder.is_dir():
            remedy = f"set {key}; until then neither retention nor `ari-agent subject` reaches what stands there"
            yield Finding("Asterisk's files", Level.WARNING, f"{folder} is not there", remedy)
            return
    try:
        old = [each for each in age(files, settings.retention, datetime.now(UTC), delete=False) if each.entries]
    except OSError as e:
        remedy = "let the account that runs ari-agent retention and subject read it, or run these as root"
        yield Finding("Asterisk's files", Level.WARNING, f"{e.filename}: {e.strerror}", remedy)
        return
    for each in old:
        found = f"{each.entries} entries of {each.place} are older than {each.days} days"
        remedy = 'let Asterisk delete them, or set retention.asterisk_files = "delete"'
        yield Finding("Asterisk's files", Level.WARNING, found, remedy)
    if not old:
        yield Finding("Asterisk's files", Level.GOOD, "no old voicemail, logs or CDR")
