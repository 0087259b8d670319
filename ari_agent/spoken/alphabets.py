"""The words by which letters are spelled, and the names of the letters as a recogniser writes them.

The tables are those of DIN 5009:1983 (as telephone operators used them), of DIN 5009:2022 (towns) and of ICAO Annex 10.
"""

from __future__ import annotations

from typing import Literal

from ari_agent.spoken.tokens import words

Table = Literal["din_1983", "din_2022", "nato"]

_DIN_1983 = words(
    "anton berta cäsar dora emil friedrich gustav heinrich ida julius kaufmann ludwig martha nordpol otto paula quelle "
    "richard samuel theodor ulrich viktor wilhelm xanthippe ypsilon zacharias ärger ökonom übermut eszett"
)
_DIN_2022 = words(
    "aachen berlin chemnitz düsseldorf essen frankfurt goslar hamburg ingelheim jena köln leipzig münchen nürnberg "
    "offenbach potsdam quickborn rostock salzwedel tübingen unna völklingen wuppertal xanten ypsilon zwickau"
)
_NATO = words(
    "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey xray yankee zulu"
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_UMLAUTS = {"ä": "a", "ö": "o", "ü": "u"}


def _with_umlauts(spelled: list[str]) -> dict[str, str]:
    table = dict(zip(_LETTERS, spelled, strict=True))
    return table | {umlaut: f"umlaut {table[plain]}" for umlaut, plain in _UMLAUTS.items()} | {"ß": "eszett"}


TABLES: dict[Table, dict[str, str]] = {
    "din_1983": dict(zip(_LETTERS + "äöüß", _DIN_1983, strict=True)),
    "din_2022": _with_umlauts(_DIN_2022),
    "nato": _with_umlauts(_NATO),
}
"""Letter → the word or words for it."""

# words that people also use, of older tables, of Austria and Switzerland, and how a recogniser writes the others
_MORE = {
    "a": "albert anna",
    "b": "bertha",
    "c": "caesar cesar konrad",
    "d": "david daniel",
    "f": "fritz",
    "g": "gustaf",
    "h": "heinz",
    "j": "jakob johannes juliet juliette",
    "k": "karl kurfürst",
    "l": "leopold",
    "m": "marta maria martin marie",
    "n": "norbert nathan niklaus",
    "o": "oskar",
    "q": "quasi",
    "r": "rosa rudolf",
    "s": "siegfried sophie sofie sigfried",
    "t": "teodor",
    "v": "vogel",
    "w": "whisky",
    "x": "xaver",
    "z": "zeppelin zürich zeus",
    "ä": "änderung",
    "ö": "österreich",
    "ü": "überfluss übung",
    "ch": "charlotte",
    "sch": "schule",
}
SPELLING_WORDS: dict[str, str] = {
    word: letter for table in TABLES.values() for letter, word in table.items() if " " not in word
} | {word: letter for letter, others in _MORE.items() for word in words(others)}
"""Word of any table → its letters."""

_NAMES = {
    "a": "ah aa",
    "b": "be bee beh",
    "c": "ce ze zeh ceh tse cé",
    "d": "de dee deh",
    "e": "eh ee",
    "f": "ef eff",
    "g": "ge geh gee",
    "h": "ha hah",
    "i": "ih ie",
    "j": "jot jott yot",
    "k": "ka kah",
    "l": "el ell",
    "m": "em emm",
    "n": "en enn",
    "o": "oh",
    "p": "pe peh pee",
    "q": "ku kuh kuu",
    "r": "er err",
    "s": "es ess",
    "t": "te tee teh",
    "u": "uh",
    "v": "vau fau",
    "w": "we weh wee",
    "x": "ix iks",
    "y": "ypsilon üpsilon ipsilon upsilon",
    "z": "zet zett tset",
    "ä": "ae",
    "ö": "öh oe",
    "ü": "üh ue",
    "ß": "eszett esszett sz",
    "ch": "ch",
    "sch": "sch",
    "ck": "ck",
    "tz": "tz",
    "th": "th",
    "ph": "ph",
    "dt": "dt",
}
LETTER_NAMES: dict[str, str] = {letter: letter for letter in _LETTERS + "äöüß"} | {
    name: letter for letter, names in _NAMES.items() for name in words(names)
}
"""Name of a letter as it is heard → the letter."""
