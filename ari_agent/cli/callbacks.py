"""`ari-agent callbacks`: the callbacks and messages that callers left; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
from typing import Annotated

import phonenumbers
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ari_agent.calllog.reading import Row
from ari_agent.calllog.tasks import TaskReader
from ari_agent.cli import correcting
from ari_agent.cli.correcting import Correcting, corrections
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import clock, json_text
from ari_agent.config import Log, load

GOOD, WARNING, ERROR = 0, 1, 2
"""Exit statuses."""

All = Annotated[bool, typer.Option("--all", envvar="ARI_AGENT_ALL", help="Also what is done.")]
By = Annotated[str, typer.Option("--by", envvar="ARI_AGENT_BY", help="Who did it, to be stored with it.")]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="Id of the callback or message, or how it begins.")]

app = typer.Typer(
    name="callbacks", help="Callbacks and messages that callers left, with their full numbers.", no_args_is_help=True
)

_KINDS = {"callback": "Rückruf", "message": "Nachricht"}
_DAY = "%d.%m. %H:%M"


@app.command("list")
def list_tasks(config: Config = None, *, as_json: Json = False, with_done: All = False) -> None:
    """List what is open, the earliest deadline first. Exit status 1: something is overdue; 2: a number stays sealed."""
    raise typer.Exit(asyncio.run(_list(load(config).log, as_json=as_json, with_done=with_done)))


@app.command()
def done(task: TaskId, config: Config = None, *, by: By = "") -> None:
    """Mark one as done. Exit status 1: it was already."""
    raise typer.Exit(asyncio.run(_done(load(config).log, task, by)))


@app.command()
def correct(
    task: TaskId,
    fields: correcting.Fields = None,
    config: Config = None,
    *,
    by: correcting.Person = "",
    revision: correcting.Revision = None,
    as_json: Json = False,
) -> None:
    """Correct one, field by field: name, number, company, email, recipient, matter, earliest, latest, urgency.

    Asks on a terminal; otherwise stdin holds a JSON object such as {"number": "089 123456", "company": null}. What the
    caller left is kept beside it. A corrected earliest time is also the one from which it is due. Exit status 1:
    nothing differs, or there is no such id.
    """
    asked = Correcting("task", task, tuple(fields or ()), by, revision, as_json)
    raise typer.Exit(asyncio.run(correcting.correct(load(config), asked)))


async def _list(settings: Log, *, as_json: bool, with_done: bool) -> int:
    async with TaskReader.open(settings) as reader:
        tasks, trouble = await reader.tasks(done=with_done), reader.trouble
    if as_json:
        typer.echo(json_text(tasks))
    elif tasks:
        Console().print(_table(tasks, with_done=with_done))
    if not tasks:
        typer.echo("no callbacks or messages" if with_done else "no open callbacks or messages", err=True)
    if trouble is not None:
        typer.echo(trouble, err=True)
        return ERROR
    return WARNING if any(task["overdue"] for task in tasks) else GOOD


async def _done(settings: Log, prefix: str, by: str) -> int:
    async with TaskReader.open(settings) as reader:
        found = await reader.beginning(prefix)
        if len(found) != 1:
            typer.echo(
                "several ids begin so: type more of it" if found else "no callback or message has this id", err=True
            )
            return ERROR
        (task,) = found
        if await reader.finish(task["id"], by):
            return GOOD
    typer.echo("it was done already", err=True)
    return WARNING


def _table(tasks: list[Row], *, with_done: bool) -> Table:
    """Return a table of plain texts: what callers said is no markup."""
    table = Table(box=SIMPLE, pad_edge=False)
    for heading in ("Frist", "Nr.", "Art"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Wer")
    table.add_column("Erreichbar", overflow="fold")
    table.add_column("Anliegen", ratio=1)
    if with_done:
        table.add_column("Erledigt")
    for task in tasks:
        cells = [
            str(task["id"])[:8],
            _KINDS[task["kind"]] + ("\ndringend" if task["urgency"] == "high" else ""),
            _lines(task["caller_name"], task["company"]),
            _lines(_number(task["number"]), task["email"]),
            _matter(task),
            *([_finished(task)] if with_done else []),
        ]
        table.add_row(_deadline(task), *map(Text, cells))
    return table


def _lines(*parts: str | None) -> str:
    return "\n".join(filter(None, parts)) or "–"


def _deadline(task: Row) -> Text:
    at = clock(task["deadline"], _DAY)
    return Text(f"! {at}\n  überfällig", "bold red") if task["overdue"] else Text(at)


def _number(number: str | None) -> str:
    """Return the number in groups, as it is dialled and compared more easily."""
    if number is None:
        return ""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    except phonenumbers.NumberParseException:
        return number


def _matter(task: Row) -> str:
    recipient = f"für {task['recipient']}" if task["recipient"] else ""
    broken_off = "" if task["complete"] else "(unvollständig)"
    return _lines(task["matter"], recipient, _wish(task), broken_off, corrections(task))


def _wish(task: Row) -> str:
    match task["earliest"], task["latest"]:
        case None, None:
            return ""
        case first, None:
            return f"gewünscht ab {clock(first, _DAY)}"
        case None, last:
            return f"gewünscht bis {clock(last, _DAY)}"
        case first, last:
            same = first.astimezone().date() == last.astimezone().date()
            return f"gewünscht {clock(first, _DAY)} bis {clock(last, '%H:%M' if same else _DAY)}"


def _finished(task: Row) -> str:
    by = f", {task['done_by']}" if task["done_by"] else ""
    return f"{clock(task['done_at'], _DAY)}{by}" if task["state"] == "done" else "offen"
