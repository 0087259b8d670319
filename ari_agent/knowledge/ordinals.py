"""German ordinals with the ending that the words around them ask for: "der dritte", "im dritten", "ein drittes"."""

from __future__ import annotations

import re

from ari_agent.knowledge import spoken_numbers as numbers

_FEMININE = r"Etage|Klasse|Liga|Woche|Rate|Mahnung|Hälfte|Person|Reihe|Stufe|Auflage|Stunde|Sitzung|Nacht"
_NEUTER = r"Obergeschoss|Untergeschoss|OG|UG|Quartal|Jahr|Mal|Jubiläum|Kind|Halbjahr|Lebensjahr|Schuljahr|Tor|Gespräch"
_MASCULINE = (
    r"Stock|Tag|Monat|Platz|Schritt|Advent|Weihnachtstag|Weihnachtsfeiertag|Feiertag|Werktag|Geburtstag|Termin|Hof"
    r"|Versuch|Mann|Vorsitzende[rn]?|Bürgermeister|FC|SC"
)
_BEFORE = 60
"""Letters that are looked at before a number; the words that decide its ending are the last two."""
COUNTED = re.compile(rf"(?<![\w.,])(\d{{1,3}})\.\s?(?=({_FEMININE}|{_NEUTER}|{_MASCULINE})\b)")
"""An ordinal before a noun that is counted; before others a number with a dot may have ended a sentence."""
GOES_ON = re.compile(r"(?<![\w.,])(\d{1,3})\.(?=\s?,\s?\d{1,2}\.|\s[a-zäöü])")
"""An ordinal by what follows: no sentence begins with a small letter or a comma."""
ORDINAL = re.compile(
    r"\b([Ii]m|[Aa]m|[Zz]um|[Vv]om|[Bb]eim|[Dd]er|[Dd]ie|[Dd]as|[Dd]em|[Dd]en|[Jj]eden)\s(\d{1,3})\.\s(?=[A-ZÄÖÜ])"
)
"""An ordinal by what goes before: these words ask for one."""
_ARTICLES = ("der", "die", "das")
_WEAK = re.compile(
    r"am|im|zum|zur|vom|beim|dem|den|des|ab|bis|jede[nmr]?|diese[nmr]?|(?:unser|ihr|ein|mein|dein|kein|euer|eur)e[nmr]?"
)
"""Words that have the ending of the case themselves; the ordinal then has a weak one."""
_NAMED = re.compile(r"(?:\b(?!Unser\b|Ihr\b|Euer\b|Mein\b|Ein\b)[A-ZÄÖÜ]\w+|\bund|\boder)\s$")
"""After a noun a number is its own, as in "Bus 57. Termine gibt es", and its dot ended the sentence."""
_BEFORE_DATIVE = {"in", "an", "auf", "aus", "bei", "mit", "nach", "von", "seit", "zu", "ab", "vor", "hinter", "während"}
_WEEKDAY = re.compile(r"(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag),?")


def ending(text: str, start: int) -> str:
    """Return how a masculine ordinal at this place of the text ends, such as a date's.

    "" after "der", "n" after "am" and most other words, "r" where nothing before it asks for a case.
    """
    before = text[max(0, start - _BEFORE) : start].rstrip()
    if not before or before.endswith((":", ".", "(", ";", "!", "?")):
        return "r"
    words = before.casefold().split()
    if _WEEKDAY.fullmatch(words[-1]):
        return "n" if len(words) > 1 and words[-2] in ("am", "vom", "zum", "bis", "ab", "den", "dem") else "r"
    if words[-1] in _ARTICLES:
        return "n" if len(words) > 1 and words[-2] in _BEFORE_DATIVE else ""
    return "n"


def counted(match: re.Match[str]) -> str:
    """Return the ordinal of COUNTED, by the gender of the noun that follows."""
    preceding = match.string[max(0, match.start() - _BEFORE) : match.start()]
    before = (preceding.casefold().split() or [""])[-1]
    if _NAMED.search(preceding) and not (_WEAK.fullmatch(before) or before in _ARTICLES):
        return match[0]
    if before in _ARTICLES or before in _BEFORE_DATIVE or _WEAK.fullmatch(before):
        nominative = before.endswith("e") and before not in _ARTICLES
        return f"{numbers.ordinal(match[1], '' if nominative else ending(match.string, match.start()))} "
    noun = match[2]
    strong = "" if re.fullmatch(_FEMININE, noun) else "s" if re.fullmatch(_NEUTER, noun) else "r"
    return f"{numbers.ordinal(match[1], strong)} "


def goes_on(match: re.Match[str]) -> str:
    """Return the ordinal of GOES_ON."""
    return numbers.ordinal(match[1], ending(match.string, match.start()))


def ordinal(match: re.Match[str]) -> str:
    """Return article and number of ORDINAL."""
    return f"{match[1]} {numbers.ordinal(match[2], ending(match.string, match.start(2)))} "
