"""Answers to a caller's questions: one passage, or several questions of one breath in their order."""

from __future__ import annotations

import re
from dataclasses import replace

from ari_agent.decision import Decision
from ari_agent.dialogue import questions
from ari_agent.dialogue.acts import Act, Answer, Ask
from ari_agent.dialogue.german_questions import is_question, spelled_out
from ari_agent.dialogue.hearing import Hearing
from ari_agent.dialogue.reach import Reach
from ari_agent.dialogue.references import Reference, asks_an_aspect, can_answer, leaves_out_its_matter, telling
from ari_agent.dialogue.replies import Replies
from ari_agent.dialogue.script import Script
from ari_agent.knowledge.passage import Passage

_ABOUT = 0.3
"""Certainty from which words that ask nothing tell what the question behind them is about."""
_CANCELLING = re.compile(r"absag|verschieb|verleg|storn|umbuch|änder|nicht komm|wahrnehm|einhalt")
_APPOINTMENT = re.compile(r"termin", re.IGNORECASE)


class Answering:
    """Speaks passages; only after the first is the caller asked for more."""

    def __init__(self, script: Script, hearing: Hearing, reach: Reach, replies: Replies) -> None:
        self._script = script
        self._hearing = hearing
        self._reach = reach
        self._replies = replies
        self._answered = False

    def one(self, source: str) -> Answer:
        """Return the answer with a passage."""
        passage = self._script.passages[source]
        return Answer(passage.text, passage.id, after=self._more())

    def several(self, text: str) -> tuple[Answer, Decision] | None:
        """Return the answers to several questions, and the decision that stands for them; None for one question.

        Where one of them has no answer the caller hears that too.
        """
        told = self._each(questions.distributed(text))
        if len({passage.id for passage in told if passage}) > 1 and all(told):
            return self._joined(told)
        told = self._each(questions.split(text))
        match = self._hearing.reading(text).match
        one = len(told) == 1 and match is not None and match.sure  # the rest is no question
        return self._joined(told) if any(told) and not one else None

    def opening(self, text: str) -> tuple[Act, Decision | None] | None:
        """Return what answers a question about the hours of a day; None where search is to find it."""
        if hours := self._reach.opening_on(text):
            return Ask(f"{hours} {self._replies.say(self._replies.wording.what_else)}", "opening"), None
        match = self._hearing.reading(text).match
        if (match is None or not match.sure) and (source := self._script.hours_passage):
            return self.one(source), self._spoken(source)
        return None

    def appointment(self, text: str) -> tuple[Act, Decision]:
        """Return what a caller hears who wants to make, move or cancel an appointment: that is for a person."""
        match = self._hearing.reading(text).match
        offer = Decision("ask", intent="termin", reason="unknown")
        if match is not None and match.sure and _tells_of(match.passage, text):
            answer = Answer(match.passage.text, match.passage.id)
            after = self._replies.ask_back(replace(offer, reason="appointment"))
            decision = replace(self._spoken(answer.source), intent="termin")
            return replace(answer, after=after.text, reason=after.reason), decision
        return self._replies.ask_back(replace(offer, reason="appointment")), offer

    def _each(self, parts: list[str]) -> list[Passage | None]:
        """Return what each question comes to; what is none only tells what the next one is about."""
        if len(parts) == 1:
            return []
        reference, before = self._hearing.reference, ""
        told: list[Passage | None] = []
        for part in parts:
            if leaves_out_its_matter(part) and reference is None and told and told[-1] is None:
                match = self._hearing.reading_after(None, f"{before} {part}").match  # both ask of the same
                told[-1] = match.passage if match is not None and match.sure else None
                continue
            before = part
            match = self._hearing.reading_after(reference, part).match
            sure = match is not None and match.sure
            if match is not None and (sure or (match.confidence >= _ABOUT and not is_question(part))):
                reference = Reference(match.passage, part)
            if is_question(part) and (telling(part) or leaves_out_its_matter(part) or spelled_out(part)):
                told.append(match.passage if match is not None and sure else self._told_along(reference, part))
        return told

    def _told_along(self, reference: Reference | None, part: str) -> Passage | None:
        """Return the passage spoken of last where it tells the price or the time that is asked for as well."""
        if reference is None or not asks_an_aspect(part) or not can_answer(reference.passage, part):
            return None
        return reference.passage

    def _joined(self, told: list[Passage | None]) -> tuple[Answer, Decision]:
        passages = list({passage.id: passage for passage in told if passage}.values())[: questions.MOST]
        first, *others = passages
        next_one = self._replies.say(self._replies.wording.several_more)
        text = f" {next_one} ".join(passage.text for passage in passages)
        decision = self._spoken(first.id)
        answer = Answer(text, first.id, also=tuple(other.id for other in others))
        if all(told):
            return replace(answer, after=self._more()), decision
        asked = self._replies.ask_back(Decision("ask", reason="unknown"))
        return replace(answer, after=f"{next_one} {asked.text}", reason=asked.reason), decision

    def _spoken(self, source: str) -> Decision:
        """Return the decision to speak a passage."""
        return Decision("answer", source, reason="passage", by=self._script.knowledge.engine)

    def _more(self) -> str:
        more = "" if self._answered else self._replies.wording.more
        self._answered = True
        return more


def _tells_of(passage: Passage, text: str) -> bool:
    """Tell whether a passage is about what a caller wants with an appointment."""
    said = f"{passage.title} {passage.text}".lower()
    wanted = _CANCELLING if _CANCELLING.search(text) else _APPOINTMENT
    return wanted.search(said) is not None
