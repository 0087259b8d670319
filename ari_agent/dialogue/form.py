"""Takes down a callback or a message on the phone: what the caller says goes in, the next thing to say comes out.

    recipient*  name  number  company  matter  wish**  email**   then all of it once more, to be confirmed
    * of a message  ** of a callback

Every answer is a slot that knows its questions, reads back what would cost the callback if it were wrong, and gives up
after a few questions, so that the form ends whatever the caller says. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from ari_agent.dialogue.form_free import EmailSlot, FreeSlot
from ari_agent.dialogue.form_name import NameSlot
from ari_agent.dialogue.form_number import NumberSlot, numbers_in
from ari_agent.dialogue.form_replies import SlotName, answers, named, to_change, verdict, wants_to_stop
from ari_agent.dialogue.form_steps import Aborted, Finished, Say, Step
from ari_agent.dialogue.form_wish import WishSlot
from ari_agent.dialogue.form_wording import FORM_DU, FORM_SIE, FormWording
from ari_agent.hours import Hours
from ari_agent.task import Task, TaskKind

__all__ = ["FORM_DU", "FORM_SIE", "Aborted", "Asks", "Finished", "Form", "FormWording", "Say", "Step"]

MOST_TURNS = 60
"""The caller's turns after which the form ends with what there is; the slots give up long before."""
_MOST_RETURNS = 4
"""How often an earlier answer is asked again on the caller's wish."""
_MOST_CONFIRMED = 3
_SILENCES = 2
"""At the second silence in a row the caller is gone."""
_DICTATED = frozenset({"recipient", "name", "name-spell", "company", "matter", "email"})
_FREE = frozenset({"recipient", "name", "company", "matter"})
"""Answers in which "the number is wrong" may be what the caller wants to tell, unless they say nothing else."""


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

    def suggest(self, text: str) -> bool:
        """Take what was said to another question, if it is clear; tell whether it is."""

    def reopen(self, text: str) -> None:
        """Ask again, because the caller says that it is wrong."""


