"""`ari-agent calls`: the call log on the command line; data on stdout, words about it on stderr."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ari_agent.calllog.corrections import correction_of, told
from ari_agent.calllog.reading import CallReader, Row
from ari_agent.cli import correcting, recording
from ari_agent.cli.correcting import LABELS, URGENCIES, Correcting, corrections
from ari_agent.cli.options import Config, Json
from ari_agent.cli.printing import clock, json_text
from ari_agent.config import Log, load
from ari_agent.errors import AgentError

GOOD, NOTHING, ERROR = 0, 1, 2
"""Exit statuses."""

Limit = Annotated[
    int, typer.Option("--limit", envvar="ARI_AGENT_LIMIT", min=1, max=10_000, help="At most so many calls.")
]
CallId = Annotated[str, typer.Argument(metavar="CALL-ID", help="Id of the call, or how it begins.")]

app = typer.Typer(
    name="calls", help="Read the call log; callers' numbers are shortened. Correct its notes.", no_args_is_help=True
)
app.command("recording")(recording.recording)

_OUTCOMES = {
    "solved": "gelöst",
    "handed-over": "übergeben",
    "caller-hung-up": "aufgelegt",
    "to-queue": "Warteschlange",
}
_ACTS = {
    "answer": "Antwort",
    "ask": "Rückfrage",
    "message": "Nachricht",
    "escalate": "Übergabe",
    "smalltalk": "Auskunft über sich",
    "goodbye": "Verabschiedung",
}
_TASKS = {"callback": "Rückruf", "message": "Nachricht"}
_CONSENTS = {"given": "erteilt", "refused": "nicht erteilt", "withdrawn": "widerrufen"}
_WAYS = {"voice": "gesprochen", "key": "Taste", "silence": "keine Antwort", "other": "andere Worte"}
_RECORDINGS = {"audio": "Ton", "transcript": "Mitschrift"}
_HEARD = {"speech": "Sprache", "key": "Taste", "silence": "Stille", "refusal": "Ablehnung"}


@app.command("list")
def list_calls(config: Config = None, as_json: Json = False, limit: Limit = 20) -> None:
    """List the newest calls. Exit status 1: there are none."""
    _run(_list(_settings(config), as_json, limit))


@app.command()
def show(call: CallId, config: Config = None, as_json: Json = False) -> None:
    """Show one call: turns, callbacks and messages, note, events. Exit status 1: there is no such call."""
    _run(_show(_settings(config), call, as_json))


@app.command()
def correct(
    call: CallId,
    fields: correcting.Fields = None,
    config: Config = None,
    *,
    by: correcting.Person = "",
    revision: correcting.Revision = None,
    as_json: Json = False,
) -> None:
    """Correct the note of a call, field by field: who, about, agreed, open, urgency. What the AI wrote is kept.

    Asks on a terminal; otherwise stdin holds a JSON object such as {"who": "Frau Muster", "open": []}. Exit status 1:
    nothing differs, or there is no such note.
    """
    settings = load(config)
    _run(correcting.correct(settings, Correcting("note", call, tuple(fields or ()), by, revision, as_json)))


@app.command()
def watch(config: Config = None, as_json: Json = False) -> None:
    """Print what happens in calls as it happens, one line (JSON: one object) for each event, until interrupted."""
    _run(_watch(_settings(config), as_json))


def _settings(config: Path | None) -> Log:
    try:
        return load(config).log
    except AgentError as e:
        _fail(str(e))


def _run(command: Coroutine[Any, Any, int]) -> None:
    try:
        status = asyncio.run(command)
    except AgentError as e:
        _fail(str(e))
    except KeyboardInterrupt:
        status = GOOD
    raise typer.Exit(status)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(ERROR)


async def _list(settings: Log, as_json: bool, limit: int) -> int:
    async with CallReader.open(settings) as reader:
        calls, trouble = await reader.calls(limit), reader.trouble
    if as_json:
        typer.echo(json_text(calls))
    elif calls:
        Console().print(_table(calls))
    _tell(trouble)
    if not calls:
        typer.echo("no calls yet", err=True)
    return GOOD if calls else NOTHING


async def _show(settings: Log, prefix: str, as_json: bool) -> int:
    async with CallReader.open(settings) as reader:
        found = await reader.calls(2, prefix)
        if len(found) != 1:
            typer.echo("several calls begin so: type more of the id" if found else "no such call", err=True)
            return ERROR if found else NOTHING
        (call,) = found
        turns, events = await reader.turns(call["id"]), await reader.events(call["id"])
        tasks, written = await reader.tasks(call["id"]), await reader.note(call["id"])
        note = written and told(written, tuple(map(correction_of, await reader.corrections(call["id"]))))
        _tell(reader.trouble)
    if as_json:
        typer.echo(json_text({**call, "turns": turns, "tasks": tasks, "note": note, "events": events}))
        return GOOD
    console = Console()
    console.print(_table([call]))
    for part in (*map(_turn, turns), *map(_task, tasks), *([_note(note)] if note else []), *map(_event, events)):
        console.print(part)
    return GOOD


def _tell(trouble: str | None) -> None:
    if trouble is not None:
        typer.echo(f"numbers are shown as pseudonyms: {trouble}", err=True)


async def _watch(settings: Log, as_json: bool) -> int:
    async with CallReader.open(settings) as reader, aclosing(reader.follow(await reader.position())) as events:
        typer.echo("waiting for calls, Ctrl-C ends", err=True)
        async for event in events:
            if as_json:
                typer.echo(json_text(event, indent=None))
            else:
                Console().print(_event(event), soft_wrap=True)
    return GOOD


def _table(calls: list[Row]) -> Table:
    table = Table("Beginn", "Anruf", "Anrufer", "Dauer", "Schritte", "Hinweis", "Ergebnis", box=SIMPLE, pad_edge=False)
    for call in calls:
        begin, end = call["opened_at"], call["closed_at"]
        table.add_row(
            clock(begin, "%d.%m. %H:%M:%S"),
            str(call["id"])[:8],
            call["caller"] or "unterdrückt",
            f"{(end - begin).total_seconds():.0f} s" if begin and end else "–",
            str(call["turns"] if call["turns"] is not None else "–"),
            "ja" if call["disclosure_played_ms"] is not None else "nein",
            _OUTCOMES.get(call["outcome"], call["outcome"] or "offen") + (" (Test)" if call["test"] else ""),
        )
    return table


def _turn(turn: Row) -> Text:
    """One turn with the time of each stage in milliseconds."""
    stages = {"Redeende": "end_of_turn_ms", "Erkennung": "stt_ms", "Entscheidung": "decide_ms", "Stimme": "tts_ms"}
    times = ", ".join(f"{name} {turn[field]:.0f}" for name, field in stages.items() if turn[field] is not None)
    return Text(f"{turn['number']:>3}. {_decision(turn['act'], turn)}{_words(turn)}\n     {times} ms")


def _task(task: Row) -> Text:
    """One callback or message; where it is dealt with, `ari-agent callbacks`, the number is whole."""
    until = f"bis {clock(task['deadline'], '%d.%m. %H:%M')}" if task["deadline"] else ""
    state = "erledigt" if task["state"] == "done" else "überfällig" if task["overdue"] else "offen"
    parts = (
        task["caller_name"], task["company"], task["number"], task["email"],
        f"für {task['recipient']}" if task["recipient"] else "", until, state,
        "" if task["complete"] else "unvollständig", corrections(task),
    )  # fmt: skip
    matter = f"\n     „{task['matter']}“" if task["matter"] else ""
    return Text(f"{_TASKS[task['kind']]} {str(task['id'])[:8]}: {', '.join(filter(None, parts))}{matter}")


def _note(note: Row) -> Text:
    """The note on the call, marked as made by a machine, what people corrected in it as made by them."""
    origin = f"KI-Notiz, bitte prüfen ({note['made_by']})" if note["ai_generated"] else f"Notiz ({note['made_by']})"
    urgency = [URGENCIES[note["urgency"]]]
    values = {"who": [note["who"]], **{field: note[field] for field in ("about", "agreed", "open")}, "urgency": urgency}
    lines = [
        f"     {LABELS[field]}: {'; '.join(items) or '–'}{_corrected(note['fields'][field])}"
        for field, items in values.items()
        if items or "corrected_by" in note["fields"][field]
    ]
    return Text("\n".join([origin, *lines]))


def _corrected(field: Row) -> str:
    by = field.get("corrected_by")
    return f" (korrigiert von {by}, {clock(field['corrected_at'], '%d.%m. %H:%M')})" if by else ""


def _event(event: Row) -> Text:
    detail: Row = event["detail"]
    match event["kind"]:
        case "opened":
            what = "Anruf" + (" (Test)" if detail.get("test") else "")
        case "answered":
            what = f"angenommen nach {detail['setup_ms']:.0f} ms"
        case "disclosed":
            what = f"KI-Hinweis gespielt, {detail['played_ms'] / 1000:.1f} s"
        case "consent":
            what = f"Einwilligung {_CONSENTS[event['code']]} ({_WAYS[detail['way']]})"
        case "recording" if event["code"] == "kept":
            what = f"{_RECORDINGS[detail['kind']]} aufgezeichnet, {detail['duration_ms'] / 1000:.0f} s"
        case "recording":
            what = f"{_RECORDINGS[detail['kind']]} entschlüsselt ausgegeben"
        case "turn":
            what = f"Schritt {detail['number']}: {_decision(event['code'], detail)}{_words(event)}"
        case "escalated":
            what = f"Übergabe an {detail['target']}: {event['code']} nach {detail['waited_ms'] / 1000:.0f} s"
        case "task" if event["code"] == "done":
            what = "Rückruf oder Nachricht erledigt"
        case "system" if event["code"] == "corrected":
            corrected = "Notiz" if detail["of"] == "note" else "Rückruf oder Nachricht"
            what = f"{corrected} korrigiert: {LABELS[detail['field']]}"
        case "task":
            what = f"{_TASKS[event['code']]} aufgenommen"
        case "note":
            what = "KI-Notiz geschrieben"
        case "closed":
            what = f"Ende: {_OUTCOMES.get(event['code'], event['code'])} {detail.get('reason', '')}"
        case "refused":
            what = f"nicht speicherbar: {event['code']}"
        case _:
            what = f"Vermerk {event['code']} {detail.get('detail', '')}"
    call = f"{str(event['call'])[:8]}  " if "call" in event else ""
    return Text(f"{clock(event['at'], '%H:%M:%S')}  {call}{what.rstrip()}")


def _decision(act: str, turn: Row) -> str:
    heard = _HEARD.get(turn["heard"], turn["heard"])
    because = turn.get("source") or turn.get("reason") or ""
    urgent = " (dringend)" if turn.get("urgency") == "high" else ""
    total = f", nach {turn['total_ms']:.0f} ms" if turn.get("total_ms") is not None else ""
    return (
        f"{heard} → {_ACTS.get(act, act)} {because}".rstrip()
        + urgent
        + total
        + (", unterbrochen" if turn["interrupted"] else "")
    )


def _words(turn: Row) -> str:
    said = [
        f"{who} „{text}“"
        for who, text in (("Anrufer", turn.get("caller_text")), ("KI", turn.get("agent_text")))
        if text
    ]
    return "".join(f"\n     {line}" for line in said)
