"""Whom the company knows, by number, in memory: numbers of all spellings are one number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from ari_agent.task import Contact

Treatment = Literal["ai", "vip", "blocked"]
"""How a contact's calls are routed."""

REGION = "DE"
_WRITTEN = re.compile(r"\(?\+?[0-9(][0-9 \xa0()/.–-]{1,40}")
"""Without letters: phonenumbers reads "0800 HEIZUNG" as keys of a phone, and finds numbers in whole sentences."""
_WHOLE = ("+", "0", "(0", "(+")
"""How a number begins that has its area code."""


def e164(written: str, area_code: str = "") -> str | None:
    """Return a written number as E.164, such as "+4989123456" for "(089) 12 34 56"; None when it is not valid.

    `area_code` is the company's, such as "089": a number without one belongs to it; without it there is none.
    """
    written = written.strip()
    if not written.startswith(_WHOLE):
        if not area_code:
            return None
        written = area_code + written
    return _valid(written)


def is_written(text: str) -> bool:
    """Whether a text has the form of a number, valid or not."""
    return _WRITTEN.fullmatch(text) is not None


def readings(number: str, area_code: str = "") -> Iterator[str]:
    """Yield as E.164 what a calling number may be: some trunks leave out the + before the country, some the first 0.

    `area_code`: the company's, see `e164`.
    """
    for written in _spellings(number.strip(), area_code):
        if valid := _valid(written):
            yield valid


def same_for_all(number: str, area_code: str = "") -> str:
    """Return one form for all spellings of a calling number: as E.164 if it can be one, else its figures alone.

    What has no figures at all, such as "anonymous", stays as it is.
    """
    number = number.strip()
    whole = number.startswith(_WHOLE)
    for written in _spellings(number, area_code):
        if found := _valid(written, possible=whole):
            return found
    return re.sub(r"[^0-9]", "", number) or number


def _spellings(number: str, area_code: str) -> list[str]:
    if not number.startswith(_WHOLE):
        return ["+" + number, area_code + number, "0" + number]
    # Some telephone systems put the 0 for an outside line before it.
    match len(number) - len(number.lstrip("0")):
        case 0 | 1:
            return [number]
        case 2:
            return [number, number[1:]]
        case _:
            return [number[1:], number]


class PhoneBook:
    """Implements Directory on what it is made of; it never changes."""

    def __init__(self, contacts: Iterable[Contact] = (), area_code: str = "") -> None:
        """`area_code`: the company's, see `e164`."""
        self._contacts = {contact.number: contact for contact in contacts}
        self._area_code = area_code

    def __len__(self) -> int:
        """Return the number of contacts."""
        return len(self._contacts)

    def find(self, number: str) -> Contact | None:
        """Return the contact with that calling number, however it is written; None for nobody."""
        for read in readings(number, self._area_code):
            if contact := self._contacts.get(read):
                return contact
        return None


def _valid(written: str, *, possible: bool = False) -> str | None:
    """Return a number as E.164 if it is one; `possible`: if it has as many figures as one."""
    if not is_written(written):
        return None
    try:
        number = phonenumbers.parse(written, REGION)
    except NumberParseException:
        return None
    is_one = phonenumbers.is_possible_number if possible else phonenumbers.is_valid_number
    if not is_one(number) or number.extension:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
