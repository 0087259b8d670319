"""A telephone number in all its common spellings, as one pattern for Python and for Postgres."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException

from ari_agent.errors import ConfigError

REGION = "DE"
FEWEST_FIGURES = 5
"""Fewer would be found in every date and time."""
_BETWEEN = "[ \t\xa0\xc2()/.\u2013\u2011-]{0,3}"
"""What stands between figures; \\xc2 because files are read byte by byte, where a no-break space is two of them."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One number."""

    e164: str
    country: str
    """Its calling code, such as "49"."""
    pattern: str
    """Regular expression that finds it inside of texts."""
    local: str
    """Its figures without the company's area code; "" when it is from elsewhere. Only a whole field is that number."""

    def found_in(self, text: str) -> bool:
        """Whether a text holds the number; a text that is nothing but its local figures does too."""
        if re.search(self.pattern, text):
            return True
        return bool(self.local) and re.sub(r"\D", "", text) == self.local and not re.search("[^0-9 ()/.+-]", text)

    @property
    def stored(self) -> tuple[str, ...]:
        """What it may be in the call log, which keeps one form of each number it can read, and else its figures."""
        forms = (self.e164, self.figures, self.figures[len(self.country) :], self.local)
        return tuple(dict.fromkeys(filter(None, forms)))

    @property
    def figures(self) -> str:
        """All figures with those of the country."""
        return self.e164[1:]


def spelling(written: str, area_code: str = "") -> Spelling:
    """Return the number in all its spellings. Raises ConfigError when it is none.

    `area_code` is the company's, such as "089": a number without one belongs to it.
    """
    written = written.strip()
    if area_code and not written.startswith(("+", "0", "(")):
        written = area_code + written
    try:
        number = phonenumbers.parse(written, REGION)
    except NumberParseException:
        number = None
    national = phonenumbers.national_significant_number(number) if number else ""
    if number is None or len(national) < FEWEST_FIGURES or not phonenumbers.is_possible_number(number):
        raise ConfigError("this is no telephone number: write it with its area code or as +49…")
    area = area_code.removeprefix("0")
    local = national.removeprefix(area) if area and number.country_code == 49 else ""
    return Spelling(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        str(number.country_code),
        _pattern(str(number.country_code), national),
        local if local != national else "",
    )


def _pattern(country: str, national: str) -> str:
    figures = _BETWEEN.join(national)
    # The plus, the 00 and the figures for an outside line may be there or not, and so may the 0 of the area code.
    before = f"([+0]{{1,4}}{_BETWEEN})?({_BETWEEN.join(country)}{_BETWEEN})?([(]?0[)]?{_BETWEEN})?"
    return f"(?<![0-9]){before}{figures}(?![0-9])"
