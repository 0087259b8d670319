"""One caller's conversation: what they say or press goes in, the next act comes out.

Rules decide first, and search or the encoder next. Where a model is to be asked, `said` returns the Situation instead
of an act, and `decided` turns the model's decision into one, or what search decided when there is none. While a form
is being filled in, the caller's words belong to it, but for those that always bring a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ari_agent.decision import ACTS, Decision, Situation
from ari_agent.dialogue import questions
from ari_agent.dialogue.acts import Act, Answer, Ask, Goodbye, Noted
from ari_agent.dialogue.dictation import Dictation, asked
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.form import Form
from ari_agent.dialogue.german_rules import ALSO_FAREWELL, CALLBACK, QUESTION, UNKNOWN
from ari_agent.dialogue.hearing import Hearing
from ari_agent.dialogue.history import History
from ari_agent.dialogue.note import NoteBuilder
from ari_agent.dialogue.policy import Rule, admit, asks_model, judge, rule
from ari_agent.dialogue.reach import Caller, Reach, utc
from ari_agent.dialogue.replies import Replies
from ari_agent.dialogue.script import ENGLISH_MANNER, Script
from ari_agent.dialogue.wording import Wording
from ari_agent.protocols import PLAIN, Manner
from ari_agent.task import Note, Task

_MISSES = 2
"""The caller goes to a person when nothing was understood or known this often in a row."""
_DOUBTFUL = ("confirm", "which")
_DOUBTS = 2
"""So often in a row the caller is asked which topic is meant; then it is none."""
_SILENCES = 3
"""At the third silence in a row, after two gentle questions, the caller goes to a person."""
_OPEN = {
    "greeting", "key", "ask-ai", "smalltalk", "cannot", "confirm", "which", "not-understood", "unknown", "refused",
    "slower", "aborted",
}  # fmt: skip
"""After a reply with one of these reasons a "nein" asks for something else; after any other it ends the call."""
_ABOUT_THE_TALK: tuple[Rule, ...] = (
    "goodbye", "yes", "no", "greeting", "repeat", "slower", "english", "german", "wait",
)  # fmt: skip
"""Rules whose act depends on what was said before, or on the clock."""
_ALWAYS: tuple[Rule, ...] = ("emergency", "accident", "distress")
"""Rules that end a form."""
_SHORT_WORDS = 4
"""In a dictated matter only so few words can be about the talk itself: "wie bitte", "etwas langsamer bitte"."""
_FREE = ("matter", "recipient")
"""Answers in which the caller may speak of anything."""
_FIRST = ("name", "recipient")
"""A no to the first question is one to the form."""
_STOP = "abbrechen"
_NAMING = 4
"""Letters of a word that names a passage."""
_A_PERSON = Decision("escalate", intent="person", reason="wish-for-person")


@dataclass(slots=True)
class Conversation:
    """The state of one call's dialogue."""

    script: Script
    caller: Caller = field(default_factory=Caller)
    now: Callable[[], datetime] = utc
    decision: Decision | None = field(default=None, init=False)
    """What led to the last act; None when no words of the caller did."""
    consulted: Situation | None = field(default=None, init=False)
    """The last turn, if a model was to decide it."""
    manner: Manner = field(default=PLAIN, init=False)
    """How the caller wants to be spoken to."""
    greeting: str = field(init=False)
    """After the notice."""
    _reach: Reach = field(init=False)
    _replies: Replies = field(init=False)
    _dictation: Dictation = field(init=False)
    _misses: int = field(default=0, init=False)
    _doubts: int = field(default=0, init=False)
    _silences: int = field(default=0, init=False)
    _denied: set[str] = field(default_factory=set, init=False)
    """Ids of passages that the caller did not mean: they are not asked for again."""
    _about: str = field(default="", init=False)
    """The last intent, for who presses 0 after it."""
    _answered: bool = field(default=False, init=False)
    _hearing: Hearing = field(init=False)
    _history: History = field(default_factory=History, init=False)
    _note: NoteBuilder = field(init=False)

    def __post_init__(self) -> None:
        self._reach = Reach(self.script, self.caller, self.now)
        self._replies = Replies(self.script, self.caller, self._reach)
        self._dictation = Dictation(self.script, self.caller, self._reach)
        self._note = NoteBuilder(self._reach.hours.zone) if self._reach.hours else NoteBuilder()
        self.greeting = self._replies.greeting()
        self._hearing = Hearing(self.script, self._dictation, self.greeting)

    @property
    def wording(self) -> Wording:
        """The sentences in the caller's language."""
        return self._replies.wording

    # What the caller does

    def said(self, text: str) -> Act | Situation:
        """Decide after the caller's words, or return the situation that a model shall decide.

        "" and unknown words alone count as not understood.
        """
        self._silences = 0
        self._history.turn(text)
        self.consulted = None
        if (form := self._dictation.form) is not None:
            return self._remember(self._dictated(form, text))
        if self.manner.language == "en":
            return self._remember(self._in_english(text))
        found, reading = self._hearing.rule(text), self._hearing.reading(text)
        if found is None and self._hearing.only_listens(text):
            return self._remember(Ask(self._replies.say(self.wording.what_else), "backchannel", "smalltalk"))
        if self._hearing.last.reason == "refused" and self._hearing.denies(text):
            self._dictation.forget()  # no callback is wanted, whatever comes next
        if found in _ABOUT_THE_TALK:
            return self._remember(self._by_state(found))
        if found == "opening" and (hours := self._reach.opening_on(text)):
            self.decision = None
            return self._remember(Ask(f"{hours} {self._replies.say(self.wording.what_else)}", found))
        default = judge(found, reading, self.script.knowledge.engine)
        if default.reason == "not-understood" and UNKNOWN not in text and QUESTION.match(text):
            default = replace(default, reason="unknown")
        if default.act in ("answer", "ask") and (answers := self._several(text)):
            return self._remember(answers)
        if text and asks_model(default, reading, self.script.consultation):
            self.consulted = self._situation(text, default)
            return self.consulted
        return self._carry_out(default)

    def decided(self, situation: Situation, decision: Decision | None) -> Act:
        """Carry out what a model decided as far as the policy admits it, else what policy and search decided."""
        if decision is None:
            return self._carry_out(situation.default)
        return self._carry_out(admit(decision, situation, self.script.passages, self.script.consultation))

    def key(self, digit: str) -> Act:
        """Decide after a key; 0 is the way to a person at any time, but for a number that is being typed."""
        self._silences = 0
        self._history.turn()
        self.decision = None
        form = self._dictation.form
        if form is not None and (step := form.key(digit)) is not None:
            return self._remember(self._dictation.step(step))
        if digit == "0":
            wish = Decision("escalate", intent=self._about, reason="key-0")
            return self._remember(self._person(self._completed(wish)))
        if form is not None:
            return self._remember(asked(form.question()))
        return self._remember(Ask(self._replies.say(self.wording.offer), "key"))

    def silent(self) -> Act:
        """Decide after the caller said nothing for the time of the settings."""
        self._history.turn()
        self.decision = None
        if (form := self._dictation.form) is not None:
            step = form.silent()
            return self._remember(self._dictation.step(step) if step else self._replies.nobody_there())
        if isinstance(self._hearing.last, Noted):
            return self._remember(self._replies.goodbye("silence"))  # all was said
        self._silences += 1
        if self._silences < _SILENCES:
            return self._remember(self._replies.silence(self._silences))
        decision = Decision("escalate", reason="silence")
        reachable = not self._reach.refused and self._reach.stations(decision)
        return self._remember(self._person(decision) if reachable else self._replies.nobody_there())

    def refused(self, reason: str) -> Act:
        """Decide after nobody took the call: a callback is offered, or the form goes on."""
        self._misses = self._silences = 0
        self._reach.refuse()
        self._history.turn()
        wish, self.decision = self.decision, None
        sorry = self._replies.sorry(reason)
        if (form := self._dictation.form) is not None:
            return self._remember(asked(form.question(), sorry))
        self._dictation.miss(wish, reason)
        return self._remember(Ask(f"{sorry} {self._replies.say(self.wording.offer_callback)}", "refused"))

    def replied(self, heard: str) -> None:
        """Note how much of the reply the caller heard; more of it, when a reply that was cut off is gone on with."""
        self._history.replied(heard)

    # What the call wants to know

    def makes_sense(self, partial: str) -> bool:
        """Tell whether the words so far can be acted on, so that a short pause ends the turn."""
        return self._hearing.makes_sense(partial)

    def ahead(self, partial: str) -> Situation | None:
        """Return the turn as far as it has been spoken, if a model will be asked; None else.

        Words that have had no reply yet belong to it: the caller goes on while they are being decided.
        """
        text = f"{self._history.said} {partial}".strip()
        if self.script.consultation.when == "never" or self._dictation.form or rule(text, self.script.rules):
            return None
        return self._situation(text, Decision("ask", reason="not-understood"))

    def is_backchannel(self, text: str, *, last_sentence: bool) -> bool:
        """Tell whether words said while we speak only show that the caller listens, or are no words at all.

        `last_sentence`: we are in the last sentence of the reply; if it asks for a yes or no, "ja" is the answer.
        """
        return self._hearing.is_backchannel(text, last_sentence=last_sentence)

    def unfinished(self) -> Task | None:
        """Return, once, what is left to do for a caller who is gone: half a form, or a person they did not reach."""
        task = self._dictation.unfinished()
        if task is not None:
            self._note.task(task)
        return task

    def note(self, outcome: str) -> Note | None:
        """Return the note of the call; None when nothing happened in it."""
        return self._note.build(outcome, self.script.office.made_by, self.caller.contact)

    # Forms

    def _dictated(self, form: Form, text: str) -> Act:
        """Take the words as what the form asked for, unless they cannot be."""
        self.decision = None
        found = rule(text, self.script.rules)
        free = form.question().field in _FREE and len(text.split()) > _SHORT_WORDS
        if found not in _ALWAYS and (free or form.fits(text)):
            found = None
        match found:
            case "emergency" | "accident" | "distress":
                return self._person(self._completed(judge(found, self._hearing.reading(text), "rules")))
            case "wish-for-person" if self._reach.stations(_A_PERSON):
                return self._person(self._completed(judge(found, self._hearing.reading(text), "rules")))
            case "wish-for-person":
                return asked(form.question(), self._reach.opening() or self.wording.refusals["nobody-free"])
            case "repeat":
                return asked(form.question())
            case "slower":
                self.manner = replace(self.manner, slow=True)
                return asked(form.question(), self.wording.slower)
            case "wait":
                return replace(asked(form.question()), text=self._replies.say(self.wording.wait))
            case "goodbye" if "hören" in text or "tschüs" in text:
                return self._replies.goodbye("goodbye")
            case None if answer := self._aside(form, text):
                return answer
        if form.question().field in _FIRST and self._hearing.refuses(text):
            text = _STOP
        return self._dictation.step(form.said(text))

    def _aside(self, form: Form, text: str) -> Answer | None:
        """Return the answer to a question amid a form, which goes on behind it; None when it is none, or not sure."""
        reading, question = self._hearing.reading(text), form.question()
        sure = reading.match is not None and reading.match.sure and reading.kind == "question"
        if not sure or reading.match is None or question.field in (*_FREE, "wish") or not QUESTION.match(text):
            return None
        self.decision = Decision("answer", reading.match.passage.id, reason="passage", by=self.script.knowledge.engine)
        reason = f"form-{question.field}"
        return Answer(reading.match.passage.text, reading.match.passage.id, reason, after=question.text)

    # People

    def _person(self, decision: Decision) -> Act:
        """Bring a person, or note a callback where nobody is there or nobody came."""
        self.decision = decision
        if stations := self._reach.stations(decision):
            return self._replies.escalate(decision, stations)
        if self.manner.language == "en":
            return self._english_callback(decision)
        if (form := self._dictation.form) is not None:
            return asked(form.question(), self.wording.before.get(decision.reason, ""))
        return self._dictation.begin("callback", decision, self._replies.callback(decision))

    # English

    def _in_english(self, text: str) -> Act:
        """Act on German words of a caller who asked for English: what is not a farewell or a no brings a person."""
        found = rule(text, self.script.rules)
        self.decision = None
        match found:
            case "goodbye" | "no":
                return self._replies.goodbye(found)
            case "yes" if self._hearing.last.reason == "refused":
                return self._english_callback(Decision("escalate", reason="english"))
            case "german":
                self.manner, self._replies.wording = replace(PLAIN, slow=self.manner.slow), self.script.wording
                return Ask(f"{self.wording.german_again} {self._replies.say(self.wording.what_else)}", found)
            case "repeat" | "slower" | "english":
                return Ask(self._hearing.last_text, "repeat")
            case None if not self._misses:
                self._misses += 1
                return Ask(self._replies.say(self.wording.not_understood), "not-understood")
            case "emergency" | "accident" | "distress" | "fault" | "bereavement" | "lawyer":
                return self._person(self._completed(judge(found, self._hearing.reading(text), "rules")))
            case _:
                return self._person(Decision("escalate", reason="english"))

    def _english_callback(self, decision: Decision) -> Act:
        """Note a callback to the calling number: a form in English would not understand the answers."""
        task = replace(self._reach.task("callback", decision, "english"), complete=True)
        if task.number is None:
            return Goodbye(self._replies.say(self.wording.silence_end), "english")
        self._dictation.forget()
        return Noted(self._replies.say(self.wording.closed_callback), task, "callback")

    # Turns

    def _situation(self, text: str, default: Decision) -> Situation:
        return Situation(text, self._history.exchanges, ACTS, default)

    def _by_state(self, found: Rule | None) -> Act:
        """Act on words whose meaning depends on what was said before."""
        w = self.wording
        self.decision = None
        match found:
            case "yes" if self._hearing.last.reason == "unknown":
                return self._person(Decision("escalate", reason="unknown"))
            case "yes" if self._hearing.last.reason == "refused" and (due := self._dictation.missed) is not None:
                return self._dictation.begin(
                    "callback", Decision("message", intent=due.intent, urgency=due.urgency, reason=due.reason)
                )
            case "yes" if self._hearing.last.reason == "which":  # yes to one of two is none
                self._misses += 1
                return (
                    self._hearing.last
                    if self._misses < _MISSES
                    else self._person(Decision("escalate", reason="not-understood"))
                )
            case "yes" if self._hearing.asked_for:
                return self._answer(Decision("answer", self._hearing.asked_for[0], reason="passage"))
            case "yes":
                return Ask(self._replies.say(w.what_else), found)
            case "repeat":
                return Ask(self._hearing.last_text, found)
            case "slower":
                self.manner = replace(self.manner, slow=True)
                return Ask(f"{w.slower} {self._hearing.last_text}", found)
            case "english":
                self.manner, self._replies.wording = replace(ENGLISH_MANNER, slow=self.manner.slow), ENGLISH
                return Ask(self._replies.say(ENGLISH.english_switch), found)
            case "german":
                return Ask(self._replies.say(w.what_else), found)
            case "wait":
                return Ask(self._replies.say(w.wait), found)
            case "no" if self._hearing.last.reason in _OPEN:
                self._denied.update(self._hearing.asked_for)
                return Ask(self._replies.say(w.then_what), found)
            case "greeting" if self._history.exchanges and ALSO_FAREWELL.issuperset(self._history.said.split()):
                return self._replies.goodbye("goodbye")
            case "greeting":
                return Ask(self.greeting, found)
            case _:
                return self._replies.goodbye(found or "goodbye")

    def _several(self, text: str) -> Answer | None:
        """Return the answers to several questions in their order; None unless each is surely answered."""
        parts = questions.split(text)
        if len(parts) == 1:
            return None
        matches = [self.script.knowledge.read(part, self._hearing.last_text).match for part in parts]
        if any(match is None or not match.sure for match in matches):
            return None
        passages = list({match.passage.id: match.passage for match in matches if match is not None}.values())
        first, *others = passages
        self.decision = Decision("answer", first.id, reason="passage", by=self.script.knowledge.engine)
        self._misses = 0
        text = f" {self._replies.say(self.wording.several_more)} ".join(passage.text for passage in passages)
        return Answer(text, first.id, after=self._more(), also=tuple(other.id for other in others))

    def _carry_out(self, decision: Decision) -> Act:
        """Return the act with its words; a second miss in a row brings a person."""
        self.decision = decision = self._completed(decision)
        self._about = decision.intent or self._about
        if decision.act == "ask" and decision.reason in _DOUBTFUL:
            self._doubts += 1
            if self._doubts > _DOUBTS or decision.source in self._denied:
                self.decision = decision = replace(decision, source=None, other=None, reason="unknown")
        elif decision.act == "answer" and decision.source in self._denied and not self._names(decision.source):
            self.decision = decision = replace(decision, act="ask", source=None, reason="unknown")
        else:
            self._doubts = 0
        if decision.reason in ("not-understood", "unknown") and decision.act == "ask":
            self._misses += 1
            if self._misses >= _MISSES:
                self.decision = decision = replace(decision, act="escalate")
        else:
            self._misses = 0
        return self._remember(self._act(decision))

    def _names(self, source: str) -> bool:
        """Tell whether the caller's words name a passage by its title: "das kleine", after a no to one of two."""
        title = self.script.passages[source].title.lower().split()
        spoken = [word for word in self._history.said.split() if len(word) >= _NAMING]
        return any(named.startswith(word) for word in spoken for named in title)

    def _completed(self, decision: Decision) -> Decision:
        """Add what the catalogue of intents says about urgency and who takes such calls."""
        if decision.intent == "person" or (decision.act == "message" and not decision.target):
            about, target = self.script.named_in(self._history.said)
            decision = replace(decision, intent=about or decision.intent, target=decision.target or target)
        intent = self.script.intents.get(decision.intent)
        urgency, target = decision.urgency, decision.target
        if intent is not None:
            if urgency == "normal" or intent.urgency == "high":  # nobody may call an urgent matter unimportant
                urgency = intent.urgency
            target = target or intent.target
        known = target if target in self.script.office.targets else None
        return replace(decision, intent=intent.name if intent else "", urgency=urgency, target=known)

    def _act(self, decision: Decision) -> Act:
        match decision.act:
            case "answer":
                return self._answer(decision)
            case "ask":
                repeats = decision.reason == "repeat"
                return Ask(self._hearing.last_text, "repeat") if repeats else self._replies.ask_back(decision)
            case "escalate":
                return self._person(decision)
            case "message":
                return self._dictation.begin("callback" if CALLBACK.search(self._history.said) else "message", decision)
            case "goodbye":
                return self._replies.goodbye(decision.reason)
            case "smalltalk":
                return self._replies.smalltalk(decision.reason)

    def _answer(self, decision: Decision) -> Answer:
        passage = self.script.passages[decision.source or ""]
        return Answer(passage.text, passage.id, after=self._more())

    def _more(self) -> str:
        more = "" if self._answered else self.wording.more
        self._answered = True
        return more

    def _remember(self, act: Act) -> Act:
        sources = (act.source, *act.also) if isinstance(act, Answer) else ()
        title = ", ".join(self.script.passages[source].title for source in sources)
        self._note.act(act, self.decision, title)
        if isinstance(act, Noted):
            self._note.task(act.task)
        if act.reason == "repeat":
            return act  # what was repeated still stands
        asked_for = (self.decision.source, self.decision.other) if self.decision and act.reason in _DOUBTFUL else ()
        self._hearing.asked_for = tuple(filter(None, asked_for))
        self._hearing.last = act
        return act
