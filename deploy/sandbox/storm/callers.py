"""Callers without a phone: channels of the sandbox's Asterisk. Every other one asks a question and hears the reply.

The others speak two seconds into the notice and hang up, as callers do who did not expect a computer.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import numpy as np

from ari_agent.calllog.reading import CallReader
from ari_agent.config import Settings, read_secret
from sandbox import caller_voice
from sandbox.bench.stage import pbx
from sandbox.recording import RATE, Samples, write_wav
from sandbox.settings import CACHE
from sandbox.storm.fates import Fate, Watcher, watching
from sandbox.storm.result import Result, result

QUESTIONS = (
    "Wann haben Sie geöffnet?",
    "Was kostet eine Wartung?",
    "Wo finde ich Sie?",
    "Ich möchte bitte einen Mitarbeiter sprechen.",
)
PATIENCE_S = 15
"""Who is still hearing the ringing tone hangs up."""
LONGEST_CALL_S = 60.0
"""From the last call on: a person who is wanted is rung, nobody takes the call, and the agent takes a callback."""
SETTLE_S = 15.0
"""For the log's last entries, and for what the agent has to take away."""
LISTENS_S, REPLY_S = 7.0, 4.0
"""A caller is silent for so long before and after the question: for the notice, and for the reply."""
SOUNDS = Path("/tmp")  # noqa: S108 - that of Asterisk's own root file system
MEMBER = "Local/rings@sandbox-desk"
"""A receptionist whose phone rings for ever."""


async def storm(settings: Settings, log: CallReader, calls: int, rate: float) -> Result:
    """Let so many callers call, `rate` in a second, and return what became of them.

    Raises ClientError, CallLogError, and StageError for an Asterisk that does not do as told.
    """
    before = (await log.counts())["calls"]
    with _questions() as sounds, _receptionist():
        async with _http(settings) as http, watching(http, settings.asterisk.ari_url) as watcher:
            beginning = time.monotonic()
            async with asyncio.TaskGroup() as group:
                for number in range(calls):
                    await asyncio.sleep(max(0.0, beginning + number / rate - time.monotonic()))
                    sound = None if number % 2 else sounds[number // 2 % len(sounds)]
                    group.create_task(_call(http, settings, watcher, sound))
            took_s = time.monotonic() - beginning
            await _gone(watcher)
            left = await _left(http, settings)
        rows = await _rows(log, before)
        turns = [turn for row in rows for turn in await log.turns(row["id"])]
    return result(list(watcher.fates.items()), rows, turns, took_s, left)


@asynccontextmanager
async def _http(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    login = f"{settings.asterisk.ari_user}:{read_secret(settings.asterisk.ari_password_file)}"
    headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        yield http


@contextmanager
def _questions() -> Iterator[list[str]]:
    """Lay the questions, each in another voice, where Asterisk finds them; yields their names."""
    folder = CACHE / "sandbox" / "rootfs" / SOUNDS.relative_to("/")
    voices, names = caller_voice.voices(), [f"storm-{number}" for number in range(len(QUESTIONS))]
    try:
        for number, (name, text) in enumerate(zip(names, QUESTIONS, strict=True)):
            question = caller_voice.speak(text, voices[number % len(voices)])
            write_wav(folder / f"{name}.wav", np.concatenate([quiet(LISTENS_S), question, quiet(REPLY_S)]))
        yield [str(SOUNDS / name) for name in names]
    finally:
        for name in names:
            (folder / f"{name}.wav").unlink(missing_ok=True)


def quiet(seconds: float) -> Samples:
    """Return silence as a phone sends it."""
    return np.zeros(round(seconds * RATE), np.int16)


@contextmanager
def _receptionist() -> Iterator[None]:
    """Let somebody be in the queue, so that it rings."""
    pbx("cli", f"queue add member {MEMBER} to empfang")
    try:
        yield
    finally:
        pbx("cli", f"queue remove member {MEMBER} from empfang")


async def _call(http: aiohttp.ClientSession, settings: Settings, watcher: Watcher, sound: str | None) -> None:
    near, far = f"storm-near-{uuid.uuid4()}", f"storm-far-{uuid.uuid4()}"
    watcher.fates[far] = Fate()
    body = {
        "endpoint": "Local/2900@from-trunk/n",
        "context": "sandbox-desk",
        "extension": "asks" if sound else "speaks",
        "priority": 1,
        "timeout": PATIENCE_S,
        "channelId": near,
        "otherChannelId": far,
        "variables": {"ASKS": sound or ""},
    }
    async with http.post(f"{settings.asterisk.ari_url}/ari/channels", json=body) as response:
        response.raise_for_status()


async def _gone(watcher: Watcher) -> None:
    """Wait until all callers have hung up, no longer than the longest call; who has not is seen in the result."""
    end = time.monotonic() + LONGEST_CALL_S
    while any(fate.ended is None for fate in watcher.fates.values()) and time.monotonic() < end:
        watcher.over.clear()
        try:
            async with asyncio.timeout(1):
                await watcher.over.wait()
        except TimeoutError:
            continue


async def _left(http: aiohttp.ClientSession, settings: Settings) -> tuple[int, int]:
    """Return the channels and bridges that Asterisk still has when there was time to take them away."""
    end = time.monotonic() + SETTLE_S
    while True:
        left = []
        for what in ("channels", "bridges"):
            async with http.get(f"{settings.asterisk.ari_url}/ari/{what}") as response:
                response.raise_for_status()
                left.append(len(await response.json()))
        if not any(left) or time.monotonic() > end:
            return left[0], left[1]
        await asyncio.sleep(0.2)


async def _rows(log: CallReader, before: int) -> list[dict[str, object]]:
    """Return the rows of the log that were not there before, closed if they are closed in time."""
    end = time.monotonic() + SETTLE_S
    while True:
        new = (await log.counts())["calls"] - before
        rows = await log.calls(new) if new else []
        if all(row["closed_at"] for row in rows) or time.monotonic() > end:
            return rows
        await asyncio.sleep(0.2)
