"""Names spelled by telephone alphabets or letter by letter, also said first and then spelled."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ari_agent.spoken.alphabets import LETTER_NAMES, SPELLING_WORDS, TABLES, Table
from ari_agent.spoken.tokens import words

_FILLERS = frozenset(
    words("äh ähm hm dann danach und also noch nochmal ein einmal einem eine mal der die das ja so weiter wieder")
)
_ANNOUNCED = frozenset(words("buchstabiere buchstabiert buchstabieren"))
_DOUBLE = re.compile(r"(?:doppel(?:te[snm]?|t)?|zweimal)(.*)")
_CAPITAL = frozenset(words("groß großes großer großen gross grosses"))
_SMALL = frozenset(words("klein kleines kleiner kleinen"))
_HYPHEN = frozenset(words("bindestrich minus strich trennstrich"))
_SPACE = frozenset(words("leerzeichen leerschritt abstand zwischenraum leertaste"))
_PLAIN = {"ä": "a", "ö": "o", "ü": "u", "ß": "s"}
_UMLAUT_OF = {"a": "ä", "o": "ö", "u": "ü"}
_SPELL_SIGNS = {"-": "Bindestrich", " ": "neues Wort", "'": "Apostroph"}

# letters that sound alike: "Schmidt mit d t", "Meier mit a ypsilon"
_ALIKE = [
    words(alike) for alike in ("d t dt tt th", "ei ai ey ay", "k c ck kk ch", "f ff ph v w", "s ss ß z tz", "i ie y j")
]
_ALIKE += [words("ä e ae äh eh"), words("h")]

_FEWEST_UNANNOUNCED = 3
"""Two letters among other words are rather words, "er", "es"; two names of a table may be a caller's own names."""


@dataclass(frozen=True)
class Spelled:
    """A name as it was understood."""

    name: str
    letters: str
    """The letters that were spelled, in lower case; those after "mit" where the name itself was said."""


@dataclass(frozen=True)
class _Piece:
    letters: str
    end: int
    bare: bool = False
    """A word of a table without "wie"; it may be a name."""


def spell(name: str, table: Table = "din_1983") -> str:
    """Return the spoken spelling: "M wie Martha, E wie Emil". Accents that German does not have are left out.

    A capital within a word and a small letter at its beginning are said; signs other than hyphen, space and
    apostrophe are left out.
    """
    spoken: list[str] = []
    before = " "
    for letter in _german(name):
        if sign := _SPELL_SIGNS.get(letter):
            spoken.append(sign)
        elif letter.lower() in TABLES[table]:
            begins = before in " -"
            size = "" if letter == "ß" or begins == letter.isupper() else "groß " if letter.isupper() else "klein "
            spoken.append(f"{size}{_letter(letter.lower(), table)}")
        before = letter
    return ", ".join(spoken)


def _letter(letter: str, table: Table) -> str:
    word = TABLES[table][letter].title()
    return word if letter == "ß" else f"{letter.upper()} wie {word}"


def _german(name: str) -> str:
    """Return the name without accents, but with its umlauts."""
    kept = ""
    for letter in unicodedata.normalize("NFC", name):
        plain = letter if letter.lower() in "äöüß" else unicodedata.normalize("NFD", letter)[0]
        kept += "'" if plain == "’" else plain
    return kept


def parse(text: str) -> Spelled | None:
    """Return the name that is spelled in the text; None when none is.

    What is spelled counts, not how the name was said before. A name that is said with a hint, "Schmitt mit Doppel-T",
    is understood too.
    """
    spoken = words(text)
    best = ""
    for run, alone, before in _runs(spoken):
        letters = "".join(piece.letters for piece in run)
        count = len(letters.translate({ord(sign): None for sign in "- '^_"}))
        announced = alone or any(word in _ANNOUNCED for word in before)
        needed = 2 if announced and not all(piece.bare for piece in run) else _FEWEST_UNANNOUNCED
        if before[-1:] == ["mit"]:
            continue  # a hint at letters of the name before it
        if len(run) >= 2 and count >= needed and len(letters) >= len(best):
            best = letters
    if best and (name := _written(best)):
        return Spelled(name, name.lower())
    return _said_with_hint(spoken)


