"""What the settings make of a company: its knowledge, what is said, and who decides."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from ari_agent.cli.office import company_office
from ari_agent.config import Dialogue, Model, Settings
from ari_agent.decision import Intent
from ari_agent.dialogue.german import INTENTS
from ari_agent.dialogue.policy import Consultation
from ari_agent.dialogue.script import Script
from ari_agent.documents.company import collect, files
from ari_agent.errors import DocumentError
from ari_agent.hours import BERLIN
from ari_agent.knowledge.calibration import calibrate
from ari_agent.knowledge.encoder import EncoderKnowledge
from ari_agent.knowledge.network import load
from ari_agent.knowledge.nothing import NoKnowledge
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.search import SearchKnowledge
from ari_agent.knowledge.version import Gate, in_force
from ari_agent.llm.llama import LlamaDecider
from ari_agent.llm.remote import RemoteDecider
from ari_agent.protocols import Decider

log = structlog.get_logger(__name__)

Reader = EncoderKnowledge | SearchKnowledge
"""What reads callers' words."""
NICENESS = 5
"""Of the language model: whoever listens and speaks goes before whoever thinks, which has a limit and a deputy."""


def company_passages(path: Path) -> tuple[Passage, ...]:
    """Return the passages of a document or of a folder of documents, with texts as spoken. Raises DocumentError."""
    return collect(files([path])).passages


def company_today(settings: Dialogue) -> date:
    """Return the day at the company, by the time zone of its first schedule."""
    zone = ZoneInfo(settings.hours.schedules[0].zone) if settings.hours.schedules else BERLIN
    return datetime.now(zone).date()


def company_intents(settings: Dialogue) -> tuple[Intent, ...]:
    """Return the catalogue of the settings, or the built-in one."""
    return tuple(Intent(i.name, i.examples, i.urgency, i.target) for i in settings.intents.catalogue) or INTENTS


def company_reader(settings: Dialogue) -> Callable[[Sequence[Passage], float | None], Reader]:
    """Return what makes a reader of passages that speaks from a certainty on, None for the usual one.

    Without its file the encoder gives way to search; search takes compounds apart by the encoder's words.
    """
    synonyms, model = settings.company.synonyms, settings.model
    intents = company_intents(settings)
    try:
        network = load(model.encoder)
    except DocumentError as e:
        if model.engine != "search":
            log.warning("search reads callers' words without the encoder", fault=str(e))
        return lambda passages, answer: SearchKnowledge(passages, synonyms, answer=answer)
    if model.engine == "search":
        return lambda passages, answer: SearchKnowledge(passages, synonyms, network.known, answer)
    return lambda passages, answer: EncoderKnowledge(passages, network, intents, synonyms, answer)


def company_gate(settings: Dialogue, passages: Sequence[Passage]) -> Gate:
    """Measure on the company's own questions from which certainty on to speak. Blocks, for minutes with thousands."""
    make = company_reader(settings)
    found = calibrate(passages, make)
    return Gate(make(passages[:1], None).engine, found.answer, found.reason)


def company_knowledge(
    settings: Dialogue, passages: Sequence[Passage], gate: Gate | None = None
) -> Reader | NoKnowledge:
    """Return the passages with what reads callers' words."""
    if not passages:
        return NoKnowledge()
    knowledge = company_reader(settings)(passages, None)
    if gate is not None and gate.answer is not None and gate.engine == knowledge.engine:
        knowledge.answer = gate.answer
    return knowledge


def company_script(settings: Dialogue, passages: Sequence[Passage] | None = None, gate: Gate | None = None) -> Script:
    """Return what the agent says and knows today, from these passages or else from the company's documents.

    Raises DocumentError.
    """
    company, model = settings.company, settings.model
    given = company_passages(company.knowledge) if passages is None else passages
    valid = in_force(given, company_today(settings), company.audiences)
    if not valid:
        log.warning("none of the passages may be said today; compare their days and company.audiences")
    return Script(
        company.name,
        company_knowledge(settings, valid, gate),
        address=company.address,
        wording_stored=isinstance(settings, Settings) and settings.log.wording,
        may_keep=settings.recording.scope if isinstance(settings, Settings) else None,
        question=settings.recording.question if isinstance(settings, Settings) else "",
        consultation=Consultation(
            model.consult if model.engine in ("llama", "remote") else "never", model.answer_at, model.ask_at
        ),
        intents=company_intents(settings),
        office=company_office(settings),
    )


@asynccontextmanager
async def company_decider(model: Model, script: Script) -> AsyncIterator[Decider | None]:
    """Start the language model of the settings, if they name one, and end it with the block.

    It may still be loading, or fail for ever: `ready` and `fault` tell, and calls are served all the same.
    """
    async with AsyncExitStack() as stack:
        local = None
        if model.gguf is not None and model.engine in ("llama", "remote"):
            local = await stack.enter_async_context(LlamaDecider(model, script.brief(), NICENESS))
        if model.engine == "remote":
            yield await stack.enter_async_context(RemoteDecider(model, script.brief(), local))
        else:
            yield local
