"""What a caller's words mean after what we said last."""

from __future__ import annotations

from ari_agent.dialogue.acts import Act, Answer, Ask, Noted
from ari_agent.dialogue.dictation import Dictation
from ari_agent.dialogue.form_replies import verdict
from ari_agent.dialogue.german_rules import ASKING, BACKCHANNELS, FAREWELL, QUESTION, UNKNOWN, spelled_out
from ari_agent.dialogue.policy import Rule, is_clear, rule, stands
from ari_agent.dialogue.script import Script
from ari_agent.knowledge.reading import Reading

OFFERS = {"unknown", "refused"}
"""Reasons of replies that offer something: a "ja" takes it."""
_NEEDS: frozenset[Rule | None] = frozenset(
    {"emergency", "accident", "bereavement", "lawyer", "distress", "fault", "complaint", "wish-for-person"}
)
_BESIDE_A_YES = 3
"""More words beside a yes or no are a matter of their own: "ja und was kostet das"."""


class Hearing:
    """Reads words in the light of the last reply."""

    def __init__(self, script: Script, dictation: Dictation, greeting: str) -> None:
        self.last: Act = Ask(greeting, "greeting")
        """The last reply, for "wie bitte?" and for what a "nein" means."""
        self.asked_for: tuple[str, ...] = ()
        """Ids of the passages of the last "Geht es um …?"."""
        self._script = script
        self._dictation = dictation
        self._read: tuple[str, str, Reading] | None = None  # the last partial and the final text are mostly the same

    @property
    def last_text(self) -> str:
        """All that was said last."""
        return f"{self.last.text} {self.last.after}".strip() if isinstance(self.last, Answer) else self.last.text

    def reading(self, text: str) -> Reading:
        """Return what the words tell by themselves."""
        last = self.last_text
        if self._read is None or self._read[:2] != (text, last):
            self._read = (text, last, self._script.knowledge.read(spelled_out(text), last))
        return self._read[2]

    def rule(self, text: str) -> Rule | None:
        """Return the rule that decides about the words, in whatever words an offer is answered."""
        found = rule(text, self._script.rules)
        if found not in _NEEDS and FAREWELL.search(text):
            return "goodbye"
        told = found == "fault" and not (QUESTION.match(text) or ASKING.search(text))  # not asked, so no answer to it
        if found is not None and not told and not stands(found, self.reading(text)):
            found = None
        if found in (None, "goodbye", "yes", "no"):
            return self._answer_to_offer(text) or found
        return found

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
        return bool(words - {UNKNOWN}) and BACKCHANNELS.issuperset(words)

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

    def _answer_to_offer(self, text: str) -> Rule | None:
        if not (self.asked_for or self.last.reason in OFFERS):
            return None
        said, rest = verdict(text)
        return said if len(rest.split()) <= _BESIDE_A_YES else None

    def _asks_yes_or_no(self) -> bool:
        if (form := self._dictation.form) is not None:
            return form.expects_yes_no
        if isinstance(self.last, Answer):
            return bool(self.last.after)
        return len(self.asked_for) == 1 or self.last.reason in OFFERS or isinstance(self.last, Noted)
