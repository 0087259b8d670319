"""`ari-agent knowledge`: what callers may hear, version by version; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from ari_agent.cli.knowledge_changes import Asking, check_note, collected, go_back, import_collection, suggest_questions
from ari_agent.cli.knowledge_views import show_diff, show_list, show_search, show_version, show_versions
from ari_agent.cli.options import Config, Json
from ari_agent.cli.suggesting import Choosing
from ari_agent.config import load

Yes = Annotated[bool, typer.Option("--yes", envvar="ARI_AGENT_YES", help="Do not ask.")]
Note = Annotated[str, typer.Option("--note", envvar="ARI_AGENT_NOTE", help="Why, for the list of versions.")]
Number = Annotated[int | None, typer.Option("--version", envvar="ARI_AGENT_VERSION", help="Default: the newest.")]
DryRun = Annotated[bool, typer.Option("--dry-run", envvar="ARI_AGENT_DRY_RUN", help="Show what would change, only.")]

app = typer.Typer(name="knowledge", help="What callers may hear, from your documents.", no_args_is_help=True)


@app.command("import")
def import_documents(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Documents, or folders of them.")],
    config: Config = None,
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Make all that these documents hold, and nothing else, what callers may hear. Exit status 1: not confirmed."""
    settings = load(config)
    asking = Asking(note, yes=yes, dry_run=dry_run, as_json=as_json)
    _run(import_collection(settings, collected(paths), asking))


@app.command()
def versions(config: Config = None, *, as_json: Json = False) -> None:
    """List the versions, the newest first: it is in force. Exit status 1: nothing was ever imported."""
    _run(show_versions(load(config), as_json=as_json))


@app.command()
def show(
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Default: the newest.")] = None,
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show all that a version says."""
    _run(show_version(load(config), version, as_json=as_json))


@app.command()
def diff(
    before: Annotated[int, typer.Argument(metavar="A", help="A version.")],
    after: Annotated[int | None, typer.Argument(metavar="[B]", help="Another; default: the newest.")] = None,
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show how what is said differs between two versions."""
    _run(show_diff(load(config), before, after, as_json=as_json))


@app.command()
def rollback(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version to go back to.")],
    config: Config = None,
    *,
    yes: Yes = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Store a new version that equals an old one. Exit status 1: not confirmed."""
    settings = load(config)
    _run(go_back(settings, version, Asking(note, yes=yes, dry_run=False, as_json=as_json)))


@app.command("list")
def list_passages(config: Config = None, *, version: Number = None, as_json: Json = False) -> None:
    """List the passages, where they stand, and whether callers may hear them today."""
    _run(show_list(load(config), version, as_json=as_json))


@app.command()
def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help="What a caller says, in quotes.")],
    config: Config = None,
    *,
    as_json: Json = False,
) -> None:
    """Show which passages the configured engine finds for words. Exit status 1: none."""
    _run(show_search(load(config), words, as_json=as_json))


@app.command()
def suggest(
    config: Config = None,
    *,
    passage: Annotated[
        str | None, typer.Option("--passage", envvar="ARI_AGENT_PASSAGE", help="Id of the only passage.")
    ] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", envvar="ARI_AGENT_ACCEPT_ALL", help="Store all that may be proposed.")
    ] = False,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Let the language model propose questions of callers; those you accept are stored. Exit status 1: none was."""
    settings = load(config)
    check_note(note)
    _run(suggest_questions(settings, passage, Choosing(accept_all=accept_all, as_json=as_json), note, as_json=as_json))


def _run(command: Coroutine[Any, Any, int]) -> None:
    raise typer.Exit(asyncio.run(command))
