"""E-mail addresses said aloud: "info ät müller minus bau punkt de"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ari_agent.spoken.alphabets import LETTER_NAMES, SPELLING_WORDS
from ari_agent.spoken.numbers import Part, parts_of, read
from ari_agent.spoken.tokens import tokens, words

_AT = frozenset([*words("ät at ett et äd äht klammeraffe klammeraffen affenschwanz"), "@"])
_SIGNS = {"punkt": ".", "dot": ".", "bindestrich": "-", "minus": "-", "strich": "-", "mittelstrich": "-"}
_SIGNS |= {"unterstrich": "_", "tiefstrich": "_", "underscore": "_", "plus": "+"}
_SIGNS |= {sign: sign for sign in ".-_+"}
_SPOKEN_SIGNS = {"@": "ät", ".": "Punkt", "-": "minus", "_": "Unterstrich", "+": "plus"}
_FIGURES = dict(zip("0123456789", words("null eins zwo drei vier fünf sechs sieben acht neun"), strict=True))

_INTRODUCTIONS = frozenset(
    words(
        "ja also äh ähm hm genau gerne die meine unsere seine ihre das mail email adresse mailadresse emailadresse "
        "ist lautet wäre heißt an unter auf bitte schicken senden schreiben sie es mir ich habe haben wir und zwar nein"
    )
)
_ENDINGS = frozenset(words("danke bitte genau ja vielen dank äh ähm fertig das wars ist war alles so okay"))
_HESITATIONS = frozenset(
    words("äh ähm hm dann alles kleingeschrieben großgeschrieben geschrieben zusammen zusammengeschrieben")
)
_TOP_LEVEL = {"komm": "com", "kom": "com", "nett": "net", "ork": "org", "dee": "de", "eu": "eu", "at": "at", "de": "de"}
_TOP_LEVEL |= {"info": "info", "biz": "biz", "com": "com", "net": "net", "org": "org"}

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_ADDRESS = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII
)  # the dot-atom of RFC 5322 with the signs that people say, and the labels of RFC 1035
_LONGEST = 254  # RFC 5321, 4.5.3.1, with the limits of the local part and of a label below
_LONGEST_LOCAL = 64
_LONGEST_LABEL = 63

_MOST_WORDS = 3
"""More words without a sign between them are a sentence rather than a part of an address."""


@dataclass(frozen=True)
class _Piece:
    kind: Literal["word", "letter", "figures", "sign", "at"]
    text: str


def valid(address: str) -> bool:
    """Tell whether it is an address that can be said: lower case, ASCII, with the signs . - _ +"""
    local, _, domain = address.partition("@")
    return (
        len(address) <= _LONGEST
        and len(local) <= _LONGEST_LOCAL
        and all(len(label) <= _LONGEST_LABEL for label in domain.split("."))
        and _ADDRESS.fullmatch(address) is not None
    )


def parse(text: str) -> str | None:
    """Return the address that the words are, in lower case, umlauts as ae, oe, ue; None when they are none."""
    spoken = _address_words(text)
    places = [at for at, word in enumerate(spoken) if word in _AT and not _ends(spoken, at)]
    if len(places) != 1:
        return None
    local = _pieces(spoken[: places[0]])
    domain = _pieces(_domain(spoken[places[0] + 1 :]))
    if not local or not domain or _is_sentence(local) or _is_sentence(domain):
        return None
    address = "".join(piece.text for piece in local) + "@" + "".join(piece.text for piece in domain)
    return address if valid(address) else None


def say(address: str) -> str:
    """Return the address in words: "info ät mueller minus bau Punkt de". Raises ValueError for one that is not valid.

    What a listener would take for something else, or could not pronounce, is said letter by letter.
    """
    if not valid(address := address.lower()):
        raise ValueError("a valid e-mail address was expected")
    spoken: list[str] = []
    chunks = re.findall(r"[a-z]+|[0-9]|[^a-z0-9]", address)
    for at, chunk in enumerate(chunks):
        if chunk.isalpha():
            last = at == len(chunks) - 1
            spoken.append(chunk if _is_word(chunk) or (last and _TOP_LEVEL.get(chunk) == chunk) else " ".join(chunk))
        else:
            spoken.append(_FIGURES.get(chunk) or _SPOKEN_SIGNS[chunk])
    return " ".join(spoken)


def _is_word(chunk: str) -> bool:
    special = chunk in _INTRODUCTIONS | _ENDINGS | _HESITATIONS | _AT or chunk == "wie"
    special = special or _TOP_LEVEL.get(chunk, chunk) != chunk
    pieces = [] if special else _pieces([chunk])
    return len(chunk) > 2 and pieces == [_Piece("word", chunk)] and re.search("[aeiouy]", chunk) is not None


def _address_words(text: str) -> list[str]:
    """Return the words without what is said before and after an address."""
    written = (
        re.sub(r"\be[- ]?mail(?:[- ]?adresse)?\b", "email", text, flags=re.IGNORECASE) if len(text) < 10_000 else ""
    )
    spoken = [word for word in tokens(written) if word not in ",;:!?\"'"]
    while spoken and spoken[-1] in _ENDINGS | {"."}:
        spoken.pop()
    start = 0
    while start < len(spoken) and spoken[start] in _INTRODUCTIONS and not _begins(spoken, start):
        start += 1
    return [word for word in spoken[start:] if word not in _HESITATIONS]


def _begins(spoken: list[str], at: int) -> bool:
    """Tell whether a word that may be said before an address is its first: "e punkt meier", "mail at firma"."""
    following = spoken[at + 1] if at + 1 < len(spoken) else ""
    letters = LETTER_NAMES.get(spoken[at]) and (following in LETTER_NAMES or following == "wie")
    return following in _AT or following in _SIGNS or bool(letters)


def _ends(spoken: list[str], at: int) -> bool:
    """Tell whether "at" is the top-level domain of Austria."""
    return at == len(spoken) - 1 and at > 0 and _SIGNS.get(spoken[at - 1]) == "." and spoken[at] == "at"


def _domain(spoken: list[str]) -> list[str]:
    """Return the words of the domain with the top-level domain as it is written."""
    dots = [at for at, word in enumerate(spoken) if _SIGNS.get(word) == "."]
    if not dots:
        return []
    top = spoken[dots[-1] + 1 :]
    if len(top) == 1 and not parts_of(top[0]):
        return [*spoken[: dots[-1] + 1], *_letters(_TOP_LEVEL.get(top[0], top[0]))]
    return spoken if all(word in LETTER_NAMES for word in top) else []


def _letters(word: str) -> list[str]:
    """Return the single letters: as a word "de" would be the letter d."""
    return list(word.translate(_UMLAUTS)) if word.isalpha() else [word]


def _pieces(spoken: list[str]) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    while at < len(spoken):
        piece, at = _spelled(spoken, at) or _number(spoken, at) or (_piece(spoken[at]), at + 1)
        pieces.append(piece)
    return pieces


def _spelled(spoken: list[str], at: int) -> tuple[_Piece, int] | None:
    """Read "s wie siegfried" and "doppel s"."""
    word, following = spoken[at], spoken[at + 1] if at + 1 < len(spoken) else ""
    if word.startswith("doppel"):
        letter = word.removeprefix("doppel")
        end = at + 1
        if letter in ("", "t", "te"):
            letter, end = (following, at + 2) if following in LETTER_NAMES else (letter, end)
        doubled = LETTER_NAMES.get(letter, "").translate(_UMLAUTS)
        return (_Piece("letter", doubled * 2), end) if doubled else None
    if following == "wie" and word in LETTER_NAMES and at + 2 < len(spoken):
        letter, meant = LETTER_NAMES[word], spoken[at + 2]
        if not meant.startswith(letter):
            letter = SPELLING_WORDS.get(meant, meant[0])
        return _Piece("letter", letter.translate(_UMLAUTS)), at + 3
    return None


def _number(spoken: list[str], at: int) -> tuple[_Piece, int] | None:
    """Read the longest number: "neunzehnhundert vierundachtzig" is 1984; figures keep their zeros."""
    parts: list[Part] = []
    for index in range(at, min(at + 12, len(spoken))):
        if (more := parts_of(spoken[index], index)) is None or (more[0].kind == "figures" and parts):
            break
        parts += more
        if more[0].kind == "figures":
            return _Piece("figures", more[0].text), index + 1
    number = read(parts, 0)
    if number is None or parts[0].text in ("ein", "eine"):
        return None
    value, end = number
    if end < len(parts) and parts[end].word == parts[end - 1].word:
        return None  # a word that only begins like a number
    return _Piece("figures", str(value)), parts[end - 1].word + 1


def _piece(word: str) -> _Piece:
    if word in _SIGNS:
        return _Piece("sign", _SIGNS[word])
    if letter := LETTER_NAMES.get(word):
        return _Piece("letter", letter.translate(_UMLAUTS))
    return _Piece("word", word.translate(_UMLAUTS))


def _is_sentence(pieces: list[_Piece]) -> bool:
    count = 0
    for piece in pieces:
        count = count + 1 if piece.kind == "word" else 0 if piece.kind == "sign" else count
        if count > _MOST_WORDS:
            return True
    return False