def _runs(spoken: list[str]) -> list[tuple[list[_Piece], bool, list[str]]]:
    """Return the runs of spelled letters, whether a run is all that was said, and the words before it."""
    found: list[tuple[list[_Piece], bool, list[str]]] = []
    run: list[_Piece] = []
    start = at = 0
    while at <= len(spoken):
        piece = _piece(spoken, at)
        if piece is not None:
            run.append(piece)
            at = piece.end
        elif at < len(spoken) and spoken[at] in _FILLERS:
            at += 1
        else:
            if run:
                found.append((run, start == 0 and at >= len(spoken), spoken[max(0, start - 6) : start]))
            run, at = [], at + 1
            start = at
    return found


def _piece(spoken: list[str], at: int) -> _Piece | None:
    """Read one letter, or several as "doppel m", or a sign; None where none begins."""
    word = spoken[at] if at < len(spoken) else ""
    following = spoken[at + 1] if at + 1 < len(spoken) else ""
    if word in _HYPHEN:
        return _Piece("-", at + 1)
    if word in _SPACE or (word in ("neues", "neuer") and following in ("wort", "name")):
        return _Piece(" ", at + (1 if word in _SPACE else 2))
    if word == "apostroph":
        return _Piece("'", at + 1)
    if word in _CAPITAL or word in _SMALL:
        size = "^" if word in _CAPITAL else "_"
        piece = _plain_piece(spoken, at + 1)
        return None if piece is None else _Piece(size + piece.letters, piece.end)
    return _doubled(spoken, at, word, following) or _plain_piece(spoken, at)


def _doubled(spoken: list[str], at: int, word: str, following: str) -> _Piece | None:
    if word in ("zwei", "zwo") and following == "mal":
        at += 1
    elif word in ("zwei", "zwo") and len(following) == 1:
        pass  # "zwei m"
    elif not (match := _DOUBLE.fullmatch(word)):
        return None
    elif match[1]:
        letter = LETTER_NAMES.get(match[1]) or SPELLING_WORDS.get(match[1])
        return _Piece(letter * 2, at + 1) if letter else None
    at += 1
    while at < len(spoken) and spoken[at] in ("das", "der", "ein"):
        at += 1
    piece = _plain_piece(spoken, at)
    return None if piece is None else _Piece(piece.letters * 2, piece.end)


def _plain_piece(spoken: list[str], at: int) -> _Piece | None:
    """Read "s", "es", "siegfried", "s wie siegfried", "wie siegfried", "umlaut a", "scharfes s"."""
    if at >= len(spoken):
        return None
    word, following = spoken[at], spoken[at + 1] if at + 1 < len(spoken) else ""
    if word == "wie":
        return _as_in("", spoken, at)
    if word in ("scharfes", "scharfe", "scharfem") and LETTER_NAMES.get(following) in ("s", "ß"):
        return _as_in("ß", spoken, at + 2)
    if word == "umlaut" and (umlaut := _umlaut(following)):
        return _as_in(umlaut, spoken, at + 2)
    if word == "es" and following == "zett":
        return _as_in("ß", spoken, at + 2)
    if word == "x" and following == "ray":
        return _Piece("x", at + 2)
    if letter := LETTER_NAMES.get(word):
        after = spoken[at + 2] if at + 2 < len(spoken) else ""
        if following == "umlaut" and letter in _UMLAUT_OF and not _umlaut(after):
            return _as_in(_UMLAUT_OF[letter], spoken, at + 2)
        return _as_in(letter, spoken, at + 1)
    if letter := SPELLING_WORDS.get(word):
        return _Piece(letter, at + 1, bare=True)
    return None


