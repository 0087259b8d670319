"""Examines everything a call needs, in the order a call needs it; nothing is changed."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Container, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from ari_agent.asterisk import TransportName, Watchdog
from ari_agent.calllog.anchor import kept, unstamped
from ari_agent.calllog.chain import ChainReader
from ari_agent.calllog.database import Database
from ari_agent.calllog.schema import migrate
from ari_agent.calllog.spool import Left, look
from ari_agent.config import Log, Model, Settings
from ari_agent.errors import AgentError, AmiUnavailable, AriError, ModelError, NoTransport, SpoolError
from ari_agent.heartbeat import SUFFIX
from ari_agent.heartbeat import read as read_beat
from ari_agent.knowledge.encoder import EncoderKnowledge
from ari_agent.knowledge.passage import Passage
from ari_agent.llm.server import Server
from ari_agent.ops.accounts import examine_accounts
from ari_agent.ops.completeness import examine_completeness
from ari_agent.ops.finding import Finding as Finding
from ari_agent.ops.finding import Level as Level
from ari_agent.ops.gguf import read_head
from ari_agent.ops.numbers import examine_numbers
from ari_agent.ops.recording import examine_recording
from ari_agent.ops.retention import examine_compaction, examine_files, examine_retention
from ari_agent.ops.watchdog import NAME as WATCHDOG
from ari_agent.pbx.ami import Ami
from ari_agent.pbx.ari import Ari, version
from ari_agent.pbx.transport import AudioSocket, Version, WebSocket, choose, running, websocket_is_safe
from ari_agent.speech.espeak import EspeakVoice
from ari_agent.speech.vosk import VoskRecogniser

MODULES = (
    "res_ari_channels.so",
    "res_ari_bridges.so",
    "res_ari_events.so",
    "app_stasis.so",
    "app_queue.so",
    "res_agi.so",
)
DEADLOCKS = "res_stasis_device_state.so"
"""https://github.com/asterisk/asterisk/issues/2170; asterisk/modules.conf says more."""
SERVER_S = 5.0
"""Limit for the server of the language model to answer."""
ANCHOR_HOURS = 26.0
"""An older newest anchor is told: once a day is the least."""
ANCHOR = "enable deploy/systemd/ari-agent-anchor.timer, which runs `ari-agent audit anchor`; copy the file elsewhere"
WAITS_S = 60.0
"""An entry of the call log that waits longer is told; the database takes them in milliseconds."""
WITHOUT = "until then policy and search decide every turn: `ari-agent models list`, then `ari-agent models fetch NAME`"
"""What to do about a model that cannot work; no call is lost by it."""

Documents = Callable[[Path], Sequence[Passage]]
"""Reads the company's documents. Raises DocumentError."""


async def examine(settings: Settings, documents: Documents) -> list[Finding]:
    """Return all findings; nothing that is wrong keeps the rest from being examined."""
    findings: list[Finding] = []
    for examination in (_asterisk, _watchdog, _queue):
        findings += [finding async for finding in examination(settings)]
    passages = await asyncio.to_thread(_passages, settings, documents, findings)
    findings += await examine_model(settings.model, passages)
    for examination in (_ears, _voice, _database, _anchor):
        findings += [finding async for finding in examination(settings)]
    findings += await asyncio.to_thread(lambda: list(examine_recording(settings)))
    return [*findings, *await asyncio.to_thread(examine_spool, settings.log)]


async def examine_model(model: Model, passages: Sequence[Passage]) -> list[Finding]:
    """Return what there is to say about who decides a turn."""
    if model.engine == "search":
        return [Finding("deciding", Level.GOOD, "policy and search, as the settings say")]
    findings = [await asyncio.to_thread(_encoder, model, passages)]
    if model.engine == "embedded":
        return findings
    found = [await _server(model)] if model.engine == "remote" else []
    if model.gguf is not None:
        found.append(await asyncio.to_thread(_gguf, model.gguf))
    return [*findings, *found]


