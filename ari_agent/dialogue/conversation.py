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
from ari_agent.dialogue.acts import Act, Answer, Ask, Goodbye, Noted
from ari_agent.dialogue.answering import Answering
from ari_agent.dialogue.asides import Asides
from ari_agent.dialogue.dictation import FIRST, FREE, SHORT_WORDS, STOP, YES, Dictation, asked
from ari_agent.dialogue.doubts import DOUBTFUL, Doubts
from ari_agent.dialogue.form import Form
from ari_agent.dialogue.form_replies import verdict
from ari_agent.dialogue.german_rules import ALSO_FAREWELL, CALLBACK, UNKNOWN
from ari_agent.dialogue.hearing import Hearing
from ari_agent.dialogue.history import History
from ari_agent.dialogue.note import NoteBuilder
from ari_agent.dialogue.policy import ABOUT_THE_TALK, ALWAYS, Rule, admit, asks_model, judge, rule
from ari_agent.dialogue.reach import Caller, Reach, utc
from ari_agent.dialogue.reasons import BESIDE_THE_MATTER, OFFERS, OPEN
from ari_agent.dialogue.references import Reference
from ari_agent.dialogue.replies import Replies
from ari_agent.dialogue.script import Script
from ari_agent.dialogue.wording import Wording
from ari_agent.protocols import Manner
from ari_agent.task import Note, Task, TaskKind

