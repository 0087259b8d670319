"""One caller's conversation: what they say or press goes in, the next act comes out.

Rules decide first, and search or the encoder next. Where a model is to be asked, `said` returns the Situation instead
of an act, and `decided` turns the model's decision into one, or what search decided when there is none. While a form
is being filled in, the caller's words belong to it, but for those that always bring a person.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ari_agent.decision import ACTS, Decision, Exchange, Situation
from ari_agent.dialogue import questions
from ari_agent.dialogue.acts import Act, Answer, Ask, Escalate, Goodbye, Noted
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.form import Form
from ari_agent.dialogue.form_replies import verdict
from ari_agent.dialogue.form_steps import Aborted, Finished, Say, Step
from ari_agent.dialogue.german_rules import BACKCHANNELS, CALLBACK, QUESTION, UNKNOWN
from ari_agent.dialogue.note import NoteBuilder
from ari_agent.dialogue.policy import Rule, admit, asks_model, is_clear, judge, rule, stands
from ari_agent.dialogue.reach import Caller, Reach, utc
from ari_agent.dialogue.script import ENGLISH_MANNER, Script
from ari_agent.dialogue.wording import Wording
from ari_agent.knowledge.reading import Reading
from ari_agent.protocols import PLAIN, Manner
from ari_agent.task import Note, Task, TaskKind

_MISSES = 2
"""The caller goes to a person when nothing was understood or known this often in a row."""
_DOUBTS = 2
"""So often in a row the caller is asked which topic is meant; then it is none."""
_SILENCES = 3
"""At the third silence in a row, after two gentle questions, the caller goes to a person."""
_OPEN = {
    "greeting", "key", "ask-ai", "smalltalk", "cannot", "confirm", "which", "not-understood", "unknown", "refused",
    "slower", "aborted",
}  # fmt: skip
"""After a reply with one of these reasons a "nein" asks for something else; after any other it ends the call."""
_OFFERS = {"unknown", "refused"}
"""Replies that offer something: a "ja" takes it."""
_ABOUT_THE_TALK: tuple[Rule, ...] = (
    "goodbye", "yes", "no", "greeting", "repeat", "slower", "english", "german", "open-now",
)  # fmt: skip
"""Rules whose act depends on what was said before, or on the clock."""
_ALWAYS: tuple[Rule, ...] = ("emergency", "accident", "distress")
"""Rules that end a form."""
_SHORT_WORDS = 4
"""In a dictated matter only so few words can be about the talk itself: "wie bitte", "etwas langsamer bitte"."""
_SENTENCE_WORDS = 8
"""In any other dictated answer: "ich möchte doch lieber mit einem menschen sprechen"."""
_A_PERSON = Decision("escalate", intent="person", reason="wish-for-person")
_BESIDE_A_YES = 3
"""More words beside a yes or no are a matter of their own: "ja und was kostet das"."""
_EXCHANGES = 20
"""Turns that a model may be told of; the oldest falls out."""


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
    wording: Wording = field(init=False)
    """In the language of the caller."""
    greeting: str = field(init=False)
    """After the notice."""
    _reach: Reach = field(init=False)
    _form: Form | None = field(default=None, init=False)
    """What is being filled in."""
    _missed: Task | None = field(default=None, init=False)
    """The callback that is due when the caller hangs up after nobody took the call."""
    _misses: int = field(default=0, init=False)
    _doubts: int = field(default=0, init=False)
    _silences: int = field(default=0, init=False)
    _offered: str | None = field(default=None, init=False)
    """Id of the passage of the last "Geht es um …?"."""
    _answered: bool = field(default=False, init=False)
    _last: Act = field(init=False)
    """The last reply, for "wie bitte?" and for what a "nein" means."""
    _said: str = field(default="", init=False)
    """The caller's last words, until it is known what they heard of the reply."""
    _replying: bool = field(default=False, init=False)
    """Whether the latest exchange is the one whose reply is being said."""
    _history: deque[Exchange] = field(default_factory=lambda: deque(maxlen=_EXCHANGES), init=False)
    _read: tuple[str, str, Reading] | None = field(default=None, init=False)
    """The latest reading with its words, because the last partial and the final text are mostly the same."""
    _note: NoteBuilder = field(default_factory=NoteBuilder, init=False)

    def __post_init__(self) -> None:
        self.wording = self.script.wording
        self._reach = Reach(self.script, self.caller, self.now)
        self.greeting = self._greeting()
        self._last = Ask(self.greeting, "greeting")

    # What the caller does

    def said(self, text: str) -> Act | Situation:
        """Decide after the caller's words, or return the situation that a model shall decide.

        "" and unknown words alone count as not understood.
        """
        self._silences = 0
        self._said, self.consulted, self._replying = text, None, False
        if self._form is not None:
            return self._remember(self._dictated(self._form, text))
        if self.manner.language == "en":
            return self._remember(self._in_english(text))
        found, reading = self._rule(text), self._reading(text)
        if found in (None, "goodbye", "yes", "no"):
            found = self._answered_offer(text) or found
        if found is None and set(text.split()) - {UNKNOWN} and BACKCHANNELS.issuperset(text.split()):
            return self._remember(Ask(self._say(self.wording.what_else), "backchannel", "smalltalk"))
        if found == "yes" and self._last.reason == "which":
            return self._carry_out(Decision("ask", reason="not-understood"))  # yes to one of two is none
        if found in _ABOUT_THE_TALK:
            return self._remember(self._by_state(found))
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
        self.decision, self._replying = None, False
        if self._form is not None and (step := self._form.key(digit)) is not None:
            return self._remember(self._stepped(step))
        if digit == "0":
            return self._remember(self._person(Decision("escalate", reason="key-0")))
        if self._form is not None:
            return self._remember(self._asked(self._form.question()))
        return self._remember(Ask(self._say(self.wording.offer), "key"))

    def silent(self) -> Act:
        """Decide after the caller said nothing for the time of the settings."""
        self.decision, self._replying = None, False
        if self._form is not None:
            step = self._form.silent()
            return self._remember(self._stepped(step) if step else self._nobody_there())
        self._silences += 1
        if self._silences >= _SILENCES:
            decision = Decision("escalate", reason="silence")
            reachable = not self._reach.refused and self._reach.stations(decision)
            return self._remember(self._person(decision) if reachable else self._nobody_there())
        w = self.wording
        return self._remember(
            Ask(self._say(w.are_you_there if self._silences == 1 else w.are_you_there_again), "silence")
        )

    def refused(self, reason: str) -> Act:
        """Decide after nobody took the call: a callback is offered, or the form goes on."""
        w = self.wording
        self._misses = self._silences = 0
        self._reach.refuse()
        wish, self.decision, self._replying = self.decision, None, False
        sorry = f"{self._say(w.back_again)} {w.refusals[reason]}"
        if self._form is not None:
            return self._remember(self._asked(self._form.question(), sorry))
        self._missed = self._reach.task("callback", wish, reason)
        return self._remember(Ask(f"{sorry} {self._say(w.offer_callback)}", "refused"))

    def replied(self, heard: str) -> None:
        """Note how much of the reply the caller heard; more of it, when a reply that was cut off is gone on with."""
        if self._said:
            self._history.append(Exchange(self._said, heard))
            self._said, self._replying = "", True
        elif self._replying:
            self._history[-1] = replace(self._history[-1], agent=heard)

    # What the call wants to know

    def makes_sense(self, partial: str) -> bool:
        """Tell whether the words so far can be acted on, so that a short pause ends the turn."""
        found = rule(partial, self.script.rules)
        if self._form is not None:
            return self._form.expects_yes_no and found in ("yes", "no")
        match found:
            case "yes" | "no":
                return self._offered is not None or self._last.reason in _OFFERS
            case "greeting":
                return False  # the matter comes next
            case None:
                return is_clear(partial, self._reading(partial))
            case _:
                return True

    def ahead(self, partial: str) -> Situation | None:
        """Return the turn as far as it has been spoken, if a model will be asked; None else.

        Words that have had no reply yet belong to it: the caller goes on while they are being decided.
        """
        text = f"{self._said} {partial}".strip()
        if self.script.consultation.when == "never" or self._form is not None or rule(text, self.script.rules):
            return None
        return self._situation(text, Decision("ask", reason="not-understood"))

    def is_backchannel(self, text: str, *, last_sentence: bool) -> bool:
        """Tell whether words said while we speak only show that the caller listens, or are no words at all.

        `last_sentence`: we are in the last sentence of the reply; if it asks for a yes or no, "ja" is the answer.
        """
        words = text.split()
        if last_sentence and rule(text, self.script.rules) == "yes" and self._asks_yes_or_no():
            return False
        return words.count(UNKNOWN) <= 1 and BACKCHANNELS.issuperset(words)

    def unfinished(self) -> Task | None:
        """Return, once, what is left to do for a caller who is gone: half a form, or a person they did not reach."""
        task = self._form.taken() if self._form is not None else self._missed
        self._form = self._missed = None
        if task is not None:
            self._note.task(task)
        return task

    def note(self, outcome: str) -> Note | None:
        """Return the note of the call; None when nothing happened in it."""
        return self._note.build(outcome, self.script.office.made_by, self.caller.contact)

    def _asks_yes_or_no(self) -> bool:
        if self._form is not None:
            return self._form.expects_yes_no
        if isinstance(self._last, Answer):
            return bool(self._last.after)
        return self._offered is not None or self._last.reason in _OFFERS or isinstance(self._last, Noted)

    # Forms

    def _dictated(self, form: Form, text: str) -> Act:
        """Take the words as what the form asked for, unless they cannot be."""
        self.decision = None
        found = rule(text, self.script.rules)
        most = _SHORT_WORDS if form.question().field in ("matter", "recipient") else _SENTENCE_WORDS
        if form.dictating and len(text.split()) > most and found not in _ALWAYS:
            found = None
        match found:
            case "emergency" | "accident" | "distress":
                return self._person(self._completed(judge(found, self._reading(text), "rules")))
            case "wish-for-person" if self._reach.stations(_A_PERSON):
                return self._person(self._completed(judge(found, self._reading(text), "rules")))
            case "repeat":
                return self._asked(form.question())
            case "slower":
                self.manner = replace(self.manner, slow=True)
                return self._asked(form.question(), self.wording.slower)
            case "goodbye" if "hören" in text or "tschüs" in text:
                return Goodbye(self._say(self.wording.goodbye), "goodbye")
            case None if answer := self._aside(form, text):
                return answer
        return self._stepped(form.said(text))

    def _aside(self, form: Form, text: str) -> Answer | None:
        """Return the answer to a question amid a form, which goes on behind it; None when it is none, or not sure."""
        reading, question = self._reading(text), form.question()
        sure = reading.match is not None and reading.match.sure and reading.kind == "question"
        if not sure or reading.match is None or question.field in ("matter", "recipient", "wish"):
            return None
        self.decision = Decision("answer", reading.match.passage.id, reason="passage", by=self.script.knowledge.engine)
        reason = f"form-{question.field}"
        return Answer(reading.match.passage.text, reading.match.passage.id, reason, after=question.text)

    def _begin(self, kind: TaskKind, decision: Decision, before: str = "") -> Act:
        script, office = self.script, self.script.office
        self._form = Form(
            kind,
            script.form_wording,
            now=self.now(),
            hours=self._reach.hours,
            calling=self.caller.number,
            asks=office.asks,
            task=replace(self._reach.task(kind, decision, decision.reason), number=None, due=None),
            area=office.area,
        )
        return self._asked(self._form.begin(), before)

    def _stepped(self, step: Step) -> Act:
        match step:
            case Say():
                return self._asked(step)
            case Finished(text, task):
                self._form = self._missed = None
                self._note.task(task)
                return Noted(text, task, task.kind)
            case Aborted(text):
                self._form = self._missed = None
                return Ask(text, "aborted")

    def _asked(self, say: Say, before: str = "") -> Ask:
        return Ask(f"{before} {say.text}".strip(), f"form-{say.field}", "message")

    # People

    def _person(self, decision: Decision) -> Act:
        """Bring a person, or note a callback where nobody is there or nobody came."""
        self.decision = decision
        if stations := self._reach.stations(decision):
            return self._escalate(decision, stations)
        if self.manner.language == "en":
            return self._english_callback(decision)
        w = self.wording
        if self._form is not None:
            return self._asked(self._form.question(), w.before.get(decision.reason, ""))
        closed = self._say(w.closed_callback, opening=self._reach.opening()) if self._reach.closed else ""
        return self._begin("callback", decision, f"{w.before.get(decision.reason, '')} {closed}".strip())

    def _escalate(self, decision: Decision, stations: tuple[str, ...]) -> Escalate:
        w, reason = self.wording, decision.reason
        german = self.script.wording
        return Escalate(
            self._say(w.connecting),
            self.script.whisper(reason, self.caller.contact),
            german.displays[reason],
            reason,
            before=w.before.get(reason, ""),
            urgency=decision.urgency,
            target=decision.target,
            stations=stations,
        )

    def _nobody_there(self) -> Goodbye:
        return Goodbye(self._say(self.wording.silence_end), "silence")

    # English

    def _in_english(self, text: str) -> Act:
        """Act on German words of a caller who asked for English: what is not a farewell or a no brings a person."""
        found = rule(text, self.script.rules)
        self.decision = None
        match found:
            case "goodbye" | "no":
                return Goodbye(self._say(self.wording.goodbye), found)
            case "german":
                self.manner, self.wording = replace(PLAIN, slow=self.manner.slow), self.script.wording
                return Ask(f"{self.wording.german_again} {self._say(self.wording.what_else)}", found)
            case "repeat" | "slower" | "english":
                return Ask(self._last_text(), "repeat")
            case None if not self._misses:
                self._misses += 1
                return Ask(self._say(self.wording.not_understood), "not-understood")
            case "emergency" | "accident" | "distress" | "fault" | "bereavement" | "lawyer":
                return self._person(self._completed(judge(found, self._reading(text), "rules")))
            case _:
                return self._person(Decision("escalate", reason="english"))

    def _english_callback(self, decision: Decision) -> Act:
        """Note a callback to the calling number: a form in English would not understand the answers."""
        task = replace(self._reach.task("callback", decision, "english"), complete=True)
        if task.number is None:
            return Goodbye(self._say(self.wording.silence_end), "english")
        self._missed = None
        self._note.task(task)
        return Noted(self._say(self.wording.closed_callback), task, "callback")

    # Turns

    def _rule(self, text: str) -> Rule | None:
        found = rule(text, self.script.rules)
        if (
            found is None
            or not stands(found, self._reading(text))
            or (found == "open-now" and self._reach.hours is None)
        ):
            return None
        return found

    def _answered_offer(self, text: str) -> Rule | None:
        """Return what the caller says to an offer or a question of ours, in whatever words."""
        if not (self._offered or self._last.reason in (*_OFFERS, "which")):
            return None
        said, rest = verdict(text)
        return said if len(rest.split()) <= _BESIDE_A_YES else None

    def _situation(self, text: str, default: Decision) -> Situation:
        return Situation(text, tuple(self._history), ACTS, default)

    def _by_state(self, found: Rule | None) -> Act:
        """Act on words whose meaning depends on what was said before."""
        w = self.wording
        self.decision = None
        match found:
            case "yes" if self._last.reason == "unknown":
                return self._person(Decision("escalate", reason="unknown"))
            case "yes" if self._last.reason == "refused" and self._missed is not None:
                missed = self._missed
                return self._begin(
                    "callback", Decision("message", None, None, missed.intent, missed.urgency, reason=missed.reason)
                )
            case "yes" if self._offered:
                return self._answer(Decision("answer", self._offered, reason="passage"))
            case "yes":
                return Ask(self._say(w.what_else), found)
            case "no" if self._last.reason == "refused":
                self._missed = None
                return Ask(self._say(w.then_what), found)
            case "repeat":
                return Ask(self._last_text(), found)
            case "slower":
                self.manner = replace(self.manner, slow=True)
                return Ask(f"{w.slower} {self._last_text()}", found)
            case "english":
                self.manner, self.wording = replace(ENGLISH_MANNER, slow=self.manner.slow), ENGLISH
                return Ask(self._say(ENGLISH.english_switch), found)
            case "german":
                return Ask(self._say(w.what_else), found)
            case "open-now":
                return Ask(f"{self._reach.opening()} {self._say(w.what_else)}", found)
            case "no" if self._last.reason in _OPEN:
                return Ask(self._say(w.then_what), found)
            case "greeting":
                return Ask(self.greeting, found)
            case _:
                return Goodbye(self._say(w.goodbye), "goodbye" if found is None else found)

    def _several(self, text: str) -> Answer | None:
        """Return the answers to several questions in their order; None unless each is surely answered."""
        parts = questions.split(text)
        if len(parts) == 1:
            return None
        matches = [self.script.knowledge.read(part, self._last_text()).match for part in parts]
        if any(match is None or not match.sure for match in matches):
            return None
        passages = list({match.passage.id: match.passage for match in matches if match is not None}.values())
        first, *others = passages
        self.decision = Decision("answer", first.id, reason="passage", by=self.script.knowledge.engine)
        self._misses = 0
        text = f" {self._say(self.wording.several_more)} ".join(passage.text for passage in passages)
        return Answer(text, first.id, after=self._more(), also=tuple(other.id for other in others))

    def _carry_out(self, decision: Decision) -> Act:
        """Return the act with its words; a second miss in a row brings a person."""
        self.decision = decision = self._completed(decision)
        if decision.act == "ask" and decision.reason in ("confirm", "which"):
            self._doubts += 1
            if self._doubts > _DOUBTS:
                self.decision = decision = replace(decision, source=None, other=None, reason="unknown")
        else:
            self._doubts = 0
        if decision.reason in ("not-understood", "unknown") and decision.act == "ask":
            self._misses += 1
            if self._misses >= _MISSES:
                self.decision = decision = replace(decision, act="escalate")
        else:
            self._misses = 0
        return self._remember(self._act(decision))

    def _completed(self, decision: Decision) -> Decision:
        """Add what the catalogue of intents says about urgency and who takes such calls."""
        if decision.intent == "person" or (decision.act == "message" and not decision.target):
            about, target = self.script.named_in(self._said)
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
        w = self.wording
        match decision.act:
            case "answer":
                return self._answer(decision)
            case "ask":
                return self._ask(decision)
            case "escalate":
                return self._person(decision)
            case "message":
                return self._begin("callback" if CALLBACK.search(self._said) else "message", decision)
            case "goodbye":
                return Goodbye(self._say(w.goodbye), decision.reason)
            case "smalltalk":
                text = {"ask-ai": w.am_ai, "privacy": w.privacy, "cannot": w.cannot}.get(decision.reason, w.smalltalk)
                after = w.offer if decision.reason == "ask-ai" else w.what_else
                return Ask(self._say(f"{text} {after}"), decision.reason, "smalltalk")

    def _answer(self, decision: Decision) -> Answer:
        passage = self.script.passages[decision.source or ""]
        return Answer(passage.text, passage.id, after=self._more())

    def _more(self) -> str:
        more = "" if self._answered else self.wording.more
        self._answered = True
        return more

    def _ask(self, decision: Decision) -> Ask:
        w, titles = self.wording, self.script.passages
        match decision.reason:
            case "repeat":
                return Ask(self._last_text(), "repeat")
            case "which" if decision.source and decision.other:
                text = self.script.say(w.which_of_two, titles[decision.source].title, titles[decision.other].title)
                return Ask(text, "which")
            case "confirm" if decision.source:
                return Ask(self.script.say(w.is_it_about, titles[decision.source].title), "confirm")
            case "unknown":
                return Ask(self._say(w.unknown if self._reach.stations(decision) else w.unknown_closed), "unknown")
            case _:
                return Ask(self._say(w.not_understood), "not-understood")

    def _greeting(self) -> str:
        w = self.wording
        known = w.known_caller if self.caller.contact else ""
        offer = self._say(w.offer_closed, opening=self._reach.opening()) if self._reach.closed else self._say(w.offer)
        return " ".join(filter(None, (self.script.stored, known, offer)))

    def _last_text(self) -> str:
        last = self._last
        return f"{last.text} {last.after}".strip() if isinstance(last, Answer) else last.text

    def _say(self, template: str, opening: str = "") -> str:
        return self.script.say(template, opening=opening)

    def _reading(self, text: str) -> Reading:
        last = self._last_text()
        if self._read is None or self._read[:2] != (text, last):
            self._read = (text, last, self.script.knowledge.read(text, last))
        return self._read[2]

    def _remember(self, act: Act) -> Act:
        title = self.script.passages[act.source].title if isinstance(act, Answer) else ""
        self._note.act(act, self.decision, title)
        if act.reason == "repeat":
            return act  # what was repeated still stands
        confirms = act.reason == "confirm" and self.decision is not None
        self._offered = self.decision.source if confirms and self.decision else None
        self._last = act
        return act
