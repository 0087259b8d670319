"""One caller's conversation: what they say or press goes in, the next act comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye
from ari_agent.dialogue.german import GERMAN, GERMAN_RULES
from ari_agent.dialogue.policy import Rule, Rules, rule
from ari_agent.dialogue.wording import Wording
from ari_agent.knowledge.document import Passage
from ari_agent.knowledge.search import Knowledge

_LANGUAGES: dict[str, tuple[Wording, Rules]] = {"de": (GERMAN, GERMAN_RULES)}
_MISSES = 2
"""The caller goes to a person when nothing was understood this often in a row."""
_SILENCES = 3
"""The caller goes to a person at the third silence in a row, after two gentle questions."""
_OPEN = {"greeting", "key", "ask-ai", "confirm", "which", "not-understood"}
"""After a reply with one of these reasons a "nein" asks for something else; after any other it ends the call."""


class Script:
    """What is the same in all calls of a company: its words, rules and passages."""

    def __init__(
        self, company: str, knowledge: Knowledge, *, language: str = "de", wording_stored: bool = False
    ) -> None:
        self.wording, self.rules = _LANGUAGES[language]
        self.knowledge = knowledge
        self._company = company
        self.notice = self.say(self.wording.notice)
        stored = self.wording.wording_stored if wording_stored else self.wording.not_recorded
        self.greeting = f"{stored} {self.say(self.wording.offer)}"

    def say(self, template: str, topic: str = "", other: str = "") -> str:
        """Fill in a template."""
        return template.format(company=self._company, topic=topic, other=other)

    def whisper(self, reason: str) -> str:
        """Return what the receptionist hears before taking the call."""
        return self.say(self.wording.whisper, self.wording.topics[reason])

    def phrases(self) -> list[str]:
        """Return every text that can be spoken, for the phrase cache; the notice first.

        Only questions between two passages are left out: there are too many of them.
        """
        w = self.wording
        fixed = [
            w.moment, w.connecting, w.still_connecting, w.emergency, w.back_again, *w.refusals.values(), w.what_else,
            w.more, w.not_understood, w.then_what, w.are_you_there, w.goodbye, w.am_ai, w.privacy,
        ]  # fmt: skip
        return [
            self.notice,
            self.greeting,
            *map(self.say, fixed),
            *map(self.whisper, w.topics),
            *(passage.text for passage in self.knowledge.passages),
            *(self.say(w.is_it_about, passage.title) for passage in self.knowledge.passages),
        ]


@dataclass(slots=True)
class Conversation:
    """The state of one call's dialogue."""

    script: Script
    _misses: int = field(default=0, init=False)
    _silences: int = field(default=0, init=False)
    _offered: Passage | None = field(default=None, init=False)
    """The passage of the last "Geht es um …?"."""
    _answered: bool = field(default=False, init=False)
    _last: Act = field(init=False)
    """The last reply, for "wie bitte?" and for what a "nein" means."""

    def __post_init__(self) -> None:
        self._last = Ask(self.script.greeting, "greeting")

    def makes_sense(self, partial: str) -> bool:
        """Tell whether the words so far can be acted on, so that a short pause ends the turn."""
        found = rule(partial, self.script.rules)
        match found:
            case "yes" | "no":
                return self._offered is not None
            case "greeting":
                return False  # the matter comes next
            case None:
                return self._is_sure(partial)
            case _:
                return True

    def said(self, text: str) -> Act:
        """Decide after the caller's words; "" or unknown words alone count as not understood."""
        self._silences = 0
        found = rule(text, self.script.rules)
        if found == "repeat" and self._is_sure(text):
            found = None  # "was kostet noch einmal eine Wartung" names its matter
        act = self._by_rule(found) if found else self._by_search(text)
        if act.reason != "not-understood":
            self._misses = 0
        return self._remember(act)

    def key(self, digit: str) -> Act:
        """Decide after a key; 0 is the way to a person at any time."""
        self._silences = 0
        if digit == "0":
            return self._remember(self._escalate("key-0"))
        return self._remember(Ask(self._say(self.script.wording.offer), "key"))

    def silent(self) -> Act:
        """Decide after the caller said nothing for the time of the settings."""
        self._silences += 1
        if self._silences >= _SILENCES:
            return self._remember(self._escalate("silence"))
        return self._remember(Ask(self._say(self.script.wording.are_you_there), "silence"))

    def refused(self, reason: str) -> Act:
        """Decide after nobody took the call."""
        w = self.script.wording
        self._misses = self._silences = 0
        return self._remember(Ask(self._say(f"{w.back_again} {w.refusals[reason]} {w.what_else}"), "refused"))

    def _by_rule(self, found: Rule) -> Act:
        w = self.script.wording
        match found:
            case "emergency":
                return self._escalate(found, before=w.emergency)
            case "fault" | "complaint" | "wish-for-person":
                return self._escalate(found)
            case "ask-ai":
                return Ask(self._say(f"{w.am_ai} {w.offer}"), found)
            case "privacy":
                return Ask(self._say(f"{w.privacy} {w.what_else}"), found)
            case "repeat":
                return Ask(self._last.text, found)
            case "goodbye":
                return Goodbye(self._say(w.goodbye), found)
            case "yes":
                return self._yes()
            case "no" if self._last.reason in _OPEN:
                return Ask(self._say(w.then_what), found)
            case "no":
                return Goodbye(self._say(w.goodbye), found)
            case "greeting":
                return Ask(self.script.greeting, found)

    def _yes(self) -> Act:
        if self._offered:
            return self._answer(self._offered)
        if self._last.reason == "which":
            return self._last
        return Ask(self._say(self.script.wording.what_else), "yes")

    def _by_search(self, text: str) -> Act:
        w = self.script.wording
        match = self.script.knowledge.best(text)
        if match is None or not match.possible:
            self._misses += 1
            return self._escalate("not-understood") if self._misses >= _MISSES else self._not_understood()
        if match.sure:
            return self._answer(match.passage)
        if match.runner_up is not None:
            return Ask(self.script.say(w.which_of_two, match.passage.title, match.runner_up.title), "which")
        self._offered = match.passage
        return Ask(self.script.say(w.is_it_about, match.passage.title), "confirm")

    def _answer(self, passage: Passage) -> Answer:
        more = "" if self._answered else f" {self.script.wording.more}"
        self._answered = True
        return Answer(passage.text + more, passage.id)

    def _not_understood(self) -> Ask:
        return Ask(self._say(self.script.wording.not_understood), "not-understood")

    def _escalate(self, reason: str, before: str = "") -> Escalate:
        script = self.script
        text, display = script.say(script.wording.connecting), script.wording.displays[reason]
        return Escalate(text, script.whisper(reason), display, reason, before)

    def _say(self, template: str) -> str:
        return self.script.say(template)

    def _is_sure(self, text: str) -> bool:
        match = self.script.knowledge.best(text)
        return match is not None and match.sure

    def _remember(self, act: Act) -> Act:
        if act.reason == "repeat":
            return act  # what was repeated still stands
        if act.reason != "confirm":
            self._offered = None
        self._last = act
        return act
