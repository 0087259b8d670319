"""Ears of a call: from the frames of a line to what was heard."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from ari_agent.config import Speech
from ari_agent.protocols import FRAME_MS, Line, Recogniser, Transcript, Utterance, VoiceActivity
from ari_agent.speech.turns import Ended, Paused, Started, TurnDetector, TurnEvent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller has begun to speak; into the agent's words only when it is worth falling silent for."""

    text: str = ""
    """The words so far; "" while it may still be a "mhm" or a noise."""


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """The sound that the agent fell silent for goes on and has no word worth it."""


@dataclass(frozen=True, slots=True)
class Said:
    """The caller has finished saying something."""

    transcript: Transcript
    end_of_turn_ms: float
    """From the last speech to the decision that the turn is over."""
    stt_ms: float
    """From that decision to the final transcript."""
    ended_at: float
    """Loop time in seconds of the caller's last speech."""
    began_at: float
    """Loop time in seconds of the first."""

    def and_then(self, more: Said) -> Said:
        """Return both as one: the caller went on after a pause."""
        one, two = self.transcript, more.transcript
        transcript = Transcript(f"{one.text} {two.text}".strip(), min(one.confidence, two.confidence))
        return Said(transcript, more.end_of_turn_ms, more.stt_ms, more.ended_at, self.began_at)


@dataclass(frozen=True, slots=True)
class Key:
    """The caller pressed a key of the phone."""

    digit: str
    """"0" to "9", "*", "#" or "A" to "D"."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody has said anything for as long as the settings allow."""


Heard = SpeechStarted | NothingSaid | Said | Key | Silence
"""All that can be heard of a caller; the ears report the words and the silence, the call adds the keys."""


@dataclass(slots=True)
class _Turn:
    """A turn of the caller with its utterance at the recogniser."""

    utterance: Utterance
    closing: AsyncExitStack
    """Closes the utterance."""
    began_at: float
    """Loop time in seconds of its first speech."""
    over_agent: bool = False
    """Whether the agent spoke meanwhile."""
    told: str = ""
    """The partial text that was read ahead last."""
    judged: str = ""
    """The partial text that was judged last."""
    sensible: bool = False
    silence_ms: float = 0.0
    """Silence at its end."""
    decided_at: float = 0.0
    """Loop time in seconds of the decision that it is over."""


Weight = Literal["turn", "doubt", "nothing"]
"""Of what a caller utters into the agent's words: it falls silent for a turn, and in doubt until that is settled."""
Interrupts = Callable[[str, float, float], Weight]
"""Weighs words of a caller who has been speaking for so many milliseconds, since that loop time."""


