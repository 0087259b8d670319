"""Brings recordings to the disk behind the calls, and tells the call log; implements `ari_agent.protocols.Vault`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog

from ari_agent import metrics
from ari_agent.archive.archive import Archive
from ari_agent.errors import ArchiveError
from ari_agent.protocols import SafeLog
from ari_agent.record import CallNoted, RecordingKept
from ari_agent.sealing import Sealed

log = structlog.get_logger(__name__)

LOOK_S = 30.0
"""Seconds between two looks whether recordings could be kept."""
SAFE_S = 10.0
"""Limit for the consent to be on a disk before what was recorded after it."""
FLUSH_S = 5.0
"""Seconds to write what waits when the program ends; what is left then never was anywhere."""
MOST_BYTES = 256 * 1024 * 1024
"""So much may wait for a slow disk; what is beyond is not kept."""


class ArchiveWriter:
    """One writer for all calls of a controller."""

    def __init__(self, archive: Archive, node: str, call_log: SafeLog) -> None:
        self._archive = archive
        self._node = node
        self._log = call_log
        self._usable = False
        self._trouble = ""
        self._waiting: asyncio.Queue[Sealed] = asyncio.Queue()  # bounded by its bytes
        self._bytes = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, archive: Archive, node: str, call_log: SafeLog) -> AsyncIterator[ArchiveWriter]:
        """Make the folders, and write in the background until the block ends."""
        writer = cls(archive, node, call_log)
        await writer._look()
        tasks = [
            asyncio.create_task(writer._watch(), name="look at the recordings' folders"),
            asyncio.create_task(writer._write_all(), name="recordings"),
        ]
        try:
            yield writer
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await writer._waiting.join()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    @property
    def usable(self) -> bool:
        """Whether both folders were there, safe and with room when we last looked or wrote."""
        return self._usable

    def keep(self, sealed: Sealed) -> None:
        """Take a recording; it is on the disk soon, or the call log tells that it is not."""
        if self._bytes + sealed.size > MOST_BYTES:
            self._failed(sealed, ArchiveError("disk"))
            return
        self._bytes += sealed.size
        self._waiting.put_nowait(sealed)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self._archive.make)
        except ArchiveError as e:
            self._tell(e)
        else:
            self._tell(None)

    async def _write_all(self) -> None:
        while True:
            sealed = await self._waiting.get()
            try:
                await self._write(sealed)
            finally:
                self._bytes -= sealed.size
                self._waiting.task_done()

    async def _write(self, sealed: Sealed) -> None:
        """Write one recording: never before its consent is safe."""
        header = sealed.header
        if not await self._log.safe(SAFE_S):
            self._failed(sealed, ArchiveError("log"))
            return
        try:
            await asyncio.to_thread(self._archive.store, sealed)
        except ArchiveError as e:
            self._failed(sealed, e)
            return
        digest = await asyncio.to_thread(lambda: sealed.sha256)
        kept = header.ident, header.kind, self._node, sealed.duration_ms, sealed.size, digest
        self._log.write(RecordingKept(header.call, header.began, *kept))
        metrics.RECORDINGS.labels(header.kind, "kept").inc()

    def _failed(self, sealed: Sealed, error: ArchiveError) -> None:
        header = sealed.header
        metrics.RECORDINGS.labels(header.kind, "failed").inc()
        self._log.write(CallNoted(header.call, datetime.now(UTC), "recording-failed", f"cause={error.trouble}"))
        self._tell(error)

    def _tell(self, error: ArchiveError | None) -> None:
        """Note whether recordings can be kept, and say so when that has changed."""
        self._usable = error is None
        metrics.RECORDING_UP.set(self._usable)
        trouble = error.trouble if error else ""
        if trouble != self._trouble:
            self._trouble = trouble
            if error is None:
                log.info("recordings can be kept again")
            else:
                log.warning("nobody is asked for a recording", reason=str(error))
