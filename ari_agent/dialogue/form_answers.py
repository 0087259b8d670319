"""The answers of a form: which are asked in which order, who gets what was said, and the task that they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from ari_agent.dialogue.form_free import EmailSlot, FreeSlot
from ari_agent.dialogue.form_name import NameSlot
from ari_agent.dialogue.form_number import NumberSlot, numbers_in
from ari_agent.dialogue.form_replies import SlotName, answers, meant, says_wrong, verdict
from ari_agent.dialogue.form_steps import Say
from ari_agent.dialogue.form_wish import WishSlot
from ari_agent.dialogue.form_wishes import recipient_in, time_in
from ari_agent.dialogue.form_wording import FormWording
from ari_agent.hours import Hours
from ari_agent.task import Task, TaskKind

_FOR = re.compile(r"(?:sondern |doch |die nachricht |es |das |sie |ist |war |soll |geht )*(?:für|an) (.+)")
"""A correction that names for whom a message is."""
FREE: frozenset[SlotName] = frozenset({"recipient", "name", "company", "matter"})
"""Answers in the caller's own words, in which anything may be said."""


@dataclass(frozen=True, slots=True)
class Asks:
    """Which answers the company wants, of those that it may leave out."""

    company: bool = True
    email: bool = False


class Slot(Protocol):
    """One answer."""

    @property
    def slot(self) -> SlotName:
        """Its name."""

    def prompt(self) -> Say | None:
        """Return what to say next, and count it; None when the answer is settled."""

    def hear(self, text: str) -> str:
        """Take what was said to it; return words that are left for other answers."""

    def fits(self, text: str) -> bool:
        """Tell whether the words can hardly be anything but its answer."""

    def suggest(self, text: str) -> bool:
        """Take what was said to another question, if it is clear; tell whether it is."""

    def reopen(self, text: str) -> None:
        """Ask again, because the caller says that it is wrong."""


