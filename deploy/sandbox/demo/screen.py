"""The demo on the terminal: the conversation while it happens, then times, outcomes and rows."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from ari_agent.calllog.reading import Row
from ari_agent.cli.printing import clock
from ari_agent.dialogue.script import Script
from sandbox import ear
from sandbox.demo.result import CallResult, Result, plain

WIDTH = 13
"""Columns for who speaks."""
WHY = "wish-for-person"
"""Why callers of the demo are put through."""
STAGES = ("heard_ms", "end_of_turn", "stt", "decide", "tts", "total")


class Screen:
    """Prints; the conversation in German as it is spoken, everything else in English.

    The log tells of a turn when its reply is over, so a caller's next sentence waits until the reply to the last one
    is on the screen.
    """

    def __init__(self, console: Console, script: Script) -> None:
        self._console = console
        self._script = script
        self._new_call()

    def note(self, text: str) -> None:
        """Say in English what happens."""
        self._line("", escape(text), "dim")

    def scene(self, number: int, title: str) -> None:
        """Begin a call."""
        self._new_call()
        self._console.print()
        self._console.rule(f"[bold]Call {number}: {title}", align="left")

    def caller(self, sentence: str) -> None:
        """Show what the caller says."""
        self._waiting.append(sentence)
        if not self._replying:
            self._next_sentence()

    def greeting(self) -> None:
        """Show what the AI says after the notice, until somebody speaks."""
        self._speak("KI", self._script.greeting, "green", " [dim](cut short by the caller)[/]")

    def rings(self, display: str) -> None:
        """Show that the receptionist's phone rings, which the caller is told by now."""
        self._speak("KI", self._script.wording.connecting, "green")
        self.note(f"the receptionist's phone rings, its display says: {display}")

    def whisper(self) -> None:
        """Show what the receptionist hears before taking the call."""
        self._speak("KI flüstert", self._script.whisper(WHY), "magenta")

    def note_on_call(self, note: Row | None) -> None:
        """Show the note that was made of a call."""
        if note is None:
            return
        made = "KI-Notiz" if note["ai_generated"] else "Notiz"
        lines = {"Wer": (note["who"],), "Thema": note["about"], "Vereinbart": note["agreed"], "Offen": note["open"]}
        held = (f"{name}: {', '.join(items)}" for name, items in lines.items() if items)
        self._speak(made, "; ".join(held), "yellow")

    def event(self, event: Row) -> None:
        """Show what the call log tells."""
        detail = event["detail"]
        match event["kind"]:
            case "disclosed":
                self._speak("KI", self._script.notice, "green")
            case "turn":
                self._turn(event)
            case "escalated":
                self._refused = event["code"] != "accepted"
                self.note(f"the way to a person: {event['code']}, after {detail['waited_ms'] / 1000:.1f} s")
            case "task":
                self.note(f"in Postgres: {event['code']}")
            case "closed":
                self.note(f"call closed: {event['code']}, {detail['reason']}")

    def calls(self, calls: Sequence[CallResult]) -> None:
        """Tabulate how the calls ended."""
        table = Table("call", "outcome", "answered", "notice", "what else")
        for number, call in enumerate(calls, 1):
            table.add_row(
                f"{number} {call.scene}",
                call.outcome or "[red]none",
                _figure(call.answered_in_ms, " ms"),
                "heard" if call.disclosure_played else "[red]not heard",
                "; ".join(_remarks(call)),
            )
        self._table("Outcomes", table)

    def callbacks(self, tasks: Sequence[Row]) -> None:
        """Tabulate what callers have left, as the desk that calls back finds it."""
        table = Table("kind", "who", "number", "about", "from", "complete")
        for task in tasks:
            fields = (task["caller_name"], task["number"], task["matter"])
            shown = (escape(field or "–") for field in fields)
            complete = "yes" if task["complete"] else "[red]no"
            table.add_row(task["kind"], *shown, clock(task["due"], "%Y-%m-%d %H:%M"), complete)
        kinds = Counter(task["kind"] for task in tasks)
        self._table(", ".join(f"{kind}s: {count}" for kind, count in kinds.items()) or "callbacks: 0", table)

    def times(self, calls: Sequence[CallResult]) -> None:
        """Tabulate the milliseconds of every turn."""
        table = Table(Column("call", min_width=4), Column("the caller said", no_wrap=True, max_width=28))
        for name in ("heard", "end", "stt", "decide", "tts", "total"):
            table.add_column(name, justify="right", no_wrap=True)
        turns = [(number, turn) for number, call in enumerate(calls, 1) for turn in call.turns]
        for number, turn in turns:
            table.add_row(str(number), turn.spoken, *(_figure(getattr(turn.latency_ms, name)) for name in STAGES))
        columns = [[getattr(turn.latency_ms, name) for _, turn in turns] for name in STAGES]
        summaries = [ear.summary(known) if (known := [ms for ms in c if ms is not None]) else None for c in columns]
        table.add_section()
        table.add_row("", "p50", *(_figure(s.p50 if s else None) for s in summaries), style="bold")
        table.add_row("", "max", *(_figure(s.max if s else None) for s in summaries), style="bold")
        self._table("Milliseconds: heard at the caller's phone; the stages after it from the call log", table)

    def rows(self, counts: dict[str, int], excerpt: str) -> None:
        """Show what stands in Postgres."""
        self._console.print()
        self._console.print("[bold]Rows in Postgres: " + ", ".join(f"{name} {n}" for name, n in counts.items()))
        self._console.print(excerpt.rstrip(), markup=False, highlight=False, soft_wrap=True)

    def verdict(self, result: Result) -> None:
        """Say whether all was as it must be."""
        heard = result.heard_ms
        self._console.print()
        for problem in result.unexpected:
            self._console.print(f"[red]not as expected:[/] {escape(problem)}", highlight=False, soft_wrap=True)
        if not result.unexpected:
            self._console.print("[bold green]All calls as expected.", end=" ")
        reply = f"Reply heard after {heard.p50:.0f} ms (median of {heard.n}, max {heard.max:.0f}). " if heard else ""
        self._console.print(f"{reply}The demo took {result.seconds:.0f} s.", highlight=False)

    def _new_call(self) -> None:
        self._waiting: deque[str] = deque()  # never more than the few sentences of one call
        """Sentences of the caller that are not on the screen yet."""
        self._said = ""
        """The last one that is."""
        self._replying = self._refused = False

    def _next_sentence(self) -> None:
        if self._waiting:
            self._said, self._replying = self._waiting.popleft(), True
            self._speak("Anrufer", self._said, "cyan")

    def _turn(self, event: Row) -> None:
        detail = event["detail"]
        if detail["heard"] == "speech":
            right = plain(self._said) == plain(event["caller_text"] or "")
            mark = "" if right else "  [red]wrong[/]"
            self._line("understood", f"„{escape(event['caller_text'] or '')}“{mark}", "dim")
            self._line("decided", escape(_decision(detail)), "dim")
        if event["code"] != "escalate":  # what it says then is on the screen since the phone rang
            source = f" [dim]({detail['source']})[/]" if detail.get("source") else ""
            self._speak("KI", event["agent_text"] or "…", "green", source)
        # After a refusal the AI goes on by itself, and that is a turn of its own.
        self._replying, self._refused = self._refused, False
        if not self._replying:
            self._next_sentence()

    def _speak(self, who: str, words: str, colour: str, after: str = "") -> None:
        self._line(f"[bold {colour}]{who}:[/]", escape(words) + after)

    def _line(self, who: str, text: str, style: str = "") -> None:
        table = Table.grid(padding=0)
        table.add_column(width=WIDTH, no_wrap=True)
        table.add_column()
        table.add_row(who, text, style=style)
        self._console.print(table, highlight=False)

    def _table(self, title: str, table: Table) -> None:
        table.box = SIMPLE
        table.pad_edge = False
        self._console.print()
        self._console.print(f"[bold]{title}", highlight=False)
        self._console.print(table, highlight=False)


def _decision(detail: Row) -> str:
    """Who decided a turn, and what was made of the caller's words."""
    intent = detail.get("intent") or "no intent of the catalogue"
    return f"by {detail['decided_by']}: {intent}, urgency {detail.get('urgency') or 'normal'}"


def _remarks(call: CallResult) -> Iterator[str]:
    yield from (f"reception: {escalation['result']}" for escalation in call.escalations)
    if call.bridge_proof is not None:
        yield "tone heard both ways, only after key 1" if call.bridge_proof.holds else "[red]tone test failed[/]"
    if call.back_again is not None:
        yield "the AI was back"
    if call.barge_in_ms is not None:
        yield f"silent {call.barge_in_ms:.0f} ms after the caller began to speak"
    yield from (f"{task.kind} left" for task in call.tasks)
    if call.trouble is not None:
        yield f"[red]{escape(call.trouble)}[/]"


def _figure(milliseconds: float | None, unit: str = "") -> str:
    return "–" if milliseconds is None else f"{milliseconds:.0f}{unit}"
