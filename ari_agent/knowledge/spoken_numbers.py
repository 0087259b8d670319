"""German numbers as they are said: amounts, dates, times, telephone numbers."""

from __future__ import annotations

import re
from datetime import date

from num2words import num2words

_LONGEST = 12
"""Digits of a number that anybody says as one; longer ones are said digit by digit."""
_DIGITS = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
MONTHS = (
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
)


def digits(text: str) -> str:
    """Return every digit of the text as a word."""
    return " ".join(_DIGITS[int(sign)] for sign in text if sign.isdecimal())


def telephone(text: str) -> str:
    """Return a telephone number in pairs, each followed by a pause; the area code stands for itself."""
    text = re.sub(r"^(\s*(?:\+|00)\d{1,3})\s?\(0\)", r"\1 ", text)  # said by nobody who dials the country code
    groups = [group for group in "".join(sign if sign.isdigit() else " " for sign in text).split() if group]
    heads = groups[:2] if text.lstrip().startswith("+") else groups[:1]
    heads = heads if len(groups) > 1 and all(len(group) <= 5 for group in heads) else []
    spoken = ", ".join([*map(digits, heads), *filter(None, [pairs("".join(groups[len(heads) :]))])])
    return f"plus {spoken}" if text.lstrip().startswith("+") else spoken


def pairs(text: str) -> str:
    """Return the digits of the text in pairs; three stay together where one would be left over."""
    plain = "".join(sign for sign in text if sign.isdecimal())
    parts = [plain[at : at + 2] for at in range(0, len(plain), 2)]
    if len(plain) % 2 and len(plain) > 2:
        parts[-2:] = ["".join(parts[-2:])]
    return ", ".join(map(digits, parts))


def cardinal(text: str) -> str:
    """Return a whole number, of digits with or without dots between thousands."""
    plain = text.replace(".", "").replace(" ", "")
    if len(plain) > _LONGEST or (len(plain) > 1 and plain.startswith("0")):
        return digits(plain)
    return str(num2words(int(plain), lang="de"))


def number(text: str) -> str:
    """Return a number with or without a decimal comma, such as "1.250,5"."""
    whole, _, part = text.partition(",")
    return f"{cardinal(whole)} Komma {digits(part)}" if part else cardinal(whole)


def before_noun(spoken: str, *, feminine: bool = False) -> str:
    """Return a number as it is said before a noun: "ein Euro", "eine Stunde", "einhundertein Tage"."""
    if spoken == "eins":
        return "eine" if feminine else "ein"
    return spoken.removesuffix("s") if spoken.endswith("eins") and "Komma" not in spoken else spoken


def year(text: str) -> str:
    """Return a year of four digits, or of two in this century."""
    value = int(text) + (2000 if len(text) == 2 else 0)
    return str(num2words(value, lang="de", to="year"))


def ordinal(text: str, ending: str) -> str:
    """Return an ordinal such as "dritten" for the ending "n"; "" gives "dritte"."""
    return str(num2words(int(text), lang="de", to="ordinal")) + ending


def calendar(day: str, month: str, year_of: str, ending: str) -> str | None:
    """Return a date, None where the calendar has none such."""
    try:
        date(int(year_of) if len(year_of) == 4 else 2024, int(month), int(day))
    except ValueError:
        return None
    spoken = f"{ordinal(day, ending)} {MONTHS[int(month) - 1]}"
    return f"{spoken} {year(year_of)}" if year_of else spoken


def clock(hour: str, minute: str) -> str:
    """Return a time of day, "" for no minutes."""
    spoken = f"{before_noun(cardinal(str(int(hour))))} Uhr"
    return f"{spoken} {cardinal(str(int(minute)))}" if int(minute or 0) else spoken


def money(text: str, large: str, small: str) -> str:
    """Return an amount such as "129,50" in its two coins, "" for no smaller one."""
    whole, _, part = text.partition(",")
    part = part.strip("-–— ")
    if len(part) > 2 or (part and not small):
        return f"{number(f'{whole},{part}')} {large}"
    cents = int(part.ljust(2, "0")) if part else 0
    if cents and not int(whole.replace(".", "").replace(" ", "") or 0):
        return f"{before_noun(cardinal(str(cents)))} {small}"
    spoken = f"{before_noun(cardinal(whole))} {large}"
    return f"{spoken} {cardinal(str(cents))}" if cents else spoken
