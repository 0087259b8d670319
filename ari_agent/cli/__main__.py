"""`ari-agent`: one command for admins, receptionists' scripts and auditors.

Exit status: 0 good, 1 warning, 2 error. Data goes to stdout, words to stderr.
"""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import tomli_w
import typer

import ari_agent
from ari_agent import log
from ari_agent.cli import (
    audit,
    bypass,
    callbacks,
    calllog,
    calls,
    chat,
    contacts,
    doctor,
    knowledge,
    metrics,
    models,
    report,
    retention,
    subject,
    transfer,
    watchdog,
)
from ari_agent.cli.company import company_script
from ari_agent.cli.options import Config, Json
from ari_agent.cli.run import serve
from ari_agent.cli.start import run as told_in_one_sentence
from ari_agent.config import load

app = typer.Typer(
    name="ari-agent",
    help="AI receptionist beside your own Asterisk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(name="config", help="The settings file.", no_args_is_help=True)
app.add_typer(config_app)
app.add_typer(bypass.app)
app.add_typer(calls.app)
app.add_typer(calllog.app)
app.add_typer(callbacks.app)
app.add_typer(audit.app)
app.add_typer(contacts.app)
app.add_typer(knowledge.app)
app.add_typer(models.app)
app.add_typer(report.app)
app.add_typer(retention.app)
app.add_typer(subject.app)
app.command("export")(transfer.export)
app.command("import")(transfer.import_)
app.command("doctor")(doctor.doctor)
app.command("chat")(chat.chat)
app.command("metrics")(metrics.metrics)
app.command("watchdog")(watchdog.watchdog)

Debug = Annotated[bool, typer.Option("--debug", envvar="ARI_AGENT_DEBUG", help="More log lines.")]


@app.callback()
def _words_go_to_stderr() -> None:
    log.configure(quiet=True)


@app.command()
def run(config: Config = None, *, as_json: Json = False, debug: Debug = False) -> None:
    """Serve calls until SIGTERM; then refuse new ones and let the others end."""
    log.configure(as_json=as_json, debug=debug)
    settings = load(config)
    try:
        asyncio.run(serve(settings))
    except asyncio.CancelledError:  # stopped while it was still loading
        return


@config_app.command()
def check(config: Config = None) -> None:
    """Check the settings file and the company's document."""
    settings = load(config)
    passages = company_script(settings).knowledge.passages
    typer.echo(f"The settings are good; the company's document has {len(passages)} passages.", err=True)


@config_app.command()
def show(config: Config = None, *, as_json: Json = False) -> None:
    """Show every setting as it is in force; secrets are files and are not shown."""
    values = load(config).model_dump(mode="json")
    if as_json:
        typer.echo(json.dumps(values, ensure_ascii=False, indent=2))
        return
    typer.echo(tomli_w.dumps(_without_none(values)), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(ari_agent.__version__)


def _without_none(value: Any) -> Any:
    """Return the value without what is not set: TOML has no null."""
    match value:
        case dict():
            return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
        case list():
            return [_without_none(inner) for inner in value]
        case _:
            return value


def main() -> None:
    """Run the command line; every error of ours is one sentence on stderr and exit status 2."""
    told_in_one_sentence(app)


if __name__ == "__main__":
    main()
