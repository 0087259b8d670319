"""Decisions by a model on a server in the LAN, and by the local one when the server is slow or away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from typing import Self

import structlog

from ari_agent.config import Model
from ari_agent.decision import Brief, Decision, Situation, Topic
from ari_agent.errors import EngineBusy, EngineError, EngineTimeout, EngineUnavailable
from ari_agent.llm import odds
from ari_agent.llm.breaker import Breaker
from ari_agent.llm.choices import Choices, decision
from ari_agent.llm.inquiry import Inquiry
from ari_agent.llm.llama import NO_TURN
from ari_agent.llm.prompt import Writing
from ari_agent.llm.schema import Records
from ari_agent.llm.server import ENGINE, Server, Unfinished
from ari_agent.protocols import Decider, Deliberation
from ari_agent.speech.sentences import split

log = structlog.get_logger(__name__)

SHARE = 0.6
"""Of the limit is the server's when a local model could decide in the rest of it."""
PROBE_S = 5.0
"""Limit of a probe; a server that writes one answer at a time answers it behind the others."""
HEALTH_S = 15.0
"""Between two probes of a server that is well; so `ready` is true also when nobody calls."""
MOST_LETTERS = 4000
"""Of a phrased answer; whoever writes more has lost its way."""

_KEPT = 16  # schemas; there are few sets of acts, and one takes milliseconds to make of many passages


