"""`ari-agent report`: what the company can show to others."""

from __future__ import annotations

import asyncio
import os
import re
import textwrap
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ari_agent.cli.models import digest
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import json_text
from ari_agent.config import load
from ari_agent.errors import ConfigError
from ari_agent.ops.proof.fact import Fact, State
from ari_agent.ops.proof.report import Proof, prove

GOOD, WARNING = 0, 1
"""Exit statuses."""
_WIDTH = 110

Out = Annotated[
    Path | None, typer.Option("--out", envvar="ARI_AGENT_OUT", help="File to write; default is standard output.")
]

app = typer.Typer(name="report", help="What the company can show to others.", no_args_is_help=True)

_INTRODUCTION = """\
Stand der technischen Maßnahmen, wie ihn das Programm auf diesem Rechner gesehen hat, ohne etwas zu ändern. Die
Maßnahmen erklärt ``tom.rst``. „erfüllt“ und „abweichend“ messen an den Unterlagen in ``deploy/compliance``;
„festgestellt“ bewertet ein Mensch; was „nicht feststellbar“ ist, wurde nicht geprüft. Der Nachweis enthält keine
personenbezogenen Daten von Anrufern und keine Namen persönlicher Konten.
"""


@app.callback()
def _group() -> None:
    """What the company can show to others."""


@app.command()
def compliance(config: Config = None, *, out: Out = None, as_json: Json = False) -> None:
    """State which technical measures are in force here, in German. Exit status 1: something is not as documented."""
    proof = asyncio.run(prove(load(config), digest))
    text = json_text(_figures(proof)) + "\n" if as_json else page(proof)
    if out is None:
        typer.echo(text, nl=False)
    else:
        _write(out, text)
    deviating, unseen = proof.count(State.DEVIATES), proof.count(State.UNKNOWN)
    typer.echo(f"not as documented: {deviating}, not to be seen from here: {unseen}", err=True)
    raise typer.Exit(WARNING if deviating else GOOD)


def page(proof: Proof) -> str:
    """Return the proof as reStructuredText, which people can read as it is."""
    states = Counter(fact.state for part in proof.parts for fact in part.facts)
    title = f"Nachweis der technischen Maßnahmen: {_escaped(proof.company)}"
    fields = [
        f":Erstellt: {proof.at.astimezone():%d.%m.%Y %H:%M %Z}",
        *(f":{state.value.capitalize()}: {states[state]}" for state in State),
    ]
    parts = [f"{part.title}\n{'-' * len(part.title)}\n\n" + "".join(map(_item, part.facts)) for part in proof.parts]
    return "\n".join([title, "=" * len(title), "", *fields, "", _INTRODUCTION, *parts])


def _item(fact: Fact) -> str:
    words = f"{_escaped(fact.what)} – **{fact.state.value}** – {_escaped(fact.found)}"
    lines = textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "* " + "\n  ".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return text that reStructuredText takes as it is."""
    return re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", text)


def _figures(proof: Proof) -> dict[str, object]:
    parts = [
        {"title": part.title, "facts": [asdict(fact) | {"state": fact.state.name.lower()} for fact in part.facts]}
        for part in proof.parts
    ]
    return {"company": proof.company, "at": proof.at, "parts": parts}


def _write(path: Path, text: str) -> None:
    """Write the file so that only its owner reads it; rights and open doors are nobody else's business."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(text)
    except OSError as e:
        raise ConfigError(f"{path} cannot be written: {e.strerror}; name another file with --out") from e
