"""Days, dates and times of German texts in words."""

from __future__ import annotations

import re
from collections.abc import Callable

from ari_agent.knowledge import spoken_numbers as numbers
from ari_agent.knowledge.ordinals import ending, goes_on
from ari_agent.knowledge.spoken_words import MONTHS_SHORT, WEEKDAYS

_Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]
DASH = r"\s*(?:-|–|—|bis)\s*"
_STARTS = re.compile(
    r"\s(?:Wir|Sie|Ich|Das|Die|Der|Den|Es|Ein|Eine|Bitte|Danach|Dann|Dafür|Dazu|Unser|Unsere|Ihr|Ihre|Kommen|Rufen|Im|In"
    rf"|Am|An|Ab|Auf|Bei|Bis|Für|Mit|Nach|Von|Vom|Zum|Zur|Wenn|Alle|Hier|{'|'.join(WEEKDAYS)}|{'|'.join(WEEKDAYS.values())})\b"
)
"""Words that mostly begin a sentence: the dot of an abbreviation before them ended one too."""
_CAPITAL = re.compile(r"\s[A-ZÄÖÜ]")
_DAY, _MONTH, _YEAR = r"(\d{1,2})", r"(\d{1,2})", r"(\d{4}|\d{2})"
_NAMED = "|".join(numbers.MONTHS)
_NAMED_OR_SHORT = f"{_NAMED}|{'|'.join(MONTHS_SHORT)}"
_WEEKDAY = "|".join(WEEKDAYS)
_ON_WEEKDAY = re.compile(rf"\b([Aa]m|[Aa]b|[Vv]om|[Zz]um|[Bb]is)\s(?:{'|'.join(WEEKDAYS.values())}),?\s$")


def closed(match: re.Match[str], spoken: str, *, noun_follows: bool = True) -> str:
    """Return the words with the dot that also ended the sentence.

    `noun_follows` tells whether a noun may come next, as in "30 Min. Pause"; else any capital begins a sentence.
    """
    text, end = match.string, match.end()
    ends = end == len(text) or (_STARTS if noun_follows else _CAPITAL).match(text, end)
    return spoken + "." if match[0].rstrip().endswith(".") and ends else spoken


def _case(match: re.Match[str]) -> str:
    return ending(match.string, match.start())


def _date(match: re.Match[str]) -> str:
    spoken = numbers.calendar(match[1], match[2], match[3] or "", _case(match))
    return match[0] if spoken is None else closed(match, _after_weekday(match) + spoken)


def _after_weekday(match: re.Match[str]) -> str:
    """Return what stands between the day of the week and a date: "am Montag, dem dritten Mai"."""
    before = _ON_WEEKDAY.search(match.string[max(0, match.start() - 20) : match.start()])
    if not before:
        return ""
    article = "den " if before[1].casefold() == "bis" else "dem "
    return article if "," in before[0] else f", {article}"


def _dates(match: re.Match[str]) -> str:
    last = numbers.calendar(match[3], match[4], match[5] or "", _case(match) or "n")
    if last is None or not 1 <= int(match[1]) <= 31 or (match[2] and not 1 <= int(match[2]) <= 12):
        return match[0]
    month = f" {numbers.MONTHS[int(match[2]) - 1]}" if match[2] else ""
    return closed(match, f"{numbers.ordinal(match[1], _case(match))}{month} bis {last}")


def _first_day(match: re.Match[str]) -> str:
    return goes_on(match) if 1 <= int(match[1]) <= 31 else match[0]


def _named_dates(match: re.Match[str]) -> str:
    return f"{_first_day(match)} bis {numbers.ordinal(match[2], _case(match) or 'n')}"


def _named_date(match: re.Match[str]) -> str:
    if not 1 <= int(match[1]) <= 31:
        return match[0]
    spoken = f"{_after_weekday(match)}{goes_on(match)} {match[2]}"
    return f"{spoken} {numbers.year(match[3])}" if match[3] else spoken


def _iso(match: re.Match[str]) -> str:
    return numbers.calendar(match[3], match[2], match[1], _case(match)) or match[0]


def _months(match: re.Match[str]) -> str:
    return closed(match, " bis ".join(MONTHS_SHORT.get(name, name) for name in (match[1], match[2])))


def _month_of(match: re.Match[str]) -> str:
    return f"{numbers.MONTHS[int(match[1]) - 1]} {numbers.year(match[2])}"


def _times(match: re.Match[str]) -> str:
    if max(int(match[1]), int(match[3])) > 24:
        return match[0]
    first = numbers.clock(match[1], match[2] or "")
    first = first if match[2] and int(match[2]) else first.removesuffix(" Uhr")
    return f"{first} bis {numbers.clock(match[3], match[4] or '')}"


