"""Keeps the figures up to date that only the database knows."""

from __future__ import annotations

import asyncio

import structlog

from ari_agent.calllog import anchor as anchors
from ari_agent.calllog.database import Database
from ari_agent.calllog.reading import rows
from ari_agent.config import Log
from ari_agent.errors import AnchorError, CallLogError
from ari_agent.metrics import (
    ANCHORS_UNSTAMPED,
    CALLS_UNEXPLAINED,
    RECONCILED_AT,
    REQUESTS_OVERDUE,
    RETENTION_OVERDUE,
)

EVERY_S = 900.0
"""What is counted is late only after a day."""

log = structlog.get_logger(__name__)


async def keep_counting(settings: Log) -> None:
    """Count again and again, for ever; a database that is away leaves the figures as they were."""
    while True:
        try:
            await count(settings)
        except (AnchorError, CallLogError) as e:
            log.warning("overdue rows could not be counted", reason=str(e))
        await asyncio.sleep(EVERY_S)


async def count(settings: Log) -> None:
    """Count once. Raises CallLogError or AnchorError."""
    async with Database(settings, create=False) as database, await database.connect() as connection:
        (counts,) = await rows(connection, "counts_for_metrics", {}, database.limit_s)
    RETENTION_OVERDUE.set(counts["overdue_rows"])
    REQUESTS_OVERDUE.set(counts["overdue_requests"])
    CALLS_UNEXPLAINED.set(counts["unexplained_gaps"])
    if counts["reconciled_at"] is not None:
        RECONCILED_AT.set(counts["reconciled_at"].timestamp())
    if settings.stamp_url is not None:
        kept = await asyncio.to_thread(anchors.kept, settings.anchors)
        ANCHORS_UNSTAMPED.set(len(await asyncio.to_thread(anchors.unstamped, kept, settings.stamps)))