async def _asterisk(settings: Settings) -> AsyncIterator[Finding]:
    async with Ari.open(settings.asterisk, settings.app) as ari:
        try:
            found = version(await ari.info())
        except AriError as e:
            yield Finding(
                "Asterisk", Level.ERROR, str(e), "is Asterisk running, http.conf enabled and ari.conf loaded?"
            )
            return
        yield Finding("Asterisk", Level.GOOD, f"version {found[0]}.{found[1]}")
        yield judge_transport(settings.asterisk.transport, found, await running(ari))
        missing = [name for name in MODULES if await ari.module_status(name) != "Running"]
        if missing:
            remedy = "load them in modules.conf or install the package that has them"
            yield Finding("modules", Level.ERROR, f"not running: {', '.join(missing)}", remedy)
        else:
            yield Finding("modules", Level.GOOD, "all running")
        if await ari.module_status(DEADLOCKS) == "Running":
            remedy = "add '#include ari-agent/modules.conf' to modules.conf and restart Asterisk"
            yield Finding("modules", Level.WARNING, f"{DEADLOCKS} can make every ARI application hang", remedy)
        async for finding in _claiming(settings, ari):
            yield finding


async def _claiming(settings: Settings, ari: Ari) -> AsyncIterator[Finding]:
    if await ari.module_status("app_stasis_broadcast.so") == "Running":
        yield Finding("claiming", Level.GOOD, "calls are broadcast, the first free controller takes them")
    else:
        remedy = f"set the dialplan global ARI_AGENT_APP={settings.app}; or Asterisk 20.17, 22.7, 23.1 or newer"
        yield Finding("claiming", Level.WARNING, "no StasisBroadcast: one controller only", remedy)
    if settings.app in await ari.applications():
        yield Finding("controller", Level.GOOD, f"{settings.app} is connected and serves calls")
    else:
        yield Finding("controller", Level.WARNING, f"{settings.app} is not connected", "start it: ari-agent run")


def judge_transport(wanted: TransportName, found: Version, modules: Container[str]) -> Finding:
    """Say how the audio of calls comes from this version of Asterisk, with these modules of transports running."""
    try:
        choice = choose(wanted, found, modules)
    except NoTransport as e:
        return Finding("audio", Level.ERROR, str(e), "until then calls go to the queue; compare asterisk.transport")
    match choice:
        case WebSocket() if not websocket_is_safe(found):
            return Finding(
                "audio",
                Level.ERROR,
                f"{choice}: chan_websocket is not safe in {found[0]}.{found[1]}",
                'asterisk.transport = "auto" takes AudioSocket instead',
            )
        case AudioSocket() if wanted == "auto" and not websocket_is_safe(found):
            because = f": chan_websocket is not safe in {found[0]}.{found[1]}"
        case AudioSocket() if wanted == "auto":
            because = ": chan_websocket.so is not running"
        case _:
            because = ", as the settings say" if wanted != "auto" else ""
    return Finding("audio", Level.GOOD, f"{choice}{because}")


async def _watchdog(settings: Settings) -> AsyncIterator[Finding]:
    yield examine_watchdog(settings.watchdog)


def examine_watchdog(signs: Watchdog) -> Finding:
    """Return whether somebody cares for the callers of a controller that dies."""
    beat = read_beat(signs.runtime / f"{WATCHDOG}{SUFFIX}")
    if beat is not None and beat.fresh(signs.after_s):
        return Finding("watchdog", Level.GOOD, f"process {beat.pid} watches")
    found = "none: callers of a controller that dies wait in silence until it is started again"
    return Finding("watchdog", Level.WARNING, found, "start it: ari-agent watchdog, with the same watchdog.runtime")