class Ears:
    """Listens to one line for the length of a call."""

    def __init__(
        self,
        line: Line,
        activity: VoiceActivity,
        recogniser: Recogniser,
        settings: Speech,
        silence_s: float,
        makes_sense: Callable[[str], bool],
        read_ahead: Callable[[str], None],
        interrupts: Interrupts,
    ) -> None:
        self._line = line
        self._activity = activity
        self._recogniser = recogniser
        self._end_ms = settings.end_ms
        self._resume_ms = settings.resume_ms
        self._silence_ms = silence_s * 1000
        self._makes_sense = makes_sense
        self._read_ahead = read_ahead
        self._interrupts = interrupts
        self._turns = TurnDetector(settings.start_ms, settings.end_open_ms, settings.longest_s)
        # The oldest frame falls out: only what may belong to a turn that is just beginning is kept.
        self._past: deque[bytes] = deque(maxlen=self._turns.longest_preroll_ms // FRAME_MS)
        self._quiet_ms = 0
        self._agent_speaks = False
        self._announced = False
        """Whether the beginning of the turn that is open was reported since the agent began to speak."""
        self._in_doubt = False
        """Whether the agent was asked to fall silent for something that may turn out to be no turn."""

    def agent_speaking(self, *, speaking: bool) -> None:
        """Note whether the agent speaks: only when nobody does is it silent, and the count begins anew.

        A caller who goes on speaking when the agent begins has to be worth falling silent for too.
        """
        self._agent_speaks = speaking
        if speaking:
            self._announced = self._in_doubt = False
        self._quiet_ms = 0

    async def listen(self, heard: asyncio.Queue[Heard]) -> None:
        """Report what is heard, once, until the line ends; a turn that is not over by then is not reported.

        An event that finds the queue full is dropped: then nobody has been reading it for a long time.
        Raises EngineUnavailable, EngineTimeout or MediaError. Every utterance is closed whatever happens.
        """
        self._activity.reset()
        # Full only when the engine needs longer than eight turns take; frames wait then, until its limit ends the wait.
        over: asyncio.Queue[_Turn] = asyncio.Queue(8)
        try:
            async with AsyncExitStack() as utterances, asyncio.TaskGroup() as group:
                transcribing = group.create_task(self._transcribe(over, heard))
                await self._follow(over, heard, utterances)
                transcribing.cancel()
        except ExceptionGroup as errors:
            failure = errors.exceptions[0]  # the call has to know which engine failed, not which of our tasks
        else:
            return
        finally:
            # Megabytes of a network: what is left of a call refers to itself and is collected hundreds of calls later.
            del self._activity
        raise failure

    async def _follow(
        self, over: asyncio.Queue[_Turn], heard: asyncio.Queue[Heard], utterances: AsyncExitStack
    ) -> None:
        turn: _Turn | None = None
        async for frame in self._line.frames():
            self._past.append(frame)
            event = self._turns.feed(self._activity.is_speech(frame))
            if turn is not None:
                turn.utterance.feed(frame)
            elif isinstance(event, Started):
                self._announced, self._in_doubt = not self._agent_speaks, False
                if self._announced:
                    _report(heard, SpeechStarted())
                turn = await self._begin(event, utterances)
            if turn is not None:
                self._attend(heard, turn)
            if turn is not None and self._is_over(turn, event):
                await over.put(turn)
                turn = None
            self._count_quiet(heard, someone_speaks=turn is not None or self._agent_speaks)

    async def _begin(self, started: Started, utterances: AsyncExitStack) -> _Turn:
        closing = AsyncExitStack()
        utterances.push_async_callback(closing.aclose)  # at the latest with the line; harmless when closed before
        utterance = await closing.enter_async_context(self._recogniser.utterance())
        for frame in list(self._past)[-(started.preroll_ms // FRAME_MS) :]:
            utterance.feed(frame)
        return _Turn(utterance, closing, asyncio.get_running_loop().time() - self._turns.spoken_ms / 1000)

    def _attend(self, heard: asyncio.Queue[Heard], turn: _Turn) -> None:
        """Report when the agent has to fall silent, and when it need not have; what is no turn is not read ahead."""
        text = turn.utterance.partial
        turn.over_agent |= self._agent_speaks
        if self._announced or not (self._agent_speaks or self._in_doubt):
            if text != turn.told:
                turn.told = text
                self._read_ahead(text)
            return
        weight = self._interrupts(text, self._turns.spoken_ms, turn.began_at)
        if weight == "turn":
            self._announced = True
            _report(heard, SpeechStarted(text))
        elif weight == "doubt" and not self._in_doubt:
            self._in_doubt = True
            _report(heard, SpeechStarted())
        elif weight == "nothing" and self._in_doubt and not self._agent_speaks:
            self._in_doubt = False
            _report(heard, NothingSaid())

    def _is_over(self, turn: _Turn, event: TurnEvent | None) -> bool:
        match event:
            case Ended(silence_ms):
                pass
            case Paused(silence_ms) if silence_ms >= self._end_ms and self._is_sensible(turn):
                self._turns.end()
            case Paused(silence_ms) if silence_ms >= self._resume_ms and self._only_listens(turn):
                self._turns.end()
            case _:
                return False
        turn.silence_ms = silence_ms
        turn.decided_at = asyncio.get_running_loop().time()
        while len(self._past) * FRAME_MS > silence_ms:
            self._past.popleft()  # its words must not open the next utterance too
        return True

    def _is_sensible(self, turn: _Turn) -> bool:
        text = turn.utterance.partial
        if text != turn.judged:
            turn.judged, turn.sensible = text, self._makes_sense(text)
        return turn.sensible

    def _only_listens(self, turn: _Turn) -> bool:
        """Tell whether the caller only says "ja" or "mhm" into the agent's words: no more is to be expected.

        Without a word that is true only when the agent waits for one.
        """
        text = turn.utterance.partial
        if not turn.over_agent or not (text or self._in_doubt):
            return False
        return self._interrupts(text, 0.0, turn.began_at) != "turn"

    def _count_quiet(self, heard: asyncio.Queue[Heard], *, someone_speaks: bool) -> None:
        self._quiet_ms = 0 if someone_speaks else self._quiet_ms + FRAME_MS
        if self._quiet_ms >= self._silence_ms:
            self._quiet_ms = 0
            _report(heard, Silence())

    async def _transcribe(self, over: asyncio.Queue[_Turn], heard: asyncio.Queue[Heard]) -> None:
        """Finish turns in the order they were spoken, while the frames of the next one come in."""
        loop = asyncio.get_running_loop()
        while True:
            turn = await over.get()
            async with turn.closing:
                transcript = await turn.utterance.finish()
            stt_ms = (loop.time() - turn.decided_at) * 1000
            ended_at = turn.decided_at - turn.silence_ms / 1000
            _report(heard, Said(transcript, turn.silence_ms, stt_ms, ended_at, turn.began_at))


def _report(heard: asyncio.Queue[Heard], event: Heard) -> None:
    try:
        heard.put_nowait(event)
    except asyncio.QueueFull:
        _log.warning("nobody reads what is heard: %s dropped", type(event).__name__)
