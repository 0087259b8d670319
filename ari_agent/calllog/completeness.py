"""Brings the call log and Asterisk's own records together: one row for every call, and on record what was found.

    CDR, queue_log ─► Records ┐
    ari_agent.call, .event ───┴► compare ─► CallOpened, CallFiled ─► PostgresLog     findings ─► reconciliation

What is missing is filed as every other entry: by the writer of the call log, in its order, over its spool. Calls that
may still be waiting in a controller's spool are left for the next time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from ari_agent.calllog.comparison import Finding, LoggedCall, Missing, Orphan, compare
from ari_agent.calllog.database import Connection, Database, wrapped
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.queries import QUERIES
from ari_agent.calllog.reading import rows
from ari_agent.calllog.spool import look
from ari_agent.cdr.calls import CdrCall, Records
from ari_agent.cdr.files import Report
from ari_agent.cdr.reading import read
from ari_agent.cdr.settings import CdrSettings
from ari_agent.config import Settings
from ari_agent.errors import CallLogError, ConfigError
from ari_agent.record import CallFiled, CallOpened

WRITER = "+reconcile"
"""Name of our spool; no controller can be called so."""
STATEMENT_S = 600.0
"""Limit for a statement over the whole log."""
PATIENCE_S = 20.0
"""A database that takes no entry for so long takes none."""
_TROUBLE = "the call log could not be compared: may the account do so? ari_agent_reconcile may"
_AROUND = timedelta(minutes=30)
"""The moments of one call lie no further apart when people ring before the AI gets it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which calls are compared: those that began in it."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result of one run."""

    number: int
    """Of the run, in ari_agent.reconciliation."""
    window: Window
    calls: int
    """Calls from outside in Asterisk's records."""
    entries: int
    """Calls in the call log, before anything was filed."""
    filed: int
    withdrawn: int
    findings: list[Finding]
    broken: int
    """Lines of Asterisk's that could not be read."""
    unreadable: list[str]
    """File and line of the first of them, and what is wrong."""
    rolled_back: int
    """Numbers of events that were used up by writing that did not succeed."""
    words: dict[str, str]
    """German for each cause among the findings."""

    @property
    def unexplained(self) -> int:
        """Findings that should not be."""
        return sum(not finding.explained for finding in self.findings)

    @property
    def whole(self) -> bool:
        """Whether every call has its row, and all of Asterisk's records were read."""
        return not self.unexplained and not self.broken

    @property
    def causes(self) -> Counter[str]:
        """How many findings there are of each cause."""
        return Counter(finding.cause for finding in self.findings)


def window(settings: CdrSettings, now: datetime, since: datetime | None, until: datetime | None) -> Window:
    """Return what is compared when only part of it is said. Raises ConfigError for one that ends before it begins."""
    end = min(until or now - timedelta(hours=settings.settle_h), now)
    begin = since or end - timedelta(days=settings.days)
    if begin > end:
        raise ConfigError("--from is after --to (or after now less cdr.settle_h): nothing would be compared")
    return Window(begin, end)


async def reconcile(settings: Settings, wanted: Window, now: datetime) -> Reconciled:
    """Compare, file what is missing, and put the run on record. Raises CdrError, CallLogError or ConfigError."""
    if settings.cdr.source == "none":
        raise ConfigError("cdr.source is none: name where Asterisk writes its CDR")
    records, report = await read(settings.cdr, wanted.since, settings.log.connect_s)
    async with Database(settings.log, create=False) as database, await database.connect() as connection:
        await rows(
            connection, "reconciled_from", {}, settings.log.connect_s, _TROUBLE
        )  # or the writer would wait for it
        async with PostgresLog.open(settings.log, WRITER, settings.company.area_code) as log:
            await _written(log)  # what an earlier run has left
            run = _Run(settings, connection, log, now)
            return await run.reconcile(records, report, await run.judged(wanted))


async def _written(log: PostgresLog) -> None:
    """Wait until the database has everything. Raises CallLogError when it takes nothing, or not all of it."""
    while not await log.flush(PATIENCE_S):
        if not log.healthy:
            raise CallLogError("the call log's database does not take what was missing; the next run goes on with it")
    if log.refused:
        raise CallLogError("the call log's database refused what was missing: compare the rights of the account")