async def _queue(settings: Settings) -> AsyncIterator[Finding]:
    name = settings.escalation.queue
    try:
        queue = await Ami(settings.asterisk).queue(name)
    except AmiUnavailable as e:
        yield Finding("queue", Level.ERROR, str(e), "without it nobody knows whether a receptionist is free")
        return
    if not queue.exists:
        yield Finding(
            "queue", Level.ERROR, f"Asterisk has no queue {name!r}", "set escalation.queue or add it to queues.conf"
        )
    elif not queue.members:
        yield Finding("queue", Level.ERROR, f"{name} has no members", "add the receptionists' phones in queues.conf")
    elif not queue.free:
        yield Finding(
            "queue", Level.WARNING, f"none of {queue.members} members of {name} is free", "are the phones on?"
        )
    else:
        yield Finding("queue", Level.GOOD, f"{queue.free} of {queue.members} members of {name} are free")


def _passages(settings: Settings, documents: Documents, findings: list[Finding]) -> Sequence[Passage]:
    """Return the company's passages, none when they cannot be read."""
    try:
        passages = documents(settings.company.knowledge)
    except AgentError as e:
        findings.append(Finding("document", Level.ERROR, str(e), "correct the file"))
        return ()
    findings.append(Finding("document", Level.GOOD, f"{len(passages)} passages"))
    return passages


def _encoder(model: Model, passages: Sequence[Passage]) -> Finding:
    sample = passages or [Passage("probe", "Probe", "Das ist eine Probe.")]
    try:
        EncoderKnowledge(sample, model.encoder).read("das ist eine probe")
    except AgentError as e:
        remedy = "until then search reads callers' words; compare model.encoder"
        return Finding("encoder", Level.WARNING, str(e), remedy)
    return Finding("encoder", Level.GOOD, f"{model.encoder.name} is loaded and reads callers' words")


def _gguf(path: Path) -> Finding:
    try:
        head = read_head(path)
    except ModelError as e:
        return Finding("language model", Level.WARNING, str(e), WITHOUT)
    if find_spec("llama_cpp") is None:
        return Finding(
            "language model", Level.WARNING, "llama-cpp-python is not installed", "pip install ari-agent[llm]"
        )
    about = f"{head.architecture}, {head.megabytes} MB" + (f", {head.name}" if head.name else "")
    return Finding("language model", Level.GOOD, f"{path.name} is complete: {about}")


async def _server(model: Model) -> Finding:
    try:
        async with asyncio.timeout(SERVER_S), Server.open(model) as server:
            await server.look()
    except AgentError as e:
        return Finding("language model", Level.WARNING, str(e), _instead(model))
    except TimeoutError:
        return Finding(
            "language model", Level.WARNING, f"{model.url} has not answered within {SERVER_S:g} s", _instead(model)
        )
    return Finding("language model", Level.GOOD, f"{model.url} serves {server.model}")


def _instead(model: Model) -> str:
    """Return what decides while the server does not."""
    if model.gguf is not None:
        return "until then the local model decides; compare model.url with the server"
    return "until then policy and search decide every turn; compare model.url with the server"


