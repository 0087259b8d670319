"""What is read out sign by sign or in pairs: telephone numbers, addresses, account and register numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

from ari_agent.knowledge import spoken_numbers as numbers
from ari_agent.knowledge.spoken_words import ADDRESS, LETTERS, SPELLED

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _address(match: re.Match[str]) -> str:
    words = []
    for part in re.findall(r"[^\W\d_]+|\d|[^\w\s]|_", re.sub(r"^https?://|/$", "", match[0])):
        if part.casefold() in SPELLED:
            words.append(_letters(part))
        else:
            words.append(ADDRESS.get(part) or (numbers.digits(part) if part.isdecimal() else part))
    return f" {' '.join(words)} "


def _phone(match: re.Match[str]) -> str:
    return match[0] if sum(map(str.isdigit, match[0])) < 6 else numbers.telephone(match[0])


def _letters(text: str) -> str:
    return " ".join(LETTERS[letter] for letter in text.upper())


def _register(match: re.Match[str]) -> str:
    return f"{_letters(match[1])} {numbers.pairs(match[2])}"


def _emergency(match: re.Match[str]) -> str:
    return match[1] + ", ".join(numbers.digits(part) for part in match[2].split())


ADDRESSES: list[_Rule] = [
    (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), _address),
    (re.compile(r"(?<!\w)(?:https?://|www\.)[^\s<>,;!()\"]{1,200}(?<![.:?])"), _address),
    (
        re.compile(
            r"(?<![\w.@-])[A-Za-zäöü][\w-]{1,62}(?:\.[\w-]{2,63}){0,3}\.(?:de|com|org|net|eu|at|ch)(?:/[\w/-]{0,99})?\b"
        ),
        _address,
    ),
]
"""They hold dots and digits of others' kinds, so they go first."""

REGISTERS: list[_Rule] = [
    (re.compile(r"\b([A-Z]{2})(\d{2}(?:\s?\d{4}){4,5}(?:\s?\d{1,2})?)\b"), _register),  # an IBAN, ISO 13616
    (re.compile(r"\b(DE)(\d{9})\b"), _register),  # of the value-added tax
    (re.compile(r"\b(HR[AB])\s?(\d{2,6})\b"), _register),
    (
        re.compile(
            r"(\b(?:(?:[Rr]ufen|[Ww]ählen)\s[Ss]ie(?:\s[a-zäöüA-Z]{1,20}){0,3}|[Rr]uf|[Ww]ähle|[Uu]nter|[Nn]ummer|[Tt]elefon"
            r"|[Nn]otruf|[Ff]euerwehr|[Pp]olizei|[Hh]otline|[Bb]ereitschaftsdienst):?\s(?:(?:der|die|den)\s)?)"
            r"(11[025]|116\s?117)(?!\w|[.,]\d|\s(?:[A-ZÄÖÜ]|€|%))"
        ),
        _emergency,
    ),
    (
        re.compile(r"(?:(?<=, )|(?<=in )|(?<=PLZ )|\bD-)(\d{5})(?=\W|$)(?=\s[A-ZÄÖÜ]|\W*$)"),
        lambda m: numbers.digits(m[1]),
    ),
]
"""Before telephone numbers, which they may look like."""

TELEPHONES: list[_Rule] = [
    (re.compile(r"(?<![\w,])(?:\+|\(?0)[\d()/ .–-]{4,24}\d"), _phone),
    (re.compile(r"(?<=[Nn]ummer )\d[\d /-]{4,20}\d|(?<=Telefon )\d[\d /-]{4,20}\d"), _phone),
]
"""After dates, times and amounts."""
