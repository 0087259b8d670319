"""German number words to integers and back, also where a recogniser splits them: "neun und zwanzig"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from num2words import num2words

from ari_agent.spoken.tokens import tokens, words

HIGHEST = 999_999_999

Kind = Literal["null", "unit", "teen", "tens", "und", "hundert", "tausend", "million", "figures"]

_UNITS = {"ein": 1, "eins": 1, "eine": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5, "fuenf": 5}
_UNITS |= {"sechs": 6, "sieben": 7, "acht": 8, "neun": 9}
_TEENS = {"zehn": 10, "elf": 11, "zwölf": 12, "zwoelf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15}
_TEENS |= {"fuenfzehn": 15, "fuffzehn": 15, "sechzehn": 16, "siebzehn": 17, "achtzehn": 18, "neunzehn": 19}
_TENS = {"zwanzig": 20, "dreißig": 30, "dreissig": 30, "vierzig": 40, "fünfzig": 50, "fuenfzig": 50, "fuffzig": 50}
_TENS |= {"sechzig": 60, "siebzig": 70, "achtzig": 80, "neunzig": 90}

_MORPHEMES: dict[str, tuple[Kind, int]] = {
    "null": ("null", 0),
    "und": ("und", 0),
    "hundert": ("hundert", 100),
    "tausend": ("tausend", 1000),
    "million": ("million", 1_000_000),
    "millionen": ("million", 1_000_000),
}
_MORPHEMES |= {word: ("unit", value) for word, value in _UNITS.items()}
_MORPHEMES |= {word: ("teen", value) for word, value in _TEENS.items()}
_MORPHEMES |= {word: ("tens", value) for word, value in _TENS.items()}

# "einsechs" is "ein" and "sechs", so that "eins" must not take its s
_MORPHEME = re.compile("|".join(sorted(_MORPHEMES, key=len, reverse=True)).replace("eins|", "eins(?!ech)|"))

# what an ordinal's stem becomes before its "te" or "ste" is a cardinal: "drit-te", "sieb-te", "ach-te", "er-ste"
_STEMS = {"drit": "drei", "sieb": "sieben", "ach": "acht", "er": "eins"}

_FRACTIONS = {
    "anderthalb": Fraction(3, 2),
    "einhalb": Fraction(1, 2),
    "halb": Fraction(1, 2),
    "halbe": Fraction(1, 2),
    "halben": Fraction(1, 2),
    "dreiviertel": Fraction(3, 4),
    "einviertel": Fraction(1, 4),
    "viertel": Fraction(1, 4),
}
_SCALES = {"tausend": 1000, "millionen": 1_000_000, "million": 1_000_000}


@dataclass(frozen=True)
class Part:
    """The smallest piece of a number: "neunundzwanzig" has three."""

    kind: Kind
    value: int
    text: str
    word: int
    """Index of the word that it belongs to."""


@dataclass(frozen=True)
class Found:
    """A number among other words."""

    value: int
    start: int
    end: int
    """Indices into the words of the text; the end is exclusive."""


def say(number: int) -> str:
    """Return the number in words, in lower case. Raises ValueError outside 0 … HIGHEST."""
    _check(number, 0)
    return str(num2words(number, lang="de")).lower()


def say_ordinal(number: int) -> str:
    """Return the ordinal: "dritte". Raises ValueError outside 1 … HIGHEST."""
    _check(number, 1)
    return str(num2words(number, lang="de", to="ordinal")).lower()


def _check(number: int, lowest: int) -> None:
    if not lowest <= number <= HIGHEST:
        raise ValueError(f"a number from {lowest} to {HIGHEST} was expected")


def parse(text: str) -> int | None:
    """Return the number that the whole text is; None when it is not one number."""
    return _number(words(_without_separators(text)))


def parse_ordinal(text: str) -> int | None:
    """Return the number of an ordinal in any inflection: "dritten", "einundzwanzigster", "3."; None otherwise."""
    spoken = tokens(text)
    if len(spoken) == 2 and spoken[1] == "." and spoken[0].isdecimal():
        return _number(spoken[:1]) or None
    if not (spoken := words(text)):
        return None
    last = re.sub(r"(?<=te)[rnsm]$", "", spoken[-1])
    for ending in ("ste", "te"):
        if last.endswith(ending) and (number := _number([*spoken[:-1], _cardinal(last.removesuffix(ending))])):
            return number
    return None


def _cardinal(stem: str) -> str:
    if parts_of(stem):
        return stem
    for irregular, regular in _STEMS.items():
        if stem.endswith(irregular):
            return stem.removesuffix(irregular) + regular
    return stem


def digits(text: str) -> str | None:
    """Return the figures of a text of single digits, "eins null zwo" as "102"; None when there is anything else."""
    found = ""
    for word in words(text):
        parts = parts_of(word)
        if parts is None or len(parts) != 1 or parts[0].kind not in ("null", "unit", "figures"):
            return None
        found += parts[0].text if parts[0].kind == "figures" else str(parts[0].value)
    return found or None


def quantity(text: str) -> Fraction | None:
    """Return a number with a fraction, "anderthalb", "zwei einhalb Millionen", "drei Komma fünf"; None otherwise."""
    spoken = words(_without_separators(text))
    if (number := _number(spoken)) is not None:
        return Fraction(number)
    scale = _SCALES.get(spoken[-1], 1) if spoken else 1
    spoken = spoken[:-1] if scale > 1 else spoken
    if "komma" in spoken:
        return _decimal(spoken, scale)
    joined = "".join(spoken)
    for word, fraction in _FRACTIONS.items():
        if joined == word:
            return fraction * scale
        if word == "einhalb" and joined.endswith(word):
            whole = _number([joined.removesuffix(word).removesuffix("und")])
            return None if whole is None else (whole + fraction) * scale
    return None


def _decimal(spoken: list[str], scale: int) -> Fraction | None:
    comma = spoken.index("komma")
    whole, places = _number(spoken[:comma]), digits(" ".join(spoken[comma + 1 :]))
    if places is None and (two := _number(spoken[comma + 1 :])) is not None:
        places = str(two)  # "drei Komma fünfundzwanzig"
    if whole is None or places is None:
        return None
    return (whole + Fraction(int(places), 10 ** len(places))) * scale


def found(text: str) -> tuple[Found, ...]:
    """Return the numbers among the words of the text in their order; a lone "ein" or "eine" is an article."""
    numbers: list[Found] = []
    run: list[Part] = []
    for index, word in enumerate(words(_without_separators(text))):
        if parts := parts_of(word, index):
            run += parts
        else:
            numbers += _numbers_of(run)
            run = []
    return (*numbers, *_numbers_of(run))


def _numbers_of(run: Sequence[Part]) -> list[Found]:
    numbers: list[Found] = []
    at = 0
    while at < len(run):
        value, end = read(run, at) or (None, at + 1)
        article = end == at + 1 and run[at].text in ("ein", "eine")
        if value is not None and not article:
            numbers.append(Found(value, run[at].word, run[end - 1].word + 1))
        at = end
    return numbers


def _without_separators(text: str) -> str:
    return re.sub(r"(?<=[0-9])\.(?=[0-9]{3}(?![0-9]))", "", text)


def _number(spoken: Sequence[str]) -> int | None:
    parts: list[Part] = []
    for index, word in enumerate(spoken):
        if (more := parts_of(word, index)) is None:
            return None
        parts += more
    match read(parts, 0):
        case (value, end) if end == len(parts):
            return value
    return None


def parts_of(word: str, index: int = 0) -> list[Part] | None:
    """Return the parts of a number word, None when it is another word."""
    if word.isascii() and word.isdecimal():
        # longer figures are no number that anybody says, and int() refuses very long ones
        return [Part("figures", int(word) if len(word) < 18 else HIGHEST + 1, word, index)]
    parts: list[Part] = []
    at = 0
    while at < len(word):
        if (match := _MORPHEME.match(word, at)) is None:
            return None
        parts.append(Part(*_MORPHEMES[match[0]], match[0], index))
        at = match.end()
    return parts or None


def read(parts: Sequence[Part], at: int, end: int | None = None) -> tuple[int, int] | None:
    """Return the longest number that begins at a part, and the index after it; None when none begins there."""
    parts = parts[at : min(at + 24, len(parts) if end is None else end)]  # the longest number has 19 parts
    if not parts:
        return None
    if parts[0].kind == "null" or (parts[0].kind == "figures" and not 0 < parts[0].value < 1000):
        return (parts[0].value, at + 1) if parts[0].value <= HIGHEST else None
    result = _scaled(parts, 0, "million", _below_million)
    return None if result is None or result[0] > HIGHEST else (result[0], at + result[1])


_Read = tuple[int, int]
_Below = Callable[[Sequence[Part], int], _Read | None]


def _below_million(parts: Sequence[Part], at: int) -> _Read | None:
    return _scaled(parts, at, "tausend", _below_thousand)


def _below_thousand(parts: Sequence[Part], at: int) -> _Read | None:
    if _kind(parts, at) == "figures" and 100 <= parts[at].value <= 999:
        return parts[at].value, at + 1
    return _scaled(parts, at, "hundert", _below_hundred)


def _below_hundred(parts: Sequence[Part], at: int) -> _Read | None:
    kind = _kind(parts, at)
    if kind == "unit" and _kind(parts, at + 1) == "und" and _kind(parts, at + 2) == "tens":
        return parts[at].value + parts[at + 2].value, at + 3
    if kind in ("unit", "teen", "tens") or (kind == "figures" and 0 < parts[at].value < 100):
        return parts[at].value, at + 1
    return None


def _scaled(parts: Sequence[Part], at: int, scale: Kind, below: _Below) -> _Read | None:
    """Read "[head] scale [und] [tail]", or the head alone."""
    head = below(parts, at)
    value, at = head or (1, at)
    if _kind(parts, at) != scale or (scale == "hundert" and value > 19):
        return head
    value *= parts[at].value
    at += 1
    tail = below(parts, at) or (below(parts, at + 1) if _kind(parts, at) == "und" else None)
    return (value + tail[0], tail[1]) if tail else (value, at)


def _kind(parts: Sequence[Part], at: int) -> Kind | None:
    return parts[at].kind if at < len(parts) else None
