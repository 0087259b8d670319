"""One caller's conversation: what they say or press goes in, the next act comes out.

Rules decide first, and search or the encoder next. Where a model is to be asked, `said` returns the Situation instead
of an act, and `decided` turns the model's decision into one, or what search decided when there is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ari_agent.decision import ACTS, Brief, Decision, Exchange, Intent, Situation, Topic
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye
from ari_agent.dialogue.german import GERMAN, INTENTS
from ari_agent.dialogue.german_rules import BACKCHANNELS, GERMAN_RULES, UNKNOWN
from ari_agent.dialogue.policy import Consultation, Rule, Rules, admit, asks_model, is_clear, judge, rule, stands
from ari_agent.dialogue.wording import Wording
from ari_agent.knowledge.reading import Knowledge, Reading
from ari_agent.protocols import PLAIN, Manner
from ari_agent.task import Note, Task

_LANGUAGES: dict[str, tuple[Wording, Rules, tuple[Intent, ...]]] = {"de": (GERMAN, GERMAN_RULES, INTENTS)}
_MISSES = 2
"""The caller goes to a person when nothing was understood or known this often in a row."""
_SILENCES = 3
"""The caller goes to a person at the third silence in a row, after two gentle questions."""
_OPEN = {"greeting", "key", "ask-ai", "smalltalk", "cannot", "confirm", "which", "not-understood", "unknown"}
"""After a reply with one of these reasons a "nein" asks for something else; after any other it ends the call."""
_EXCHANGES = 20
"""Turns that a model may be told of; the oldest falls out."""


class Script:
    """What is the same in all calls of a company: its words, rules, passages and people."""

    def __init__(
        self,
        company: str,
        knowledge: Knowledge,
        *,
        language: str = "de",
        wording_stored: bool = False,
        consultation: Consultation | None = None,
        intents: Sequence[Intent] = (),
        default_target: str = "empfang",
        targets: Sequence[str] = (),
    ) -> None:
        self.wording, self.rules, default_intents = _LANGUAGES[language]
        self.knowledge = knowledge
        self.consultation = consultation or Consultation()
        self.intents = {intent.name: intent for intent in intents or default_intents}
        self.targets = tuple(targets)
        self._default_target = default_target
        self.passages = {passage.id: passage for passage in knowledge.passages}
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

    def topic(self, source: str) -> Topic:
        """Return the passage as a model sees it."""
        passage = self.passages[source]
        return Topic(passage.id, passage.title, passage.text, passage.questions)

    def brief(self) -> Brief:
        """Return what a model has to know before any call."""
        topics = tuple(map(self.topic, self.passages))
        # With nobody but the default there is nothing to choose.
        targets = (self._default_target, *self.targets) if self.targets else ()
        return Brief(self._company, topics, tuple(self.intents.values()), targets)

    def phrases(self) -> list[str]:
        """Return every text that can be spoken, for the phrase cache; the notice first.

        Only questions between two passages are left out: there are too many of them.
        """
        w = self.wording
        fixed = [
            w.moment, w.connecting, w.taking_message, w.still_connecting, *w.before.values(), w.back_again,
            *w.refusals.values(), w.what_else, w.more, w.not_understood, w.unknown, w.smalltalk, w.cannot, w.then_what,
            w.are_you_there, w.goodbye, w.am_ai, w.privacy,
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
    decision: Decision | None = field(default=None, init=False)
    """What led to the last act; None when no words of the caller did."""
    consulted: Situation | None = field(default=None, init=False)
    """The last turn, if a model was to decide it."""
    manner: Manner = field(default=PLAIN, init=False)
    """How the caller wants to be spoken to."""
    _misses: int = field(default=0, init=False)
    _silences: int = field(default=0, init=False)
    _offered: str | None = field(default=None, init=False)
    """Id of the passage of the last "Geht es um …?"."""
    _answered: bool = field(default=False, init=False)
    _last: Act = field(init=False)
    """The last reply, for "wie bitte?" and for what a "nein" means."""
    _caller: str = field(default="", init=False)
    """The caller's last words, until it is known what they heard of the reply."""
    _replying: bool = field(default=False, init=False)
    """Whether the latest exchange is the one whose reply is being said."""
    _history: deque[Exchange] = field(default_factory=lambda: deque(maxlen=_EXCHANGES), init=False)
    _read: tuple[str, str, Reading] | None = field(default=None, init=False)
    """The latest reading with its words, because the last partial and the final text are mostly the same."""

    def __post_init__(self) -> None:
        self._last = Ask(self.script.greeting, "greeting")

    def makes_sense(self, partial: str) -> bool:
        """Tell whether the words so far can be acted on, so that a short pause ends the turn."""
        found = rule(partial, self.script.rules)
        match found:
            case "yes" | "no":
                return self._offered is not None or self._last.reason == "unknown"
            case "greeting":
                return False  # the matter comes next
            case None:
                return is_clear(partial, self._reading(partial))
            case _:
                return True

    def is_backchannel(self, text: str, *, last_sentence: bool) -> bool:
        """Tell whether words said while we speak only show that the caller listens, or are no words at all.

        `last_sentence`: we are in the last sentence of the reply; if it asks for a yes or no, "ja" is the answer.
        """
        words = text.split()
        if last_sentence and rule(text, self.script.rules) == "yes" and self._asks_yes_or_no():
            return False
        return words.count(UNKNOWN) <= 1 and BACKCHANNELS.issuperset(words)

    def unfinished(self) -> Task | None:
        """Return what the caller has left so far when the call ends in the middle of it."""
        return None

    def note(self, outcome: str) -> Note | None:
        """Return the note on the call; `outcome` is that of the call log, such as "solved"."""
        return None

    def ahead(self, partial: str) -> Situation | None:
        """Return the turn as far as it has been spoken, if a model will be asked; None else.

        Words that have had no reply yet belong to it: the caller goes on while they are being decided.
        """
        text = f"{self._caller} {partial}".strip()
        if self.script.consultation.when == "never" or rule(text, self.script.rules):
            return None
        return self._situation(text, Decision("ask", reason="not-understood"))

    def said(self, text: str) -> Act | Situation:
        """Decide after the caller's words, or return the situation that a model shall decide.

        "" and unknown words alone count as not understood.
        """
        self._silences = 0
        self._caller, self.consulted, self._replying = text, None, False
        found, reading = rule(text, self.script.rules), self._reading(text)
        if found is not None and not stands(found, reading):
            found = None
        if found in ("goodbye", "yes", "no", "greeting", "repeat"):
            return self._remember(self._by_state(found))
        default = judge(found, reading, self.script.knowledge.engine)
        if text and asks_model(default, reading, self.script.consultation):
            self.consulted = self._situation(text, default)
            return self.consulted
        return self._carry_out(default)

    def decided(self, situation: Situation, decision: Decision | None) -> Act:
        """Carry out what a model decided as far as the policy admits it, else what policy and search decided."""
        if decision is None:
            return self._carry_out(situation.default)
        return self._carry_out(admit(decision, situation, self.script.passages, self.script.consultation))

    def replied(self, heard: str) -> None:
        """Note how much of the reply the caller heard; more of it, when a reply that was cut off is gone on with."""
        if self._caller:
            self._history.append(Exchange(self._caller, heard))
            self._caller, self._replying = "", True
        elif self._replying:
            self._history[-1] = replace(self._history[-1], agent=heard)

    def key(self, digit: str) -> Act:
        """Decide after a key; 0 is the way to a person at any time."""
        self._silences = 0
        self._replying = False
        self.decision = None
        if digit == "0":
            return self._remember(self._escalate(Decision("escalate", reason="key-0")))
        return self._remember(Ask(self._say(self.script.wording.offer), "key"))

    def silent(self) -> Act:
        """Decide after the caller said nothing for the time of the settings."""
        self._silences += 1
        self._replying = False
        self.decision = None
        if self._silences >= _SILENCES:
            return self._remember(self._escalate(Decision("escalate", reason="silence")))
        return self._remember(Ask(self._say(self.script.wording.are_you_there), "silence"))

    def refused(self, reason: str) -> Act:
        """Decide after nobody took the call."""
        w = self.script.wording
        self._misses = self._silences = 0
        self._replying = False
        self.decision = None
        return self._remember(Ask(self._say(f"{w.back_again} {w.refusals[reason]} {w.what_else}"), "refused"))

    def _asks_yes_or_no(self) -> bool:
        if isinstance(self._last, Answer):
            return bool(self._last.after)
        return self._offered is not None or self._last.reason == "unknown"

    def _situation(self, text: str, default: Decision) -> Situation:
        return Situation(text, tuple(self._history), ACTS, default)

    def _by_state(self, found: Rule) -> Act:
        """Act on words whose meaning depends on what was said before."""
        w = self.script.wording
        self.decision = None
        match found:
            case "yes" if self._last.reason == "unknown":
                return self._escalate(Decision("escalate", reason="unknown"))
            case "yes" if self._offered:
                return self._answer(Decision("answer", self._offered, reason="passage"))
            case "yes" if self._last.reason == "which":
                return self._last
            case "yes":
                return Ask(self._say(w.what_else), found)
            case "repeat":
                return Ask(self._last_text(), found)
            case "no" if self._last.reason in _OPEN:
                return Ask(self._say(w.then_what), found)
            case "greeting":
                return Ask(self.script.greeting, found)
            case _:
                return Goodbye(self._say(w.goodbye), found)

    def _carry_out(self, decision: Decision) -> Act:
        """Return the act with its words; a second miss in a row brings a person."""
        self.decision = decision = self._completed(decision)
        if decision.reason in ("not-understood", "unknown") and decision.act == "ask":
            self._misses += 1
            if self._misses >= _MISSES:
                self.decision = decision = replace(decision, act="escalate")
        else:
            self._misses = 0
        return self._remember(self._act(decision))

    def _completed(self, decision: Decision) -> Decision:
        """Add what the catalogue of intents says about urgency and who takes such calls."""
        intent = self.script.intents.get(decision.intent)
        urgency, target = decision.urgency, decision.target
        if intent is not None:
            if urgency == "normal" or intent.urgency == "high":  # nobody may call an urgent matter unimportant
                urgency = intent.urgency
            target = target or intent.target
        known = target if target in self.script.targets else None
        return replace(decision, intent=intent.name if intent else "", urgency=urgency, target=known)

    def _act(self, decision: Decision) -> Act:
        w = self.script.wording
        match decision.act:
            case "answer":
                return self._answer(decision)
            case "ask":
                return self._ask(decision)
            case "escalate" | "message":
                return self._escalate(decision)
            case "goodbye":
                return Goodbye(self._say(w.goodbye), decision.reason)
            case "smalltalk":
                text = {"ask-ai": w.am_ai, "privacy": w.privacy, "cannot": w.cannot}.get(decision.reason, w.smalltalk)
                after = w.offer if decision.reason == "ask-ai" else w.what_else
                return Ask(self._say(f"{text} {after}"), decision.reason, "smalltalk")

    def _answer(self, decision: Decision) -> Answer:
        passage = self.script.passages[decision.source or ""]
        more = "" if self._answered else self.script.wording.more
        self._answered = True
        return Answer(passage.text, passage.id, after=more)

    def _ask(self, decision: Decision) -> Ask:
        w, titles = self.script.wording, self.script.passages
        match decision.reason:
            case "repeat":
                return Ask(self._last_text(), "repeat")
            case "which" if decision.source and decision.other:
                text = self.script.say(w.which_of_two, titles[decision.source].title, titles[decision.other].title)
                return Ask(text, "which")
            case "confirm" if decision.source:
                return Ask(self.script.say(w.is_it_about, titles[decision.source].title), "confirm")
            case "unknown":
                return Ask(self._say(w.unknown), "unknown")
            case _:
                return Ask(self._say(w.not_understood), "not-understood")

    def _escalate(self, decision: Decision) -> Escalate:
        w, reason = self.script.wording, decision.reason
        act: Literal["message", "escalate"] = "message" if decision.act == "message" else "escalate"
        return Escalate(
            self._say(w.taking_message if act == "message" else w.connecting),
            self.script.whisper(reason),
            w.displays[reason],
            reason,
            before=w.before.get(reason, ""),
            name=act,
            urgency=decision.urgency,
            target=decision.target,
        )

    def _last_text(self) -> str:
        last = self._last
        return f"{last.text} {last.after}".strip() if isinstance(last, Answer) else last.text

    def _say(self, template: str) -> str:
        return self.script.say(template)

    def _reading(self, text: str) -> Reading:
        last = self._last_text()
        if self._read is None or self._read[:2] != (text, last):
            self._read = (text, last, self.script.knowledge.read(text, last))
        return self._read[2]

    def _remember(self, act: Act) -> Act:
        if act.reason == "repeat":
            return act  # what was repeated still stands
        confirms = act.reason == "confirm" and self.decision is not None
        self._offered = self.decision.source if confirms and self.decision else None
        self._last = act
        return act
