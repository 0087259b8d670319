"""Prompts as tokens: the fixed part that all calls share, and what a call adds, cut to the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from ari_agent.decision import Brief, Exchange
from ari_agent.llm import prompt
from ari_agent.llm.context import REMEDY, Context
from ari_agent.llm.template import CHATML, BadTemplate, frame
from ari_agent.worker.pipe import CannotLoad

DROPPED_AT_ONCE = 4
"""Turns; if the oldest went one by one, all that a call holds would have to be read anew in each turn."""
SYSTEM_KEY = "ari_agent.system"
"""Metadata of a GGUF; "none" where the model knows the company by training and reads no system message."""


class TooLong(Exception):
    """What has to be read does not fit even without the earlier turns."""


class Reading:
    """Makes prompts for one model and one company."""

    def __init__(self, context: Context, brief: Brief) -> None:
        """Raises CannotLoad when the model's chat template cannot be used."""
        bos, eos = context.ends
        system = context.metadata(SYSTEM_KEY) != "none"
        try:
            found = frame(context.template or CHATML, bos=bos, eos=eos, system=system)
        except BadTemplate as e:
            raise CannotLoad(f"{context.path}: {e}; {REMEDY}") from e
        self._context = context
        before = self._written(found.before)
        opening = [] if before[:1] == context.opening() else context.opening()
        rules = self.spoken(prompt.system(brief)) if system else []
        between = self.spoken("\n\n") if found.between is None and system else self._written(found.between or "")
        self.fixed = [*opening, *before, *rules, *between]
        """What every call begins with."""
        self._behind = self._written(found.behind)

    def turn(
        self,
        text: str,
        history: Sequence[Exchange],
        room: int,
        *,
        ahead: bool = False,
        passage: str | None = None,
        writing: prompt.Writing = "answer",
    ) -> list[int]:
        """Return what follows the fixed part: the turns and the template up to where the model begins to write.

        With `ahead` it ends before the last word. The oldest turns are left out where it would exceed `room` tokens,
        then the oldest words. Raises TooLong.
        """
        behind = [] if ahead else [*self.spoken(prompt.closing(passage, writing)), *self._behind]
        words = self._fitting(text, room - len(behind), ahead=ahead)
        turns = [self.spoken(prompt.earlier(exchange)) for exchange in history]
        left = room - len(words) - len(behind)
        while sum(map(len, turns)) > left:
            del turns[:DROPPED_AT_ONCE]
        return [*chain.from_iterable(turns), *words, *behind]

    def spoken(self, text: str) -> list[int]:
        """Return the tokens of text in which nothing is a control token, whatever it looks like."""
        return self._context.tokenise(text, control=False)

    def _fitting(self, text: str, room: int, *, ahead: bool) -> list[int]:
        words = text.split()
        while len(tokens := self.spoken(prompt.said(" ".join(words), ahead=ahead))) > room:
            if not words:
                raise TooLong
            words = words[len(words) // 2 + 1 :]
        return tokens

    def _written(self, text: str) -> list[int]:
        return self._context.tokenise(text, control=True)
