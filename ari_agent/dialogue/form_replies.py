"""What short German replies to a form mean: yes, no, stop, "the number is wrong", and several answers in one breath."""

from __future__ import annotations

import re
from typing import Literal

from ari_agent.spoken.tokens import words

SlotName = Literal["recipient", "name", "number", "company", "matter", "wish", "email"]
Verdict = Literal["yes", "no"]

UNKNOWN = "[unk]"
"""How the recogniser writes a word that is not in its vocabulary."""
LONGEST = 1000
"""Letters of an utterance that are read; half a minute of speech has about 500."""

_YES_THOUGH_NEGATIVE = ("warum nicht", "kein problem", "kein thema", "nichts dagegen", "gar kein problem")
_NO = "nein nee nö nä naa nope"
_NO_FIRMLY = (
    "falsch verkehrt keinesfalls keineswegs niemals|auf keinen fall|auf gar keinen fall|"
    "lieber nicht|besser nicht|eher nicht|nicht ganz|nicht richtig|stimmt nicht|ganz und gar nicht|leider nicht|"
    "bloß nicht|noch nicht|doch nicht|passt nicht|geht nicht"
)
_YES_FIRMLY = (
    "ja jo jaja jawohl jawoll jep jepp jap yes genau richtig stimmt korrekt okay ok passt exakt einverstanden "
    "freilich selbstverständlich natürlich gerne gern mhm|in ordnung|alles klar|auf jeden fall|so ist es|"
    "machen sie das|mach das|sehr gut|sehr gerne|aber sicher|na klar|aber klar|ja klar"
)
_YES_ALONE = "klar sicher gut super prima perfekt wunderbar bestens doch bitte absolut gewiss logisch eben jau"
_FILLERS = frozenset(
    words(
        "also äh ähm öh hm das ist so war alles ganz danke schön dann und sie da aber mal ach oh na denn eigentlich "
        "ich glaube leider vollkommen völlig sehr es haben hast du verstanden vielen dank sagen würde denke nur das"
    )
)
_TAG = "ne"
"""No at the beginning; at the end it only asks for approval."""
_FAR = 5
"""A "nicht" so many words after a yes belongs to something else: "ja, aber bitte nicht vor neun"."""


def _phrases(listed: str) -> list[list[str]]:
    first, *others = listed.split("|")
    return sorted(([*map(words, first.split()), *map(words, others)]), key=len, reverse=True)


_MARKS: list[tuple[str, list[list[str]]]] = [
    ("yes", [words(phrase) for phrase in _YES_THOUGH_NEGATIVE]),
    ("firm-no", _phrases(_NO_FIRMLY)),
    ("no", _phrases(_NO)),
    ("yes", _phrases(_YES_FIRMLY)),
    ("weak-yes", _phrases(_YES_ALONE)),
]


def heard(text: str) -> list[str]:
    """Return the words that were understood."""
    return words(text[:LONGEST].replace(UNKNOWN, " "))


def verdict(text: str) -> tuple[Verdict | None, str]:
    """Return what a caller says to a question of yes or no, and what else they say; None where it is neither."""
    spoken = heard(text)
    marks: list[tuple[str, int]] = []
    rest: list[str] = []
    at = 0
    while at < len(spoken):
        mark, end = _mark(spoken, at)
        if mark:
            marks.append((mark, at))
        elif spoken[at] not in _FILLERS or rest:
            rest.append(spoken[at])
        at = end
    return _judged(marks, bool(rest)), " ".join(rest)


def _mark(spoken: list[str], at: int) -> tuple[str, int]:
    for mark, phrases in _MARKS:
        for phrase in phrases:
            if spoken[at : at + len(phrase)] == phrase:
                return mark, at + len(phrase)
    if spoken[at] == "nicht":
        return "weak-no", at + 1
    return ("no" if spoken[at] == _TAG and at == 0 else ""), at + 1


def _judged(marks: list[tuple[str, int]], more: bool) -> Verdict | None:
    kinds = [mark for mark, _ in marks]
    first = kinds[0] if kinds else ""
    far = all(at >= _FAR for mark, at in marks if mark == "weak-no")
    if "firm-no" in kinds:
        return "no"
    if "no" in kinds:
        # "nein, stimmt alles" may mean either
        either = first == "no" and "yes" in kinds and "weak-no" not in kinds and not more
        return None if either else "no"
    if "weak-no" in kinds and not (first == "yes" and far):
        return "no"
    if first == "yes" or (first == "weak-yes" and not more):
        return "yes"
    return None


