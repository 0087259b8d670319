"""One answer of the company, whatever kind of document it stands in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

EVERYBODY = "alle"
"""The audience of a passage whose document names none."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One answer of the company."""

    id: str
    """Made from the title: lower-case ASCII, such as "oeffnungszeiten"."""
    title: str
    text: str
    """What the caller hears."""
    questions: tuple[str, ...] = ()
    """Other ways to ask for it."""
    valid_from: date | None = None
    """First day on which it may be said."""
    valid_until: date | None = None
    """Last day on which it may be said."""
    audience: str = EVERYBODY
    """For whom it is, in lower case, such as "kunden"."""
    source: str = field(default="", compare=False)
    """Name of the file. Where a passage stood is no part of what it says: a moved one equals itself."""
    page: int | None = field(default=None, compare=False)
    """Page of the file, from 1, where it has pages."""
    row: int | None = field(default=None, compare=False)
    """Line of a text or row of a table, from 1."""

    def valid_on(self, day: date) -> bool:
        """Whether it may be said on that day."""
        return (self.valid_from or day) <= day <= (self.valid_until or day)


def slug(title: str) -> str:
    """Return the title as an id of lower-case ASCII letters, digits and hyphens."""
    text = title.casefold()
    for letter, plain in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")