class RemoteDecider:
    """Implements Decider. An async context manager: it connects when it is asked, and watches the server's health."""

    def __init__(self, settings: Model, brief: Brief, local: Decider | None = None) -> None:
        """`settings.url` must be named; `local` is started and ended by its owner."""
        self.settings = settings
        self.brief = brief
        self.local = local
        """Decides when the server does not."""
        self.breaker = Breaker(ENGINE, self._changed)
        """Tells whether the server is asked."""
        self.records = lru_cache(_KEPT)(lambda acts: Records(Choices(brief, acts)))
        """The records that are possible when these acts are allowed."""
        self._tripped = asyncio.Event()
        self._away = False
        self._probed = asyncio.Event()
        self._places = settings.parallel + settings.queue
        self._stack = AsyncExitStack()
        self._server: Server | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises ConfigError when the key cannot be used."""
        self._server = await self._stack.enter_async_context(Server.open(self.settings))
        self._watching = asyncio.create_task(self._watch(self._server), name="model server's health")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await self._stack.aclose()

    @property
    def ready(self) -> bool:
        """Whether the server or the local model can decide now."""
        return self.breaker.state in ("closed", "half-open") or (self.local is not None and self.local.ready)

    @property
    def fault(self) -> str | None:
        """Why neither can, in words for an administrator; None while one can or nothing is known yet."""
        if self.ready:
            return None
        faults = (self.breaker.fault, self.local.fault if self.local is not None else None)
        return "; ".join(fault for fault in faults if fault) or None

    async def settled(self) -> None:
        """Return when it is ready or both have failed to become so once; they go on trying. Never raises."""
        await self._probed.wait()
        if not self.ready and self.local is not None:
            await self.local.settled()

    @asynccontextmanager
    async def deliberation(self) -> AsyncIterator[RemoteDeliberation]:
        """Take part for the length of a call."""
        if self.local is None:
            yield RemoteDeliberation(self, None)
            return
        async with self.local.deliberation() as local:
            yield RemoteDeliberation(self, local)

    @contextmanager
    def request(self) -> Iterator[Server]:
        """Ask the server within the block, which tells how that ended.

        Raises EngineUnavailable at once while the server is left alone, EngineBusy when no place is free.
        """
        if self._server is None:
            raise EngineUnavailable(ENGINE, "not started")
        if not self._places:
            raise EngineBusy(ENGINE, "too many decisions wait for the server already")
        self._places -= 1
        try:
            with self.breaker.request():
                yield self._server
        finally:
            self._places += 1

    def share(self, limit_s: float) -> float:
        """Return how many seconds of a limit the server gets."""
        return limit_s * SHARE if self.local is not None and self.local.ready else limit_s

    async def _watch(self, server: Server) -> None:
        """Probe the server now and then, after each pause while it is away; for ever."""
        while True:
            self._tripped.clear()
            self.breaker.probed(await _probe(server))
            self._probed.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(HEALTH_S):
                    await self._tripped.wait()
            if self.breaker.state == "open":
                await asyncio.sleep(self.breaker.pause_s)

    def _changed(self) -> None:
        match self.breaker.state:
            case "open":
                self._tripped.set()
                if not self._away:  # else the log would fill for as long as it is away
                    log.warning("the model server does not decide", fault=self.breaker.fault)
                self._away = True
            case "closed":
                self._away = False
                log.info("the model server decides")


class RemoteDeliberation:
    """Implements Deliberation."""

    def __init__(self, decider: RemoteDecider, local: Deliberation | None) -> None:
        self._decider = decider
        self._local = local

    def ahead(self, situation: Situation) -> None:
        """Let the local model read along, should it have to decide; costs the server nothing. Never raises."""
        if self._local is not None:
            self._local.ahead(situation)

    async def decide(self, situation: Situation) -> Decision:
        """Return what shall happen. Raises EngineBusy, EngineTimeout, EngineUnavailable."""
        settings = self._decider.settings
        if not Choices(self._decider.brief, situation.acts).any:
            return situation.default
        end = asyncio.get_running_loop().time() + settings.decide_s
        try:
            return await self._remotely(situation, self._decider.share(settings.decide_s))
        except EngineError as e:
            local = self._fallback()
            if local is None:
                raise
            log.debug("the local model decides", reason=type(e).__name__)
        try:
            async with asyncio.timeout_at(end):
                return await local.decide(situation)
        except TimeoutError as e:
            raise EngineTimeout(ENGINE, f"no decision within {settings.decide_s:g} s, nor by the local model") from e

    async def phrase(self, situation: Situation, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield the passage as an answer to the caller's words, sentence by sentence; unguarded. Raises as `decide`.

        The local model takes over as long as nothing was said.
        """
        said, local = False, self._fallback()
        try:
            async with aclosing(self._phrased(situation, topic)) as sentences:
                async for sentence in sentences:
                    said = True
                    yield sentence
        except EngineError:
            if local is None or said:
                raise
        else:
            return
        async with aclosing(local.phrase(situation, topic)) as sentences:
            async for sentence in sentences:
                yield sentence

    async def questions(self, topic: Topic) -> AsyncGenerator[str, None]:
        """Yield how callers may ask for the passage, as the server's model writes it; unguarded. Raises as `decide`."""
        async with aclosing(self._phrased(NO_TURN, topic, "questions")) as sentences:
            async for sentence in sentences:
                yield sentence

    def _fallback(self) -> Deliberation | None:
        local = self._decider.local
        return self._local if local is not None and local.ready else None

    async def _remotely(self, situation: Situation, limit_s: float) -> Decision:
        brief = self._decider.brief
        records = self._decider.records(situation.acts)
        with self._decider.request() as server:
            inquiry = Inquiry(brief, situation, server.form, records.schema)
            try:
                async with asyncio.timeout(limit_s):
                    text, logprobs = await server.write(inquiry)
            except TimeoutError as e:
                raise EngineTimeout(ENGINE, f"no answer within {limit_s:g} s") from e
            try:
                chosen = records.read(text)
                certainty = odds.confidence(text, odds.tokens(logprobs), records.alternatives(chosen))
                return decision(chosen, brief, certainty, ENGINE)
            except ValueError as e:
                raise EngineUnavailable(ENGINE, f"the server's answer is no decision: {e}") from e

    async def _phrased(
        self, situation: Situation, topic: Topic, writing: Writing = "answer"
    ) -> AsyncGenerator[str, None]:
        limit_s = self._decider.share(self._decider.settings.phrase_s)
        with self._decider.request() as server:
            inquiry = Inquiry(self._decider.brief, situation, server.form, topic=topic, writing=writing)
            async with aclosing(_sentences(server, inquiry)) as sentences:
                while True:
                    try:
                        async with asyncio.timeout(limit_s):
                            sentence = await anext(sentences, None)
                    except TimeoutError as e:
                        raise EngineTimeout(ENGINE, f"no sentence within {limit_s:g} s") from e
                    if sentence is None:
                        return
                    yield sentence


async def _sentences(server: Server, inquiry: Inquiry) -> AsyncGenerator[str, None]:
    """Cut what the server writes into sentences; one is finished when the next begins."""
    text, said = "", 0
    try:
        async with aclosing(server.stream(inquiry)) as pieces:
            async for piece in pieces:
                text += piece
                if len(text) > MOST_LETTERS:
                    raise EngineUnavailable(ENGINE, "the server does not stop writing")
                for sentence in split(text)[said:-1]:
                    said += 1
                    yield sentence
    except Unfinished:
        if not said and inquiry.writing == "answer":
            raise
        return  # half a sentence is not spoken, nor half a question proposed
    for sentence in split(text)[said:]:
        yield sentence


async def _probe(server: Server) -> EngineTimeout | EngineUnavailable | None:
    """Return what is wrong with the server, None when it is well."""
    try:
        async with asyncio.timeout(PROBE_S):
            await server.look()
    except TimeoutError:
        return EngineTimeout(ENGINE, f"{server.url} did not answer within {PROBE_S:g} s")
    except EngineBusy as e:  # some say so while they load
        return EngineUnavailable(ENGINE, str(e).removeprefix(f"{ENGINE}: "))
    except EngineUnavailable as e:
        return e
    return None
