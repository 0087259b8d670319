"""The question whether a call may be recorded: asked once, after the notice and before anything is kept.

    notice │ Dürfen wir …, um …? │ Wenn ja, sagen Sie Ja oder drücken Sie die Eins. … │
                                 └─ from here on "Ja" or key 1 is a consent              everything else is none

Whoever says a matter instead, or presses 0, is served at once. No answer is a no too, and no caller is asked twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from ari_agent import metrics
from ari_agent.dialogue.consent import agrees, declines
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.policy import rule
from ari_agent.mouth import Mouth, Saying
from ari_agent.protocols import CallLog
from ari_agent.record import ConsentTaken
from ari_agent.recording import Recording
from ari_agent.speech.ears import Heard, Key, NothingSaid, Said, SpeechStarted
from ari_agent.speech.sentences import split
from ari_agent.turn import Reply

YES = "1"
ANSWER_S = 4.0
"""Silence after the question that is an answer: no."""

_Answer = Literal["given", "refused"]
_Way = Literal["voice", "key", "silence", "other"]


class Consent:
    """Of one caller."""

    def __init__(
        self,
        call: UUID,
        mouth: Mouth,
        heard: asyncio.Queue[Heard],
        conversation: Conversation,
        recording: Recording,
        call_log: CallLog,
    ) -> None:
        self._call = call
        self._mouth = mouth
        self._heard = heard
        self._conversation = conversation
        self._recording = recording
        self._log = call_log
        self._scope = conversation.script.may_keep
        self._speaks = False
        """Whether the caller does."""
        self._text = conversation.script.consent
        self._informed = len(split(conversation.script.question))
        """Sentences after which a caller knows what is asked."""

    async def ask(self) -> Heard | None:
        """Ask if that is to be done, and begin the recording after a yes.

        Return what the caller says or presses instead of an answer; None when it is to be decided on nothing.
        """
        if not self._recording.possible:
            return None
        async with self._mouth.saying(self._text, Reply()) as saying:
            saying.heeded = True
            answer, way, instead = await self._answer(saying)
        taken = self._write(answer, way)
        if answer == "given":
            self._recording.begin(taken)
        return instead

    def opening(self, greeting: str) -> str:
        """Return the greeting with what comes of the answer before it."""
        wording = self._conversation.wording
        if self._scope is None:
            return greeting
        return f"{wording.agreed[self._scope] if self._recording.on else wording.not_recorded} {greeting}"

    def withdraw(self) -> str:
        """Erase what was recorded so far, at once; return what is said about it."""
        if not self._recording.on:
            return self._conversation.wording.not_recorded
        self._recording.drop()
        self._write("withdrawn", "voice")
        return self._conversation.wording.withdrawn

    def _write(self, answer: Literal["given", "refused", "withdrawn"], way: _Way) -> ConsentTaken:
        digest = hashlib.sha256(self._text.encode()).hexdigest()
        assert self._scope is not None  # noqa: S101 - nobody is asked otherwise
        taken = ConsentTaken(self._call, datetime.now(UTC), answer, way, self._scope, self._text, digest)
        self._log.write(taken)
        metrics.CONSENTS.labels(answer).inc()
        return taken

    async def _answer(self, saying: Saying) -> tuple[_Answer, _Way, Heard | None]:
        while True:
            match heard := await self._next(saying):
                case SpeechStarted():
                    self._speaks = True
                    await saying.fall_silent()
                case NothingSaid():
                    self._speaks = False
                    saying.go_on()
                case Said(transcript, began_at=began_at):
                    self._speaks = False
                    text = transcript.text
                    if agrees(text) and saying.sentence_at(began_at) >= self._informed:
                        return "given", "voice", None
                    if declines(text):
                        return "refused", "voice", None
                    if not self._is_no_answer(text):
                        return "refused", "other", heard
                    saying.go_on()
                case Key(digit) if digit == YES:
                    if saying.sentence_at(asyncio.get_running_loop().time()) >= self._informed:
                        return "given", "key", None
                case Key():
                    return "refused", "other", heard
                case None:
                    return "refused", "silence", None
                case _ if not saying.speaking:
                    return "refused", "silence", None

    def _is_no_answer(self, text: str) -> bool:
        """Tell whether words, perhaps said before the question, want nothing: a greeting, "mhm", a noise."""
        greets = rule(text, self._conversation.script.rules) == "greeting"
        return greets or agrees(text) or self._conversation.is_backchannel(text, last_sentence=False)

    async def _next(self, saying: Saying) -> Heard | None:
        """Return what is heard next; None when it is quiet for long after the question."""
        hearing = asyncio.create_task(self._heard.get())
        try:
            first: set[asyncio.Future[Any]] = {hearing, saying.ended}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                await asyncio.wait({hearing}, timeout=None if self._speaks else ANSWER_S)
            return hearing.result() if hearing.done() else None
        finally:
            hearing.cancel()
