"""Guard over phrased answers: nothing is spoken that the company has not written.

A sentence may leave things out of the passage, put them in another order and join them with the small words below; a
number, day, name, place, promise or anything else that the passage does not have is an objection, and so is a "nicht"
that the passage lacks or that got lost. It errs to the safe side: then the passage is spoken as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import Stemmer
from num2words import num2words

from ari_agent.decision import Topic
from ari_agent.speech.sentences import split

_SMALL = frozenset(
    word
    for line in (
        "ab aber alle alles also am an auch auf aus bei beim bis bitte da dabei dafür damit dann daran darauf das dass",
        "dazu dem den denn der des die dies diese diesem diesen dieser dieses durch ein eine einem einen einer eines",
        "er es etwa für gern gerne hier ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in ja je mit nach noch nun",
        "nur ob oder ohne sich sie so sowie über um und uns unser unsere unserem unseren unserer unter vom von vor",
        "während was weil welche welchen welcher wenn wie wir wird wo wobei zu zum zur zwischen",
        "bekommen bekommt beträgt bieten bietet bin bleiben brauchen braucht dauert dürfen finden findet geben geht",
        "gehört gibt haben habe hat hätten ist kann können kommen kommt kostet liegt machen macht möchten müssen",
        "nehmen rechnen sein sind soll sollten stehen steht war werden wird wissen wollen würde würden",
        "kein keine keinem keinen keiner keines leider nicht nichts",
        "frage gerade guten insgesamt jeweils natürlich selbstverständlich tag zusätzlich danke",
    )
    for word in line.split()
)
"""Words that claim nothing by themselves."""
_PROMISES = re.compile(
    r"garantier\w*|verspr[eoi]ch\w*|kostenlos|gratis|umsonst|sofort|immer|jederzeit|niemals|nie|sicher|bestimmt|unbedingt|"
    r"rabatt|billiger|günstiger"
)
_NEGATIONS = re.compile(r"\b(nicht|nichts|kein(e|en|em|er|es)?|nie|niemals|ohne|geschlossen|leider)\b", re.IGNORECASE)
_WORD = re.compile(r"\d+|[^\W\d_]+")
_NUMERAL = re.compile(
    r"(null|eins?|zwei|zwo|drei|vier|fünf|sechs|sech|sieben|sieb|acht|neun|zehn|elf|zwölf|zwanzig|dreißig|ßig|zig|und|"
    r"hundert|tausend|million(en)?|halbe?n?|viertel|dreiviertel)+(te[nrsm]?|ste[nrsm]?|mal|er|e)?"
)
_LONGEST_NUMBER = 12
_stem = Stemmer.Stemmer("german").stemWord


def objection(sentence: str, topic: Topic) -> str | None:
    """Return a code for what the sentence claims beyond the passage, None when it may be spoken.

    Codes: "number", "promise", "negation", "word", and "empty" for a sentence without any word that tells something.
    """
    written = _words(f"{topic.title}. {topic.text}")
    known = {*written, *map(_stem, written)}
    said = _words(sentence)
    if all(word in _SMALL for word in said):
        return "empty"  # "Ja, das machen wir." says yes to whatever was asked
    for word in said:
        if word in written or (word in _SMALL and not _is_number(word)):
            continue
        if _is_number(word):
            return "number"
        if _PROMISES.fullmatch(word):
            return "promise"
        if _stem(word) not in known:
            return "word"
    return None if _negates(sentence) == _negates(_counterpart(sentence, topic)) else "negation"


def numbers(text: str) -> frozenset[str]:
    """Return the numbers in a text, as words in lower case."""
    return frozenset(word for word in _words(text) if _is_number(word))


def _words(text: str) -> list[str]:
    """Return the words in lower case; figures as German number words, so that "129" is what it sounds like."""
    words = (number for token in _WORD.findall(text) for number in _spelled(token))
    return [word.lower() for word in words]


def _spelled(token: str) -> Iterable[str]:
    if not token.isdecimal() or len(token) > _LONGEST_NUMBER:
        return (token,)
    return (str(num2words(int(token), lang="de")),)


def _is_number(word: str) -> bool:
    return word not in ("ein", "und", "eine", "einer") and (word.isdecimal() or _NUMERAL.fullmatch(word) is not None)


def _negates(text: str) -> bool:
    return _NEGATIONS.search(text) is not None


def _counterpart(sentence: str, topic: Topic) -> str:
    """Return the sentence of the passage that shares most words with this one."""
    said = set(_words(sentence)) - _SMALL
    return max(split(topic.text), key=lambda written: len(said & set(_words(written))), default="")