class Answers:
    """The slots of one form; a callback without any number becomes a message."""

    def __init__(
        self,
        wording: FormWording,
        task: Task,
        *,
        now: datetime,
        hours: Hours | None,
        calling: str,
        asks: Asks,
        area: str,
    ) -> None:
        self.kind: TaskKind = task.kind
        callback = task.kind == "callback"
        self._wording, self._task = wording, task
        self._news = ""
        """Said before the next question."""
        self.number = NumberSlot(wording, calling=calling, area=area, callback=callback, value=task.number)
        self._name = NameSlot(wording, task.name)
        self._company = FreeSlot("company", wording, task.company)
        self._matter = FreeSlot("matter", wording, task.matter)
        self._recipient = FreeSlot("recipient", wording, task.recipient)
        self._email = EmailSlot(wording, task.email)
        self._wish = WishSlot(wording, now, hours)
        wanted: Sequence[tuple[bool, Slot]] = (
            (not callback, self._recipient),
            (True, self._name),
            (True, self.number),
            (asks.company, self._company),
            (True, self._matter),
            (callback, self._wish),
            (callback and asks.email, self._email),
        )
        self._slots: dict[SlotName, Slot] = {slot.slot: slot for wants, slot in wanted if wants}

    def prompt(self) -> tuple[Slot, Say] | None:
        """Return the first answer that is missing and its question; None when there is nothing more to ask."""
        for slot in list(self._slots.values()):
            if (say := slot.prompt()) is not None:
                return slot, Say(self._after_news(say.text), say.field)
            if slot is self.number and not self.number.known and self.kind == "callback":
                self.kind, self._news = "message", self._wording.no_number
                self._slots.pop("wish")
        return None

    def _after_news(self, text: str) -> str:
        news, self._news = self._news, ""
        return f"{news} {text}".strip()

    def hear(self, slot: Slot, text: str) -> None:
        """Give the words to the slot that was asked for, and what is announced as something else to the others."""
        parts = answers(text)
        own = " ".join(part for name, part in parts if part and name in (None, slot.slot))
        rest = slot.hear(text if slot is self._matter else own)
        if slot not in (self.number, self._matter):
            self.number.suggest(own)
        denied = verdict(text)[0] == "no" and slot.slot not in FREE
        for name, part in parts:
            if name is not None and name != slot.slot:
                self._take(name, part, denied=denied)
        if rest and "wish" in self._slots:
            self._wish.suggest(rest)

    def foretold(self, said: str) -> None:
        """Take from the wish for a form for whom a message is, and when to call; both are read back in the end."""
        if "recipient" in self._slots and (whom := recipient_in(said)):
            self._recipient.suggest(whom)
        if "wish" in self._slots and (when := time_in(said)):
            self._wish.suggest(when)

    def reopen(self, name: SlotName, text: str) -> bool:
        """Ask for an answer again; tell whether the form has it."""
        if name not in self._slots:
            return False
        self._slots[name].reopen(text)
        for other, part in answers(meant(text)):
            if other == name and part and not says_wrong(part):
                self._slots[name].suggest(part)
        return True

    def correct(self, text: str, rest: str) -> bool:
        """Take corrections of the whole, "nein lieber übermorgen", "nein mein name ist möller"; tell whether there are.

        `rest` are the words without yes and no.
        """
        _, right = verdict(meant(text))
        told = [(name, part) for name, part in answers(meant(text)) if name is not None and not says_wrong(part)]
        taken = [self._take(name, part, denied=True) for name, part in told]
        if any(taken):
            return True
        if (whom := _FOR.match(right)) and self._take("recipient", whom[1], denied=True):
            return True
        if numbers_in(rest):
            self.number.reopen("")
            return self.number.suggest(rest)
        before = self._wish.when()
        return "wish" in self._slots and self._wish.replace_by(right) and self._wish.when() != before

    def _take(self, name: SlotName, part: str, *, denied: bool) -> bool:
        """Take a part for another slot; a denial before it opens one that was settled."""
        slot = self._slots.get(name)
        if slot is None:
            return False
        if slot.suggest(part):
            return True
        if denied:
            slot.reopen(part)
            slot.suggest(part)
        return denied

    @property
    def any_said(self) -> bool:
        """Whether the caller has told anything yet."""
        free = (slot.value for slot in (self._recipient, self._company, self._email))
        return bool(self._name.known or self.number.heard or any(free) or self._matter.value != self._task.matter)

    def summary(self) -> str:
        """Return all of it in a sentence, and the question whether it is right."""
        w, name = self._wording, self._name.known or self._wording.unnamed
        if self.kind == "callback":
            return w.callback_check.format(name=name, when=self._wish.when())
        check = w.message_check_for if self._recipient.value else w.message_check
        recipient = re.sub(r"^Herr\b", "Herrn", self._recipient.value)
        return self._after_news(check.format(name=name, recipient=recipient))

    def done(self, task: Task) -> str:
        """Return what the caller hears when the task is noted."""
        w = self._wording
        return w.callback_done.format(when=self._wish.when()) if task.kind == "callback" else w.message_done

    def task(self) -> Task:
        """Return the task of a form that is through; not complete where the number was heard but never confirmed."""
        number = self.number.value
        task = self._with(number or self.number.doubtful, self._name.value or self._name.doubtful)
        return replace(task, complete=number is not None or task.number is None)

    def taken(self) -> Task | None:
        """Return what there is so far; None where nothing was said and there is no number."""
        task = self._with(self.number.known, self._name.known)
        if not (task.number or task.matter or self.any_said):
            return None
        return replace(task, complete=False)

    def _with(self, number: str | None, name: str) -> Task:
        """Return the task with all that is known; without a number nobody can call back."""
        kind: TaskKind = "callback" if self.kind == "callback" and number else "message"
        earliest, latest = self._wish.span
        return replace(
            self._task,
            kind=kind,
            name=name,
            number=number,
            company=self._company.value,
            email=self._email.value,
            recipient=self._recipient.value,
            matter=self._matter.value,
            earliest=earliest,
            latest=latest,
            due=self._wish.due if kind == "callback" else None,
        )
