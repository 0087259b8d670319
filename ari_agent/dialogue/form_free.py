"""Answers in the caller's own words: for whom, which company, what about; and the e-mail address."""

from __future__ import annotations

from ari_agent.dialogue.form_name import with_capitals
from ari_agent.dialogue.form_replies import SlotName, heard, verdict
from ari_agent.dialogue.form_steps import Say
from ari_agent.dialogue.form_wording import FormWording
from ari_agent.spoken import email
from ari_agent.spoken.tokens import words

MOST_ASKED = 2
MOST_MAIL_ASKED = 3
MOST_MAIL_CHECKS = 4
_LONGEST_COMPANY = 8
"""Words; more are a sentence, of which all is kept, as a part of it is the company."""
_LONGEST_RECIPIENT = 6

_WRITTEN = {"gmbh": "GmbH", "ag": "AG", "kg": "KG", "ohg": "OHG", "ug": "UG", "ev": "e.V.", "mbh": "mbH"}
_SMALL = frozenset(words("und der die das für von in im am an zu zur zum den des aus bei mit"))
_BEFORE_COMPANY = frozenset(
    words("ja also äh ähm für die von der firma ich bin rufe an das ist aus bei unsere meine heißt wir sind")
)
_NO_COMPANY = frozenset(
    words(
        "privat private privater privatperson keine keiner kein keinen nein nee privatkunde privatkundin selbst nicht"
    )
)
_BEFORE_RECIPIENT = frozenset(
    words("ja also äh ähm für an die das nachricht ist den der soll zum zur bitte ich möchte will eine geht")
)
_TO = frozenset(words("für"))
_TO_TALK = frozenset(words("sprechen reden verbinden verbunden durchstellen mitarbeiter mitarbeiterin mensch menschen"))
"""Who says one of these wants a person now."""
_NOBODY = frozenset(
    words("egal alle jemand irgendjemand irgendwen niemand bestimmtes weiß nein team allgemein ihnen sie")
)
_NO_MAIL = frozenset(words("keine kein nein nee nicht"))


_BEHIND = frozenset(words("an bitte danke hinterlassen ausrichten dalassen geht"))


def _after(spoken: list[str], introducing: frozenset[str]) -> list[str]:
    """Return the words without those that people say before and behind an answer."""
    while len(spoken) > 1 and spoken[-1] in _BEHIND:
        spoken = spoken[:-1]
    at = 0
    while at < len(spoken) - 1 and spoken[at] in introducing:
        at += 1
    return spoken[at:]


def company_of(text: str) -> str | None:
    """Return the company as it is written; "" for none, None where nothing was understood."""
    spoken = heard(text)
    if _NO_COMPANY & set(spoken[:4]):
        return ""
    spoken = _after(spoken, _BEFORE_COMPANY)
    if not spoken or verdict(text) in (("yes", ""), ("no", "")) or all(word in _BEFORE_COMPANY for word in spoken):
        return None
    if len(spoken) > _LONGEST_COMPANY:
        return " ".join(spoken)
    return " ".join(_WRITTEN.get(word) or (word if word in _SMALL else word[0].upper() + word[1:]) for word in spoken)


def _last_of(spoken: list[str], wanted: frozenset[str]) -> int | None:
    """Return where the last of these words stands, if something follows it."""
    return max((at for at, word in enumerate(spoken[:-1]) if word in wanted), default=None)


def recipient_of(text: str) -> str | None:
    """Return whom a message is for; "" for anybody, None where nothing was understood."""
    spoken = heard(text)
    if _NOBODY & set(spoken):
        return ""
    if (told := _last_of(spoken, _TO)) is not None:
        spoken = spoken[told + 1 :]  # "eine nachricht hinterlassen für frau meyer"
    spoken = _after(spoken, _BEFORE_RECIPIENT)
    if not spoken or all(word in _BEFORE_RECIPIENT for word in spoken) or verdict(text) == ("yes", ""):
        return None
    return with_capitals(spoken) if len(spoken) <= _LONGEST_RECIPIENT else " ".join(spoken)