class _Run:
    """One comparison."""

    def __init__(self, settings: Settings, connection: Connection, log: PostgresLog, now: datetime) -> None:
        self._settings = settings
        self._connection = connection
        self._log = log
        self._now = now
        self._keeps_numbers_from = now

    async def judged(self, wanted: Window) -> Window:
        """Return the part of the window about which something can be said."""
        await self._query("limits", ms=str(int(STATEMENT_S * 1000)))
        (kept,) = await self._query("reconciled_from")
        self._keeps_numbers_from = self._now - timedelta(days=kept["caller_days"])
        since = max(wanted.since, self._now - timedelta(days=kept["call_days"]))
        waiting = [left.oldest_at for left in await asyncio.to_thread(look, self._settings.log.spool)]
        oldest = min((at for at in waiting if at is not None), default=None)
        until = wanted.until if oldest is None else min(wanted.until, datetime.fromtimestamp(oldest, UTC) - _AROUND)
        return Window(since, max(since, until))

    async def reconcile(self, records: Records, report: Report, span: Window) -> Reconciled:
        inbound = [call for call in records.calls.values() if self._is_judged(call, span)]
        logged = await self._logged(span)
        entries = [row for row in logged if span.since <= row.began_at <= span.until]
        result = compare(records, logged, await self._orphans(span), inbound)
        findings = [finding for finding in result.findings if span.since <= finding.at <= span.until]
        findings += await self._gaps(span)
        for missing in sorted(result.missing, key=lambda one: one.cdr.start):
            findings.append(self._file(missing))
        await _written(self._log)
        for ident in result.withdrawn:
            await self._query("withdraw", id=ident)
        (rolled_back,) = await self._query("rolled_back")
        figures: dict[str, Any] = {
            "calls": result.calls,
            "entries": len(entries),
            "filed": len(result.missing),
            "withdrawn": len(result.withdrawn),
            "broken": report.broken,
            "rolled_back": rolled_back["numbers"],
        }
        number = await self._keep(span, findings, figures)
        words = await self._query("causes_in_words", causes=sorted({finding.cause for finding in findings}))
        figures["words"] = {row["cause"]: row["words"] for row in words}
        return Reconciled(number=number, window=span, findings=findings, unreadable=report.named, **figures)

    def _is_judged(self, call: CdrCall, span: Window) -> bool:
        return span.since <= call.start <= span.until and call.is_inbound(self._settings.cdr.contexts)

    async def _logged(self, span: Window) -> list[LoggedCall]:
        """Return the rows of the span and of some time around it: a call is opened after its channel was made."""
        around = {"since": span.since - _AROUND, "until": span.until + _AROUND}
        return [LoggedCall(**row) for row in await self._query("reconciled_calls", **around)]

    async def _orphans(self, span: Window) -> list[Orphan]:
        found = await self._query("orphaned_events", since=span.since, until=span.until)
        return [Orphan(**row) for row in found]

    async def _gaps(self, span: Window) -> list[Finding]:
        gaps = await self._query("event_gaps", since=span.since)
        bare = await self._query("calls_without_events", since=span.since, until=span.until)
        return [
            *(Finding("event-gap", "events-missing", None, gap["until"]) for gap in gaps),
            *(Finding("event-gap", "events-missing", row["id"], row["at"]) for row in bare),
        ]

    def _file(self, missing: Missing) -> Finding:
        """Hand a call to the writer of the log."""
        cdr, ident = missing.cdr, missing.id or uuid4()
        late = cdr.start < self._keeps_numbers_from
        caller = None if late else cdr.caller
        self._log.write(CallOpened(ident, cdr.start, "", cdr.uniqueid, cdr.dialled, caller, cdr.test))
        if not missing.only_opening:
            erased = cdr.masked or (late and cdr.caller is not None)
            self._log.write(CallFiled(ident, self._now, cdr.end, missing.outcome, missing.cause, erased))
        return Finding("missing", missing.cause, ident, cdr.start)

    async def _keep(self, span: Window, findings: list[Finding], figures: Mapping[str, int]) -> int:
        """Put the run and its findings on record, together."""
        unexplained = sum(not finding.explained for finding in findings)
        values = {
            "since": span.since,
            "until": span.until,
            "source": self._settings.cdr.source,
            "unexplained": unexplained,
        }
        with wrapped(_TROUBLE):
            async with self._connection.transaction():
                cursor = await self._connection.execute(QUERIES["reconciliation_log"], {**values, **figures})
                row = await cursor.fetchone()
                number = int(row["number"]) if row else 0
                for finding in findings:
                    about: dict[str, object] = {
                        "kind": finding.kind,
                        "cause": finding.cause,
                        "call": finding.call,
                        "at": finding.at,
                    }
                    about |= {"run": number, "explained": finding.explained}
                    await self._connection.execute(QUERIES["reconciliation_find"], about)
        return number

    async def _query(self, query: str, **values: object) -> list[dict[str, Any]]:
        return await rows(self._connection, query, values, STATEMENT_S, _TROUBLE)
