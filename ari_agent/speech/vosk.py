"""Speech recognition by Vosk, in worker processes shared by all calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from ari_agent.config import Speech
from ari_agent.errors import EngineUnavailable
from ari_agent.protocols import Transcript
from ari_agent.worker.messages import Kind
from ari_agent.worker.quarantine import Quarantine
from ari_agent.worker.session import Session
from ari_agent.worker.supervisor import Worker

_EXHAUSTED = "it takes far too much memory; it is replaced when the calls of now have ended"


class VoskUtterance:
    """Implements Utterance."""

    def __init__(self, session: Session, transcript_s: float) -> None:
        self._session = session
        self._transcript_s = transcript_s

    def feed(self, pcm: bytes) -> None:
        """Hand over audio; never blocks. Raises EngineUnavailable when the engine is gone or too far behind."""
        self._session.send(Kind.DATA, pcm)

    @property
    def partial(self) -> str:
        """The words understood so far."""
        return self._session.partial.decode()

    async def finish(self) -> Transcript:
        """Return the final transcript. Raises EngineUnavailable or EngineTimeout."""
        result = json.loads(await self._session.finish(self._transcript_s))
        return Transcript(result["text"], result["confidence"])


class VoskRecogniser:
    """Implements Recogniser. An async context manager: it starts its processes and ends them."""

    def __init__(self, settings: Speech, niceness: int = 0) -> None:
        arguments = ["-m", "ari_agent.speech.vosk_worker", str(settings.vosk_model.absolute())]
        self._transcript_s = settings.transcript_s
        self._load_s = settings.load_s
        self.workers = [
            Worker(
                "vosk",
                arguments,
                load_s=settings.load_s,
                niceness=niceness,
                quarantine=Quarantine(settings.vosk_deaths, settings.vosk_rest_s),
            )
            for _ in range(settings.vosk_workers)
        ]
        """The processes; each can serve many utterances."""

    async def __aenter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(worker.aclose() for worker in self.workers))

    @property
    def ready(self) -> bool:
        """Whether at least one process has its model loaded, lives, and has memory for more."""
        return any(worker.ready and not worker.exhausted for worker in self.workers)

    @property
    def fault(self) -> str | None:
        """Why no process is ready, None while one is or nothing is known yet."""
        if self.ready:
            return None
        faults = [worker.fault or (_EXHAUSTED if worker.exhausted else None) for worker in self.workers]
        return next(filter(None, faults), None)

    def behind_s(self) -> float:
        """Return the seconds that audio waits at the process that would get the next utterance, and look again."""
        for worker in self.workers:
            worker.probe()
        return min((worker.behind_s for worker in self.workers if worker.ready), default=0.0)

    async def wait_ready(self) -> None:
        """Wait until every process is ready. Raises EngineUnavailable after `load_s`."""
        await asyncio.gather(*(worker.wait_ready(self._load_s) for worker in self.workers))

    @asynccontextmanager
    async def utterance(self) -> AsyncIterator[VoskUtterance]:
        """Open a recogniser for one utterance on the least busy process. Raises EngineUnavailable."""
        workers = [worker for worker in self.workers if worker.ready]
        if not workers:
            raise EngineUnavailable("vosk", self.fault or "still loading")
        session = min(workers, key=lambda worker: (worker.worn, worker.busy)).open()
        try:
            yield VoskUtterance(session, self._transcript_s)
        finally:
            session.close()
