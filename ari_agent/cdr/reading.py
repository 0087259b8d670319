"""Reads Asterisk's records of calls from where the settings say they are."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from ari_agent.cdr import csv_file, queue_log
from ari_agent.cdr.calls import Records, gathered
from ari_agent.cdr.files import Report
from ari_agent.cdr.leg import Leg
from ari_agent.cdr.queue_log import Queued
from ari_agent.cdr.settings import CdrSettings
from ari_agent.cdr.table import ZONES, CdrTable
from ari_agent.errors import CdrError


async def read(settings: CdrSettings, since: datetime, limit_s: float) -> tuple[Records, Report]:
    """Return the calls that began after a time (and some before), and what could not be read. Raises CdrError.

    Without a queue_log the causes are missing, and the report says so. `limit_s`: for a connection to the database.
    """
    report, legs, queued = Report(), list[Leg](), list[Queued]()
    begin = since - ZONES
    async with AsyncExitStack() as stack:
        table = None
        if settings.source == "postgres" or settings.queue_table is not None:
            table = await stack.enter_async_context(CdrTable.open(settings, limit_s))
        if table is not None and settings.source == "postgres":
            legs = [leg async for leg in table.legs(since, report)]
        else:
            legs = await asyncio.to_thread(_legs, settings, begin, report)
        if table is not None and settings.queue_table is not None:
            queued = [line async for line in table.queued(since, report)]
        else:
            queued = await asyncio.to_thread(_queued, settings, begin, report)
    return gathered(legs, queued), report


def _legs(settings: CdrSettings, since: datetime, report: Report) -> list[Leg]:
    try:
        return list(csv_file.legs(settings, since, report))
    except OSError as e:
        raise CdrError(_unreadable(settings.file, "cdr.file", e)) from e


def _queued(settings: CdrSettings, since: datetime, report: Report) -> list[Queued]:
    try:
        return list(queue_log.queued(settings, since, report))
    except OSError as e:
        report.tell(settings.queue_log, e.strerror or "cannot be read")
        return []


def _unreadable(path: Path, key: str, e: OSError) -> str:
    return (
        f"{path} cannot be read ({e.strerror}): set {key}, and let the account that runs this read it "
        "(usermod -aG asterisk ari-agent)"
    )
