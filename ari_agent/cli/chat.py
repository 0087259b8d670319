"""`ari-agent chat`: the call's dialogue on a terminal or a pipe, one utterance per line."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import time
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ari_agent.cli.company import company_decider, company_script
from ari_agent.config import Dialogue, Model, checked, load
from ari_agent.consulting import Consulting, Words
from ari_agent.decision import Situation
from ari_agent.dialogue.acts import Answer, Escalate
from ari_agent.dialogue.conversation import Conversation
from ari_agent.dialogue.script import Script
from ari_agent.protocols import Decider

Config = Annotated[
    Path | None, typer.Option("--config", envvar="ARI_AGENT_CONFIG", help="Settings file; needless with --knowledge.")
]
Documents = Annotated[
    Path | None,
    typer.Option("--knowledge", envvar="ARI_AGENT_KNOWLEDGE", help="Markdown file, or folder of them, to answer from."),
]
Json = Annotated[bool, typer.Option("--json", envvar="ARI_AGENT_JSON", help="One JSON object per turn.")]
Engine = Annotated[
    str | None,
    typer.Option("--engine", envvar="ARI_AGENT_ENGINE", help="Who decides: search, embedded, llama or remote."),
]
Gguf = Annotated[
    Path | None, typer.Option("--gguf", envvar="ARI_AGENT_GGUF", help="Model file for the engine llama; implies it.")
]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """One turn, as it is shown: the fields of the JSON line."""

    conversation: int
    turn: int
    act: str
    source: str | None
    reason: str
    intent: str | None
    urgency: str
    target: str | None
    by: str
    reply: str
    decide_ms: float


def chat(
    config: Config = None,
    knowledge: Documents = None,
    engine: Engine = None,
    gguf: Gguf = None,
    *,
    as_json: Json = False,
) -> None:
    """Type what callers say and see what the agent decides, by exactly the dialogue of a call.

    One utterance per line, as speech recognition gives it: lower case, no punctuation. An empty line starts a new
    conversation; the end of the input ends the chat.
    """
    settings = _settings(config, knowledge, engine, gguf)
    asyncio.run(_talk(settings, as_json=as_json))


async def _talk(settings: Dialogue, *, as_json: bool) -> None:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # what is no text is not understood, as in a call
    script = company_script(settings)
    console = Console(stderr=True, highlight=False)
    async with company_decider(settings.model, script) as decider:
        if decider is not None:
            with console.status("loading the language model"):
                await decider.settled()
            if not decider.ready:
                console.print(f"without the language model: {decider.fault}", markup=False)
        number = 0
        ended = False
        while not ended:
            number += 1
            if not as_json:
                console.print(script.greeting, markup=False)
            ended = await _converse(settings.model, script, decider, number, as_json=as_json)


async def _converse(model: Model, script: Script, decider: Decider | None, number: int, *, as_json: bool) -> bool:
    """Hold one conversation; return whether the input has ended."""
    conversation = Conversation(script)
    consulting = Consulting(conversation, decider, model)
    turn = 0
    async with consulting.opened():
        while line := await _line():
            if not line.strip():
                return False
            text = as_recognised(line)
            turn += 1
            exchanged = await _exchange(conversation, consulting, text, number, turn)
            _show(exchanged, as_json=as_json)
    return True


async def _exchange(conversation: Conversation, consulting: Consulting, text: str, number: int, turn: int) -> Exchanged:
    began = time.perf_counter()
    act = conversation.said(text)
    if isinstance(act, Situation):
        act = conversation.decided(act, await consulting.ask(act))
    decide_ms = (time.perf_counter() - began) * 1000
    words = consulting.words(act) if isinstance(act, Answer) else act.text
    reply = await _spoken(words)
    if isinstance(act, Escalate):
        reply = f"{act.before} {reply}".strip()
    conversation.replied(reply)
    decision = conversation.decision
    return Exchanged(
        number,
        turn,
        act.name,
        act.source if isinstance(act, Answer) else (decision.source if decision else None),
        act.reason,
        decision.intent or None if decision else None,
        decision.urgency if decision else "normal",
        act.target if isinstance(act, Escalate) else None,
        decision.by if decision else "rules",
        reply,
        round(decide_ms, 2),
    )


async def _spoken(words: Words) -> str:
    if isinstance(words, str):
        return words
    async with aclosing(words):
        return " ".join([sentence async for sentence in words])


def _show(exchanged: Exchanged, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(exchanged), ensure_ascii=False))
        return
    about = [exchanged.act, exchanged.source or exchanged.reason, exchanged.intent or "-", exchanged.urgency]
    if exchanged.target:
        about.append(exchanged.target)
    typer.echo(f"  {exchanged.reply}")
    typer.echo(f"  [{' · '.join(about)} · {exchanged.by} · {exchanged.decide_ms:.1f} ms]")


async def _line() -> str:
    """Return the next line of the input, "" at its end."""
    if sys.stdin.isatty():
        sys.stderr.write("> ")
        sys.stderr.flush()
    return await asyncio.to_thread(sys.stdin.readline)


def as_recognised(line: str) -> str:
    """Return the words as speech recognition would give them: lower case without punctuation."""
    return " ".join(re.sub(r"[^\w\s\[\]-]", " ", line.lower()).split()).replace("_", " ")


def _settings(config: Path | None, knowledge: Path | None, engine: str | None, gguf: Path | None) -> Dialogue:
    """Return the settings of the file, or plain ones for a document alone, with what the options change.

    Raises ConfigError and DocumentError.
    """
    if config is None and knowledge is not None:
        values: dict[str, Any] = {"company": {"name": _name(knowledge)}, "model": {}}
    else:
        values = load(config).model_dump(include=set(Dialogue.model_fields))
    if knowledge is not None:
        values["company"]["knowledge"] = knowledge.absolute()
    if gguf is not None:
        values["model"] |= {"gguf": gguf.absolute(), "engine": "llama"}
    if engine is not None:
        values["model"]["engine"] = engine
    return checked(values)


def _name(knowledge: Path) -> str:
    """Return the company's name from the first heading of its documents, or from the file."""
    files = sorted(knowledge.glob("*.md")) if knowledge.is_dir() else [knowledge]
    for file in files:
        with suppress(OSError, UnicodeDecodeError):
            if heading := re.search(r"^# +(.{2,80}?)\s*$", file.read_text(encoding="utf-8-sig"), re.MULTILINE):
                return heading[1]
    return knowledge.stem.title()
