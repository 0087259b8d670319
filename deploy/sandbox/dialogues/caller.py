"""A caller who answers what a form asks, in whatever order it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ari_agent.dialogue.acts import Act, Answer, Ask

SUBJECTS = {
    "confirm": "meant",
    "which": "meant",
    "no": "what",
    "unknown": "callback",
    "refused": "callback",
    "form-name": "name",
    "form-name-spell": "spelling",
    "form-name-check": "name-right",
    "form-number": "number",
    "form-number-offer": "own-number",
    "form-number-check": "number-right",
    "form-number-typing": "number",
    "form-company": "company",
    "form-matter": "matter",
    "form-recipient": "recipient",
    "form-wish": "time",
    "form-wish-offer": "time-right",
    "form-email": "email",
    "form-email-check": "email-right",
    "form-confirm-check": "right",
    "form-change": "change",
    "form-stop-check": "stop",
}
"""What a question is about, as authors name it, by the reason of the act that asks it."""
UNTOLD = {
    "meant": "nein",
    "callback": "ja bitte",
    "name-right": "ja",
    "number-right": "ja",
    "time-right": "ja",
    "email-right": "ja",
    "right": "ja das stimmt",
    "company": "privat",
    "email": "keine",
    "time": "egal",
}
"""What a caller says who is asked for something that the author did not think of."""
KEYS = frozenset("0123456789*#")


def subject_of(act: Act | None) -> str | None:
    """Return what the last question is about, after an answer too; None when it is none of a form or an ask-back."""
    return SUBJECTS.get(act.reason) if isinstance(act, Ask | Answer) else None


class Knowledge:
    """What the caller knows: for each subject what is said at the first question, the second, and so on."""

    def __init__(self, answers: Mapping[str, tuple[str, ...]]) -> None:
        self._answers = answers
        self._asked: Counter[str] = Counter()

    def answer(self, subject: str) -> str:
        """Return what the caller says about a subject; the last answer to it again as often as it is asked.

        Raises LookupError when the caller has nothing to say.
        """
        given = self._answers.get(subject) or ((UNTOLD[subject],) if subject in UNTOLD else ())
        if not given:
            raise LookupError(subject)
        self._asked[subject] += 1
        return given[min(self._asked[subject], len(given)) - 1]


def is_typed(answer: str) -> bool:
    """Tell whether an answer is keys that are pressed."""
    return bool(answer) and set(answer) <= KEYS
