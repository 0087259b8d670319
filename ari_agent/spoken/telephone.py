"""A telephone number said in any grouping, checked with phonenumbers; read back in pairs."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from ari_agent.spoken.digits import readings, runs
from ari_agent.spoken.tokens import tokens, words

REGION = "DE"
_GERMANY = 49
_FEWEST_FIGURES = 3

_NAMES = words("plus null eins zwo drei vier fünf sechs sieben acht neun")
_SPOKEN = dict(zip("+0123456789", _NAMES, strict=True))


@dataclass(frozen=True)
class Telephone:
    """A valid number that may have been said."""

    e164: str
    national: str
    """As it is written in its country: "089 123456"."""
    cost: float
    """0 for the plainest reading of the words; two candidates of equal cost are equally likely."""


def candidates(text: str, region: str = REGION, area: str = "") -> tuple[Telephone, ...]:
    """Return the valid numbers that the words may mean, the likeliest first; none when there is none.

    `area` is the company's area code, "089": a number said without one belongs to it.
    """
    likeliest: dict[str, Telephone] = {}
    for run in runs(tokens(text)):
        for reading in readings(run):
            if (number := _valid(reading.figures, region, area)) is None:
                continue
            heard = _telephone(number, reading.cost)
            if heard.e164 not in likeliest or heard.cost < likeliest[heard.e164].cost:
                likeliest[heard.e164] = heard
    return tuple(sorted(likeliest.values(), key=lambda heard: heard.cost))


def parse(text: str, region: str = REGION, area: str = "") -> Telephone | None:
    """Return the likeliest number; None when the words have no valid one."""
    return next(iter(candidates(text, region, area)), None)


def telephone(number: str, region: str = REGION) -> Telephone | None:
    """Return a written number, "+49 89 123456" or "089123456"; None when it is not valid."""
    valid = _valid(number, region, "")
    return None if valid is None else _telephone(valid, 0.0)


def _telephone(number: PhoneNumber, cost: float) -> Telephone:
    return Telephone(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        cost,
    )


def _valid(written: str, region: str, area: str) -> PhoneNumber | None:
    if sum(map(str.isdecimal, written)) < _FEWEST_FIGURES:
        return None
    if area and not written.startswith(("+", "0")):
        written = area + written
    elif region == REGION and not written.startswith(("+", "0")):
        return None  # without its 0 the first figures of a local number would be taken for an area code
    try:
        number = phonenumbers.parse(written, region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None


def figures_of(number: str) -> str | None:
    """Return what is dialled in Germany for a written number, "08912345" or "+431234567"; None when it is not valid."""
    valid = _valid(number, REGION, "")
    return None if valid is None else "".join(_groups(valid))


def area_of(number: str) -> str:
    """Return the area or network code with its 0, of a number abroad the country code; raises as groups_of."""
    return groups_of(number)[0]


def groups_of(number: str) -> list[str]:
    """Return the figures as they are read back: the code, then pairs, at the end three where they are odd.

    Raises ValueError for a number that is not valid.
    """
    if (valid := _valid(number, REGION, "")) is None:
        raise ValueError("a valid telephone number was expected")
    return _groups(valid)


def _groups(number: PhoneNumber) -> list[str]:
    national = phonenumbers.national_significant_number(number)
    if number.country_code == _GERMANY:
        length = phonenumbers.length_of_geographical_area_code(number)
        length = length or phonenumbers.length_of_national_destination_code(number) or 3
        first, rest = "0" + national[:length], national[length:]
    else:
        first, rest = f"+{number.country_code}", national
    pairs = [rest[at : at + 2] for at in range(0, len(rest), 2)]
    if len(pairs) > 1 and len(pairs[-1]) == 1:
        pairs[-2:] = [pairs[-2] + pairs[-1]]
    return [first, *pairs]


def read_back(number: str) -> str:
    """Return how the number is read to the caller: "null acht neun, eins zwo, drei vier". A comma is a pause.

    Single figures, since "dreiundvierzig" is heard as 34; "zwo", since "zwei" is heard as "drei". Raises ValueError
    for a number that is not valid.
    """
    return ", ".join(" ".join(_SPOKEN[figure] for figure in group) for group in groups_of(number))
