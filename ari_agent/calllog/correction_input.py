"""What people type as a correction, checked: every field or none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from ari_agent.calllog.corrections import FIELDS, LISTS, Kind, Value, moment
from ari_agent.calllog.phone_book import e164
from ari_agent.errors import ConfigError

_LONGEST = {"who": 500, "email": 254, "matter": 2000, "about": 500, "agreed": 500, "open": 500}
"""Characters of a text or line; of any other field 200."""
_MOST_LINES = 100
_MOST_CHARACTERS = 15_000
"""Of all lines of a field together."""
_URGENCIES = {
    "low": "low", "normal": "normal", "high": "high", "niedrig": "low", "hoch": "high", "dringend": "high",
}  # fmt: skip
_NEEDED = ("who", "urgency")
"""Fields that always hold something."""
_TIMES = ("earliest", "latest")
_FORMS = ("", "%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M Uhr", "%d.%m.%Y %H Uhr")
"""Of moments; the first is ISO 8601."""
_YEARS = range(2000, 2100)


def checked(kind: Kind, given: Mapping[str, object], area_code: str) -> dict[str, Value]:
    """Return the fields that somebody gave, as they are stored. Raises ConfigError, which repeats nothing of it.

    `area_code` is the company's, for numbers without one. A moment without a zone is the machine's time.
    """
    return {field: _checked(kind, field, value, area_code) for field, value in given.items()}


def _checked(kind: Kind, field: str, given: object, area_code: str) -> Value:
    if field not in FIELDS[kind]:
        raise ConfigError(f"{field[:40]!r} is no field; name some of: {', '.join(FIELDS[kind])}")
    texts = tuple(filter(None, (_line(field, text) for text in _texts(field, given))))
    if len(texts) > _MOST_LINES or sum(map(len, texts)) > _MOST_CHARACTERS:
        raise ConfigError(f"{field}: too much; {_MOST_LINES} lines of {_MOST_CHARACTERS} characters are kept at most")
    if not texts:
        if field in _NEEDED:
            raise ConfigError(f"{field}: this cannot be empty; write what is right")
        return ()
    if field == "urgency":
        return (_urgency(texts[0]),)
    if field == "number":
        return (_number(texts[0], area_code),)
    return (_time(field, texts[0]),) if field in _TIMES else texts


def _texts(field: str, given: object) -> list[str]:
    match given:
        case None:
            return []
        case str():
            return [given]
        case list() if field in LISTS and all(isinstance(item, str) for item in given):
            return given
        case _:
            raise ConfigError(
                f"{field}: write {'a list of texts' if field in LISTS else 'one text'}, or null for nothing"
            )


def _line(field: str, text: str) -> str:
    """Return the text in one line, without signs that a terminal would obey and no database keeps."""
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    longest = _LONGEST.get(field, 200)
    if len(line) > longest:
        raise ConfigError(f"{field}: longer than {longest} characters; shorten it")
    return line


def _urgency(text: str) -> str:
    if (code := _URGENCIES.get(text.casefold())) is None:
        raise ConfigError("urgency: write low, normal or high (niedrig, normal, hoch)")
    return code


def _number(text: str, area_code: str) -> str:
    if (number := e164(text, area_code)) is None:
        raise ConfigError("number: no valid telephone number; write it in full, such as +49 89 123456")
    return number


def _time(field: str, text: str) -> str:
    for form in _FORMS:
        with suppress(ValueError, OverflowError):
            at = datetime.strptime(text, form).astimezone() if form else datetime.fromisoformat(text)
            if at.year in _YEARS:
                return moment(at)
    raise ConfigError(f"{field}: no moment; write such as 30.11.2026 14:00 or 2026-11-30T14:00")
