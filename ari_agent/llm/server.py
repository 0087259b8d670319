"""A language model behind an OpenAI-compatible server, such as llama-server or vLLM: asked over HTTP.

Only the host of `model.url` is ever connected to: no redirect is followed, no proxy of the environment used. No error
quotes what a server answers, because it may repeat what the caller said.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp

from ari_agent.backoff import backoff
from ari_agent.config import Model, read_secret
from ari_agent.errors import ConfigError, EngineBusy, EngineUnavailable
from ari_agent.llm.events import Events
from ari_agent.llm.inquiry import Form, Inquiry

ENGINE = "remote"
MOST_BYTES = 1024 * 1024
"""Of an answer; a decision with its probabilities is 100 kB. What is longer is cut off."""
_COMPLAINT_BYTES = 16 * 1024  # of an error: enough to see what the server does not understand
_BUSY = frozenset({429, 503})
_RETRY_S = 0.1  # before a second attempt; jittered, because many callers may have failed at once


class Failed(EngineUnavailable):
    """An attempt failed that may succeed the second time."""


class Unfinished(EngineUnavailable):
    """A text was cut off where it became too long."""


class Refused(EngineUnavailable):
    """The server answered with an error status."""

    def __init__(self, url: str, status: int, complaint: str) -> None:
        super().__init__(ENGINE, f"{url} answered {status}{_remedy(status)}")
        self.status = status
        """HTTP status."""
        self.complaint = complaint
        """The server's words; never shown, because they may hold the caller's."""


class Server:
    """One server. Requests have no time limit of their own: who asks sets it, and cancelling closes the connection."""

    def __init__(self, settings: Model, http: aiohttp.ClientSession) -> None:
        self.url = (settings.url or "").rstrip("/")
        self.model = settings.remote_name
        """Name of the model to ask for; "" until `look` has found it out."""
        self._named = settings.remote_name
        self.form = Form()
        """What the server understands, as far as it is known."""
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Model) -> AsyncIterator[Self]:
        """Prepare the client; the first request connects. Raises ConfigError when the key cannot be used."""
        headers = {"Accept-Encoding": "identity"}  # what is packed small may be endless unpacked
        if settings.key_file is not None:
            key = await asyncio.to_thread(read_secret, settings.key_file)
            if not (key.isascii() and key.isprintable()):
                raise ConfigError(f"{settings.key_file} must hold the server's API key and nothing else, on one line")
            headers["Authorization"] = f"Bearer {key}"
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # the places of the settings are the bound
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        ) as http:
            yield cls(settings, http)

    async def look(self) -> None:
        """Ask which models there are: the probe of its health. Raises EngineUnavailable, EngineBusy."""
        async with self._transfer(await self._send("GET", "/models")) as response:
            found = _parsed(await _whole(response))
        try:
            names = [str(entry["id"]) for entry in found["data"]]
        except (KeyError, TypeError) as e:
            raise EngineUnavailable(ENGINE, f"{self.url}/models lists no models; check model.url") from e
        if not names:
            raise EngineUnavailable(ENGINE, f"{self.url} has no model loaded")
        self.model = self._named or names[0]  # it may be another one since it was restarted

    async def write(self, inquiry: Inquiry) -> tuple[str, Any]:
        """Return what the model writes and the probabilities of its tokens, None when the server tells none.

        Raises EngineUnavailable, EngineBusy.
        """
        async with self._transfer(await self._ask(inquiry)) as response:
            answer = _parsed(await _whole(response))
        try:
            choice = answer["choices"][0]
            text, logprobs = choice["message"]["content"], choice.get("logprobs")
        except (KeyError, IndexError, TypeError, AttributeError) as e:
            raise EngineUnavailable(ENGINE, f"{self.url} answers in another format") from e
        return str(text), logprobs

    async def stream(self, inquiry: Inquiry) -> AsyncGenerator[str, None]:
        """Yield what the model writes, piece by piece, up to where it ends by itself.

        Raises EngineUnavailable, EngineBusy, and Unfinished when it had more to write than it may.
        """
        events, size, reason = Events(), 0, ""
        async with self._transfer(await self._ask(inquiry)) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > MOST_BYTES:
                    raise EngineUnavailable(ENGINE, f"{self.url} does not stop writing")
                for payload in events.feed(chunk):
                    if payload.strip() != "[DONE]":
                        piece, ended = _delta(payload, self.url)
                        reason = ended or reason
                        if piece:
                            yield piece
        if reason == "length":
            raise Unfinished(ENGINE, f"{self.url} had more to write than it may")
        if reason != "stop":
            raise EngineUnavailable(ENGINE, f"{self.url} broke off its answer")

    async def _ask(self, inquiry: Inquiry) -> aiohttp.ClientResponse:
        """Return the answer to an inquiry, asked again in plainer forms where the server does not understand it."""
        while True:
            try:
                response = await self._twice(inquiry.body(self.model))
            except Refused as e:
                plainer = inquiry.plainer(e.status, e.complaint)
                if plainer is None:
                    raise
                inquiry = plainer
            else:
                self.form = inquiry.form
                return response

    async def _twice(self, body: dict[str, Any]) -> aiohttp.ClientResponse:
        """Send a request, once more when that may help. Raises EngineBusy, Refused, EngineUnavailable."""
        try:
            return await self._send("POST", "/chat/completions", body)
        except (Failed, EngineBusy):
            pass
        except Refused as e:
            if e.status < 500 or "response_format" in e.complaint or "logprobs" in e.complaint:
                raise  # the same again would be refused again
        await asyncio.sleep(next(backoff(_RETRY_S)))
        return await self._send("POST", "/chat/completions", body)

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> aiohttp.ClientResponse:
        """Return the response once its head is there and says 200."""
        try:
            response = await self._http.request(method, self.url + path, json=body, allow_redirects=False)
        except (aiohttp.ClientError, OSError, ValueError) as e:
            raise Failed(ENGINE, f"{self.url} cannot be reached ({type(e).__name__})") from e
        if response.status == 200:
            return response
        async with self._transfer(response):
            if response.status in _BUSY:
                raise EngineBusy(ENGINE, f"{self.url} answered {response.status}: too many wait there")
            complaint = await _whole(response, _COMPLAINT_BYTES)
        raise Refused(self.url, response.status, complaint.decode(errors="replace"))

    @asynccontextmanager
    async def _transfer(self, response: aiohttp.ClientResponse) -> AsyncIterator[aiohttp.ClientResponse]:
        """Read a response; what is left unread closes the connection, so that the server stops writing."""
        try:
            yield response
        except (aiohttp.ClientError, OSError, ValueError) as e:
            raise EngineUnavailable(ENGINE, f"{self.url} broke off its answer ({type(e).__name__})") from e
        finally:
            response.close()  # harmless to a connection that was read to its end and is in use again


async def _whole(response: aiohttp.ClientResponse, most: int = MOST_BYTES) -> bytes:
    """Return the body. Raises EngineUnavailable when it is longer than `most`."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most:
            raise EngineUnavailable(ENGINE, f"an answer of more than {most} bytes is cut off")
    return bytes(body)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # without its cause, which holds the answer
        raise EngineUnavailable(ENGINE, "the server answers no JSON; check model.url") from None


def _delta(payload: str, url: str) -> tuple[str, str]:
    """Return what an event adds to the text, and why the text ends with it or ""."""
    event = _parsed(payload.encode())
    try:
        choices = event["choices"]
        if not choices:
            return "", ""  # it tells how many tokens were used
        return str(choices[0]["delta"].get("content") or ""), str(choices[0].get("finish_reason") or "")
    except (KeyError, IndexError, TypeError, AttributeError) as e:
        raise EngineUnavailable(ENGINE, f"{url} streams in another format") from e


def _remedy(status: int) -> str:
    match status:
        case 401 | 403:
            return ": it wants another key; check model.key_file"
        case 404:
            return ": check model.url, which usually ends in /v1, and model.remote_name"
        case _ if 300 <= status < 400:
            return ": it redirects, which is not followed; name the right address in model.url"
        case _:
            return ""
