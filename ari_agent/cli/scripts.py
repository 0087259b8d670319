"""What new calls know: it follows the versions in the database and the calendar while calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Self

import structlog

from ari_agent.calllog.database import Database
from ari_agent.calllog.knowledge import connected
from ari_agent.calllog.knowledge_copy import read_copy, write_copy
from ari_agent.cli.company import company_passages, company_script, company_today
from ari_agent.config import Dialogue, Settings
from ari_agent.dialogue.script import Script
from ari_agent.errors import AgentError, CallLogError, DocumentError
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.version import Version

log = structlog.get_logger(__name__)

POLL_S = 30.0
"""Seconds until a new version or a new day is noticed."""


class CompanyScripts:
    """The script for new calls.

    The newest version in the database counts; while that is away the copy of the last one that was loaded; and the
    documents of the settings as long as nothing was ever imported.
    """

    def __init__(self, settings: Settings, database: Database, today: Callable[[Dialogue], date]) -> None:
        self._settings = settings
        self._database = database
        self._today = today
        self._version: Version | None = None
        self._passages: tuple[Passage, ...] = ()
        self._day = date.min
        self._current: Script | None = None
        self._complaint = ""

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, today: Callable[[Dialogue], date] = company_today) -> AsyncIterator[Self]:
        """Load the first script. Raises DocumentError, and CallLogError when the database can never work."""
        async with Database(settings.log) as database:
            scripts = cls(settings, database, today)
            await scripts._start()
            yield scripts

    @property
    def current(self) -> Script:
        """What a call that begins now shall know; calls in progress keep theirs."""
        assert self._current is not None  # noqa: S101 - `open` gives it before anybody can ask
        return self._current

    async def watch(self, prepare: Callable[[Script], Awaitable[None]], poll_s: float = POLL_S) -> None:
        """Look for a new version or a new day, for ever; `prepare` is awaited before new calls get its script.

        Whatever is wrong is logged, and calls know what they knew.
        """
        while True:
            await asyncio.sleep(poll_s)
            try:
                await self.look(prepare)
            except AgentError as e:
                self._complain(e)
            else:
                self._complaint = ""

    async def look(self, prepare: Callable[[Script], Awaitable[None]]) -> bool:
        """Look once; return whether there is another script. Raises AgentError, also when only `prepare` failed."""
        day, version, fault = self._today(self._settings), self._version, None
        try:
            version = await self._newer()
        except CallLogError as e:
            fault = e  # a new day begins without the database too
        if version is not self._version or day != self._day:
            passages = version.passages if version else self._passages
            gate = version.draft.gate if version else None
            script = await asyncio.to_thread(company_script, self._settings, passages, gate)
            await prepare(script)
            self._version, self._passages, self._day, self._current = version, passages, day, script
            log.info("new calls know", version=version.number if version else 0, passages=len(script.passages))
            return True
        if fault is not None:
            raise fault
        return False

    async def _start(self) -> None:
        self._day = self._today(self._settings)
        try:
            self._version = await self._newer()
        except CallLogError as e:
            if not e.retryable:
                raise
            self._version = await self._copied()
            self._complain(e)
        if self._version is None:
            self._passages = await asyncio.to_thread(company_passages, self._settings.company.knowledge)
        else:
            self._passages = self._version.passages
        gate = self._version.draft.gate if self._version else None
        self._current = await asyncio.to_thread(company_script, self._settings, self._passages, gate)
        number = self._version.number if self._version else 0
        log.info("calls know", version=number, passages=len(self._current.passages))

    async def _newer(self) -> Version | None:
        """Return the version in force, the one that we have if it is that. Raises CallLogError."""
        async with connected(self._database) as store:
            number = await store.newest()
            if self._version is not None and self._version.number == number:
                return self._version
            version = await store.version()
        if version is None:
            return self._version
        try:
            await asyncio.to_thread(write_copy, self._settings.company.copy_file, version)
        except DocumentError as e:
            log.warning("a start without the database would not know this version", fault=str(e))
        return version

    async def _copied(self) -> Version | None:
        try:
            return await asyncio.to_thread(read_copy, self._settings.company.copy_file)
        except DocumentError as e:
            log.warning("the copy of the knowledge is of no use", fault=str(e))
            return None

    def _complain(self, e: AgentError) -> None:
        """Log what is wrong, once until it is something else."""
        if str(e) != self._complaint:
            self._complaint = str(e)
            log.warning("new versions of the knowledge are not noticed", fault=str(e))
