"""German text as a voice would say it: numbers, dates, prices, abbreviations and signs in words.

One function for the preview of an import and for everything that is spoken later, so that what was approved is heard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ari_agent.knowledge import spoken_numbers as numbers
from ari_agent.knowledge.enumerations import grouped
from ari_agent.knowledge.identifiers import ADDRESSES, REGISTERS, TELEPHONES
from ari_agent.knowledge.moments import DASH, MOMENTS, closed
from ari_agent.knowledge.ordinals import COUNTED, GOES_ON, ORDINAL, counted, goes_on, ordinal
from ari_agent.knowledge.spoken_words import COUNTS, DOTTED, ENDING, PLAIN, SHORTENED, SIGNS, UNITS

_PASSES = 4
"""Words made by one pass may meet signs that it left; texts of people are stable after two."""
_NUMBER = r"(?:\d{1,3}(?:\.\d{3})+(?!\d)|\d+)(?:,\d+)?"
_AMOUNT = r"(?:\d{1,3}(?:[. ]\d{3})+|\d+)(?:,(?:\d+|[-–—]+))?"
_COINS = {
    "€": ("Euro", "Cent"),
    "EUR": ("Euro", "Cent"),
    "Euro": ("Euro", "Cent"),
    "$": ("Dollar", "Cent"),
    "£": ("Pfund", "Pence"),
    "CHF": ("Franken", "Rappen"),
    "ct": ("Cent", ""),
}
_COIN = "|".join(re.escape(coin) for coin in _COINS)
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_MASCULINE = ("Tag", "Monat", "Liter", "Meter", "Kilometer", "Preis")
_FEMININE = re.compile(r"(?:ung|heit|keit|schaft|ion|tät|unde|ute|oche|erson|ummer|tage|eile|asse|ahrt|rei|arte|ahl)$")
_CENTURIES = re.compile(
    r"(?<![\w.,])(?:(?<=[Jj]ahr )|(?<=[Aa]nno )|(?<=gegründet )"
    r"|(?<=[Jj]ahre )|(?<=Baujahr )|(?<=[Ss]eit )|(?=19))(1[1-9]\d\d)(?!\w|[.,]\d)"
)
"""Years before 2000 are said in hundreds; a number of the last century can be, whatever it is."""
_COMPOUND = r"(?:tägig|stündig|jährig|monatig|wöchig|minütig|fach|teilig|seitig|stöckig|köpfig|prozentig)"
_FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾"}
_ONE = {"Mio": "eine Million", "Mrd": "eine Milliarde"}
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
    return closed(match, f"{first}{last} {one if last in ('ein', 'eine') and not first else several}")


def _counted(match: re.Match[str]) -> str:
    return ("eine " if _FEMININE.search(match[1]) else "ein ") + match[1]


def _half(match: re.Match[str]) -> str:
    if match[1]:
        return f"{numbers.before_noun(numbers.cardinal(match[1]))}einhalb"
    noun = match[2]
    half = "eine halbe" if _FEMININE.search(noun) else "einen halben" if noun in _MASCULINE else "ein halbes"
    return f"{half} {noun}"


def _times_over(match: re.Match[str]) -> str:
    first = f"{numbers.before_noun(numbers.number(match[1]))} bis " if match[1] else ""
    return f"{first}{numbers.before_noun(numbers.cardinal(match[2]))}mal"


def _joined(match: re.Match[str]) -> str:
    return f"{numbers.before_noun(numbers.cardinal(match[1]))}{'prozent' if '%' in match[0] else ''}{match[2]}"


def _years_old(match: re.Match[str]) -> str:
    years = "Jahren" if match[1].casefold() in ("ab", "unter", "über", "mit", "seit", "von") else "Jahre"
    return closed(match, f"{match[1]} {numbers.cardinal(match[2])} {years}")


def _short(match: re.Match[str]) -> str:
    short = "".join(match[0].split())
    spoken = _DOTTED[short]
    if short in _ENDING or match.end() == len(match.string):
        return closed(match, spoken, noun_follows=short in _COUNTS)
    return spoken


_DOTTED = {"".join(short.split()): long for short, long in DOTTED.items()}
_DOTTED |= {short[:1].upper() + short[1:]: long[:1].upper() + long[1:] for short, long in _DOTTED.items()} | _DOTTED
_ENDING, _COUNTS = ({"".join(short.split()) for short in words} for words in (ENDING, COUNTS))
_SHORT = "|".join(
    r"\s?".join(re.escape(part) + r"\." for part in short.rstrip(".").split("."))
    for short in sorted(_DOTTED, key=len, reverse=True)
)


def _rules() -> list[_Rule]:
    """Return the rules in their order: what holds digits and dots of others' kinds goes first."""
    start, end = r"(?<![\w.,])", r"(?![\w])"
    return [
        *ADDRESSES,
        *REGISTERS,
        *MOMENTS,
        (re.compile(rf"{start}24/7{end}"), lambda _: "rund um die Uhr"),
        (re.compile(r"\b([A-Z]{1,2}\d{1,3})\s?[-–]\s?([A-Z]{1,2}\d{1,3})\b"), lambda m: f"{m[1]} bis {m[2]}"),
        (re.compile(rf"{start}(\d{{1,6}})\s?%-?(ig(?:e[nrsm]?)?)\b"), _joined),
        (re.compile(rf"{start}(\d{{1,6}})-?({_COMPOUND}\w*)"), _joined),
        (re.compile(rf"{start}(?:(\d+){DASH})?(\d+)\s?(?:x|-?mal)(?=\s[a-zäöü]|[.,;!?)]|$)"), _times_over),
        (re.compile(rf"{start}(\d+)\s?x\s?(?=\d)"), lambda m: f"{m[1]} mal "),
        (re.compile(rf"{start}([13])/([24])(?=\s[A-ZÄÖÜ])"), lambda m: _FRACTIONS.get(f"{m[1]}/{m[2]}", m[0])),
        (re.compile(rf"{start}(\d+)\s?½|½\s?([A-ZÄÖÜ]\w+)"), _half),
        (re.compile(r"\b([Aa]b|[Uu]nter|[Üü]ber|[Bb]is|[Mm]it|[Ss]eit|[Vv]on)\s(\d{1,3})\sJ\."), _years_old),
        (re.compile(rf"{start}1\s?(Mio|Mrd)\.(?=\s)"), lambda m: _ONE[m[1]]),
        (re.compile(rf"({_COIN})\s?/\s?({_UNIT})(?!\w)"), lambda m: closed(m, f"{m[1]} pro {UNITS[m[2]][0]}")),
        (re.compile(rf"({_COIN})\s?/\s?(?=[A-ZÄÖÜ][a-zäöü])"), lambda m: f"{m[1]} pro "),
        (re.compile(rf"(\d\s?(?:{_COIN}|{_UNIT}))\s*[-–—]\s*(?=\d)"), lambda m: f"{m[1]} bis "),
        (re.compile(r"(?<![\w.,])(1[1-9]\d0)er\b"), lambda m: f"{numbers.year(m[1])}er"),
        (re.compile(r"(?<![\w.,])(\d{1,6})er\b"), lambda m: f"{numbers.cardinal(m[1])}er"),
        (re.compile(rf"(?<!\w)[-–—],(\d\d)(?=\s?(?:{_COIN}){end})"), lambda m: f"0,{m[1]}"),
        (re.compile(r"\bTel\.?(?=[\d(+])"), lambda _: "Telefon "),
        (re.compile(r"(?<=Durchwahl )-(?=\d)"), lambda _: ""),
        (re.compile(r"(?<![\w.,)])(?<!\d\s)-\s?(?=\d)"), lambda _: "minus "),
        (re.compile(rf"{start}(\d+)\.(\d\d?)(?=\s?(?:{_COIN}|{_UNIT}){end})"), lambda m: f"{m[1]},{m[2]}"),
        (re.compile(r"(?<=\w)/(?=(?:Tag|Woche|Monat|Jahr|Person|Stunde|Stück|Nacht|Kind|Kopf)\b)"), lambda _: " pro "),
        (re.compile(r"(?<!s\. )(?<!s\.)\bS\.\s?(?=\d)"), lambda _: "Seite "),
        (re.compile(rf"{start}({_AMOUNT}){DASH}({_AMOUNT})\s?({_COIN}){end}"), _prices),
        (
            re.compile(
                rf"{start}(?P<a>{_AMOUNT})\s?(?P<c>{_COIN}){end}|(?<!\w)(?P<d>[€$£]|EUR|CHF)\s?(?P<b>{_AMOUNT}){end}"
            ),
            _price,
        ),
        (re.compile(rf"(?<![\w,])({_NUMBER})?(?:(?<=\d){DASH})?(?<![\d.])({_NUMBER})\s?({_UNIT}){end}"), _measure),
        *TELEPHONES,
        (COUNTED, counted),
        (ORDINAL, ordinal),
        (GOES_ON, goes_on),
        (_CENTURIES, lambda m: numbers.year(m[1])),
        (re.compile(rf"/\s?({_UNIT})(?!\w)"), lambda m: f" pro {UNITS[m[1]][0]} "),
        (re.compile(rf"(?<!\w)(?:{_SHORT})(?!\w)"), _short),
        (re.compile(r"(?<=[a-zäöüß])nr\.(?=\s|$)"), lambda _: "nummer"),
        (re.compile(r"(?<=[a-zäöüß])str\.(?=\s|$|,)"), lambda m: "straße" + ("." if m.end() == len(m.string) else "")),
        (re.compile(rf"(?<!\w)(?:{'|'.join(sorted(PLAIN, key=len, reverse=True))})(?![\w])\.?(?=\W|$)"), _plain),
        (re.compile(r"(?<![\w,.])1\s([A-ZÄÖÜ][a-zäöüß]+)\b"), _counted),
        (re.compile(r"(?<!\w)(km²|m²|m³|kWh|kW|km/h)(?!\w)"), lambda m: UNITS[m[1]][0]),
        (re.compile(rf"(?<![\w.,])({_NUMBER}){DASH}({_NUMBER})(?!\w)"), _range),
        (re.compile(r"(\d)\s?[x×](?!\w)"), lambda m: f"{m[1]} mal"),
        (re.compile(r"\d+(?:\.\d+)*(?:,\d+)?"), _bare),
        (re.compile("|".join(re.escape(sign) for sign in SIGNS)), lambda m: f" {SIGNS[m[0]]} "),
        (re.compile(r"(?<=[a-zäöüß])[:*_](?=innen\b)"), lambda _: " "),
        (re.compile(r"\s[-–—/|]+\s"), lambda _: ", "),
        (re.compile(r"[–—/|*_#`~<>^\\•→{}\[\]]"), lambda _: " "),
    ]


def _range(match: re.Match[str]) -> str:
    return f"{numbers.number(match[1])} bis {numbers.number(match[2])}"


def _plain(match: re.Match[str]) -> str:
    name = match[0].removesuffix(".")
    if name in SHORTENED:
        return closed(match, PLAIN[name], noun_follows=False)
    return PLAIN[name] + match[0].removeprefix(name)


def _bare(match: re.Match[str]) -> str:
    """Say a number wherever it stands; within a word it is set apart."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if text[start - 1 : start].isalnum() else ""
    whole = re.fullmatch(_NUMBER, match[0])
    parts = [match[0]] if whole else match[0].split(".")
    return f"{before}{' Punkt '.join(map(numbers.number, parts))}{' ' if text[end : end + 1].isalnum() else ''}"


_RULES = _rules()