def _time(match: re.Match[str]) -> str:
    return match[0] if int(match[1]) > 24 else numbers.clock(match[1], match[2] or "")


def _weekdays(match: re.Match[str]) -> str:
    spoken = re.sub(rf"\b({_WEEKDAY})\b\.?", lambda day: WEEKDAYS[day[1]], match[0])
    *first, last = re.split(r"\s*[/+&]\s*", spoken)
    return re.sub(r"\s*[-–—]\s*", " bis ", " und ".join(filter(None, [", ".join(first), last])))


def _rules() -> list[_Rule]:
    start, end = r"(?<![\w.,])", r"(?![\w])"
    hour, minute = r"(\d{1,2})", r"(?:[:.](\d{2}))?"
    day = rf"(?:{_WEEKDAY})\b\.?"
    patterns: list[tuple[str, Callable[[re.Match[str]], str]]] = [
        (rf"\b{day}(?:\s*(?:[-–—/+&,]|bis|und)\s*{day})+", _weekdays),
        (rf"\b(?:(?<=[Aa]m )|(?<=jeden )|(?<=ab )|(?<=bis )){day}(?=\W|$)|\b{day}(?=[:,]?\s*\d)", _weekdays),
        (rf"(?<=\d\.)\s?({'|'.join(MONTHS_SHORT)})\b\.?", lambda m: f" {MONTHS_SHORT[m[1]]}"),
        (rf"\b({_NAMED_OR_SHORT})\b\.?\s?[-–—]\s?({_NAMED_OR_SHORT})\b\.?", _months),
        (rf"{start}{_DAY}\.(?=\s?,\s?\d{{1,2}}\.)", _first_day),
        (rf"{start}{_DAY}\.(?=\s?(?:,|und|oder|\+|&)\s?\d{{1,2}}\.\s?(?:\d{{1,2}}\.|{_NAMED}))", _first_day),
        (rf"{start}{_DAY}\.\s?(?:{_MONTH}\.)?{DASH}{_DAY}\.\s?{_MONTH}\.\s?{_YEAR}?{end}", _dates),
        (rf"{start}{_DAY}\.\s?{_MONTH}\.{_YEAR}{DASH}{_DAY}\.\s?{_MONTH}\.\s?{_YEAR}{end}", _both_dates),
        (rf"{start}{_DAY}\.\s?{_MONTH}\.(?:\s?{_YEAR}{end}(?!\s*Uhr))?", _date),
        (rf"{start}(\d{{4}})-(\d\d)-(\d\d){end}", _iso),
        (rf"{start}{_DAY}\.{DASH}{_DAY}\.(?=\s?(?:{_NAMED})\b)", _named_dates),
        (rf"{start}{_DAY}\.\s?({_NAMED})\b(?:\s(\d{{4}})\b(?!\s?(?:Uhr|Euro|€)))?", _named_date),
        (rf"{start}(0?[1-9]|1[0-2])/(20\d\d){end}", _month_of),
        (r"\bKW\s?(?=\d)", lambda _: "Kalenderwoche "),
        (rf"{start}{hour}{minute}(?:\s?Uhr)?{DASH}{hour}{minute}\s?(?:Uhr|h)\b", _times),
        (rf"{start}{hour}:(\d\d){DASH}{hour}:(\d\d)(?:\s?Uhr)?\b", _times),
        (rf"{start}{hour}[:.](\d\d)\s?(?:Uhr|h)\b", _time),
        (rf"{start}{hour}()\s?Uhr\b", _time),
        (r"(?<=Maßstab )(\d+):(\d+)|(?<=Verhältnis )(\d+):(\d+)", _ratio),
        (rf"{start}{hour}:([0-5]\d){end}", _time),
        (rf"{start}(\d{{1,3}}):(\d{{1,4}}){end}", _ratio),
    ]
    return [(re.compile(pattern), spoken) for pattern, spoken in patterns]


def _both_dates(match: re.Match[str]) -> str:
    first = numbers.calendar(match[1], match[2], match[3], _case(match))
    last = numbers.calendar(match[4], match[5], match[6], _case(match) or "n")
    return match[0] if first is None or last is None else f"{first} bis {last}"


def _ratio(match: re.Match[str]) -> str:
    one, other = (number for number in match.groups() if number is not None)
    return f"{numbers.cardinal(one)} zu {numbers.cardinal(other)}"


MOMENTS = _rules()
"""In their order: what holds digits and dots of others' kinds goes first."""
