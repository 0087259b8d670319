"""The agent under test on the sandbox: as a process of its own, or in ours where a test looks inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest_asyncio
from callers import VOSK_MODEL
from database.servers import open_folder
from psycopg.rows import DictRow, dict_row

from ari_agent.call import Engines
from ari_agent.calllog.embedded import EmbeddedPostgres
from ari_agent.calllog.phone_book import PhoneBook
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.calllog.sealing import Numbers, Place
from ari_agent.cli.company import company_decider, company_script
from ari_agent.config import Log, Settings, load
from ari_agent.controller import Controller, Pbx, utc_now
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Decider
from ari_agent.speech.cache import CachedVoice
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.vad import SpeechGate
from ari_agent.speech.vosk import VoskRecogniser
from sandbox import agent as process
from sandbox.settings import Engine, Tables, sandbox_settings, write_settings

from .conftest import Sandbox
from .people import until

START_S = 20.0
STOP_S = 15.0

T = TypeVar("T")


def tables(folder: Path, node: str, engine: Engine | None = None, **changes: dict[str, Any]) -> Tables:
    """Return settings for a quick test: the agent speaks fast and waits for nobody for long."""
    settings = sandbox_settings(folder, node=node, engine=engine)
    quick: Tables = {
        "speech": {"vosk_model": str(VOSK_MODEL), "voice_wpm": 300},
        "escalation": {"ring_s": 8, "key_s": 2},
        "calls": {"slots": 12, "drain_s": 3, "silence_s": 8},
    }
    for section, values in (*quick.items(), *changes.items()):
        settings[section] = settings.get(section, {}) | values
    return settings


class Book:
    """The call log of an agent, as a company's administrator sees it."""

    def __init__(self, settings: Log) -> None:
        self._server = EmbeddedPostgres(settings.data)
        self._numbers = Numbers(settings.number_key)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Start the database, when the agent that has stopped it is to be read after."""
        with self._server:
            yield

    async def rows(self, sql: str, *values: object) -> list[DictRow]:
        """Return what a query finds; of whole rows with their numbers opened."""
        connecting = psycopg.AsyncConnection.connect(self._server.dsn, row_factory=dict_row, autocommit=True)
        async with await connecting as connection:
            found = await (await connection.execute(sql.encode(), values or None)).fetchall()
        return await asyncio.to_thread(lambda: list(map(self._opened, found)))

    def _opened(self, row: DictRow) -> DictRow:
        places: tuple[tuple[Place, str], ...] = (("call", "caller"), ("task", "number"))
        for place, name in places:
            if isinstance(sealed := row.get(name), bytes):
                self._numbers.require()
                row[name] = self._numbers.open(place, row["id"], sealed)
        return row

    async def calls(self) -> list[DictRow]:
        """Return all calls in the order of their beginning."""
        return await self.rows("SELECT * FROM ari_agent.call ORDER BY opened_at")

    async def last(self) -> DictRow:
        """Return the newest call."""
        return (await self.calls())[-1]

    async def turns(self, call: object) -> list[DictRow]:
        """Return the turns of a call."""
        return await self.rows("SELECT * FROM ari_agent.turn WHERE call = %s ORDER BY number", call)

    async def escalations(self, call: object) -> list[str]:
        """Return how each attempt to reach a person ended."""
        sql = "SELECT code FROM ari_agent.event WHERE call = %s AND kind = 'escalated' ORDER BY seq"
        return [row["code"] for row in await self.rows(sql, call)]

    async def refused(self, call: object, seconds: float = 10.0) -> str:
        """Wait until nobody took the call; return why."""
        await until(lambda: self.escalations(call), seconds)  # the log is written behind the call
        return (await self.escalations(call))[-1]

    async def closed(self, calls: int, *, since: int = 0, seconds: float = 10.0) -> list[DictRow]:
        """Wait until there are so many calls after the first `since` ones and all of them are closed; return them."""

        async def complete() -> bool:
            rows = (await self.calls())[since:]
            return len(rows) == calls and all(row["closed_at"] for row in rows)

        await until(complete, seconds)
        return (await self.calls())[since:]


class Agent(process.Agent):
    """`ari-agent run` as a child process, with its call log."""

    def __init__(self, folder: Path, settings: Tables) -> None:
        path = write_settings(folder / f"{settings['asterisk']['node']}.toml", settings)
        super().__init__(path)
        self.checked = load(path)
        self.book = Book(self.checked.log)

    async def stop(self) -> int:
        """End it if it still runs. A mistake of ours in its log fails the test that is going on."""
        status = await super().stop()
        mistakes = [line for line in self.lines() if "exception" in line or str(line["event"]).startswith("Traceback")]
        assert not mistakes, mistakes
        return status


@dataclass(frozen=True, slots=True)
class Inside:
    """An agent in our own process, laid open."""

    settings: Settings
    controller: Controller
    ari: Ari
    recogniser: VoskRecogniser
    log: PostgresLog
    book: Book
    decider: Decider | None

    @property
    def worker(self) -> int:
        """The process of the speech recognition."""
        pid = self.recogniser.workers[0].pid
        assert pid is not None
        return pid


@asynccontextmanager
async def inside(folder: Path, settings: Tables, now: Callable[[], datetime] = utc_now) -> AsyncIterator[Inside]:
    """Serve the sandbox's calls in our own process, built as `ari-agent run` builds it; `now` is what time it has."""
    checked: Settings = load(write_settings(folder / "inside.toml", settings))
    script = company_script(checked)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(PostgresLog.open(checked.log, checked.asterisk.node))
        recogniser = await stack.enter_async_context(VoskRecogniser(checked.speech))
        voice = CachedVoice(EspeakVoice(checked.speech))
        await asyncio.gather(recogniser.wait_ready(), voice.warm(script.phrases()))
        ari = await stack.enter_async_context(Ari.open(checked.asterisk, checked.app))
        transport = await stack.enter_async_context(Transport.open(checked.asterisk))
        decider = await stack.enter_async_context(company_decider(checked.model, script))
        engines = Engines(recogniser, voice, lambda: SpeechGate(checked.speech.level_dbfs), decider)
        pbx = Pbx(ari, Ami(checked.asterisk), transport)
        controller = Controller(checked, pbx, engines, lambda: script, log, PhoneBook(), now=now)
        serving = asyncio.create_task(controller.run(), name="controller")
        try:
            await until(partial(_is_connected, ari), START_S)
            yield Inside(checked, controller, ari, recogniser, log, Book(checked.log), decider)
        finally:
            controller.stop()
            async with asyncio.timeout(STOP_S):
                await serving


async def _is_connected(ari: Ari) -> bool:
    return ari.app in await ari.applications()


Fixture = Callable[[Sandbox], AsyncIterator[T]]


def served(node: str, engine: Engine | None = None, **changes: dict[str, Any]) -> Fixture[Agent]:
    """Return a fixture: one agent that serves a module's calls, as a process of its own."""

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def serve(sandbox: Sandbox) -> AsyncIterator[Agent]:
        with open_folder() as folder:
            async with Agent(folder, tables(folder, node, engine, **changes)) as agent:
                yield agent

    return serve


def laid_open(node: str, engine: Engine | None = None, **changes: dict[str, Any]) -> Fixture[Inside]:
    """Return a fixture: one agent that serves a module's calls in our own process."""

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def serve(sandbox: Sandbox) -> AsyncIterator[Inside]:
        with open_folder() as folder:
            async with inside(folder, tables(folder, node, engine, **changes)) as agent:
                yield agent

    return serve