def _umlaut(word: str) -> str | None:
    letter = LETTER_NAMES.get(word) or SPELLING_WORDS.get(word, "")
    return letter if letter in ("ä", "ö", "ü") else _UMLAUT_OF.get(letter)


def _as_in(letter: str, spoken: list[str], at: int) -> _Piece | None:
    """Read "wie Siegfried" after a letter. Where both disagree the word counts: letters are misheard, words are not."""
    if at >= len(spoken) or spoken[at] != "wie":
        return _Piece(letter, at)
    at += 1
    if at < len(spoken) and spoken[at] in ("in", "bei", "im"):
        at += 1
    if at + 1 < len(spoken) and spoken[at] == "umlaut" and (umlaut := _umlaut(spoken[at + 1])):
        return _Piece(umlaut, at + 2)
    if at >= len(spoken):
        return _Piece(letter, at) if letter else None
    word = spoken[at]
    end = at + (2 if word == "x" and spoken[at + 1 : at + 2] == ["ray"] else 1)
    if letter == "ß" or (letter and word.startswith((letter, _PLAIN.get(letter, letter)))):
        return _Piece(letter, end)
    meant = SPELLING_WORDS.get(word, word[0])
    return _Piece(meant, end) if meant.isalpha() else None


def _written(letters: str) -> str:
    """Return the letters as a name: a capital begins every word, unless "groß" or "klein" was said ("^", "_").

    No word begins with ß: there "es zett" is two letters.
    """
    letters = re.sub(r"(^|[ -])ß", r"\1sz", re.sub(r" +", " ", letters).strip(" -'"))
    name, size = "", "^"
    for letter in letters:
        if letter in "^_":
            size = letter
            continue
        name += letter.upper() if size == "^" and letter != "ß" else letter
        size = "^" if letter in " -" else ""
    return name


def _said_with_hint(spoken: list[str]) -> Spelled | None:
    """Understand "Schmitt mit Doppel-T am Ende": the word before "mit" is the name."""
    for at in range(1, len(spoken) - 1):
        name = spoken[at - 1]
        if spoken[at] != "mit" or name in LETTER_NAMES or not name.isalpha() or len(name) < 2:
            continue
        hints, rest = _hints(spoken, at + 1)
        changed: str | None = name
        for letters in hints:
            changed = _changed(changed, letters, "ende" in rest or "schluss" in rest) if changed else None
        if hints and changed:
            return Spelled(changed[0].upper() + changed[1:], "".join(hints))
    return None


def _hints(spoken: list[str], at: int) -> tuple[list[str], list[str]]:
    """Return the letters of each hint and the words after them: "Doppel-F und Doppel-N" are two, "d t" is one."""
    hints: list[str] = []
    joins = False
    while at < len(spoken):
        if spoken[at] in ("einem", "einfachem", "nur", "und"):
            joins = joins and spoken[at] != "und"
            at += 1
        elif (piece := _piece(spoken, at)) is not None:
            single = len(piece.letters) == 1
            if joins and single:
                hints[-1] += piece.letters
            else:
                hints.append(piece.letters)
            joins, at = single, piece.end
        else:
            break
    return hints, spoken[at:]


def _changed(name: str, letters: str, at_end: bool) -> str | None:
    """Put the letters where the name has them or others that sound alike; None where that is not one place."""
    group = next((alike for alike in _ALIKE if letters in alike), [])
    for alike in (group, [letters, letters[:1]]):
        pattern = "|".join(map(re.escape, sorted(alike, key=len, reverse=True)))
        places = list(re.finditer(pattern, name)) if pattern else []
        if at_end and places and places[-1].end() == len(name):
            places = places[-1:]
        if len(places) > 1:  # "Hoffmann mit Doppel-F": of those that sound alike the one with the letter itself
            places = [place for place in places if set(place[0]) & set(letters)]
        if len(places) == 1:
            return name[: places[0].start()] + letters + name[places[0].end() :]
    return None
