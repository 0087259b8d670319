"""What a caller's words mean after what we said last."""

from __future__ import annotations

import re
from dataclasses import replace

from ari_agent.dialogue.acts import Act, Answer, Ask, Noted
from ari_agent.dialogue.dictation import Dictation
from ari_agent.dialogue.form_replies import verdict
from ari_agent.dialogue.german_questions import (
    ASKING,
    QUESTION,
    asked_last,
    core_of,
    is_question,
    spelled_out,
    without_introduction,
)
from ari_agent.dialogue.german_rules import (
    BACKCHANNELS,
    CALLBACK,
    FAREWELL,
    ONLY_A_DAY,
    REMARK,
    THANKED,
    UNKNOWN,
    WAITS,
)
from ari_agent.dialogue.policy import Rule, is_clear, rule, stands
from ari_agent.dialogue.reasons import ASKING_FOR_THE_MATTER, OFFERS
from ari_agent.dialogue.references import Reference, can_answer, leaves_out_its_matter, only_one_fits, telling
from ari_agent.dialogue.script import Script
from ari_agent.knowledge.german import tells
from ari_agent.knowledge.reading import Kind, Match, Reading

_NEEDS: frozenset[Rule | None] = frozenset(
    {"emergency", "accident", "bereavement", "lawyer", "distress", "fault", "complaint", "wish-for-person"}
)
_OF_QUESTIONS: frozenset[Kind | None] = frozenset({"question", "outside", "unclear", "smalltalk", None})
"""Kinds of turns that may be a question after all, once it is known what it leaves out."""
_OF_PEOPLE: frozenset[Kind | None] = frozenset(
    {"person", "anger", "distress", "lawyer", "bereavement", "accident", "fault"}
)
"""Kinds of turns for a person, of which there are false alarms in few words."""
_GERMAN_WISHES: frozenset[Rule | None] = frozenset({"message", "opening", "privacy", "ask-ai"})
_ASKS_US = re.compile(
    r"\b(?:können|könnten|würden|machen|haben|bieten|dürfte?n?|kann|darf) (?:sie|ihr|ich|man|wir) \w+"
)
_IN_GERMAN = 4
"""Words of German from which a caller who asked for English goes on in it."""
_A_MATTER = 4
"""Words that are a matter also where nothing fits them; fewer are asked for again."""
_BESIDE_A_YES = 3
"""More words beside a yes or no are a matter of their own: "ja und was kostet das"."""


