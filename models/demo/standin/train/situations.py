"""Turns of invented calls with the decision that is right in each."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from ari_agent.decision import ACTS, Brief, Decision, Exchange, Situation
from ari_agent.dialogue.german import GERMAN
from ari_agent.dialogue.policy import OF_KIND
from ari_agent.llm.choices import FIELDS, Chosen, Value
from train.phrases import Wordings
from train.speech import spoken

_SHARES = {
    "passage": 34, "about": 14, "about outside": 6, "follow-up": 5, "vague": 3, "far": 8, "outside": 10, "fault": 4,
    "emergency": 3.5, "accident": 1.2, "bereavement": 1.2, "lawyer": 1.2, "distress": 1.5, "anger": 3.5, "person": 4,
    "message": 3.5, "askai": 0.8, "privacy": 0.8, "injection": 1.2, "smalltalk": 2, "goodbye": 2.5, "repeat": 0.8,
    "unclear": 3,
}  # fmt: skip
"""How often each kind of turn is practised, of about 110."""
_INTENTS = {
    "wartung": "preis",
    "reparatur": "preis",
    "waermepumpe": "angebot",
    "bad": "angebot",
    "bewerbung": "bewerbung",
}
"""What the caller of a passage wants; of the others information."""
_OUTSIDE_INTENTS = {
    "werbung": r"wir bieten|vorstellen|werbe|hätten sie interesse|call center",
    "termin": r"\btermin",
    "rechnung": r"rechnung|mahnung",
    "vertrag": r"vertrag|kündig|umgezogen",
    "auftrag": r"auftrag|bestellung|wann kommt der|wo bleibt|lieferung",
    "preis": r"was kost|wie teuer|wie viel kostet|preis",
}
_EARLIER = ((0, 0.68), (1, 0.18), (2, 0.08), (3, 0.05), (6, 0.01))
"""How many earlier turns how often."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A turn, and the record that a model shall write."""

    kind: str
    situation: Situation
    chosen: Chosen


class Lessons:
    """Draws turns of calls to one company."""

    def __init__(self, brief: Brief, wordings: Wordings, seed: int) -> None:
        self._wordings = wordings
        self._rng = random.Random(seed)
        self._numbers = {topic.id: number for number, topic in enumerate(brief.topics, 1)}
        self._topics = {topic.id: topic for topic in brief.topics}
        missing = self._topics.keys() ^ wordings.passages.keys()
        if missing:
            raise ValueError(f"passages and wordings do not agree: {', '.join(sorted(missing))}")

    def draw(self) -> Lesson:
        """Return the next turn."""
        rng, wordings = self._rng, self._wordings
        kind = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
        history = self._earlier(rng.choices([n for n, _ in _EARLIER], [share for _, share in _EARLIER])[0])
        match kind:
            case "passage":
                meant = rng.choice(list(self._topics))
                line = rng.choice(wordings.passages[meant])
            case "about":
                meant = rng.choice(list(self._topics))
                line = wordings.about(meant, rng)
            case "about outside":
                meant, line = "outside", wordings.about("outside", rng)
            case "follow-up":
                before = rng.choice(list(wordings.follow_ups))
                line, meant = rng.choice(wordings.follow_ups[before])
                history = (*history, self._asked(before))
            case "vague":
                options = rng.choice(list(wordings.vague))
                line = rng.choice(wordings.vague[options])
                number = self._numbers[rng.choice(options)]
                return self._lesson(kind, line, history, {"act": "ask", "source": number, "intent": "auskunft"})
            case "far":
                meant, line = "outside", rng.choice(wordings.far)
            case _:
                meant, line = kind, rng.choice(wordings.kinds[kind])
        return self._lesson(meant, line, history, self._right(meant, line))

    def _right(self, meant: str, line: str) -> dict[str, Value]:
        """Return what shall happen, without what is a matter of course."""
        if meant in self._topics:
            return {"act": "answer", "source": self._numbers[meant], "intent": _INTENTS.get(meant, "auskunft")}
        if meant == "outside":
            found = (intent for intent, pattern in _OUTSIDE_INTENTS.items() if re.search(pattern, line))
            intent = next(found, "auskunft")
            return {"act": "message", "intent": intent, "urgency": "low" if intent == "werbung" else "normal"}
        decision = OF_KIND[meant]  # type: ignore[index]  # the names of our lines are these kinds
        if decision.act == "ask":  # any passage at all, so that its low probability tells: nothing was understood
            return {"act": "ask", "source": self._rng.choice(list(self._numbers.values()))}
        return {"act": decision.act, "intent": decision.intent, "urgency": decision.urgency}

    def _lesson(self, kind: str, line: str, history: tuple[Exchange, ...], right: dict[str, Value]) -> Lesson:
        told = {"intent": "", "urgency": "normal"} | right
        act = next(act for act in ACTS if act == right["act"])
        chosen = {"act": act} | {field: told[field] for field in FIELDS[act] if field in told}
        text = spoken(self._wordings.say(line, self._rng), self._rng)
        return Lesson(kind, Situation(text, history, ACTS, Decision("ask", reason="not-understood")), chosen)

    def _earlier(self, count: int) -> tuple[Exchange, ...]:
        return tuple(self._exchange() for _ in range(count))

    def _exchange(self) -> Exchange:
        rng, wordings = self._rng, self._wordings
        chance = rng.random()
        if chance < 0.7:
            return self._asked(rng.choice(list(self._topics)))
        if chance < 0.8:
            text, reply = rng.choice(wordings.kinds["unclear"]), GERMAN.not_understood
        elif chance < 0.9:
            text, reply = rng.choice(wordings.kinds["outside"]), GERMAN.unknown
        else:
            text, reply = rng.choice(wordings.kinds["smalltalk"]), f"{GERMAN.smalltalk} {GERMAN.what_else}"
        return Exchange(spoken(wordings.say(text, rng), rng), reply)

    def _asked(self, topic: str) -> Exchange:
        """Return a turn in which this passage was heard, wholly or in part, or asked back for."""
        rng, wordings = self._rng, self._wordings
        text = spoken(wordings.say(rng.choice(wordings.passages[topic]), rng), rng)
        reply, chance = self._topics[topic].text, rng.random()
        if chance < 0.4:
            reply = f"{reply} {GERMAN.more}"
        elif chance < 0.5:
            words = reply.split()
            reply = " ".join(words[: rng.randrange(len(words))])
        elif chance < 0.6:
            reply = GERMAN.is_it_about.format(topic=self._topics[topic].title)
        return Exchange(text, reply)
