"""What must always be understood, and what a model may decide: policy stands before and after it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ari_agent.decision import URGENCIES, ActName, Decision, Situation
from ari_agent.knowledge.german import UNFINISHED, tells
from ari_agent.knowledge.reading import Kind, Reading

Rule = Literal[
    "emergency",
    "accident",
    "bereavement",
    "lawyer",
    "distress",
    "fault",
    "complaint",
    "wish-for-person",
    "message",
    "ask-ai",
    "privacy",
    "slower",
    "english",
    "german",
    "opening",
    "appointment",
    "own-matter",
    "prelude",
    "wait",
    "repeat",
    "goodbye",
    "yes",
    "no",
    "greeting",
]
Rules = Mapping[Rule, re.Pattern[str]]
"""In order of urgency: the first that fits decides."""

ABOUT_THE_TALK: tuple[Rule, ...] = (
    "goodbye", "yes", "no", "greeting", "repeat", "slower", "english", "german", "wait", "prelude",
)  # fmt: skip
"""Rules whose act depends on what was said before, or on the clock."""
ALWAYS: tuple[Rule, ...] = ("emergency", "accident", "distress")
"""Rules that end a form."""

OF_KIND: dict[Kind, Decision] = {
    "emergency": Decision("escalate", intent="notfall", urgency="high", reason="emergency"),
    "accident": Decision("escalate", intent="notfall", urgency="high", reason="accident"),
    "bereavement": Decision("escalate", reason="bereavement"),
    "lawyer": Decision("escalate", intent="beschwerde", urgency="high", reason="lawyer"),
    "distress": Decision("escalate", urgency="high", reason="distress"),
    "fault": Decision("escalate", intent="stoerung", urgency="high", reason="fault"),
    "anger": Decision("escalate", intent="beschwerde", reason="complaint"),
    "person": Decision("escalate", intent="person", reason="wish-for-person"),
    "message": Decision("message", intent="rueckruf", reason="message"),
    "askai": Decision("smalltalk", reason="ask-ai", urgency="low"),
    "privacy": Decision("smalltalk", reason="privacy", urgency="low"),
    "repeat": Decision("ask", reason="repeat"),
    "goodbye": Decision("goodbye", reason="goodbye"),
    "smalltalk": Decision("smalltalk", reason="smalltalk", urgency="low"),
    "injection": Decision("smalltalk", reason="cannot", urgency="low"),
    "unclear": Decision("ask", reason="not-understood"),
    "outside": Decision("ask", reason="unknown"),
}
"""What each kind of turn asks for, but the question, whose answer has to be found."""

_OF_RULE = {decision.reason: decision for decision in OF_KIND.values()}
_STANDING = frozenset(OF_KIND) - {"smalltalk", "injection", "unclear", "outside"}
"""Kinds that no model is asked about: the caller reaches a person whatever it would say."""
_YIELDING: frozenset[Rule] = frozenset({"message", "fault", "complaint", "accident", "distress"})
"""Rules that a question overrides only where a passage surely answers it: "was kostet es wenn etwas kaputt ist".

