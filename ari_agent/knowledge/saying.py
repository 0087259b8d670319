"""German text as a voice would say it: numbers, dates, prices, abbreviations and signs in words.

One function for the preview of an import and for everything that is spoken later, so that what was approved is heard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ari_agent.knowledge import spoken_numbers as numbers
from ari_agent.knowledge.enumerations import grouped
from ari_agent.knowledge.spoken_words import (
    ADDRESS,
    DOTTED,
    LETTERS,
    PLAIN,
    SIGNS,
    SPELLED,
    UNITS,
    WEEKDAYS,
)

_PASSES = 4
"""Words made by one pass may meet signs that it left; texts of people are stable after two."""
_DASH = r"\s*(?:-|–|—|bis)\s*"
_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)(?:,\d+)?"
_AMOUNT = r"(?:\d{1,3}(?:[. ]\d{3})+|\d+)(?:,(?:\d+|[-–—]+))?"
_COINS = {
    "€": ("Euro", "Cent"),
    "EUR": ("Euro", "Cent"),
    "Euro": ("Euro", "Cent"),
    "$": ("Dollar", "Cent"),
    "£": ("Pfund", "Pence"),
    "CHF": ("Franken", "Rappen"),
}
_COIN = "|".join(re.escape(coin) for coin in _COINS)
_DAY, _MONTH, _YEAR = r"(\d{1,2})", r"(\d{1,2})", r"(\d{4}|\d{2})"
_NAMED = "|".join(numbers.MONTHS)
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_WEEKDAY = "|".join(WEEKDAYS)
_FEMININE = re.compile(r"(?:ung|heit|keit|schaft|ion|tät|unde|ute|oche|erson|ummer|tage|eile|asse|ahrt|rei|arte|ahl)$")
_CENTURIES = re.compile(r"\b(seit|[Jj]ahre?|Baujahr|gegründet|anno)\s+(1[1-9]\d\d)\b(?![.,]\d)")
"""Years before 2000 are said in hundreds; only after such words is a number one."""
_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def say(text: str) -> str:
    """Return the text in words, without a digit, long enumerations in groups. What is spoken already stays as it is."""
    for _ in range(_PASSES):
        spoken = _pass(text)
        if spoken == text:
            break
        text = spoken
    return grouped(text)


def _pass(text: str) -> str:
    text = _normal(text)
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    text = re.sub(r"\s+([.,!?;:])", r"\1", " ".join(text.split()))
    return re.sub(r"([.,])(?:\s*,)+|,(?=\.)", r"\1", text)


def _normal(text: str) -> str:
    """Return the text with one kind of blank, minus and digit; superscripts and fractions stay for their rules."""
    text = unicodedata.normalize("NFC", text).replace("−", "-").replace("‑", "-").replace("\xad", "")
    signs = (
        str(unicodedata.digit(sign)) if sign.isdigit() and sign not in "²³" and not sign.isascii() else sign
        for sign in text
        if unicodedata.category(sign) not in ("Cf", "Cc", "Cs", "Co", "Cn") or sign.isspace()
    )
    return " ".join("".join(signs).split())


def _ending(match: re.Match[str]) -> str:
    """Return how an ordinal ends, by the word before it: "der erste", "am ersten", and "erster" standing alone."""
    before = match.string[: match.start()].rstrip()
    if not before or before.endswith((":", ".", "(", ";", "!", "?")):
        return "r"
    return "" if before.split()[-1].casefold() in ("der", "die", "das") else "n"


def _closed(match: re.Match[str], spoken: str) -> str:
    """Return the words with the dot that also ended the text."""
    ends = match[0].rstrip().endswith(".") and match.end() == len(match.string)
    return spoken + "." if ends else spoken


def _date(match: re.Match[str]) -> str:
    spoken = numbers.calendar(match[1], match[2], match[3] or "", _ending(match))
    return match[0] if spoken is None else _closed(match, spoken)


def _dates(match: re.Match[str]) -> str:
    last = numbers.calendar(match[3], match[4], match[5] or "", "n")
    if last is None or not 1 <= int(match[1]) <= 31 or (match[2] and not 1 <= int(match[2]) <= 12):
        return match[0]
    month = f" {numbers.MONTHS[int(match[2]) - 1]}" if match[2] else ""
    return _closed(match, f"{numbers.ordinal(match[1], _ending(match))}{month} bis {last}")


def _first_day(match: re.Match[str]) -> str:
    return numbers.ordinal(match[1], _ending(match)) if 1 <= int(match[1]) <= 31 else match[0]


def _named_date(match: re.Match[str]) -> str:
    if not 1 <= int(match[1]) <= 31:
        return match[0]
    spoken = f"{numbers.ordinal(match[1], _ending(match))} {match[2]}"
    return f"{spoken} {numbers.year(match[3])}" if match[3] else spoken


def _times(match: re.Match[str]) -> str:
    if max(int(match[1]), int(match[3])) > 24:
        return match[0]
    first = numbers.clock(match[1], match[2] or "")
    first = first if match[2] and int(match[2]) else first.removesuffix(" Uhr")
    return f"{first} bis {numbers.clock(match[3], match[4] or '')}"


def _time(match: re.Match[str]) -> str:
    return match[0] if int(match[1]) > 24 else numbers.clock(match[1], match[2] or "")


def _coin(amount: str, coin: str) -> str:
    return numbers.money(amount.rstrip(","), *_COINS[coin])


def _prices(match: re.Match[str]) -> str:
    first = _coin(match[1], match[3])
    same = "," not in match[1].rstrip(",-–—")
    return f"{first.removesuffix(' ' + _COINS[match[3]][0]) if same else first} bis {_coin(match[2], match[3])}"


def _price(match: re.Match[str]) -> str:
    return _coin(match["a"] or match["b"], match["c"] or match["d"])


def _measure(match: re.Match[str]) -> str:
    one, several, feminine = UNITS[match[3]]
    last = numbers.before_noun(numbers.number(match[2]), feminine=feminine)
    first = f"{numbers.number(match[1])} bis " if match[1] else ""
    return f"{first}{last} {one if last in ('ein', 'eine') and not first else several}"


def _phone(match: re.Match[str]) -> str:
    return match[0] if sum(map(str.isdigit, match[0])) < 6 else numbers.telephone(match[0])


def _address(match: re.Match[str]) -> str:
    words = []
    for part in re.findall(r"[^\W\d_]+|\d|[^\w\s]|_", re.sub(r"^https?://|/$", "", match[0])):
        if part.casefold() in SPELLED:
            words.append(" ".join(LETTERS[letter] for letter in part.upper()))
        else:
            words.append(ADDRESS.get(part) or (numbers.digits(part) if part.isdecimal() else part))
    return f" {' '.join(words)} "


def _ordinal(match: re.Match[str]) -> str:
    ending = "" if match[1].casefold() in ("der", "die", "das") else "n"
    return f"{match[1]} {numbers.ordinal(match[2], ending)} "


def _counted(match: re.Match[str]) -> str:
    return ("eine " if _FEMININE.search(match[1]) else "ein ") + match[1]


def _weekdays(match: re.Match[str]) -> str:
    spoken = re.sub(rf"\b({_WEEKDAY})\b\.?", lambda day: WEEKDAYS[day[1]], match[0])
    return re.sub(r"\s*[-–—]\s*", " bis ", re.sub(r"\s*[/+&]\s*", " und ", spoken))


def _short(match: re.Match[str]) -> str:
    spoken = _DOTTED["".join(match[0].split())]
    return spoken + "." if match.end() == len(match.string) else spoken


_DOTTED = {"".join(short.split()): long for short, long in DOTTED.items()}
_DOTTED |= {short[:1].upper() + short[1:]: long[:1].upper() + long[1:] for short, long in _DOTTED.items()} | _DOTTED
_SHORT = "|".join(
    r"\s?".join(re.escape(part) + r"\." for part in short.rstrip(".").split("."))
    for short in sorted(_DOTTED, key=len, reverse=True)
)


def _rules() -> list[_Rule]:
    """Return the rules in their order: what holds digits and dots of others' kinds goes first."""
    start, end = r"(?<![\w.,])", r"(?![\w])"
    hour, minute = r"(\d{1,2})", r"(?:[:.](\d{2}))?"
    day = rf"(?:{_WEEKDAY})\b\.?"
    return [
        (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"), _address),
        (re.compile(r"(?<!\w)(?:https?://|www\.)[^\s<>,;!?()\"]{1,200}(?<![.:])"), _address),
        (
            re.compile(
                r"(?<![\w.@-])[A-Za-zäöü][\w-]{1,62}(?:\.[\w-]{2,63}){0,3}\.(?:de|com|org|net|eu|at|ch)(?:/[\w/-]{0,99})?\b"
            ),
            _address,
        ),
        (re.compile(rf"\b{day}(?:\s*(?:[-–—/+&,]|bis|und)\s*{day})+"), _weekdays),
        (
            re.compile(
                rf"\b(?:(?<=[Aa]m )|(?<=jeden )|(?<=ab )|(?<=bis )){day}(?=\W|$)|\b(?:{_WEEKDAY})(?=[.:,]?\s*\d)"
            ),
            _weekdays,
        ),
        (
            re.compile(rf"{start}{_DAY}\.(?=\s?(?:,|und|oder|\+|&)\s?\d{{1,2}}\.\s?(?:\d{{1,2}}\.|{_NAMED}))"),
            _first_day,
        ),
        (re.compile(rf"{start}{_DAY}\.\s?(?:{_MONTH}\.)?{_DASH}{_DAY}\.\s?{_MONTH}\.\s?{_YEAR}?{end}"), _dates),
        (re.compile(rf"{start}{_DAY}\.\s?{_MONTH}\.(?:\s?{_YEAR}{end}(?!\s*Uhr))?"), _date),
        (re.compile(rf"{start}(\d{{4}})-(\d\d)-(\d\d){end}"), _iso),
        (re.compile(rf"{start}{_DAY}\.\s?({_NAMED})\b(?:\s(\d{{4}})\b(?!\s?(?:Uhr|Euro|€)))?"), _named_date),
        (re.compile(rf"{start}{hour}{minute}(?:\s?Uhr)?{_DASH}{hour}{minute}\s?(?:Uhr|h)\b"), _times),
        (re.compile(rf"{start}{hour}:(\d\d){_DASH}{hour}:(\d\d)(?:\s?Uhr)?\b"), _times),
        (re.compile(rf"{start}{hour}[:.](\d\d)\s?(?:Uhr|h)\b"), _time),
        (re.compile(rf"{start}{hour}()\s?Uhr\b"), _time),
        (re.compile(rf"{start}{hour}:([0-5]\d){end}"), _time),
        (re.compile(rf"(\d\s?(?:{_COIN}|{_UNIT}))\s*[-–—]\s*(?=\d)"), lambda m: f"{m[1]} bis "),
        (re.compile(r"(?<![\w.,])(1[1-9]\d0)er\b"), lambda m: f"{numbers.year(m[1])}er"),
        (re.compile(r"(?<![\w.,])(\d{1,6})er\b"), lambda m: f"{numbers.cardinal(m[1])}er"),
        (re.compile(r"(?<![\w.,)])(?<!\d\s)-\s?(?=\d)"), lambda _: "minus "),
        (re.compile(rf"{start}(\d+)\.(\d\d)(?=\s?(?:{_COIN}))"), lambda m: f"{m[1]},{m[2]}"),
        (re.compile(rf"{start}({_AMOUNT}){_DASH}({_AMOUNT})\s?({_COIN}){end}"), _prices),
        (
            re.compile(
                rf"{start}(?P<a>{_AMOUNT})\s?(?P<c>{_COIN}){end}|(?<!\w)(?P<d>[€$£]|EUR|CHF)\s?(?P<b>{_AMOUNT}){end}"
            ),
            _price,
        ),
        (re.compile(rf"(?<![\w,])({_NUMBER})?(?:(?<=\d){_DASH})?(?<![\d.])({_NUMBER})\s?({_UNIT}){end}"), _measure),
        (re.compile(r"(?<![\w,])(?:\+|\(?0)[\d()/ .–-]{4,24}\d"), _phone),
        (re.compile(r"(?<=[Nn]ummer )\d[\d /-]{4,20}\d|(?<=Telefon )\d[\d /-]{4,20}\d"), _phone),
        (re.compile(r"(?:(?<=, )|(?<=D-)|(?<=in ))(\d{5})(?=\s[A-ZÄÖÜ])"), lambda m: numbers.digits(m[1])),
        (
            re.compile(
                r"\b([Ii]m|[Aa]m|[Zz]um|[Vv]om|[Bb]eim|[Dd]er|[Dd]ie|[Dd]as|[Dd]em|[Dd]en|[Jj]eden)\s(\d{1,3})\.\s(?=[A-ZÄÖÜ])"
            ),
            _ordinal,
        ),
        (_CENTURIES, lambda m: f"{m[1]} {numbers.year(m[2])}"),
        (re.compile(rf"(?<!\w)(?:{_SHORT})(?!\w)"), _short),
        (re.compile(r"(?<=[a-zäöüß])str\.(?=\s|$|,)"), lambda m: "straße" + ("." if m.end() == len(m.string) else "")),
        (re.compile(rf"(?<!\w)(?:{'|'.join(sorted(PLAIN, key=len, reverse=True))})(?![\w])\.?(?=\W|$)"), _plain),
        (re.compile(r"(?<![\w,.])1\s([A-ZÄÖÜ][a-zäöüß]+)\b"), _counted),
        (re.compile(rf"/\s?({_UNIT})(?!\w)"), lambda m: f" pro {UNITS[m[1]][0]} "),
        (re.compile(r"(?<!\w)(km²|m²|m³|kWh|kW|km/h)(?!\w)"), lambda m: UNITS[m[1]][0]),
        (re.compile(rf"(?<![\w.,])({_NUMBER}){_DASH}({_NUMBER})(?!\w)"), _range),
        (re.compile(r"(\d)\s?x(?!\w)"), lambda m: f"{m[1]} mal"),
        (re.compile(r"\d+(?:\.\d+)*(?:,\d+)?"), _bare),
        (re.compile("|".join(re.escape(sign) for sign in SIGNS)), lambda m: f" {SIGNS[m[0]]} "),
        (re.compile(r"(?<=[a-zäöüß])[:*_](?=innen\b)"), lambda _: " "),
        (re.compile(r"\s[-–—/|]+\s"), lambda _: ", "),
        (re.compile(r"[–—/|*_#`~<>^\\•→{}\[\]]"), lambda _: " "),
    ]


def _iso(match: re.Match[str]) -> str:
    return numbers.calendar(match[3], match[2], match[1], _ending(match)) or match[0]


def _range(match: re.Match[str]) -> str:
    return f"{numbers.number(match[1])} bis {numbers.number(match[2])}"


def _plain(match: re.Match[str]) -> str:
    dotted = match[0].endswith(".")
    spoken = PLAIN[match[0].removesuffix(".")]
    return (
        spoken + "." if dotted and (match.end() == len(match.string) or not match[0].startswith(("M", "U"))) else spoken
    )


def _bare(match: re.Match[str]) -> str:
    """Say a number wherever it stands; within a word it is set apart."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if text[start - 1 : start].isalnum() else ""
    whole = re.fullmatch(_NUMBER, match[0])
    parts = [match[0]] if whole else match[0].split(".")
    return f"{before}{' Punkt '.join(map(numbers.number, parts))}{' ' if text[end : end + 1].isalnum() else ''}"


_RULES = _rules()
