"""The caller's name: said, spelled where it is not clear, read back until it is confirmed."""

from __future__ import annotations

from difflib import SequenceMatcher

from ari_agent.dialogue.form_replies import UNKNOWN, SlotName, heard, verdict
from ari_agent.dialogue.form_steps import Say
from ari_agent.dialogue.form_wording import FormWording
from ari_agent.spoken import spelling
from ari_agent.spoken.numbers import parts_of
from ari_agent.spoken.tokens import words

MOST_ASKED = 3
MOST_CHECKS = 5
_MOST_WORDS = 5
"""More words are a sentence rather than a name."""
_LONGEST_WORD = 40
_SAME_NAME = 0.5
"""Likeness from which the word before a spelled name is that name and no first name."""
_LONGEST_SPELLED = 80
"""Words in which a spelled name is looked for: twenty letters and what stands before them."""

_INTRODUCING = [
    words(phrase)
    for phrase in (
        "mein name ist", "mein name wäre", "mein name", "der name ist", "der name", "mein nachname ist",
        "mein vorname ist",
        "der nachname ist", "mein nachname", "der nachname", "nachname", "name ist", "hier spricht", "hier", "hier ist",
        "am telefon ist", "es spricht", "ich heiße", "ich heisse", "ich heiß", "ich bin der", "ich bin die", "ich bin",
        "das ist",
        "sie sprechen mit", "guten tag", "guten morgen", "guten abend", "grüß gott", "hallo", "moin", "servus",
        "ich buchstabiere", "buchstabiert", "ich wiederhole", "also", "ja", "jo", "jep", "nein", "äh", "ähm", "öh",
        "und", "mit",
        "noch einmal", "nochmal", "noch mal", "gerne", "gern", "bitte", "sondern", "es heißt", "heißt", "name",
        "der richtige name ist", "richtig ist", "es ist", "ist", "der", "die", "natürlich", "klar", "okay", "moment",
    )
]  # fmt: skip
_CLOSING = [
    words(phrase) for phrase in ("am apparat", "am telefon", "mein name", "heiße ich", "ist mein name", "und zwar")
]
_CLOSING += [
    words(phrase) for phrase in ("bitte", "danke", "guten tag", "hallo", "spricht hier", "hier", "ja", "äh", "und")
]
for _listed in (_INTRODUCING, _CLOSING):
    _listed.sort(key=len, reverse=True)
_TITLES = frozenset(words("frau herr doktor professor"))
_PARTICLES = frozenset(words("von van der den de zu zum zur vom di da del dos und el al ben bin ter ten im in am"))
_NO_NAMES = frozenset(
    words("keine keinen kein nicht weiß sage geheim anonym was wie warum wieso wofür wozu ich sie wir wer")
)


_GOING_ON = frozenset(words("das aus wohne wohnhaft buchstabiert geschrieben schreibt wegen weil unter"))
"""Words after a name with which a sentence goes on."""
_AFTER_AND = frozenset(words("ich wohne bin rufe komme möchte habe meine mein die das unter es"))


def with_capitals(spoken: list[str]) -> str:
    """Return the words as a name is written; particles stay small: "von der Heide"."""
    last = len(spoken) - 1
    return " ".join(
        word if word in _PARTICLES and at < last else word[0].upper() + word[1:] for at, word in enumerate(spoken)
    )


def name_of(text: str) -> str:
    """Return the name among the words, with capitals; "" where there is none or it is rather a sentence."""
    spoken = _trimmed(heard(text))
    number = next(
        (at for at, word in enumerate(spoken) if at and word not in _PARTICLES and parts_of(word)), len(spoken)
    )
    spoken = _cut(spoken[:number])
    if not spoken or len(spoken) > _MOST_WORDS or _NO_NAMES & set(spoken):
        return ""
    if any(len(word) > _LONGEST_WORD or not word.isalpha() for word in spoken) or parts_of(spoken[0]):
        return ""
    return with_capitals(spoken)


def _cut(spoken: list[str]) -> list[str]:
    """Return the words up to where a caller says something else: "josef gruber und wohne in freising"."""
    for at, word in enumerate(spoken):
        if at and (word in _GOING_ON or (word == "und" and spoken[at + 1 : at + 2] and spoken[at + 1] in _AFTER_AND)):
            return spoken[:at]
    return spoken


def _trimmed(spoken: list[str]) -> list[str]:
    """Cut introductions and closings; a name that is one of these words itself stays."""
    changed = True
    while changed:
        changed = False
        for phrase in _INTRODUCING:
            if spoken[: len(phrase)] == phrase and (len(spoken) > len(phrase)):
                spoken, changed = spoken[len(phrase) :], True
        for phrase in _CLOSING:
            if spoken[-len(phrase) :] == phrase and len(spoken) > len(phrase):
                spoken, changed = spoken[: -len(phrase)], True
    return [] if spoken in _INTRODUCING or spoken in _CLOSING else spoken


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(a=one.lower(), b=other.lower()).ratio()


def _meant(text: str) -> str:
    """Return what is right in "nicht Müller sondern Möller" and "Möller statt Müller"."""
    return text.partition(" statt ")[0].rpartition("sondern ")[2]


