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
        for read in self._readings(number.strip()):
            if contact := self._contacts.get(read):
                return contact
        return None

    def _readings(self, number: str) -> Iterator[str]:
        """Yield what a calling number may be: some trunks leave out the + before the country, some the first 0."""
        written = [number] if number.startswith(_WHOLE) else ["+" + number, self._area_code + number, "0" + number]
        for reading in written:
            if valid := _valid(reading):
                yield valid


def _valid(written: str) -> str | None:
    if not is_written(written):
        return None
    try:
        number = phonenumbers.parse(written, REGION)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or number.extension:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
