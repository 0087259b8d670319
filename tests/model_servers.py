"""Servers of language models: a real one as a process of its own, and one whose answers a test scripts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web
from processes import alive

from ari_agent.config import Model
from ari_agent.decision import ACTS, Brief, Decision, Exchange, Intent, Situation, Topic

START_S = 60.0
BRIEF = Brief(
    "Lindner Heizungsbau",
    (
        Topic("oeffnungszeiten", "Öffnungszeiten", "Wir sind montags bis freitags von acht bis siebzehn Uhr da."),
        Topic("wartung", "Wartung", "Eine Wartung kostet 129 Euro. Die Anfahrt ist dabei."),
        Topic("notdienst", "Notdienst", "Der Notdienst kommt auch am Wochenende."),
    ),
    (Intent("termin", ("ich hätte gern einen termin",)),),
    ("empfang", "buchhaltung"),
)


def situation(
    text: str = "was kostet eine wartung", history: Sequence[tuple[str, str]] = (), **changes: Any
) -> Situation:
    """Return a turn in which everything is allowed unless `acts` says otherwise."""
    told = tuple(Exchange(caller, agent) for caller, agent in history)
    return Situation(text, told, changes.get("acts", ACTS), Decision("message", by="search"))


Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class Scripted:
    """An OpenAI-compatible server; each request for a completion is answered by the next entry, the last for ever."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.bodies: list[dict[str, Any]] = []
        """What was asked."""
        self.headers: list[dict[str, str]] = []
        self.looks = 0
        """How often somebody asked which models there are."""
        self.well = True
        """Whether that question is answered."""
        self.url = ""
        self.left = asyncio.Event()
        """Set when somebody who waited for an answer has gone."""

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Self]:
        """Serve on a port of this machine (0: a free one)."""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        self.looks += 1
        self.headers.append(dict(request.headers))
        return web.json_response({"data": [{"id": "first"}, {"id": "second"}]}, status=200 if self.well else 500)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            return await answer(request, body)
        except (asyncio.CancelledError, ConnectionError):
            self.left.set()
            raise


def says(content: object, logprobs: object = None) -> Answer:
    """Answer with this text, or this record."""
    text = content if isinstance(content, str) else json.dumps(content)

    async def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        message = {"message": {"role": "assistant", "content": text}, "logprobs": logprobs, "finish_reason": "stop"}
        return web.json_response({"choices": [message]})

    return answer


def fails(status: int, text: str = "", **headers: str) -> Answer:
    """Answer with an error."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return answer


def streams(*pieces: str, finish: str | None = "stop", then: Callable[[], Awaitable[object]] | None = None) -> Answer:
    """Answer piece by piece; `then` comes before the end, which is missing without a reason to `finish`."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": ping\r\n\r\n")
        for piece in pieces:
            await response.write(f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\r\n\r\n".encode())
        if then is not None:
            await then()
        if finish is not None:
            end = {"choices": [{"delta": {}, "finish_reason": finish}]}
            await response.write(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode())
        return response

    return answer


async def for_ever(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


def settings(url: str, **changes: Any) -> Model:
    """Return settings that name the server."""
    return Model.model_validate({"engine": "remote", "url": url, **changes})


class LlamaServer:
    """`python -m llama_cpp.server` as a child process."""

    def __init__(self, gguf: Path, log: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.pid = 0
        self._log = log
        one = ("--n_threads", "1", "--n_threads_batch", "1", "--verbose", "false")
        self._command = ["-m", "llama_cpp.server", "--model", str(gguf), "--port", str(self.port)]
        self._command += ["--host", "127.0.0.1", "--n_ctx", "4096", *one, *options]

    async def start(self, key: str = "") -> None:
        """Start it and wait until it serves."""
        self._spawn()
        async with asyncio.timeout(START_S), aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
            while not await self._serves(http):
                assert alive(self.pid), self._log.read_text()
                await asyncio.sleep(0.05)

    def _spawn(self) -> None:
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self._log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        command = [sys.executable, *self._command]
        self.pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=files, setsid=True)

    async def _serves(self, http: aiohttp.ClientSession) -> bool:
        with suppress(aiohttp.ClientError):
            async with http.get(f"{self.url}/models") as response:
                return response.status == 200
        return False

    def requests(self) -> list[str]:
        """Return what it has logged of requests for completions, such as "200 OK"."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line.rpartition('" ')[2] for line in lines if '"POST /v1/chat/completions HTTP/1.1"' in line]

    def kill(self) -> None:
        """Kill it without a warning (-9) and see it dead."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    @asynccontextmanager
    async def serving(self, key: str = "") -> AsyncIterator[Self]:
        """Serve as long as the block lasts, unless it is killed within."""
        await self.start(key)
        try:
            yield self
        finally:
            self.kill()
