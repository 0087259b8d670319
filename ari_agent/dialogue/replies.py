"""The words of the acts that are no passage and no form, in the caller's language."""

from __future__ import annotations

from dataclasses import replace

from ari_agent.decision import Decision
from ari_agent.dialogue.acts import Ask, Escalate, Goodbye
from ari_agent.dialogue.english import ENGLISH
from ari_agent.dialogue.reach import Caller, Reach
from ari_agent.dialogue.script import ENGLISH_MANNER, Script
from ari_agent.dialogue.wording import Wording
from ari_agent.protocols import PLAIN, Manner


class Replies:
    """What is said to one caller."""

    def __init__(self, script: Script, caller: Caller, reach: Reach) -> None:
        self.wording: Wording = script.wording
        """In the language of the caller."""
        self.manner: Manner = PLAIN
        """How the caller wants to be spoken to."""
        self._script = script
        self._caller = caller
        self._reach = reach

    def slow(self) -> None:
        """Speak slowly from now on."""
        self.manner = replace(self.manner, slow=True)

    def english(self) -> None:
        """Speak English from now on."""
        self.manner, self.wording = replace(ENGLISH_MANNER, slow=self.manner.slow), ENGLISH

    def german(self) -> None:
        """Speak German again."""
        self.manner, self.wording = replace(PLAIN, slow=self.manner.slow), self._script.wording

    def say(self, template: str) -> str:
        """Fill in the company's name and what is to say about its hours."""
        opening = self._reach.opening() if "{opening}" in template else ""
        return self._script.say(template, opening=opening)

    def greeting(self) -> str:
        """Return what follows the notice."""
        w = self.wording
        known = w.known_caller if self._caller.contact else ""
        offer = self.say(w.offer_closed if self._reach.closed else w.offer)
        return " ".join(filter(None, (self._script.stored, known, offer)))

    def ask_back(self, decision: Decision) -> Ask:
        """Return the question that a decision to ask comes to."""
        w, passages = self.wording, self._script.passages
        match decision.reason:
            case "which" if decision.source and decision.other:
                one, other = passages[decision.source].title, passages[decision.other].title
                return Ask(self._script.say(w.which_of_two, one, other), "which")
            case "confirm" if decision.source:
                return Ask(self._script.say(w.is_it_about, passages[decision.source].title), "confirm")
            case "appointment":
                reachable = self._reach.stations(decision)
                return Ask(self.say(w.appointment if reachable else w.appointment_closed), "unknown")
            case "unknown":
                return Ask(self.say(w.unknown if self._reach.stations(decision) else w.unknown_closed), "unknown")
            case _:
                return Ask(self.say(w.not_understood), "not-understood")

    def smalltalk(self, reason: str) -> Ask:
        """Return the reply to words that are about us."""
        w = self.wording
        text = {"ask-ai": w.am_ai, "privacy": w.privacy, "cannot": w.cannot}.get(reason, w.smalltalk)
        return Ask(self.say(f"{text} {w.offer if reason == 'ask-ai' else w.what_else}"), reason, "smalltalk")

    def escalate(self, decision: Decision, stations: tuple[str, ...]) -> Escalate:
        """Return the act that brings a person; what the receptionist hears and sees is German."""
        w, reason = self.wording, decision.reason
        service = self._script.night_service if self._reach.closed and reason == "fault" else ""
        return Escalate(
            self.say(w.connecting),
            self._script.whisper(reason, self._caller.contact),
            self._script.wording.displays[reason],
            reason,
            before=f"{w.before.get(reason, '')} {service}".strip(),
            urgency=decision.urgency,
            target=decision.target,
            stations=stations,
        )

    def callback(self, decision: Decision) -> str:
        """Return what is said before a callback is taken down instead."""
        closed = self.say(self.wording.closed_callback) if self._reach.closed else ""
        return f"{self.wording.before.get(decision.reason, '')} {closed}".strip()

    def sorry(self, reason: str) -> str:
        """Return what is said when nobody took the call."""
        return f"{self.say(self.wording.back_again)} {self.wording.refusals[reason]}"

    def silence(self, silences: int) -> Ask:
        """Return the gentle question after so many silences."""
        w = self.wording
        return Ask(self.say(w.are_you_there if silences == 1 else w.are_you_there_again), "silence")

    def nobody_there(self) -> Goodbye:
        """Return the end of a call in which the caller says nothing and nobody can be reached."""
        return Goodbye(self.say(self.wording.silence_end), "silence")

    def goodbye(self, reason: str) -> Goodbye:
        """Return the end of a call."""
        return Goodbye(self.say(self.wording.goodbye), reason)
