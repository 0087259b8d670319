"""Callers who leave a callback or a message: each knows what they want and answers what a form asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from ari_agent.dialogue.form import FORM_SIE, Asks, Finished, Form, Say, Step
from ari_agent.hours import BERLIN, Hours
from ari_agent.spoken import numbers, spelling
from ari_agent.spoken.alphabets import Table
from ari_agent.spoken.telephone import figures_of, read_back
from ari_agent.task import Task, TaskKind

_WORKDAY = ((8 * 60, 12 * 60), (13 * 60, 17 * 60))
HOURS = Hours(weekly=(*[_WORKDAY] * 4, ((8 * 60, 12 * 60),), (), ()), state="BY")
"""Monday to Thursday with a lunch break, on Fridays in the morning, with the holidays of Bavaria."""
MONDAY = datetime(2026, 11, 23, 10, 0, 5, tzinfo=BERLIN)
"""An hour in which somebody is there."""
CALLING = "+498955204712"


def form(
    kind: TaskKind = "callback",
    *,
    calling: str = "",
    company: bool = False,
    email: bool = False,
    task: Task | None = None,
    now: datetime = MONDAY,
    hours: Hours | None = HOURS,
    area: str = "",
) -> Form:
    """Return a form that has begun, of a company with usual hours."""
    begun = Form(
        kind,
        FORM_SIE,
        now=now,
        hours=hours,
        calling=calling,
        asks=Asks(company, email),
        task=task or Task(kind),
        area=area,
    )
    begun.begin()
    return begun


def say_all(to: Form, *lines: str) -> Step:
    """Say one line after the other; "*", "#" and single figures are keys. Returns the last step."""
    step: Step | None = None
    for line in lines:
        step = to.key(line) if re.fullmatch(r"[0-9*#]", line) else to.said(line)
        assert step is not None
    assert step is not None
    return step


def finished(to: Form, *lines: str) -> Task:
    """Return the task after these lines, which must finish the form."""
    step = say_all(to, *lines)
    assert isinstance(step, Finished), step
    return step.task


def asked(to: Form, *lines: str) -> str:
    """Return the code of what is asked after these lines."""
    step = say_all(to, *lines)
    assert isinstance(step, Say), step
    return step.field


def figures(number: str) -> str:
    """Return what is dialled for a number that the caller knows."""
    dialled = figures_of(number)
    assert dialled is not None
    return dialled


def digit_words(dialled: str) -> str:
    """Return the figures one by one."""
    return " ".join(numbers.say(int(figure)) for figure in dialled)


def in_groups(dialled: str, random: Random) -> str:
    """Return the figures in groups of one to three, as people say them: "null acht neun fünfundfünfzig zwei"."""
    spoken: list[str] = []
    at = 0
    while at < len(dialled):
        size = random.choice((1, 1, 2, 2, 2, 3))
        group = dialled[at : at + size]
        whole = group[0] != "0" and len(group) > 1 and random.random() < 0.7
        spoken.append(numbers.say(int(group)) if whole else digit_words(group))
        at += len(group)
    return " ".join(spoken)


def spelled(name: str, table: Table = "din_1983") -> str:
    """Return the spelled name as a recogniser writes it."""
    return re.sub(r"[^\w\s]", "", spelling.spell(name, table)).lower()


@dataclass
class Caller:
    """Somebody who knows what they want: says yes only to what is right, and corrects the rest."""

    name: str = "Huber"
    number: str = "+498955204712"
    wish: str = "so bald wie möglich"
    first_number: str = ""
    """How the number is heard at first; "" for figure by figure."""
    first_name: str = ""
    """How the name is heard at first."""
    corrections: Sequence[str] = ()
    """What the caller says to a number that is read back wrongly, in turn; afterwards the whole number."""
    table: Table = "din_1983"
    asked: list[str] = field(default_factory=list)
    """What was asked."""
    corrected: int = 0

    def call(self, to: Form, most: int = 60) -> Task:
        """Go through the form. Returns the task; fails when the form does not end."""
        step: Step = to.question()
        for _ in range(most):
            if not isinstance(step, Say):
                break
            self.asked.append(step.field)
            step = to.said(self.answer(step))
        assert isinstance(step, Finished), step
        return step.task

    def answer(self, say: Say) -> str:
        """Return what the caller says to a question."""
        match say.field:
            case "name":
                return self.first_name or f"mein name ist {self.name.lower()}"
            case "name-spell":
                return spelled(self.name, self.table)
            case "name-check":
                heard = say.text.partition(": ")[2]
                return "ja" if heard.startswith(f"{self.name}.") else "nein"
            case "number":
                return self._say_number()
            case "number-check":
                return self._check_number(say)
            case "wish":
                return self.wish
            case "matter":
                return "es geht um die heizung"
            case "number-offer":
                return "nein"
            case _:
                return "ja"

    def _say_number(self) -> str:
        said = self.first_number or digit_words(figures(self.number))
        self.first_number = ""
        return said

    def _check_number(self, say: Say) -> str:
        if say.text.partition(": ")[2].startswith(f"{read_back(self.number)}."):
            return "ja stimmt"
        self.corrected += 1
        if self.corrected <= len(self.corrections):
            return self.corrections[self.corrected - 1]
        return f"nein die nummer ist {digit_words(figures(self.number))}"
