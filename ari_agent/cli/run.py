"""`ari-agent run`: build everything, connect it, and serve calls until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import structlog

from ari_agent import metrics
from ari_agent.allocator import give_back_what_is_freed
from ari_agent.archive.archive import Archive
from ari_agent.archive.writer import ArchiveWriter
from ari_agent.call import Engines
from ari_agent.calllog.counting import keep_counting
from ari_agent.calllog.directory import PostgresDirectory
from ari_agent.calllog.postgres import PostgresLog
from ari_agent.cli.company import company_decider
from ari_agent.cli.metrics import served
from ari_agent.cli.scripts import CompanyScripts
from ari_agent.config import Settings
from ari_agent.controller import Controller, Pbx
from ari_agent.dialogue.script import ENGLISH_MANNER, Script
from ari_agent.heartbeat import Heartbeat
from ari_agent.llm.llama import LlamaDecider
from ari_agent.llm.remote import RemoteDecider
from ari_agent.load import Load
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari
from ari_agent.pbx.transport import Transport
from ari_agent.protocols import Decider
from ari_agent.speech.cache import CachedVoice
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.vad import SpeechGate
from ari_agent.speech.vosk import VoskRecogniser
from ari_agent.worker.keeper import Keeper

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def serve(settings: Settings) -> None:
    """Serve calls until SIGTERM or SIGINT. Raises AgentError when something of ours cannot work as configured.

    Asterisk and the database may be away at the start and at any time later: both are tried again.
    """
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None  # noqa: S101 - a coroutine always runs in a task
    for number in _SIGNALS:
        loop.add_signal_handler(number, this.cancel)
    give_back_what_is_freed()
    async with AsyncExitStack() as stack:
        signs = settings.watchdog
        heart = await stack.enter_async_context(Heartbeat.begin(signs.runtime, settings.app, signs.heartbeat_s))
        scripts = await stack.enter_async_context(CompanyScripts.open(settings))
        script = scripts.current
        area_code = settings.company.area_code
        call_log = await stack.enter_async_context(PostgresLog.open(settings.log, settings.asterisk.node, area_code))
        vault = None
        if settings.recording.scope is not None:
            writing = ArchiveWriter.open(Archive.of(settings.recording), settings.asterisk.node, call_log)
            vault = await stack.enter_async_context(writing)
        directory = await stack.enter_async_context(PostgresDirectory.open(settings.log, area_code))
        recogniser = await stack.enter_async_context(VoskRecogniser(settings.speech))
        load = Load(settings.calls, recogniser.behind_s)
        voice = CachedVoice(load.voice(EspeakVoice(settings.speech)))
        log.info("loading", model=settings.speech.vosk_model.name, phrases=len(script.phrases()))
        _quote_notice(settings.speech.vosk_model)
        await asyncio.gather(recogniser.wait_ready(), _warm(voice, script))
        ari = await stack.enter_async_context(Ari.open(settings.asterisk, settings.app))
        transport = await stack.enter_async_context(Transport.open(settings.asterisk))
        decider = await stack.enter_async_context(company_decider(settings.model, script))
        telling = asyncio.create_task(_tell_about(decider, settings.model.engine))
        stack.callback(telling.cancel)
        watching = asyncio.create_task(scripts.watch(partial(_prepare, voice, decider)), name="knowledge")
        stack.push_async_callback(_ended, watching)
        engines = Engines(load.recogniser(recogniser), voice, lambda: SpeechGate(settings.speech.level_dbfs), decider)
        pbx = Pbx(ari, Ami(settings.asterisk), transport)
        stack.push_async_callback(_ended, asyncio.create_task(keep_counting(settings.log), name="overdue rows"))
        controller = Controller(
            settings, pbx, engines, lambda: scripts.current, call_log, directory, vault=vault, admits=load.admits
        )
        measuring = asyncio.create_task(load.measure(), name="load")
        stack.push_async_callback(_ended, measuring)
        for keeper in keepers(settings, recogniser, decider, lambda: not controller.active):
            stack.push_async_callback(_ended, asyncio.create_task(keeper.run(), name="memory"))
        for number in _SIGNALS:
            loop.add_signal_handler(number, controller.stop)
        metrics.TASKS.set_function(lambda: len(asyncio.all_tasks(loop)))
        metrics.PHRASES_BYTES.set_function(lambda: voice.held_bytes)
        stack.enter_context(served(settings.metrics))
        with heart.serving():
            await controller.run()
    log.info("stopped")


async def _prepare(voice: CachedVoice, decider: Decider | None, script: Script) -> None:
    """Render what is new before a call needs it. Raises EngineError."""
    await _warm(voice, script)
    if decider is not None:
        log.warning("the language model learns of new passages at the next start; until then search answers for them")


async def _warm(voice: CachedVoice, script: Script) -> None:
    await voice.warm(script.phrases())
    await voice.warm(script.english(), manner=ENGLISH_MANNER)


def keepers(
    settings: Settings, recogniser: VoskRecogniser, decider: Decider | None, idle: Callable[[], bool]
) -> list[Keeper]:
    """Return who looks after the memory of the engines' processes."""
    found = [Keeper(recogniser.workers, settings.speech.vosk_mib, idle)]
    local = decider.local if isinstance(decider, RemoteDecider) else decider
    if isinstance(local, LlamaDecider):
        found.append(Keeper([local.worker], settings.model.llama_mib, idle, needed=False))
    return found


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and see it ended."""
    task.cancel()
    await asyncio.wait([task])


async def _tell_about(decider: Decider | None, engine: str) -> None:
    """Say whether the language model works; calls are served before it does and when it never will."""
    if decider is None:
        return
    await decider.settled()
    if decider.ready:
        log.info("the language model is ready", engine=engine)
    else:
        log.warning("policy and search decide without the language model", engine=engine, fault=decider.fault)


def _quote_notice(model: Path) -> None:
    """Say what the maker of a model wants known before it is used, such as that it was made for tests."""
    for notice in (model / "NOTICE", model.parent / "NOTICE"):
        if notice.is_file():
            log.warning(notice.read_text(encoding="utf-8").strip(), model=model.name)
