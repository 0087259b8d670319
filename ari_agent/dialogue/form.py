"""Takes down a callback or a message on the phone: what the caller says goes in, the next thing to say comes out.

    recipient*  name  number  company  matter  wish**  email**   then all of it once more, to be confirmed
    * of a message  ** of a callback

Every answer is a slot that knows its questions, reads back what would cost the callback if it were wrong, and gives up
after a few questions, so that the form ends whatever the caller says. No I/O, no clock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ari_agent.dialogue.form_answers import FREE, Answers, Asks, Slot
from ari_agent.dialogue.form_replies import named, to_change, verdict, wants_to_stop
from ari_agent.dialogue.form_steps import Aborted, Finished, Say, Step
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


class Form:
    """The state of one form.

    `now` is aware; `hours` None is always reachable; `calling` is the calling number as the PBX gave it; `area` is the
    company's area code, for numbers said without one. `task` is what is known already and is completed. Raises
    ValueError for a naive `now`.
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
        self._wording = wording
        self._answers = Answers(
            wording, replace(task, kind=kind), now=now, hours=hours, calling=calling, asks=asks, area=area
        )
        self._current: Slot | None = None
        """The slot that was asked for; None while the whole is to be confirmed."""
        self._last = Say("", "")
        self._before_stop: Say | None = None
        """The question before "shall I forget it all", while that is asked."""
        self._silences = self._turns = self._returns = self._confirmed = 0
        self._result: Finished | Aborted | None = None

    @property
    def expects_yes_no(self) -> bool:
        """Whether "ja" answers what was asked last."""
        return self._last.field.endswith(("-check", "-offer"))

    @property
    def dictating(self) -> bool:
        """Whether free words are expected, such as a name, in which rules would find wishes that nobody has."""
        return self._last.field in _DICTATED

    def fits(self, text: str) -> bool:
        """Tell whether the words can hardly be anything but an answer to what was asked last.

        Rules for other wishes must not be applied to them: "Frau Berger" answers "for whom is the message?", and "nein,
        noch einmal: null acht neun ..." gives a number.
        """
        if self.expects_yes_no and verdict(text) in (("yes", ""), ("no", "")):
            return True
        return self._before_stop is None and self._current is not None and self._current.fits(text)

    def begin(self, said: str = "") -> Say:
        """Return the first question; `said` is the wish for the form, which may tell for whom and when."""
        self._answers.foretold(said)
        self._next()
        return self._last

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
        if self._returns_to(text):
            return self._next()
        if self._current is None:
            return self._confirm(text)
        self._answers.hear(self._current, text)
        return self._next()

    def key(self, digit: str) -> Step | None:
        """Take a key: "*" begins to type the number, "#" ends it; None for a key that is not ours."""
        if self._before_stop is not None:
            return None
        complete = self._answers.number.key(digit)
        if complete is None:
            return None
        self._silences = 0
        return self._typed() if complete else Say("", "number-typing")

    def silent(self) -> Step | None:
        """Ask again gently; None after the second silence in a row: the caller is gone."""
        if self._answers.number.typed_enough:
            self._answers.number.end_typing()
            return self._typed()
        self._silences += 1
        if self._silences >= _SILENCES:
            return None
        return Say(f"{self._wording.still_there} {self._last.text}", self._last.field)

    def taken(self) -> Task | None:
        """Return what is known when the caller breaks off; None where nothing was said and there is no number."""
        match self._result:
            case Finished(task=task):
                return task
            case Aborted():
                return None
            case None:
                return self._answers.taken()

    def _next(self) -> Step:
        """Ask for the first answer that is missing; at the end for all of it once more."""
        if (asked := self._answers.prompt()) is not None:
            return self._ask(*asked)
        self._confirmed += 1
        if self._confirmed > _MOST_CONFIRMED:
            return self._finish()
        return self._ask(None, Say(self._answers.summary(), "confirm-check"))

    def _ask(self, slot: Slot | None, say: Say) -> Say:
        self._current, self._last = slot, say
        return say

    def _typed(self) -> Step:
        """Go on with the number before anything else."""
        say = self._answers.number.prompt()
        return self._next() if say is None else self._ask(self._answers.number, say)

    def _returns_to(self, text: str) -> bool:
        """Go back to an answer that the caller calls wrong; tell whether there is one."""
        current = self._current.slot if self._current else None
        wrong = to_change(text, whole=current in FREE)
        if wrong is None or wrong == current or self._returns >= _MOST_RETURNS:
            return False
        self._returns += 1
        return self._answers.reopen(wrong, text)

    def _confirm(self, text: str) -> Step:
        said, rest = verdict(text)
        if said == "yes":
            return self._finish()
        if self._returns < _MOST_RETURNS:
            self._returns += 1
            if rest and self._answers.correct(text, rest):
                return self._next()
            slot = named(text)
            if said == "no" and not (slot and self._answers.reopen(slot, text)):
                return self._ask(None, Say(self._wording.change, "change"))
        return self._next()

    def _change(self, text: str) -> Step:
        """Take the answer to "what should I change"."""
        said, rest = verdict(text)
        if (said == "no" and not rest) or rest in ("nichts", "gar nichts"):
            return self._finish()
        slot = named(text)
        if slot is None or not self._answers.reopen(slot, text):
            self._answers.correct(text, rest)
        return self._next()

    def _stop(self) -> Step:
        if not self._answers.any_said:
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
        self._result = aborted = Aborted(self._wording.stopped)
        return aborted

    def _finish(self) -> Finished:
        task = self._answers.task()
        self._result = finished = Finished(self._answers.done(task), task)
        return finished