def spelled_in(text: str) -> tuple[str, str] | None:
    """Return the words before a spelled name and that name; None where nothing is spelled."""
    spoken = heard(text)[:_LONGEST_SPELLED]
    found = spelling.parse(" ".join(spoken))
    if found is None:
        return None
    start = 0
    for at in range(1, len(spoken)):
        again = spelling.parse(" ".join(spoken[at:]))
        if again is not None and again.name == found.name:
            start = at
    while start and (spoken[start] == "wie" or spoken[start - 1] in ("wie", "umlaut", "scharfes")):
        start -= 1  # "s wie siegfried" says the same from each of its words on
    before = spoken[:start]
    if spoken[start + 1 : start + 2] == ["mit"]:
        before = [*before, spoken[start]]
    return " ".join(before), found.name


class NameSlot:
    """Asks for the name, then for its spelling; three times in all."""

    slot: SlotName = "name"

    def __init__(self, wording: FormWording, value: str = "") -> None:
        self.value = value
        """Confirmed; "" where none was."""
        self.doubtful = ""
        """What was understood but neither confirmed nor denied."""
        self._wording = wording
        self._settled = bool(value)
        self._spelled = ""
        """The part of the name that was spelled."""
        self._pending = ""
        self._first = ""
        """What stood before the surname when the name was said; a second "no" may mean it too."""
        self._asked = self._checked = 0
        self._answered = False
        self._denied = ""

    @property
    def known(self) -> str:
        """The best of what is known of the name."""
        return self.value or self._pending or self.doubtful

    def prompt(self) -> Say | None:
        """Return what to say next; None when the name is settled."""
        if self._settled:
            return None
        w = self._wording
        if self._pending and self._checked < MOST_CHECKS:
            self._checked += 1
            if self._spelled:
                letters = spelling.spell(self._spelled)
                return Say(w.spelled_check.format(name=self._pending, spelling=letters), "name-check")
            return Say(w.name_check.format(name=self._pending), "name-check")
        if self._asked >= MOST_ASKED or self._checked >= MOST_CHECKS:
            self._settled, self.doubtful, self._pending = True, self._pending or self.doubtful, ""
            return None
        self._asked += 1
        if not self._answered:
            return Say(w.name, "name")
        return Say(w.spell if self._asked < MOST_ASKED else w.spell_again, "name-spell")

    def hear(self, text: str) -> str:
        """Take the caller's words; return what is left for other answers."""
        self._answered = True
        if not self._pending:
            self._take(text)
            return ""
        said, rest = verdict(text)
        if said == "yes":
            self.value, self._settled, self._pending = self._pending, True, ""
            return rest
        if said == "no":
            wrong = self._pending.lower().split()
            self._deny()
            left = [word for word in rest.split() if word not in wrong]
            self._take(" ".join(left) if left and "nicht" in heard(text) else rest, corrected=True)
        elif rest:
            before = self._pending
            self._first, self._pending = self._first or " ".join(before.split()[:-1]), ""
            self._take(rest)
            again = not self._spelled and self._pending in (before, before.split()[-1])
            if not self._pending or again:
                # said again means heard wrongly; a word that was not understood means nothing
                self._pending, self._spelled = ("", "") if self._pending else (before, self._spelled)
                self.doubtful = before
        return ""

    def fits(self, text: str) -> bool:
        """Tell whether the words can hardly be anything but a name: "frau müller", or one that is spelled."""
        titled = name_of(text).partition(" ")
        return bool(titled[0].lower() in _TITLES and titled[2]) or spelled_in(text) is not None

    def suggest(self, text: str) -> bool:
        """Take a name that was said along with something else, if it is clear."""
        if self._settled or UNKNOWN in text or not name_of(text):
            return False
        self._take(text)
        return True

    def reopen(self, text: str) -> None:
        """Ask again, since the caller says that the name is wrong; the right one may be among the words."""
        if self.known:
            self._pending = self.known
            self._deny()
        self.value, self._settled = "", False
        self._asked, self._checked, self._answered = 1, 0, True
        self._take(text if "sondern" in text else "")

    def _deny(self) -> None:
        self._first = "" if self._denied else " ".join(self._pending.split()[:-1])
        self._denied = self._pending
        self._pending = self._spelled = self.doubtful = ""

    def _take(self, text: str, *, corrected: bool = False) -> None:
        text = _meant(text)
        if corrected and text.startswith("mit ") and self._denied:
            text = f"{self._denied.split()[-1].lower()} {text}"  # "nein, mit a ypsilon"
        if spelled := spelled_in(text):
            before, surname = spelled
            names = name_of(before).split()
            if names and _likeness(names[-1], surname) >= _SAME_NAME:
                names.pop()  # said and then spelled
            first = " ".join(names) or self._first or " ".join(self.doubtful.split()[:-1])
            self._pending, self._spelled = f"{first} {surname}".strip() if " " not in surname else surname, surname
            return
        name = name_of(text)
        if not name:
            return
        if UNKNOWN in text:
            self.doubtful = name
            return
        if corrected and " " not in name and self._first:
            name = self._replaced(name)
        self._pending, self._spelled = name, ""

    def _replaced(self, word: str) -> str:
        """Return the denied name with the one word in place of that which it resembles most, else of the surname."""
        names = self._denied.split()
        likeness = [_likeness(other, word) for other in names]
        names[max(range(len(names)), key=lambda at: (likeness[at], at))] = word
        return " ".join(names)
