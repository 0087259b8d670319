"""What is the same in all calls of a company: its words, rules, passages, people and hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ari_agent.decision import Brief, Decision, Intent, Topic
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.form import Asks
from ari_agent.dialogue.form_wording import FORM_DU, FORM_SIE
from ari_agent.dialogue.german import GERMAN, GERMAN_DU, INTENTS
from ari_agent.dialogue.german_rules import CALL_ME, GERMAN_RULES, NIGHT_SERVICE, OPENING_HOURS, URGENT_MATTERS
from ari_agent.dialogue.policy import Consultation
from ari_agent.dialogue.stations import Row, stations
from ari_agent.dialogue.wording import Wording
from ari_agent.hours import Hours
from ari_agent.knowledge.reading import Knowledge
from ari_agent.protocols import Manner
from ari_agent.record import Scope
from ari_agent.spoken.calendar_words import fold
from ari_agent.task import Contact

_HOW = {"person", "rueckruf", "auskunft", "notfall"}
"""Intents that say what shall be done, not what it is about."""
ENGLISH_MANNER = Manner(language="en")


def _always(_dialled: str) -> None:
    """Return that nothing is known of the hours."""


@dataclass(frozen=True, slots=True)
class Office:
    """How the company works: who is there when, and what its people want to know of a caller."""

    hours: Callable[[str], Hours | None] = _always
    """The opening hours of a dialled number; None when they are not known."""
    table: Sequence[Row] = ()
    default_target: str = "empfang"
    targets: Sequence[str] = ()
    asks: Asks = field(default_factory=Asks)
    area: str = ""
    """Area code, for numbers that callers say without one."""
    made_by: str = "ari-agent"
    """What writes the notes, with versions."""


class Script:
    """What is the same in all calls of a company."""

    def __init__(
        self,
        company: str,
        knowledge: Knowledge,
        *,
        address: str = "Sie",
        wording_stored: bool = False,
        may_keep: Scope | None = None,
        question: str = "",
        consultation: Consultation | None = None,
        intents: Sequence[Intent] = (),
        office: Office | None = None,
    ) -> None:
        self.wording = GERMAN_DU if address == "du" else GERMAN
        self.form_wording = FORM_DU if address == "du" else FORM_SIE
        self.rules = GERMAN_RULES
        self.knowledge = knowledge
        self.consultation = consultation or Consultation()
        self.intents: Mapping[str, Intent] = {intent.name: intent for intent in intents or INTENTS}
        self.office = office or Office()
        self.passages = {passage.id: passage for passage in knowledge.passages}
        self._company = company
        self.notice = self.say(self.wording.notice)
        self.stored = self.wording.wording_stored if wording_stored else self.wording.not_recorded
        if may_keep is not None and not wording_stored:
            self.stored = ""  # said after the answer
        self.may_keep = may_keep
        """What callers are asked for consent to; None: they are not asked."""
        self.question = question.strip() or self.wording.may_we[may_keep or "audio"]
        """For consent, without how to give it."""
        self.greeting = f"{self.stored} {self.say(self.wording.offer)}".strip()

    @property
    def consent(self) -> str:
        """The question for consent, as it is spoken."""
        return f"{self.question} {self.wording.how_to_agree}"

    def say(self, template: str, topic: str = "", other: str = "", opening: str = "") -> str:
        """Fill in a template."""
        return template.format(company=self._company, topic=topic, other=other, opening=opening)

    def whisper(self, reason: str, contact: Contact | None = None) -> str:
        """Return what the receptionist hears before taking the call."""
        text = self.say(self.wording.whisper, self.wording.topics[reason])
        known = ", ".join(filter(None, (contact.name, contact.company))) if contact else ""
        return f"{self.wording.whisper_contact.format(contact=known)} {text}" if known else text

    def stations(self, decision: Decision, *, opened: bool | None, contact: Contact | None) -> tuple[str, ...]:
        """Return the names of whom to try for a decision, in order; nobody means a callback."""
        wanted = decision.target or (contact.target if contact else None)
        if wanted not in (self.office.default_target, *self.office.targets):
            wanted = None
        return stations(self.office.table, decision, self.office.default_target, opened=opened, wanted=wanted)

    @property
    def night_service(self) -> str:
        """What the company's document says about urgent matters while it is closed; "" when it says nothing."""
        match = self.knowledge.read(NIGHT_SERVICE).match
        if match is None or not match.sure or not URGENT_MATTERS.search(f"{match.passage.title} {match.passage.text}"):
            return ""
        return match.passage.text

    @cached_property
    def hours_passage(self) -> str:
        """Id of the passage that tells the weekly hours; "" when there is none."""
        match = self.knowledge.read(OPENING_HOURS).match
        return match.passage.id if match is not None and match.sure else ""

    def completed(self, decision: Decision, said: str) -> Decision:
        """Add to a decision about the caller's words what the catalogue says: urgency, and who takes such calls."""
        if decision.intent == "person" or (decision.act == "message" and not decision.target):
            about, named = self.named_in(said)
            decision = replace(decision, intent=about or decision.intent, target=decision.target or named)
        if decision.reason == "complaint" and decision.act == "escalate" and CALL_ME.search(said):
            decision = replace(decision, act="message")  # who complains and wants to be called gets both
        intent = self.intents.get(decision.intent)
        urgency, target = decision.urgency, decision.target
        if intent is not None:
            if urgency == "normal" or intent.urgency == "high":  # nobody may call an urgent matter unimportant
                urgency = intent.urgency
            target = target or intent.target
        known = target if target in self.office.targets else None
        return replace(decision, intent=intent.name if intent else "", urgency=urgency, target=known)

    def named_in(self, text: str) -> tuple[str, str | None]:
        """Return the intent ("" for none) and the target whose names stand in the caller's words."""
        spoken = [fold(word) for word in text.split()]

        def stands(name: str) -> bool:
            return any(word.startswith(fold(name)) for word in spoken)

        intent = next((name for name in self.intents if name not in _HOW and stands(name)), "")
        return intent, next((name for name in self.office.targets if stands(name)), None)

    def topic(self, source: str) -> Topic:
        """Return the passage as a model sees it."""
        passage = self.passages[source]
        return Topic(passage.id, passage.title, passage.text, passage.questions)

    def brief(self) -> Brief:
        """Return what a model has to know before any call."""
        topics = tuple(map(self.topic, self.passages))
        # With nobody but the default there is nothing to choose.
        targets = (self.office.default_target, *self.office.targets) if self.office.targets else ()
        return Brief(self._company, topics, tuple(self.intents.values()), targets)

    def phrases(self) -> list[str]:
        """Return every text that is the same in all calls, for the phrase cache; the notice first.

        Only questions between two passages are left out: there are too many of them.
        """
        w = self.wording
        return [
            self.notice,
            self.greeting,
            *((self.consent, w.agreed[self.may_keep], w.not_recorded, w.withdrawn) if self.may_keep else ()),
            *map(self.say, _fixed(w)),
            *self.form_wording.phrases(),
            *map(self.whisper, w.topics),
            *(passage.text for passage in self.knowledge.passages),
            *(self.say(w.is_it_about, passage.title) for passage in self.knowledge.passages),
        ]

    def english(self) -> list[str]:
        """Return the English texts, for the phrase cache."""
        return [*map(self.say, _fixed(ENGLISH))]


def _fixed(w: Wording) -> list[str]:
    """Return the templates that need nothing but the company's name."""
    return [
        w.offer, w.moment, w.connecting, w.still_connecting, *w.before.values(), w.back_again, *w.refusals.values(),
        w.offer_callback, w.what_else, w.more, w.not_understood, w.unknown, w.unknown_closed, w.smalltalk, w.cannot,
        w.then_what, w.are_you_there, w.are_you_there_again, w.goodbye, w.am_ai, w.privacy,
        w.wait, w.slower, w.english_switch,
        w.several_more, w.silence_end,
        w.german_again, w.known_caller, w.not_known, w.why_asked, w.appointment, w.appointment_closed, w.go_ahead,
    ]  # fmt: skip
