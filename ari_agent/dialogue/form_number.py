"""The number to call back: the calling one is offered, others are said or typed, read back and corrected by voice."""

from __future__ import annotations

import re

from ari_agent.dialogue.form_replies import LONGEST, UNKNOWN, SlotName, heard, verdict
from ari_agent.dialogue.form_steps import Say
from ari_agent.dialogue.form_wording import FormWording
from ari_agent.spoken.correction import apply_correction
from ari_agent.spoken.numbers import parts_of
from ari_agent.spoken.telephone import Telephone, candidates, figures_of, read_back, telephone
from ari_agent.spoken.tokens import words

MOST_ASKED = 3
MOST_CHECKS = 6
MOST_UNCLEAR = 3
"""Readings back after which one more without yes or no is the last."""
MOST_CONTINUED = 4
"""How often a number may be said on after a pause."""
MOST_TYPED = 20
"""Keys of a number; E.164 has 15 digits at most."""
_MOST_TYPINGS = 3
_FEWEST_TYPED = 6
"""With so many keys a silence ends the typing as the hash key does."""
_FEWEST_FITTING = 2
_NEAR = 1.0
"""Readings that cost so little more than the likeliest are read back after a plain "no"."""
_FEWEST_ALONG = 7
"""Figures that make a number beyond doubt where no number was asked for."""
_SHORT = 8
"""Figures up to which a valid number is perhaps only the beginning of one."""
_OTHER = frozenset(words("andere anderen anderer"))
_THIS = frozenset(words("dieser diese derselben dieselbe selben"))
_BESIDE_FIGURES = re.compile(r"\b(?:nicht ganz|nicht richtig|stimmt nicht|passt nicht|ja|genau|aber|nur|bloß|jedoch)\b")
"""Words beside a correction that say nothing about its figures."""
_OF_TIMES = frozenset(words("uhr um gegen ab zwischen"))
"""Beside one of them a figure belongs to a time: "ja, und bitte um drei"."""
_DOUBTING = frozenset(words("aber nur bloß jedoch außer bis statt letzte letzten ende ziffer stelle zahl vorwahl"))
_REFUSING = frozenset(words("keine kein nicht geheim anonym unterdrückt weiß"))


def numbers_in(text: str, area: str = "") -> tuple[Telephone, ...]:
    """Return the numbers among the words, whole ones only: those that nobody would take for a time or a price."""
    return tuple(n for n in candidates(_spoken(text), area=area) if len(_digits(n.national)) >= _FEWEST_ALONG)


def _spoken(text: str) -> str:
    """Return the words; one that was not understood stays, so that no number is read across it."""
    return " ".join(words(text[:LONGEST]))


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))


def _has_figures(text: str) -> bool:
    spoken = heard(text)
    return any(parts_of(word) and word not in ("und", "ein", "eine") for word in spoken)


def _leaves_figures(text: str) -> bool:
    """Tell whether words beside a yes cannot mean that a figure is wrong."""
    spoken = set(heard(text))
    return not _has_figures(text) or (bool(_OF_TIMES & spoken) and not _DOUBTING & spoken)