async def _ears(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with VoskRecogniser(settings.speech) as recogniser:
            await recogniser.wait_ready()
    except AgentError as e:
        yield Finding("recognition", Level.ERROR, str(e), "compare speech.vosk_model with an unpacked Vosk model")
        return
    yield Finding("recognition", Level.GOOD, f"{settings.speech.vosk_model.name} is loaded and understands")


async def _voice(settings: Settings) -> AsyncIterator[Finding]:
    if shutil.which("espeak-ng") is None:
        yield Finding("voice", Level.ERROR, "espeak-ng is not installed", "apt install espeak-ng")
        return
    try:
        size = sum([len(pcm) async for pcm in EspeakVoice(settings.speech).speak("Guten Tag.")])
    except AgentError as e:
        yield Finding("voice", Level.ERROR, str(e), "compare speech.voice with espeak-ng --voices")
        return
    yield Finding("voice", Level.GOOD, f"espeak-ng {settings.speech.voice} spoke {size / 32_000:.1f} s")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    try:
        async with Database(settings.log) as database, await database.connect() as connection:
            await migrate(connection)
            findings = [
                await examine_accounts(settings.log, connection),
                await examine_retention(settings, connection),
                await examine_compaction(settings, connection),
                await examine_completeness(settings, connection),
                await examine_numbers(settings.log, connection),
            ]
    except AgentError as e:
        yield Finding("database", Level.ERROR, str(e), "compare [log] with the database; calls go on without it")
        return
    yield Finding("database", Level.GOOD, "the call log can be written")
    for finding in [*findings, *await asyncio.to_thread(lambda: list(examine_files(settings)))]:
        yield finding


async def _anchor(settings: Settings) -> AsyncIterator[Finding]:
    try:
        yield await examine_anchor(settings.log)
    except AgentError as e:
        remedy = "until then nobody can prove that the call log is whole: compare log.anchors and log.anchor_key"
        yield Finding("anchor", Level.WARNING, str(e), remedy)


async def examine_anchor(log: Log) -> Finding:
    """Return whether the newest anchor is fresh and its event still in the chain. Raises AnchorError, CallLogError."""
    anchors = await asyncio.to_thread(kept, log.anchors)
    if not anchors:
        return Finding("anchor", Level.WARNING, f"there is none in {log.anchors}", ANCHOR)
    newest = anchors[-1]
    async with ChainReader.open(log) as reader:
        head = await reader.head()
        holds = newest.chain == str(head.chain) and (
            newest.number < head.first or newest.hash == await reader.hash_at(newest.number)
        )
    if not holds:
        found = f"event {newest.number} is not what the anchor of {newest.at} says"
        return Finding("anchor", Level.ERROR, found, "somebody changed the call log's database: ari-agent audit verify")
    hours = (datetime.now(UTC) - datetime.fromisoformat(newest.at)).total_seconds() / 3600
    if hours > ANCHOR_HOURS:
        return Finding("anchor", Level.WARNING, f"the newest is {hours:.0f} hours old", ANCHOR)
    if log.stamp_url is not None and len(missing := await asyncio.to_thread(unstamped, anchors, log.stamps)) > 1:
        found = f"the newest {len(missing)} anchors have no time stamp"
        return Finding("anchor", Level.WARNING, found, "ari-agent audit anchor tells why: compare log.stamp_url")
    return Finding("anchor", Level.GOOD, f"the chain holds to event {newest.number}, {newest.at}")


def examine_spool(log: Log) -> list[Finding]:
    """Return what there is to say about the entries that wait on disk."""
    folder = log.spool
    try:
        left, damaged = look(folder), sorted(folder.glob("*.damaged-*"))
        room = shutil.disk_usage(_existing(folder)).free
    except (SpoolError, OSError):
        remedy = "check log.spool, its owner and its disk; until then what waits is in memory only"
        return [Finding("spool", Level.ERROR, f"{folder} cannot be read", remedy)]
    findings = []
    if damaged:
        remedy = "entries of the call log may be missing; delete the file once that is looked into, it holds numbers"
        findings.append(Finding("spool", Level.WARNING, f"{damaged[-1].name} was set aside as unreadable", remedy))
    if room < log.spool_mb * 1_000_000:
        found = f"{room // 1_000_000} MB are free in {folder}, less than log.spool_mb"
        findings.append(Finding("spool", Level.WARNING, found, "free some, or name another folder in log.spool"))
    entries, age = sum(one.entries for one in left), max((_age(one) for one in left), default=0.0)
    if age > WAITS_S:
        found = f"{entries} entries of the call log wait, the oldest since {age:.0f} s"
        remedy = "bring the database back; ari-agent run then writes them by itself"
        return [*findings, Finding("spool", Level.ERROR, found, remedy)]
    return [*findings, Finding("spool", Level.GOOD, f"{entries} entries of the call log wait")]


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that exists."""
    return next(step for step in (folder, *folder.absolute().parents) if step.exists())


def _age(left: Left) -> float:
    return time.time() - left.oldest_at if left.oldest_at is not None else 0.0
