"""One conversation with an engine in its worker process: what is sent, and whose answer it is that comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from ari_agent.errors import EngineTimeout, EngineUnavailable
from ari_agent.worker.messages import Kind, Message

_UNREAD = 256  # pieces of a stream that wait for a reader; more means that nobody reads, and the session is lost


class Session:
    """One conversation with an engine, such as an utterance; made by `Worker.open`. For one task at a time.

    Either DATA and then `finish`, or `ask` and `stream`, which take back what they asked for when they do not finish.
    """

    def __init__(
        self, engine: str, number: int, write: Callable[[Message], None], release: Callable[[int], None]
    ) -> None:
        self._engine = engine
        self._number = number
        self._write = write
        self._release = release
        self._result: asyncio.Future[bytes] | None = None
        self._pieces: asyncio.Queue[bytes | None] | None = None  # of a stream, None at its end; _UNREAD at most
        self._cancelling = 0  # so many CANCELLED are to come; results before them are of what was cancelled
        self._lost: str | None = None
        self.partial = b""
        """Payload of the latest PARTIAL."""

    @property
    def lost(self) -> bool:
        """Whether the engine has no memory of this session any more."""
        return self._lost is not None

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Send without waiting. Raises EngineUnavailable when the engine is gone or too far behind."""
        if self._lost is not None:
            raise EngineUnavailable(self._engine, self._lost)
        self._write(Message(kind, self._number, payload))

    async def finish(self, limit_s: float) -> bytes:
        """Send END and return the payload of RESULT. Raises EngineTimeout or EngineUnavailable."""
        self._result = asyncio.get_running_loop().create_future()
        self.send(Kind.END)
        try:
            async with asyncio.timeout(limit_s):
                return await self._result
        except TimeoutError as e:
            raise EngineTimeout(self._engine, f"no result within {limit_s:g} s") from e

    async def ask(self, payload: bytes, limit_s: float) -> bytes:
        """Send DATA and END and return the payload of RESULT. Raises EngineTimeout or EngineUnavailable."""
        self.send(Kind.DATA, payload)
        try:
            return await self.finish(limit_s)
        except (EngineTimeout, asyncio.CancelledError):
            self._cancel()
            raise

    async def stream(self, payload: bytes, limit_s: float) -> AsyncGenerator[bytes, None]:
        """Send DATA and END and yield the payload of every PARTIAL, and that of RESULT unless it is empty.

        Each has to come within `limit_s`. Raises EngineTimeout or EngineUnavailable.
        """
        self.send(Kind.DATA, payload)
        pieces = self._pieces = asyncio.Queue(_UNREAD + 1)
        self.send(Kind.END)
        ended = False
        try:
            while not ended:
                async with asyncio.timeout(limit_s):
                    piece = await pieces.get()
                if self._lost is not None:
                    raise EngineUnavailable(self._engine, self._lost)
                if piece is None:
                    ended = True
                else:
                    yield piece
        except TimeoutError as e:
            raise EngineTimeout(self._engine, f"nothing more within {limit_s:g} s") from e
        finally:
            self._pieces = None
            if not ended:
                self._cancel()

    def close(self) -> None:
        """Free what the engine holds; harmless when it is gone."""
        self._release(self._number)

    def take(self, message: Message) -> None:
        """Take a message of the worker."""
        match message.kind:
            case Kind.CANCELLED:
                self._cancelling -= 1
            case Kind.PARTIAL | Kind.RESULT if self._cancelling:
                pass
            case Kind.PARTIAL:
                self.partial = message.payload
                self._add(message.payload)
            case Kind.RESULT:
                if self._pieces is not None:
                    if message.payload:
                        self._add(message.payload)
                    self._add(None)
                elif self._result is not None and not self._result.done():
                    self._result.set_result(message.payload)
            case _:
                self.lose(message.payload.decode(errors="replace"))

    def lose(self, reason: str) -> None:
        """Fail now and at every later use: the engine has no memory of this session any more."""
        self._lost = reason
        if self._result is not None and not self._result.done():
            self._result.set_exception(EngineUnavailable(self._engine, reason))
        if self._pieces is not None and not self._pieces.full():
            self._pieces.put_nowait(None)  # wakes the reader

    def _add(self, piece: bytes | None) -> None:
        if self._pieces is None:
            return
        if self._pieces.qsize() >= _UNREAD:
            self.lose("nobody reads the answer")
        else:
            self._pieces.put_nowait(piece)

    def _cancel(self) -> None:
        if self._lost is None:
            self._cancelling += 1
            try:
                self.send(Kind.CANCEL)
            except EngineUnavailable:  # too far behind even for this: nobody knows any more which answer is whose
                self.lose("too far behind")