class NumberSlot:
    """Asks for the number three times, the third time with the way to type it; the calling number serves else."""

    slot: SlotName = "number"

    def __init__(
        self, wording: FormWording, *, calling: str, area: str, callback: bool, value: str | None = None
    ) -> None:
        self.value = value
        """Confirmed, as E.164."""
        self.doubtful: str | None = None
        """What was understood but neither confirmed nor denied."""
        caller = telephone(calling) if calling else None
        self._calling = caller.e164 if caller else None
        self._wording, self._area, self._callback = wording, area, callback
        self._settled = value is not None
        self._pending: list[str] = []
        """What may have been said, the likeliest first."""
        self._denied: set[str] = set()
        self._wrong: str | None = None
        """Number that was denied without a word on what is wrong; that may come after a pause."""
        self._so_far = ""
        """Words of a number that goes on after a pause."""
        self._typed: str | None = None
        self._offered = self._asked = self._checked = self._continued = self._typings = 0
        self._refused = self._goes_on = False

    @property
    def known(self) -> str | None:
        """The best of what is known: confirmed, else the calling number, else what was only heard."""
        return self.value or self._calling or self._unconfirmed

    @property
    def _unconfirmed(self) -> str | None:
        """What was heard and neither confirmed nor ever denied."""
        last = self._pending[0] if self._pending else self.doubtful
        return None if last in self._denied else last

    @property
    def heard(self) -> bool:
        """Whether the caller gave a number, or agreed to the calling one."""
        return bool(self.value or self._pending or self.doubtful or self._so_far)

    def prompt(self) -> Say | None:
        """Return what to say next; None when the number is settled, with or without one."""
        w = self._wording
        if self._typed is not None:
            return Say(w.typing, "number-typing")
        if self._settled:
            return None
        if self._pending and self._checked < MOST_CHECKS:
            self._checked += 1
            return Say(w.number_check.format(number=read_back(self._pending[0])), "number-check")
        if self._goes_on and self._continued < MOST_CONTINUED:
            self._continued += 1
            return Say(w.number_on, "number")
        if self._calling and self._offered < 2 and not self._asked:
            self._offered += 1
            return Say(w.offer_number.format(end=read_back(self._calling).rsplit(", ", 1)[-1]), "number-offer")
        if self._asked >= MOST_ASKED or self._checked >= MOST_CHECKS:
            self._settle()
            return None
        self._asked += 1
        return Say(self._question(), "number")

    def _question(self) -> str:
        w = self._wording
        if self._asked >= MOST_ASKED:
            return w.number_typed
        if self._asked > 1:
            return w.number_needed if self._refused and self._callback else w.number_again
        return w.number if self._callback else w.number_of_message

    def hear(self, text: str) -> str:
        """Take the caller's words; return what is left for other answers."""
        typed = self._typed
        self._typed = None
        if typed and len(typed) >= _FEWEST_TYPED and not _has_figures(text):
            self._take_typed(typed)
            return ""
        if self._pending:
            return self._check(text)
        if self._calling and self._offered and not self._asked:
            return self._answer_offer(text)
        self._take(text)
        return ""

    def fits(self, text: str) -> bool:
        """Tell whether the words can hardly be anything but a number, or the correction of one."""
        return sum(bool(parts_of(word)) for word in heard(text)) >= _FEWEST_FITTING

    def suggest(self, text: str) -> bool:
        """Take a number that was said along with something else."""
        found = numbers_in(text, self._area)
        if self._settled or self._pending or not found:
            return False
        self._pending = [number.e164 for number in found]
        return True

    def reopen(self, text: str) -> None:
        """Ask again, since the caller says that the number is wrong; the correction may be among the words."""
        before = self.value or (self._pending[0] if self._pending else None)
        corrected = apply_correction(before, _spoken(text)) if before and _has_figures(text) else None
        self._deny(before)
        self._settled, self._asked, self._checked = False, 1, 0
        if corrected:
            self._pending = [corrected]

    def key(self, digit: str) -> bool | None:
        """Take a key: True when something is to be said, False while typing; None for a key that is not ours."""
        if digit == "*":
            if self._typings >= _MOST_TYPINGS:
                return None
            self._typings += 1
            self._typed, self._settled = "", False
            return True
        if self._typed is None:
            return None
        if digit != "#":
            self._typed += digit
        return self.end_typing() if digit == "#" or len(self._typed) >= MOST_TYPED else False

    def end_typing(self) -> bool:
        """Take what was typed, unless silence came before there was a number."""
        typed = self._typed or ""
        self._typed = None
        self._take_typed(typed)
        self._settled = self.value is not None and not self._pending
        return True

    @property
    def typed_enough(self) -> bool:
        """Whether what was typed may be a whole number."""
        return self._typed is not None and len(self._typed) >= _FEWEST_TYPED

    def _take_typed(self, typed: str) -> None:
        """Take the keys as one whole number: nothing of it is said on."""
        self._pending, self._so_far = [], ""
        self._take(typed)
        self._so_far, self._goes_on = "", False

    def _take(self, text: str) -> None:
        said = whole = _spoken(text)
        self._goes_on = False
        wrong, self._wrong = self._wrong, None
        if wrong and (corrected := apply_correction(wrong, said)) and corrected not in self._denied:
            self._pending, self._so_far = [corrected], ""
            return
        before, gap, after = text.partition(UNKNOWN)
        if gap and _has_figures(before) and _has_figures(after):
            self._so_far = ""  # a figure is missing in the middle
            return
        if (
            self._so_far and _has_figures(said) and not candidates(said)
        ):  # with its area code it is a whole number, said from the beginning
            whole = f"{self._so_far} {said}"
        if found := candidates(whole, area=self._area) or candidates(said, area=self._area):
            self._pending = [n.e164 for n in found if n.cost <= found[0].cost + _NEAR]
            self._so_far = whole
            return
        if _has_figures(said) and UNKNOWN not in text:
            self._so_far, self._goes_on = whole, True
        else:
            self._so_far = ""
            if _REFUSING & set(said.split()) and "verstanden" not in said:
                # who refuses twice has none, or none for us; for a message once is enough
                self._asked = MOST_ASKED if self._refused or not self._callback else self._asked
                self._refused = True

    def _answer_offer(self, text: str) -> str:
        said, rest = verdict(text)
        if _OTHER & set(heard(text)):
            said = "no"
        if numbers_in(text, self._area):
            if said == "no":
                self._deny(self._calling)
            self._take(text)
            return ""
        if said == "yes" or (said is None and _THIS & set(rest.split())):
            self.value, self._settled = self._calling, True
            return rest
        if said == "no":
            self._deny(self._calling)
            if rest:
                self._take(rest)
        return ""

    def _check(self, text: str) -> str:
        number = self._pending[0]
        said, rest = verdict(text)
        corrected = self._corrected(number, text, said == "no") if _has_figures(text) else None
        if said == "yes" and (corrected == number or (corrected is None and _leaves_figures(text))):
            self.value, self._settled, self._pending = number, True, []
            return rest
        if corrected is not None and corrected != number:
            self._deny(number)
            self._pending, self._so_far = [corrected], ""
        elif said == "no" or _has_figures(text):
            self._deny(number, plainly=not _has_figures(text))
        elif self._checked >= MOST_UNCLEAR:
            # neither yes nor no, in a noisy place perhaps: keys are heard there
            self.doubtful, self._pending, self._so_far = number, [], ""
            self._asked = max(self._asked, MOST_ASKED - 1)
        return ""

    def _corrected(self, number: str, text: str, denied: bool) -> str | None:
        """Return the number as corrected, said again or said on; None where that is not clear."""
        spoken = _BESIDE_FIGURES.sub("", _spoken(text))
        on = [n.e164 for n in candidates(f"{self._so_far} {spoken}", area=self._area)] if self._so_far else []
        if on and not denied and len(figures_of(number) or "") <= _SHORT:
            return on[0]
        if corrected := apply_correction(number, spoken):
            return corrected
        if again := numbers_in(text, self._area):
            return again[0].e164
        return on[0] if on and not denied else None

    def _deny(self, number: str | None, *, plainly: bool = False) -> None:
        """Forget a number that is wrong; after a plain "no" the next reading of the words is left."""
        if number is not None:
            self._denied.add(number)
            self._calling = None if number == self._calling else self._calling
            self.value = None if number == self.value else self.value
        self._pending = self._pending[1:] if plainly else []
        self._wrong = number if plainly and not self._pending else None
        self.doubtful, self._so_far, self._goes_on = None, "", False

    def _settle(self) -> None:
        """Go on with what there is: the calling number, or one that was heard and not denied."""
        # what was corrected last and not read back any more is no better than a guess
        self._pending = []
        self.doubtful = self._unconfirmed
        self._settled = True
        if self._calling:
            self.value = self._calling
