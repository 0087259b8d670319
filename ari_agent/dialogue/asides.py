"""What callers say amid a form that is no answer to it: questions, wishes, "wie bitte". The form goes on behind it."""

from __future__ import annotations

from dataclasses import replace

from ari_agent.decision import Decision
from ari_agent.dialogue.acts import Act, Answer
from ari_agent.dialogue.dictation import asked
from ari_agent.dialogue.form import Form
from ari_agent.dialogue.form_replies import wants_to_stop
from ari_agent.dialogue.german_questions import WHY, is_question
from ari_agent.dialogue.hearing import Hearing
from ari_agent.dialogue.policy import Rule
from ari_agent.dialogue.reach import Reach
from ari_agent.dialogue.replies import Replies
from ari_agent.dialogue.script import Script

_DICTATED = ("matter", "recipient")
"""Answers in which the caller may speak of anything, also in questions."""


class Asides:
    """Replies to what is said beside a form."""

    def __init__(self, script: Script, hearing: Hearing, reach: Reach, replies: Replies) -> None:
        self._script = script
        self._hearing = hearing
        self._reach = reach
        self._replies = replies

    def about_the_talk(self, form: Form, found: Rule | None) -> Act | None:
        """Return the reply to words about the talk itself; None where they are something else."""
        w = self._replies.wording
        match found:
            case "repeat":
                return asked(form.question())
            case "slower":
                self._replies.slow()
                return asked(form.question(), w.slower)
            case "wait":
                return replace(asked(form.question()), text=self._replies.say(w.wait))
            case "ask-ai":
                return asked(form.question(), self._replies.say(w.am_ai))
            case "privacy":
                return asked(form.question(), self._replies.say(w.privacy))
            case _:
                return None

    def beside(self, reply: Act, act: Act) -> Act:
        """Return the act of a form's answer with what was asked along with it: "ja und wann haben sie offen"."""
        answer = reply.text if isinstance(reply, Answer) else reply.text.removesuffix(self._hearing.last.text)
        return replace(act, text=f"{answer.strip()} {act.text}")

    def question(self, form: Form, text: str, found: Rule | None) -> tuple[Act, Decision | None] | None:
        """Return the reply to a question with its decision; None where the words may answer the form."""
        question = form.question()
        if question.field in _DICTATED or form.fits(text) or wants_to_stop(text) or not is_question(text):
            return None
        if found == "opening" and (hours := self._reach.opening_on(text)):
            return asked(question, hours), None
        reading = self._hearing.reading(text)
        if reading.match is not None and reading.match.sure and reading.kind in ("question", None):
            passage = reading.match.passage
            decision = Decision("answer", passage.id, reason="passage", by=self._script.knowledge.engine)
            return Answer(passage.text, passage.id, f"form-{question.field}", after=question.text), decision
        if WHY.search(text):
            return asked(question, self._replies.wording.why_asked), None
        return asked(question, self._replies.wording.not_known), None