class Hearing:
    """Reads words in the light of the last reply."""

    def __init__(self, script: Script, dictation: Dictation, greeting: str) -> None:
        self.last: Act = Ask(greeting, "greeting")
        """The last reply, for "wie bitte?" and for what a "nein" means."""
        self.asked_for: tuple[str, ...] = ()
        """Ids of the passages of the last "Geht es um …?"."""
        self.reference: Reference | None = None
        """What was spoken of last, where the last reply was an answer."""
        self._script = script
        self._dictation = dictation
        self._read: tuple[str, str, Reading] | None = None  # the last partial and the final text are mostly the same
        self._plain: tuple[str, str, Reading] | None = None  # the rules and the search ask for it in turn

    @property
    def last_text(self) -> str:
        """All that was said last."""
        return f"{self.last.text} {self.last.after}".strip() if isinstance(self.last, Answer) else self.last.text

    def reading(self, text: str) -> Reading:
        """Return what the words tell by themselves."""
        last = self.last_text
        if self._read is None or self._read[:2] != (text, last):
            self._read = (text, last, self.reading_after(self.reference, text))
        return self._read[2]

    def reading_after(self, reference: Reference | None, text: str) -> Reading:
        """Return what the words tell after something was spoken of, of which they may leave out the name."""
        plain = self._plain_reading(text)
        if reference is None or plain.kind not in _OF_QUESTIONS:
            return plain
        if added := reference.added(text):
            full = self._plain_reading(added)
            if full.match is not None and full.match.sure and can_answer(full.match.passage, added):
                return replace(plain, match=full.match, kind="question")
        bare = leaves_out_its_matter(text) and not spelled_out(text)
        if _is_sure(plain.match) and not bare:
            return plain
        for wording in reference.wordings(text):
            full = self._plain_reading(wording)
            if full.match is not None and full.match.sure and reference.leads_to(full.match.passage, text):
                return replace(plain, match=full.match, kind="question")
        if bare and plain.match is not None and plain.match.confidence < 1:
            return replace(plain, match=None, kind="question")  # what else fits is about another matter
        return plain

    def _plain_reading(self, text: str) -> Reading:
        """Return what the words tell by themselves, without those around a question where they hide it."""
        last = self.last_text
        if self._plain is None or self._plain[:2] != (text, last):
            self._plain = (text, last, self._read_plainly(text))
        return self._plain[2]

    def _read_plainly(self, text: str) -> Reading:
        text = without_introduction(text)
        spelled = spelled_out(text)
        found = self._script.knowledge.read(text, self.last_text)
        core = core_of(text)
        if found.kind in _OF_PEOPLE and core != text:
            again = self._script.knowledge.read(core, self.last_text)
            found = found if again.kind in _OF_PEOPLE else again  # "ja", "und" before it make nobody desperate
        if found.match is not None and not found.match.sure and (told := only_one_fits(found.match, text)):
            found = replace(found, match=told)
        if not spelled and (_is_sure(found.match) or found.kind not in ("question", None)):
            return found
        for wording in spelled or filter(telling, (core, core_of(asked_last(text)))):
            again = self._script.knowledge.read(wording, self.last_text)
            if again.match is not None and again.match.sure and can_answer(again.match.passage, text):
                return replace(again, kind="question")
        return replace(found, kind="question") if spelled else found

    def rule(self, text: str) -> Rule | None:
        """Return the rule that decides about the words, in whatever words an offer is answered."""
        found = rule(text, self._script.rules)
        if found not in _NEEDS and FAREWELL.search(text):
            return "goodbye"
        if found is None and self.reference is not None and self._only_thanks(text):
            return "goodbye"
        if self.last.reason == "refused" and WAITS.search(text):
            return "wish-for-person"
        if found is None and ONLY_A_DAY.fullmatch(text) and self._told_hours():
            return "opening"
        told = found == "fault" and not _asks_in_the_end(text)  # not asked, so no answer to it
        if found is not None and not told and not stands(found, self._plain_reading(text)):
            found = None
        if found in (None, "goodbye", "yes", "no"):
            return self._answer_to_offer(text) or found
        return found

    def is_german(self, text: str) -> bool:
        """Tell whether a caller who asked for English goes on in German: the words are understood, or say so."""
        found = rule(text, self._script.rules)
        return _is_sure(self.reading(text).match) or (found in _GERMAN_WISHES and len(text.split()) >= _IN_GERMAN)

    def tells_a_matter(self, text: str) -> bool:
        """Tell whether words that nothing fits are a matter all the same, rather than not understood."""
        if is_question(text) or self.last.reason in ASKING_FOR_THE_MATTER:
            return tells(text.split())
        return len(text.split()) >= _A_MATTER and tells(text.split())

    def denies(self, text: str) -> bool:
        """Tell whether a no is among the words."""
        return verdict(text)[0] == "no"

    def refuses(self, text: str) -> bool:
        """Tell whether the words are a no and hardly more."""
        said, rest = verdict(text)
        return said == "no" and len(rest.split()) <= _BESIDE_A_YES

    def only_listens(self, text: str) -> bool:
        """Tell whether a whole turn is no more than "aha"."""
        words = set(text.split())
        return bool(words - {UNKNOWN}) and (BACKCHANNELS.issuperset(words) or REMARK.fullmatch(text) is not None)

    def is_backchannel(self, text: str, *, last_sentence: bool) -> bool:
        """Tell whether words said while we speak only show that the caller listens, or are no words at all.

        `last_sentence`: we are in the last sentence of the reply; if it asks for a yes or no, "ja" is the answer.
        """
        words = text.split()
        if last_sentence and rule(text, self._script.rules) == "yes" and self._asks_yes_or_no():
            return False
        return words.count(UNKNOWN) <= 1 and BACKCHANNELS.issuperset(words)

    def makes_sense(self, partial: str) -> bool:
        """Tell whether the words so far can be acted on, so that a short pause ends the turn."""
        found = rule(partial, self._script.rules)
        if (form := self._dictation.form) is not None:
            return form.expects_yes_no and found == "yes"  # after a no and a pause follows what is right
        match found:
            case "yes" | "no":
                return len(self.asked_for) == 1 or self.last.reason in OFFERS
            case "greeting":
                return False  # the matter comes next
            case None:
                return is_clear(partial, self.reading(partial))
            case _:
                return True

    def _only_thanks(self, text: str) -> bool:
        """Tell whether the words end with thanks and ask for nothing more."""
        asks = is_question(text) or text.startswith(("und ", "aber "))
        return THANKED.search(text) is not None and UNKNOWN not in text and not asks

    def _told_hours(self) -> bool:
        """Tell whether the opening hours were spoken of last."""
        if isinstance(self.last, Answer):
            return self.last.source == self._script.hours_passage
        return self.last.reason == "opening"

    def _answer_to_offer(self, text: str) -> Rule | None:
        if not (self.asked_for or self.last.reason in OFFERS):
            return None
        said, rest = verdict(text)
        if self.last.reason == "refused" and said != "no" and CALLBACK.search(text):
            return "yes"
        if len(rest.split()) <= _BESIDE_A_YES:
            return said
        return (
            said if said == "yes" and not is_question(rest) and not _is_sure(self._plain_reading(rest).match) else None
        )

    def _asks_yes_or_no(self) -> bool:
        if (form := self._dictation.form) is not None:
            return form.expects_yes_no
        if isinstance(self.last, Answer):
            return bool(self.last.after)
        return len(self.asked_for) == 1 or self.last.reason in OFFERS or isinstance(self.last, Noted)


def _asks_in_the_end(text: str) -> bool:
    """Tell whether the words ask something, be it after a tale: "bin liegen geblieben, können sie mich abschleppen"."""
    return QUESTION.match(text) is not None or ASKING.search(text) is not None or _ASKS_US.search(text) is not None


def _is_sure(match: Match | None) -> bool:
    return match is not None and match.sure
