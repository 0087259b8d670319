"""What a server is asked, in the most precise form that it understands. Pure; knows no network.

Format: https://platform.openai.com/docs/api-reference/chat/create; `schema` beside "json_object" is how servers that
came before "json_schema" take one, llama_cpp.server among them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from ari_agent.decision import Brief, Situation, Topic
from ari_agent.llm import prompt
from ari_agent.llm.odds import LIKELIEST
from ari_agent.llm.request import PHRASE_TOKENS
from ari_agent.llm.schema import NAME

DECISION_TOKENS = 192
"""Twice what a record needs: a server's grammar lets a model put blanks between its parts."""
TURNS = 16
"""A server may cut a prompt that is too long at its beginning, where the rules are; so it is never that long."""
DROPPED_AT_ONCE = 4
"""Turns; if the oldest went one by one, a server could use nothing of what it has read in the turn before."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a server understands."""

    json_schema: bool = True
    """Whether it knows the type "json_schema"; else "json_object" with the schema beside it."""
    logprobs: bool = True
    """Whether it tells probabilities."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A decision to be asked for or, with a topic, what is to be written from it."""

    brief: Brief
    situation: Situation
    form: Form
    schema: dict[str, Any] | None = None
    topic: Topic | None = None
    writing: prompt.Writing = "answer"

    def body(self, model: str) -> dict[str, Any]:
        """Return the request as JSON."""
        history = self.situation.history
        if (surplus := len(history) - TURNS) > 0:
            history = history[-(-surplus // DROPPED_AT_ONCE) * DROPPED_AT_ONCE :]
        situation = replace(self.situation, history=history)
        body: dict[str, Any] = {
            "model": model,
            "messages": prompt.messages(self.brief, situation, self.topic, self.writing),
            "temperature": 0,
            "chat_template_kwargs": {"enable_thinking": False},  # a decision has no time for it
        }
        if self.schema is None:
            return body | {"stream": True, "max_tokens": PHRASE_TOKENS}
        body |= {"max_tokens": DECISION_TOKENS, "response_format": self._format(self.schema)}
        return body | ({"logprobs": True, "top_logprobs": LIKELIEST} if self.form.logprobs else {})

    def plainer(self, status: int, complaint: str) -> Self | None:
        """Return what to ask instead of what the server refused with these words, None when it is not our form."""
        words = complaint.lower()
        history = self.situation.history
        if "context" in words and history:
            return replace(self, situation=replace(self.situation, history=history[len(history) // 2 + 1 :]))
        if self.schema is None or not (status in (400, 422) or "logprobs" in words or "response_format" in words):
            return None
        if self.form.logprobs and "logprobs" in words:
            return replace(self, form=replace(self.form, logprobs=False))
        if self.form.json_schema:
            return replace(self, form=replace(self.form, json_schema=False))
        return replace(self, form=replace(self.form, logprobs=False)) if self.form.logprobs else None

    def _format(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self.form.json_schema:
            return {"type": "json_schema", "json_schema": {"name": NAME, "strict": True, "schema": schema}}
        return {"type": "json_object", "schema": schema}