class Form:
    """The state of one form.

    `now` is aware; `hours` None is always reachable; `calling` is the calling number as the PBX gave it; `area` is the
    company's area code, for numbers said without one. `task` is what is known already and is completed.
    """

    def __init__(
        self,
        kind: TaskKind,
        wording: FormWording,
        *,
        now: datetime,
        hours: Hours | None,
        calling: str = "",
        asks: Asks,
        task: Task,
        area: str = "",
    ) -> None:
        if now.tzinfo is None:
            raise ValueError("now must be aware")
        self._kind, self._wording, self._task = kind, wording, task
        callback = kind == "callback"
        self._name = NameSlot(wording, task.name)
        self._number = NumberSlot(wording, calling=calling, area=area, callback=callback, value=task.number)
        self._company = FreeSlot("company", wording, task.company)
        self._matter = FreeSlot("matter", wording, task.matter)
        self._recipient = FreeSlot("recipient", wording, task.recipient)
        self._email = EmailSlot(wording, task.email)
        self._wish = WishSlot(wording, now, hours)
        wanted: Sequence[tuple[bool, Slot]] = (
            (not callback, self._recipient),
            (True, self._name),
            (True, self._number),
            (asks.company, self._company),
            (True, self._matter),
            (callback, self._wish),
            (callback and asks.email, self._email),
        )
        self._slots: dict[SlotName, Slot] = {slot.slot: slot for wants, slot in wanted if wants}
        self._current: Slot | None = None
        """The slot that was asked for; None while the whole is to be confirmed."""
        self._last = Say("", "")
        self._before_stop: Say | None = None
        self._silences = self._turns = self._returns = self._confirmed = 0
        self._over: Task | None = None
        self._aborted = False

    @property
    def expects_yes_no(self) -> bool:
        """Whether "ja" answers what was asked last."""
        return self._last.field.endswith(("-check", "-offer"))

    @property
    def dictating(self) -> bool:
        """Whether free words are expected, such as a name, in which rules would find wishes that nobody has."""
        return self._last.field in _DICTATED

    def begin(self) -> Say:
        """Return the first question."""
        step = self._next()
        if not isinstance(step, Say):
            raise TypeError("a form always has something to ask")
        return step

    def question(self) -> Say:
        """Return the last question again."""
        return self._last

    def said(self, text: str) -> Step:
        """Take the caller's words, as a recogniser writes them; return what to say next."""
        self._silences = 0
        self._turns += 1
        if self._turns > MOST_TURNS:
            return self._finish()
        if self._before_stop is not None and (step := self._after_stop(text)):
            return step
        if wants_to_stop(text):
            return self._stop()
        if self._last.field == "change":
            return self._change(text)
        if (step := self._return_to(text)) is not None:
            return step
        return self._confirm(text) if self._current is None else self._answer(self._current, text)

    def key(self, digit: str) -> Step | None:
        """Take a key: "*" begins to type the number, "#" ends it; None for a key that is not ours."""
        if self._before_stop is not None:
            return None
        said = self._number.key(digit)
        if said is None:
            return None
        self._silences = 0
        return self._typed() if said else Say("", "number-typing")

    def silent(self) -> Step | None:
        """Ask again gently; None after the second silence in a row: the caller is gone."""
        if self._number.typed_enough:
            self._number.end_typing()
            return self._typed()
        self._silences += 1
        if self._silences >= _SILENCES:
            return None
        return Say(f"{self._wording.still_there} {self._last.text}", self._last.field)

    def taken(self) -> Task | None:
        """Return what is known when the caller breaks off; None where nothing was said and there is no number."""
        if self._over is not None:
            return self._over
        task = self._completed(self._number.known, self._name.known)
        if self._aborted or not (task.number or self._anything_said() or task.matter):
            return None
        return replace(task, complete=False)

    def _typed(self) -> Step:
        if (say := self._number.prompt()) is None:
            return self._next()
        return self._ask(self._number, say)

    def _next(self, lead: str = "") -> Step:
        """Ask for the first answer that is missing; at the end for all of it once more."""
        for slot in list(self._slots.values()):
            if (say := slot.prompt()) is not None:
                return self._ask(slot, say, lead)
            if slot is self._number and self._number.value is None and self._kind == "callback":
                self._kind = "message"
                lead = self._wording.no_number
                self._slots.pop("wish")
        self._current = None
        self._confirmed += 1
        if self._confirmed > _MOST_CONFIRMED:
            return self._finish()
        return self._ask(None, Say(self._summary(), "confirm-check"), lead)

    def _ask(self, slot: Slot | None, say: Say, lead: str = "") -> Say:
        self._current = slot
        self._last = Say(f"{lead} {say.text}".strip(), say.field)
        return self._last

    def _answer(self, slot: Slot, text: str) -> Step:
        """Give the words to the slot that was asked for, and what is announced as something else to the others."""
        parts = answers(text)
        if slot is self._matter:
            own = text
        else:
            own = " ".join(part for name, part in parts if part and name in (None, slot.slot))
        rest = slot.hear(own)
        if slot is not self._number and slot is not self._matter:
            self._number.suggest(own)
        denied = verdict(text)[0] == "no" and slot.slot not in _FREE
        for name, part in parts:
            if name is not None and name != slot.slot and name in self._slots:
                self._take(self._slots[name], part, denied=denied)
        if rest and "wish" in self._slots:
            self._wish.suggest(rest)
        return self._next()

    def _take(self, slot: Slot, part: str, *, denied: bool) -> bool:
        """Take a part for another slot; a denial before it opens one that was settled."""
        if slot.suggest(part):
            return True
        if not denied:
            return False
        slot.reopen(part)
        return slot.suggest(part)

    def _return_to(self, text: str) -> Step | None:
        """Go back to an answer that the caller calls wrong."""
        current = self._current.slot if self._current else None
        wrong = to_change(text, whole=current in _FREE)
        if wrong is None or wrong == current or wrong not in self._slots or self._returns >= _MOST_RETURNS:
            return None
        self._returns += 1
        self._slots[wrong].reopen(text)
        return self._next()

    def _confirm(self, text: str) -> Step:
        said, rest = verdict(text)
        if said == "yes":
            return self._finish()
        if rest and self._corrected(text, rest):
            return self._next()
        if said == "no" and self._returns < _MOST_RETURNS:
            self._returns += 1
            return self._ask(None, Say(self._wording.change, "change"))
        return self._next()

    def _corrected(self, text: str, rest: str) -> bool:
        """Take corrections of the whole: "nein lieber übermorgen", "nein mein name ist möller"."""
        if self._returns >= _MOST_RETURNS:
            return False
        self._returns += 1
        taken = False
        for name, part in answers(text):
            if name is not None and name in self._slots:
                taken = self._take(self._slots[name], part, denied=True) or taken
        if not taken and numbers_in(rest):
            self._number.reopen("")
            taken = self._number.suggest(rest)
        if not taken and "wish" in self._slots:
            before = self._wish.when()
            taken = self._wish.replace_by(rest) and self._wish.when() != before
        return taken

    def _change(self, text: str) -> Step:
        """Take the answer to "what should I change"."""
        slot = named(text)
        if slot is not None and slot in self._slots:
            self._slots[slot].reopen(text)
        else:
            said, rest = verdict(text)
            if said == "no" and not rest:
                return self._finish()
            self._corrected(text, rest)
        return self._next()

    def _stop(self) -> Step:
        if not self._anything_said():
            return self._abort()
        self._before_stop = self._last
        self._last = Say(self._wording.stop_check, "stop-check")
        return self._last

    def _after_stop(self, text: str) -> Step | None:
        """Take the answer to "shall I forget it all"; None where the caller goes on with the form."""
        before, self._before_stop = self._before_stop, None
        said, rest = verdict(text)
        if said == "yes" or wants_to_stop(text):
            return self._abort()
        self._last = before or self._last
        return None if rest and said is None else self._last

    def _abort(self) -> Aborted:
        self._aborted = True
        return Aborted(self._wording.stopped)

    def _anything_said(self) -> bool:
        free = (slot.value for slot in (self._recipient, self._company, self._email))
        matter = self._matter.value != self._task.matter
        return bool(self._name.known or self._number.heard or any(free) or matter)

    def _summary(self) -> str:
        w, name = self._wording, self._name.known or self._wording.unnamed
        if self._kind == "callback":
            return w.callback_check.format(name=name, when=self._wish.when())
        if self._recipient.value:
            return w.message_check_for.format(name=name, recipient=self._recipient.value)
        return w.message_check.format(name=name)

    def _finish(self) -> Finished:
        number = self._number.value
        task = self._completed(number or self._number.doubtful, self._name.value or self._name.doubtful)
        self._over = replace(task, complete=number is not None or task.number is None)
        callback = task.kind == "callback"
        done = self._wording.callback_done.format(when=self._wish.when()) if callback else self._wording.message_done
        return Finished(done, self._over)

    def _completed(self, number: str | None, name: str) -> Task:
        """Return the task with all that is known; without a number nobody can call back."""
        kind: TaskKind = "callback" if self._kind == "callback" and number else "message"
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
