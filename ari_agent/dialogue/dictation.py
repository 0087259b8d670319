"""The form of one call, if one is being filled in, and the callback that is due without one."""

from __future__ import annotations

from dataclasses import replace

from ari_agent.decision import Decision
from ari_agent.dialogue.acts import Act, Ask, Noted
from ari_agent.dialogue.form import Form
from ari_agent.dialogue.form_steps import Aborted, Finished, Say, Step
from ari_agent.dialogue.reach import Caller, Reach
from ari_agent.dialogue.script import Script
from ari_agent.task import Task, TaskKind

SHORT_WORDS = 4
"""In a dictated matter only so few words can be about the talk itself: "wie bitte", "etwas langsamer bitte"."""
FREE = ("matter", "recipient")
"""Answers in which the caller may speak of anything."""
FIRST = ("name", "recipient")
"""A no to the first question is one to the form."""
STOP, YES = "abbrechen", "ja"


class Dictation:
    """What the caller leaves for a person to do."""

    def __init__(self, script: Script, caller: Caller, reach: Reach) -> None:
        self.form: Form | None = None
        """What is being filled in."""
        self._script = script
        self._caller = caller
        self._reach = reach
        self._missed: Task | None = None

    @property
    def missed(self) -> Task | None:
        """The callback that is due when the caller hangs up after nobody took the call."""
        return self._missed

    def miss(self, decision: Decision | None, reason: str) -> None:
        """Note that nobody took the call: the caller is called back, unless they say otherwise."""
        self._missed = self._reach.task("callback", decision, reason)

    def forget(self) -> None:
        """Let nothing be due."""
        self.form = self._missed = None

    def begin(self, kind: TaskKind, decision: Decision, before: str = "", said: str = "") -> Ask:
        """Begin a form after these words, with what is known of the matter, and what the caller has `said` already."""
        office = self._script.office
        known = self._reach.task(kind, decision, decision.reason)
        self.form = Form(
            kind,
            self._script.form_wording,
            now=self._reach.now(),
            hours=self._reach.hours,
            calling=self._caller.number,
            asks=office.asks,
            task=replace(known, number=None, due=None, complete=True),
            area=office.area,
        )
        return asked(self.form.begin(said), before)

    def step(self, step: Step) -> Act:
        """Return the act of a form's step."""
        match step:
            case Say():
                return asked(step)
            case Finished(text, task):
                self.forget()
                return Noted(text, task, task.kind)
            case Aborted(text):
                self.forget()
                return Ask(text, "aborted")

    def unfinished(self) -> Task | None:
        """Return, once, what is left to do for a caller who is gone."""
        task = self.form.taken() if self.form is not None else self._missed
        self.forget()
        return task


def asked(say: Say, before: str = "") -> Ask:
    """Return a form's question as an act."""
    return Ask(f"{before} {say.text}".strip(), f"form-{say.field}", "message")
