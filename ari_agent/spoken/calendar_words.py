"""Words of dates and times: how a transcript is cut into them, and what each of them means."""

from __future__ import annotations

import re
import unicodedata

from ari_agent.spoken import numbers

LONGEST_TEXT = 1000
"""Characters that are read; an utterance of thirty seconds has about 500, and reading stays fast whatever comes."""

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
_MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
MONTHS = tuple(_MONTHS.split())


_FOLDED = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}


def fold(text: str) -> str:
    """Return the text in lower case with ae, oe, ue and ss, as if typed without a German keyboard."""
    text = unicodedata.normalize("NFC", text[:LONGEST_TEXT]).lower()
    return text.translate(_FOLDED)


_SPOKEN = tuple(numbers.say(number) for number in range(100))


def cardinal_word(number: int) -> str:
    """Return 0 to 99 in German."""
    return _SPOKEN[number]


def ordinal_word(number: int, ending: str = "e") -> str:
    """Return "dritte" for 3, and with other endings "dritten", "dritter"; 1 to 99."""
    return numbers.say_ordinal(number).removesuffix("e") + ending


def year_word(year: int) -> str:
    """Return "zweitausendsechsundzwanzig" for 2026; years outside this century stay figures."""
    return numbers.say(year) if 2000 <= year < 2100 else str(year)


_CARDINALS = {fold(cardinal_word(n)): n for n in range(100)} | {"ein": 1, "zwo": 2, "fuenfe": 5}
_ORDINALS = {fold(ordinal_word(n, "")): n for n in range(1, 100)} | {"siebent": 7, "zwot": 2}
_WEEKDAY = {fold(day): number for number, day in enumerate(WEEKDAYS)} | {"sonnabend": 5}
_MONTH = {fold(month): number for number, month in enumerate(MONTHS, 1)} | {
    "jaenner": 1,
    "feber": 2,
    "juno": 6,
    "julei": 7,
}
_COMPOUND = re.compile(f"({'|'.join(_WEEKDAY)})(frueh|morgen|vormittag|mittag|nachmittag|abend|nacht)s?")
_TOKEN = re.compile(r"\d{1,2}\.(?=\s*[\da-z])|\d+|[a-z]+")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(?:\s*uhr)?|\b(\d{1,2})\.(\d\d)\s*uhr")
_JOINED = {
    ("ueber", "morgen"): "uebermorgen",
    ("drei", "viertel"): "dreiviertel",
    ("k", "w"): "kw",
    ("ka", "we"): "kw",
    ("feier", "abend"): "feierabend",
    ("spaet", "nachmittag"): "spaetnachmittag",
}


def words(text: str) -> list[str]:
    """Return the folded words of a text; "14:30" becomes "14 uhr 30", "montagvormittag" two words."""
    text = _CLOCK.sub(lambda m: f" {m[1] or m[3]} uhr {m[2] or m[4]} ", fold(text))
    result: list[str] = []
    for word in _TOKEN.findall(text):
        if match := _COMPOUND.fullmatch(word):
            result += match.groups()
        elif result and (result[-1], word) in _JOINED:
            result[-1] = _JOINED[result[-1], word]
        elif len(result) > 1 and result[-1] == "und" and _belongs(result[-3:-1], word):
            result[-2:] = [f"{result[-2]}und{word}"]
        else:
            result.append(word)
    return result


def _belongs(before: list[str], tens: str) -> bool:
    """Say whether "ein und zwanzig" is one number; "zwischen acht und zwanzig uhr" is two."""
    unit = before[-1]
    whole = f"{unit}und{tens}"
    if unit == "ein" or before[0] in {"kw", "kalenderwoche", "tausend", "zweitausend"}:
        return whole in _CARDINALS or _stem(whole) in _ORDINALS
    return unit in _CARDINALS and _stem(whole) in _ORDINALS


def cardinal(word: str) -> int | None:
    """Return the number that the word says, 0 to 99, in letters or figures."""
    return int(word) if re.fullmatch(r"[0-9]{1,2}", word) else _CARDINALS.get(word)


def count(word: str) -> int | None:
    """Return the number of things that the word says; "eine" and "einer" are one."""
    return 1 if word in {"eine", "einer", "einem", "einen"} else cardinal(word)


def ordinal(word: str) -> int | None:
    """Return 3 for "dritter", "dritten" or "3."."""
    if re.fullmatch(r"[0-9]{1,2}\.", word):
        return int(word[:-1])
    return _ORDINALS.get(_stem(word))


def _stem(word: str) -> str:
    return re.sub("(?<=t)e[nrm]?$", "", word) if word.endswith(("e", "en", "er", "em")) else "?"


def weekday(word: str) -> int | None:
    """Return 0 for "montag" or "montags" up to 6 for "sonntag"."""
    return _WEEKDAY.get(word, _WEEKDAY.get(word.removesuffix("s")))


def month(word: str) -> int | None:
    """Return 1 for "januar" or "jänner" up to 12."""
    return _MONTH.get(word, _MONTH.get(word.removesuffix("s")))


def year(said: list[str], at: int) -> tuple[int, int] | None:
    """Read a year of this century; return it and the position after it."""
    word = said[at] if at < len(said) else ""
    if re.fullmatch("20[0-9]{2}", word):
        return int(word), at + 1
    if word == "zwei" and said[at + 1 : at + 2] == ["tausend"]:
        word, at = "zweitausend", at + 1
    if not word.startswith("zweitausend"):
        return None
    if rest := word.removeprefix("zweitausend").removeprefix("und"):
        number = cardinal(rest)
        return (2000 + number, at + 1) if number is not None else None
    following = cardinal(said[at + 1]) if at + 1 < len(said) else None
    if following is None or said[at + 2 : at + 3] == ["uhr"]:
        return 2000, at + 1
    return 2000 + following, at + 2