_POLITE = (
    r"(?:nein|nee|ja|ach|oh|äh|ähm|also|bitte|danke|ich|wir|sie|moment|halt|stopp|dann|lieber|jetzt|doch|mal|gut|okay|"
    r"weißt\ du\ was|wissen\ sie\ was|wieder|einfach)"
)
_STOP = re.compile(
    rf"""(?: (?:{_POLITE}\ )*
    (?: abbrechen | abbruch | (?:brechen\ sie|brich)\ (?:das\ |es\ |bitte\ )*ab |
        (?:möchte|will|würde)\ (?:\w+\ )?(?:gerne?\ )?abbrechen |
        (?:vergessen\ sie|vergiss)\ (?:es|das)(?:\ ganze)? | vergessen\ sies | vergisses | doch\ nicht |
        (?:möchte|will|brauche?)\ (?:es\ |das\ )?(?:doch\ |jetzt\ )?nicht(?:\ mehr)? |
        (?:dann\ |lieber\ |jetzt\ )+nicht | (?:hören\ sie|hör)\ (?:jetzt\ |bitte\ )*auf |
        (?:löschen\ sie|lösch)\ (?:das|es|alles)(?:\ wieder)? |
        (?:das\ |es\ )?(?:ist|wird|dauert)\ (?:mir\ )?(?:jetzt\ )?zu\ (?:lang|lange|umständlich|kompliziert|viel|blöd) |
        lassen\ wir\ (?:es|das)(?:\ (?:bleiben|sein|lieber|besser))? |
        lass(?:en\ sie)?\ (?:es|das)(?:\ (?:bleiben|sein|gut\ sein))? |
        (?:es\ |das\ )?hat\ sich\ (?:schon\ |gerade\ )?erledigt | (?:das\ |es\ )?ist\ nicht\ (?:mehr\ )?nötig |
        (?:brauche?|möchte|will)\ (?:doch\ )?(?:gar\ )?kein(?:en|e)?\ (?:rückruf|nachricht)(?:\ mehr)? |
        (?:doch\ )?kein(?:en|e)?\ (?:rückruf|nachricht)(?:\ mehr)? |
        (?:habe?\ es|habs)\ mir\ (?:jetzt\ |doch\ )?anders\ überlegt )
    (?:\ {_POLITE})* (?:\ |$) )+
    (?: (?:{_POLITE}\ )* (?:ich|wir)\ (?:rufe?|ruf|melde|meld|versuche?|probiere?|komme?|schaue?|schreibe?|schicke?)n?
        (?:\ \w+){{0,8}} )?""",
    re.VERBOSE,
)
"""Also with what the caller does instead: "lassen sie es, ich rufe morgen selber noch einmal an"."""


def wants_to_stop(text: str) -> bool:
    """Tell whether the whole utterance calls the form off."""
    return _STOP.fullmatch(" ".join(heard(text))) is not None


_NOUNS: dict[str, SlotName] = dict.fromkeys(words("name namen nachname nachnamen vorname vornamen"), "name")
_NOUNS |= dict.fromkeys(
    words("nummer telefonnummer rufnummer handynummer mobilnummer rückrufnummer festnetznummer vorwahl"), "number"
)
_NOUNS |= dict.fromkeys(words("zeit uhrzeit zeitpunkt termin tag datum"), "wish")
_NOUNS |= dict.fromkeys(words("firma unternehmen firmenname firmennamen"), "company")
_NOUNS |= dict.fromkeys(words("mail email mailadresse emailadresse adresse"), "email")
_NOUNS |= dict.fromkeys(words("anliegen grund thema"), "matter")
_NOUNS |= dict.fromkeys(words("empfänger empfängerin ansprechpartner"), "recipient")
_NOUNS |= dict.fromkeys(words("ziffer ziffern zahl zahlen endziffer endziffern"), "number")
_NOUNS |= dict.fromkeys(words("wochentag termin rückrufzeit"), "wish")
_WRONG = frozenset(
    words(
        "falsch falsche falscher falschen anders andere anderer verkehrt ändern korrigieren geändert fehler nicht "
        "berichtigen verbessern"
    )
)
_AROUND = frozenset(
    words(
        "nein nee moment halt stopp entschuldigung die der das den mein meine meinen ihre ist war stimmt noch bitte ja "
        "aber also äh so ganz leider mal möchte ich muss will kann richtig da ein einen haben sie verstanden doch e"
    )
)


def says_wrong(text: str) -> bool:
    """Tell whether the words say no more than that something is wrong."""
    return all(word in _WRONG or word in _AROUND for word in heard(text))


def to_change(text: str, *, whole: bool) -> SlotName | None:
    """Return which answer the caller says is wrong; with `whole` only if they say nothing else."""
    spoken = heard(text)
    named = [_NOUNS[word] for word in spoken if word in _NOUNS]
    if not named or not _WRONG & set(spoken):
        return None
    if whole and not all(word in _NOUNS or word in _WRONG or word in _AROUND for word in spoken):
        return None
    return named[0]