A person who is brought to a mere question costs a minute, trouble that is taken for a question may cost much more.
Never an emergency nor the wish for a person: the greeting promises one, and whatever else is said must not outweigh it.
"""
_ANSWERABLE: frozenset[Rule] = frozenset({"repeat", "privacy", "slower", "english", "german"})
"""Rules that a passage overrides which answers the words, or a need of a person: "die Dame von gestern noch mal"."""

_MOST_LETTERS = 2000
"""Two minutes of speech; an utterance is ended much earlier, but a caller may go on while it is decided."""

_CLEAR = 0.8
"""Certainty of a passage from which a short pause ends the turn."""


@dataclass(frozen=True, slots=True)
class Consultation:
    """When a model is asked, and how certain it must be."""

    when: Literal["never", "unsure", "always"] = "never"
    answer_at: float = 0.6
    """Certainty from which its passage is spoken."""
    ask_at: float = 0.3
    """Certainty from which the caller is asked whether its passage is meant."""


def rule(text: str, rules: Rules) -> Rule | None:
    """Return the first rule that the words fulfil.

    Words the recogniser did not know ("[unk]") count as pauses between the others. A rule for a whole utterance sees
    that there were some by a "…" at its beginning: thanks alone may end a call, thanks after who knows what may not.
    Of a very long text the end is read, because the time some patterns take grows with the square of its length.
    """
    known = " ".join(text[-_MOST_LETTERS:].replace("[unk]", " ").split())
    if "[unk]" in text or len(text) > _MOST_LETTERS:
        known = f"… {known}"
    return next((name for name, pattern in rules.items() if pattern.search(known)), None)


def stands(found: Rule, reading: Reading) -> bool:
    """Tell whether a rule decides, given what else the words tell."""
    sure = reading.match is not None and reading.match.sure
    if found in _ANSWERABLE:
        return not sure and not (reading.kind in OF_KIND and OF_KIND[reading.kind].act == "escalate")
    return not (reading.kind == "question" and sure and found in _YIELDING)


def is_clear(text: str, reading: Reading) -> bool:
    """Tell whether the words can be acted on as they are, so that a short pause ends the turn.

    Half a sentence often fits something else than the whole, so more is asked of it than of a turn that has ended.
    """
    words = text.split()
    if not tells(words) or words[-1] in UNFINISHED:
        return False
    match = reading.match
    return reading.kind in _STANDING or (match is not None and match.sure and match.confidence >= _CLEAR)


def judge(found: Rule | None, reading: Reading, by: str) -> Decision:
    """Return what policy and search decide by themselves. `found` is a rule about the caller's wish, if one stands."""
    if found is not None and found in _OF_RULE:
        return _about(_OF_RULE[found], reading)
    sure = reading.match is not None and reading.match.sure
    if reading.kind in OF_KIND and not (reading.kind == "privacy" and sure):
        return replace(_about(OF_KIND[reading.kind], reading), by=by)
    return replace(_by_match(reading), intent=reading.intent, by=by)


def _about(decision: Decision, reading: Reading) -> Decision:
    """Return the decision with the matter, where it only says that a person is wanted: it tells which person."""
    return replace(decision, intent=reading.intent) if decision.intent == "person" and reading.intent else decision


def asks_model(decision: Decision, reading: Reading, consultation: Consultation) -> bool:
    """Tell whether a model is asked before this decision is carried out."""
    if decision.by == "rules" or reading.kind in _STANDING:
        return False
    match consultation.when:
        case "never":
            return False
        case "unsure":
            return decision.act != "answer"
        case "always":
            return True


def admit(decision: Decision, situation: Situation, known: Collection[str], consultation: Consultation) -> Decision:
    """Return what a model's decision comes to: what it may not decide, or is not sure of, is decided without it.

    `known` are the ids of all passages.
    """
    default = situation.default
    if decision.act not in situation.acts or not (decision.source is None or decision.source in known):
        return default
    sure, possible = (decision.confidence >= at for at in (consultation.answer_at, consultation.ask_at))
    urgency = decision.urgency if decision.urgency in URGENCIES else "normal"
    decision = replace(decision, other=None, urgency=urgency, reason=_REASONS[decision.act])
    match decision.act:
        case "answer" if decision.source is None or not possible:
            return default
        case "answer" if not sure:
            return replace(decision, act="ask", reason="confirm")
        case "ask" if not possible:
            return default
        case "ask" if decision.source is None:
            unsourced = default.act == "ask" and not default.source
            return replace(decision, reason=default.reason if unsourced else "unknown")
        case "smalltalk" if default.act == "smalltalk":
            return replace(decision, reason=default.reason)
        case "goodbye" if not sure:
            return default  # the only act that ends a call
    return decision


_REASONS: dict[ActName, str] = {
    "answer": "passage",
    "ask": "confirm",
    "message": "message",
    "escalate": "judgement",
    "smalltalk": "smalltalk",
    "goodbye": "goodbye",
}


def _by_match(reading: Reading) -> Decision:
    match = reading.match
    if match is None or not match.possible:
        return Decision("ask", reason="unknown" if reading.kind == "question" else "not-understood")
    if match.sure:
        return Decision("answer", match.passage.id, confidence=match.confidence, reason="passage")
    if match.runner_up is not None:
        return Decision("ask", match.passage.id, other=match.runner_up.id, confidence=match.confidence, reason="which")
    return Decision("ask", match.passage.id, confidence=match.confidence, reason="confirm")