def matter_of(text: str) -> str | None:
    """Return the caller's words; None where none say what it is about."""
    spoken = " ".join(heard(text))
    return None if not spoken or verdict(text) in (("yes", ""), ("no", "")) else spoken


class FreeSlot:
    """Asks for an answer in the caller's own words, at most twice."""

    def __init__(self, slot: SlotName, wording: FormWording, value: str = "") -> None:
        self.slot = slot
        self.value = value
        questions = {
            "recipient": (wording.recipient, wording.recipient_again),
            "company": (wording.company, wording.company_again),
            "matter": (wording.matter, wording.matter_again),
        }
        self._questions = questions[slot]
        self._understand = {"recipient": recipient_of, "company": company_of, "matter": matter_of}[slot]
        self._settled = bool(value)
        self._asked = 0

    def prompt(self) -> Say | None:
        """Return the question; None when it is settled."""
        if self._settled or self._asked >= MOST_ASKED:
            self._settled = True
            return None
        self._asked += 1
        return Say(self._questions[self._asked > 1], self.slot)

    def hear(self, text: str) -> str:
        """Take the caller's words; nothing is left over."""
        understood = self._understand(text)
        if understood is not None:
            self.value, self._settled = understood, True
        return ""

    def fits(self, text: str) -> bool:
        """Tell whether the words name whom the message is for; about other answers nobody can tell."""
        spoken = heard(text)
        asks_for_someone = len(spoken) > _LONGEST_RECIPIENT or bool(_TO_TALK & set(spoken))
        return self.slot == "recipient" and not asks_for_someone and bool(recipient_of(text))

    def suggest(self, text: str) -> bool:
        """Take what was said along with something else."""
        if self._settled or not self._understand(text):
            return False
        self.hear(text)
        return True

    def reopen(self, text: str) -> None:
        """Ask again; what was there stays until there is something else."""
        self._settled, self._asked = False, 0


class EmailSlot:
    """Asks for an e-mail address at most three times, and reads it back."""

    slot: SlotName = "email"

    def __init__(self, wording: FormWording, value: str = "") -> None:
        self.value = value
        self._wording = wording
        self._settled = bool(value)
        self._pending = ""
        self._asked = self._checked = 0

    def prompt(self) -> Say | None:
        """Return what to say next; None when it is settled, with or without an address."""
        if self._settled:
            return None
        w = self._wording
        if self._pending and self._checked < MOST_MAIL_CHECKS:
            self._checked += 1
            return Say(w.email_check.format(email=email.say(self._pending)), "email-check")
        if self._asked >= MOST_MAIL_ASKED or self._checked >= MOST_MAIL_CHECKS:
            self._settled = True
            return None
        self._asked += 1
        return Say(w.email if self._asked == 1 else w.email_again, "email")

    def hear(self, text: str) -> str:
        """Take the caller's words; return what is left for other answers."""
        said = " ".join(heard(text))
        answer, rest = verdict(text)
        if (address := email.parse(said)) and address != self._pending:
            self._pending = address
        elif self._pending and answer == "yes":
            self.value, self._settled = self._pending, True
            return rest
        elif self._pending and (answer == "no" or address):
            self._pending = ""
        elif not self._pending and _NO_MAIL & set(said.split()):
            self._settled = True
        return ""

    def fits(self, text: str) -> bool:
        """Tell whether the words are an address."""
        return email.parse(" ".join(heard(text))) is not None

    def suggest(self, text: str) -> bool:
        """Take an address that was said along with something else."""
        address = None if self._settled else email.parse(" ".join(heard(text)))
        self._pending = address or self._pending
        return address is not None

    def reopen(self, text: str) -> None:
        """Ask again; the right address may be among the words."""
        self.value, self._pending, self._settled = "", "", False
        self._asked = self._checked = 0
        self.suggest(text)