_HOW = r"(?:um|am|an|für|ab|gegen|in|der|die|das|den|dem)"
_DENIED = re.compile(
    rf"""\b(?:nicht|kein)\ (?:(?P<how>{_HOW})\ )?(?P<wrong>.+?)\ (?:sondern|(?=(?P=how)\ )) |
    \b(?:an)?statt\ {_HOW}?\ ?.+?\ (?=(?:lieber\ |doch\ |bitte\ )*{_HOW}\ )""",
    re.VERBOSE,
)
"""What is wrong before what is right: "nicht um drei sondern um vier", "nicht um drei um vier"."""
_NO_TIMES = r"(?!vor\b|nach\b|früher|später|zu\b|so\b|mehr\b)"
_DENIED_LAST = re.compile(rf"\s(?:und )?(?:nicht {_NO_TIMES}|statt |anstatt )(?:{_HOW} )*[^ ]+(?: [^ ]+){{0,2}}$")
"""What is wrong behind what is right: "um vier nicht um drei"."""


def meant(text: str) -> str:
    """Return what a correction says is right, without what it says is wrong."""
    said = " ".join(_DENIED.sub("", f"{text} ").split())
    return _DENIED_LAST.sub("", said) or said


def named(text: str) -> SlotName | None:
    """Return which answer the caller names, after being asked what to change."""
    if re.search(r"\bfür wen\b|\ban wen\b|\bwer (?:sie|die|das) (?:kriegt|bekommt)", text):
        return "recipient"
    return next((_NOUNS[word] for word in heard(text) if word in _NOUNS), None)


_NUMBER_NOUN = r"(?:telefon|handy|mobil|rückruf|ruf|festnetz)?nummer"
_CUES: dict[SlotName, str] = {
    "name": r"mein\ name\ (?:ist|lautet|wäre) | ich\ hei(?:ß|ss)e | der\ name\ ist",
    "number": rf"""(?:meine|die|unsere)\ {_NUMBER_NOUN}\ (?:ist|lautet|wäre) | {_NUMBER_NOUN}\ (?:ist|lautet) |
        (?:sie\ )?(?:erreichen|erreicht)\ (?:sie\ |ihr\ )?(?:mich|uns)\ unter(?:\ der\ {_NUMBER_NOUN})? |
        zu\ erreichen\ unter(?:\ der\ {_NUMBER_NOUN})? | unter\ (?:der|meiner|folgender)\ {_NUMBER_NOUN}""",
    "company": r"""(?:ich\ (?:bin|rufe|komme)\ (?:an\ )?)?(?:von|aus|bei)\ der\ firma |
        (?:meine|die)\ firma\ (?:ist|heißt)""",
    "recipient": r"""(?:die\ nachricht|das|es|sie)\ (?:ist|war|soll|geht|sollte)\ (?:nicht\ )?(?:für|an)
        (?=\ (?:den|die|das|frau|herrn?|mein|ihr|einen)\b)""",
    "matter": r"es\ geht\ (?:nicht\ )?(?:um|darum) | ich\ rufe\ an\ wegen | wegen | es\ handelt\ sich\ um",
    "wish": r"""(?:und\ )?am\ (?:liebsten|besten) |
        (?:und\ )?(?:bitte\ )?rufen\ sie\ (?:mich|uns)(?:\ bitte)?(?:\ doch)? |
        (?:und\ )?(?:zurück\ )?(?:rückruf|zurückrufen)\ (?:bitte|am\ besten)""",
    "email": r"(?:meine|die)\ (?:e\ )?(?:mail|email)(?:\ ?adresse)?\ (?:ist|lautet)",
}
_CUE = re.compile(
    "|".join(rf"(?P<{slot}>\b(?:{pattern})\b)" for slot, pattern in _CUES.items()), re.VERBOSE | re.IGNORECASE
)


def answers(text: str) -> list[tuple[SlotName | None, str]]:
    """Cut what is said in one breath: first what answers the question (None), then what is announced as something else.

    Unknown words stay where they are.
    """
    spaced = " ".join(text[:LONGEST].split())
    found = [match for match in _CUE.finditer(spaced) if match.lastgroup is not None]
    parts: list[tuple[SlotName | None, str]] = [(None, spaced[: found[0].start()].strip() if found else spaced)]
    for at, match in enumerate(found):
        slot = next(name for name in _CUES if name == match.lastgroup)
        end = found[at + 1].start() if at + 1 < len(found) else len(spaced)
        # a matter keeps its announcement: "es geht um die Heizung" is how people write it down
        start = match.start() if slot == "matter" else match.end()
        parts.append((slot, spaced[start:end].strip().removesuffix(" und")))
    return parts
