"""What to do next in a call, from what was heard; a caller who goes on meanwhile is heard out first."""

from __future__ import annotations

import asyncio

from ari_agent.consulting import Consulting
from ari_agent.decision import Decision, Situation
from ari_agent.dialogue.acts import Act
from ari_agent.dialogue.conversation import Conversation
from ari_agent.protocols import Refusal
from ari_agent.speech.ears import Heard, Key, NothingSaid, Said, Silence, SpeechStarted


class Deciding:
    """Decides the turns of one call."""

    def __init__(self, conversation: Conversation, consulting: Consulting, heard: asyncio.Queue[Heard]) -> None:
        self._conversation = conversation
        self._consulting = consulting
        self._heard = heard
        self._since = 0.0

    @property
    def ms(self) -> float:
        """Milliseconds since the last words or key that the decision is about."""
        return (asyncio.get_running_loop().time() - self._since) * 1000

    async def decide(self, heard: Heard | Refusal) -> tuple[Heard | Refusal, Act]:
        """Return what was heard, with all that the caller added while it was being decided, and the act."""
        self._since = asyncio.get_running_loop().time()
        match heard:
            case Said():
                return await self._decide_words(heard)
            case Key(digit):
                return heard, self._conversation.key(digit)
            case Refusal(reason):
                return heard, self._conversation.refused(reason)
            case _:
                return heard, self._conversation.silent()

    async def _decide_words(self, said: Said) -> tuple[Heard | Refusal, Act]:
        """Decide after words; a caller who goes on speaking meanwhile is heard out, and all of it is decided anew."""
        while True:
            decided = self._conversation.said(said.transcript.text)
            if not isinstance(decided, Situation):
                return said, decided
            async with asyncio.TaskGroup() as group:
                consulting = group.create_task(self._consulting.ask(decided), name="decider")
                heard = await self._heard_before(consulting)
                consulting.cancel()
            if heard is None:
                return said, self._conversation.decided(decided, consulting.result())
            while isinstance(heard, SpeechStarted | NothingSaid | Silence):
                heard = await self._heard.get()
            if not isinstance(heard, Said):
                return await self.decide(heard)
            said = said.and_then(heard)
            self._since = asyncio.get_running_loop().time()

    async def _heard_before(self, task: asyncio.Task[Decision | None]) -> Heard | None:
        """Return what is heard of the caller before the task ends, None when nothing is; silence is no news."""
        while not task.done():
            listening = asyncio.create_task(self._heard.get())
            try:
                await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
                if listening.done() and not isinstance(listening.result(), Silence | NothingSaid):
                    return listening.result()
            finally:
                listening.cancel()
        return None
