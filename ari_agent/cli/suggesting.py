"""`ari-agent knowledge suggest`: the language model proposes how callers may ask, and the administrator decides."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

import typer
from rich.console import Console

from ari_agent.config import Model, Settings
from ari_agent.decision import Brief, Topic
from ari_agent.dialogue.proposals import objection, questions
from ari_agent.errors import ConfigError, DocumentError, EngineError, EngineUnavailable
from ari_agent.knowledge.network import load
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.version import Draft, Version, with_questions
from ari_agent.llm.llama import LlamaDecider, LlamaDeliberation
from ari_agent.llm.remote import RemoteDecider, RemoteDeliberation

WRITE_S = 600.0
"""Limit for a sentence: nobody waits on the telephone, and the model may be as slow as it likes."""
NICENESS = 10
"""Of a local model: calls that go on beside it come first."""
WITHOUT = (
    "no language model is configured: name one in model.gguf, or write questions into the documents as lines 'Frage: …'"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A question that the model wrote for a passage."""

    passage: str
    """Its id."""
    question: str
    refused: str | None
    """Code for why nobody is asked about it."""


@asynccontextmanager
async def writer(settings: Settings) -> AsyncIterator[LlamaDeliberation | RemoteDeliberation]:
    """Start the configured model, or connect to its server. Raises ConfigError, EngineUnavailable."""
    model = settings.model.model_copy(update={"phrase_s": WRITE_S})
    async with _decider(model, Brief(settings.company.name, (), (), ())) as decider:
        await decider.settled()
        if not decider.ready:
            raise EngineUnavailable(model.engine, decider.fault or "the model does not load")
        async with decider.deliberation() as deliberation:
            yield deliberation


@asynccontextmanager
async def _decider(model: Model, brief: Brief) -> AsyncIterator[LlamaDecider | RemoteDecider]:
    if model.engine == "remote":
        async with RemoteDecider(model, brief) as remote:
            yield remote
    elif model.gguf is not None:
        async with LlamaDecider(model, brief, NICENESS) as local:
            yield local
    else:
        raise ConfigError(WITHOUT)


async def propose(
    deliberation: LlamaDeliberation | RemoteDeliberation,
    passage: Passage,
    passages: Sequence[Passage],
    known: Collection[str],
) -> list[Proposal]:
    """Return what the model proposes for a passage, refused ones too. Raises EngineError."""
    async with aclosing(deliberation.questions(_topic(passage))) as sentences:
        written = [sentence async for sentence in sentences]
    others = [_topic(other) for other in passages if other.id != passage.id]
    return [
        Proposal(passage.id, question, objection(question, _topic(passage), others, known))
        for question in questions(written)
    ]


def known_words(settings: Settings) -> Collection[str]:
    """Return the words of the language, from the encoder; none where it cannot be read: then most are refused."""
    try:
        return load(settings.model.encoder).known
    except DocumentError:
        return frozenset()


class Choosing:
    """Who accepts questions: the administrator one by one, all at once, or nobody."""

    def __init__(self, *, accept_all: bool, as_json: bool) -> None:
        """Raises ConfigError when nobody could be asked."""
        self._accept_all = accept_all
        self._nobody = as_json and not accept_all
        if not (accept_all or as_json or sys.stdin.isatty()):
            raise ConfigError("there is nobody to ask: add --accept-all, or --json to see what is proposed")

    async def accepts(self, proposal: Proposal) -> bool:
        """Whether the question shall be stored."""
        if proposal.refused or self._nobody:
            return False
        return self._accept_all or await asyncio.to_thread(typer.confirm, f"  {proposal.question}", err=True)


async def suggest(
    settings: Settings, version: Version, ident: str | None, choosing: Choosing, console: Console
) -> tuple[list[Proposal], list[Proposal]]:
    """Return what the model proposes for one passage or all, and what of it was accepted.

    Raises ConfigError, DocumentError, EngineUnavailable. What the model cannot write about is told and left out.
    """
    passages = {passage.id: passage for passage in version.passages}
    if ident is not None and ident not in passages:
        raise DocumentError(f"version {version.number} has no passage {ident!r}; `ari-agent knowledge list` shows all")
    proposals: list[Proposal] = []
    accepted: list[Proposal] = []
    known = known_words(settings)
    async with AsyncExitStack() as stack:
        with console.status("loading the language model"):
            deliberation = await stack.enter_async_context(writer(settings))
        for passage in [passages[ident]] if ident else version.passages:
            console.print(f"{passage.title}: {passage.text}", markup=False, style="bold")
            try:
                with console.status("the language model writes"):
                    found = await propose(deliberation, passage, tuple(passages.values()), known)
            except EngineError as e:
                console.print(f"  left out: {e}", markup=False)
                continue
            proposals += found
            added = [proposal for proposal in found if await choosing.accepts(proposal)]
            accepted += added
            passages[passage.id] = with_questions(passage, [proposal.question for proposal in added])
    return proposals, accepted


def with_accepted(version: Version, accepted: Sequence[Proposal], author: str, note: str) -> Draft:
    """Return a version that has the accepted questions too."""
    more = {p.id: tuple(one.question for one in accepted if one.passage == p.id) for p in version.passages}
    before = version.draft.accepted
    both = {ident: (*before.get(ident, ()), *added) for ident, added in more.items()}
    return Draft(
        "suggest",
        author,
        note,
        tuple(with_questions(passage, more[passage.id]) for passage in version.passages),
        version.draft.sources,
        {ident: questions_of for ident, questions_of in both.items() if questions_of},
    )


def _topic(passage: Passage) -> Topic:
    return Topic(passage.id, passage.title, passage.text, passage.questions)