_SILENCES = 3
"""At the third silence in a row, after two gentle questions, the caller goes to a person."""
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
    greeting: str = field(init=False)
    """After the notice."""
    _reach: Reach = field(init=False)
    _replies: Replies = field(init=False)
    _dictation: Dictation = field(init=False)
    _doubts: Doubts = field(default_factory=Doubts, init=False)
    _silences: int = field(default=0, init=False)
    _about: str = field(default="", init=False)
    """The last intent, for who presses 0 after it."""
    _question: str = field(default="", init=False)
    """The caller's words that were last asked back about."""
    _answering: Answering = field(init=False)
    _asides: Asides = field(init=False)
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
        self._answering = Answering(self.script, self._hearing, self._reach, self._replies)
        self._asides = Asides(self.script, self._hearing, self._reach, self._replies)

    @property
    def manner(self) -> Manner:
        """How the caller wants to be spoken to."""
        return self._replies.manner

    @property
    def wording(self) -> Wording:
        """The sentences in the caller's language."""
        return self._replies.wording

    @property
    def last_text(self) -> str:
        """All that was said last."""
        return self._hearing.last_text

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
            if not self._hearing.is_german(text):
                return self._remember(self._in_english(text))
            self._replies.german()
        found, reading = self._hearing.rule(text), self._hearing.reading(text)
        if found is None and self._hearing.only_listens(text):
            return self._remember(Ask(self._replies.say(self.wording.what_else), "backchannel", "smalltalk"))
        if self._hearing.last.reason == "refused" and found != "wish-for-person" and self._hearing.denies(text):
            self._dictation.forget()  # no callback is wanted, whatever comes next
        if found in ABOUT_THE_TALK:
            return self._remember(self._by_state(found))
        if found == "opening" and (opened := self._answering.opening(text)):
            act, self.decision = opened
            return self._remember(act)
        if found == "appointment":
            act, self.decision = self._answering.appointment(text)
            self._doubts.understood()
            return self._remember(act)
        default = judge(found, reading, self.script.knowledge.engine)
        if found == "own-matter":
            default = Decision("ask", intent=reading.intent or "auftrag", reason="unknown")
        if default.reason == "not-understood" and UNKNOWN not in text and self._hearing.tells_a_matter(text):
            default = replace(default, reason="unknown")
        if default.act in ("answer", "ask") and (answers := self._answering.several(text)):
            self._doubts.understood()
            answer, self.decision = answers
            return self._remember(answer)
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
        self._silences = 0
        self._doubts.understood()
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
        free = form.question().field in FREE and len(text.split()) > SHORT_WORDS
        if found not in ALWAYS and (free or form.fits(text)):
            found = None
        match found:
            case "emergency" | "accident" | "distress":
                return self._person(self._completed(judge(found, self._hearing.reading(text), "rules")))
            case "wish-for-person" if self._reach.stations(_A_PERSON):
                return self._person(self._completed(judge(found, self._hearing.reading(text), "rules")))
            case "wish-for-person":
                return asked(form.question(), self._reach.opening() or self.wording.refusals["nobody-free"])
            case "goodbye" if "hören" in text or "tschüs" in text:
                return self._replies.goodbye("goodbye")
        if (reply := self._asides.about_the_talk(form, found)) is not None:
            return reply
        if (answered := self._asides.question(form, text, found)) is not None:
            reply, self.decision = answered
            agreed = form.expects_yes_no and verdict(text)[0] == "yes"
            return self._asides.beside(reply, self._dictation.step(form.said(YES))) if agreed else reply
        if form.question().field in FIRST and self._hearing.refuses(text):
            text = STOP
        return self._dictation.step(form.said(text))

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
                self._replies.german()
                return Ask(f"{self.wording.german_again} {self._replies.say(self.wording.what_else)}", found)
            case "slower":
                self._replies.slow()
                return Ask(f"{self.wording.slower} {self._hearing.last_text}", found)
            case "repeat" | "english":
                return Ask(self._hearing.last_text, "repeat")
            case None if not self._doubts.missed():
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
                return self._person(self._completed(Decision("escalate", intent=self._about, reason="unknown")))
            case "yes" if self._hearing.last.reason == "refused" and (due := self._dictation.missed) is not None:
                return self._dictation.begin(
                    "callback", Decision("message", intent=due.intent, urgency=due.urgency, reason=due.reason)
                )
            case "yes" if self._hearing.last.reason == "which":  # yes to one of two is none
                if not self._doubts.missed():
                    return self._hearing.last
                self._doubts.understood()  # the likelier one rather than nothing
                return self._answering.one(self._hearing.asked_for[0])
            case "yes" if self._hearing.asked_for:
                return self._answering.one(self._hearing.asked_for[0])
            case "yes":
                return Ask(self._replies.say(w.what_else), found)
            case "repeat":
                return Ask(self._hearing.last_text, found)
            case "slower":
                self._replies.slow()
                return Ask(f"{w.slower} {self._hearing.last_text}", found)
            case "english":
                self._replies.english()
                return Ask(self._replies.say(self.wording.english_switch), found)
            case "german":
                return Ask(self._replies.say(w.what_else), found)
            case "wait" | "prelude":
                return Ask(self._replies.say(w.wait if found == "wait" else w.go_ahead), found)
            case "no" if self._hearing.last.reason in OPEN:
                self._doubts.deny(self._hearing.asked_for)
                declined = self._hearing.last.reason in OFFERS
                return Ask(self._replies.say(w.what_else if declined else w.then_what), found)
            case "greeting" if self._history.exchanges and ALSO_FAREWELL.issuperset(self._history.said.split()):
                return self._replies.goodbye("goodbye")
            case "greeting":
                return Ask(self.greeting, found)
            case _:
                return self._replies.goodbye(found or "goodbye")

    def _carry_out(self, decision: Decision) -> Act:
        """Return the act with its words; a second miss in a row brings a person."""
        decision = self._completed(decision)
        self._about = decision.intent or self._about
        title = self.script.passages[decision.source].title if decision.source else ""
        self.decision = decision = self._doubts.weigh(decision, self._history.said, title)
        return self._remember(self._act(decision))

    def _completed(self, decision: Decision) -> Decision:
        return self.script.completed(decision, self._history.said)

    def _act(self, decision: Decision) -> Act:
        match decision.act:
            case "answer":
                return self._answering.one(decision.source or "")
            case "ask":
                repeats = decision.reason == "repeat"
                return Ask(self._hearing.last_text, "repeat") if repeats else self._replies.ask_back(decision)
            case "escalate":
                return self._person(decision)
            case "message":
                kind: TaskKind = "callback" if CALLBACK.search(self._history.said) else "message"
                before = self.wording.before.get(decision.reason, "")
                return self._dictation.begin(kind, decision, before, self._history.said)
            case "goodbye":
                return self._replies.goodbye(decision.reason)
            case "smalltalk":
                return self._replies.smalltalk(decision.reason)

    def _remember(self, act: Act) -> Act:
        sources = (act.source, *act.also) if isinstance(act, Answer) else ()
        title = ", ".join(self.script.passages[source].title for source in sources)
        self._note.act(act, self.decision, title)
        if isinstance(act, Noted):
            self._note.task(act.task)
        if act.reason == "repeat":
            return act  # what was repeated still stands
        if act is self._hearing.last:
            return act
        asked_for = (self.decision.source, self.decision.other) if self.decision and act.reason in DOUBTFUL else ()
        if not self._hearing.asked_for:
            self._question = self._history.said
        if isinstance(act, Answer):
            self._hearing.reference = Reference(self.script.passages[sources[-1]], self._question)
        elif act.reason not in BESIDE_THE_MATTER:
            self._hearing.reference = None
        self._hearing.asked_for = tuple(filter(None, asked_for))
        self._hearing.last = act
        return act
