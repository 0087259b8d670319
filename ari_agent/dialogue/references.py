"""What a question leaves out because it leans on what was spoken of before: "und wie lange dauert das?"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ari_agent.dialogue.german_questions import ASKING, is_question
from ari_agent.knowledge.german import FILLERS, STOPWORDS
from ari_agent.knowledge.passage import Passage
from ari_agent.knowledge.reading import Match
from ari_agent.spoken.tokens import words

_MOST_WORDS = 14
"""A longer turn says itself what it is about."""
_DOTS = str.maketrans("äöü", "aou")
_STEM, _ENDING = 4, 3
"""Words of a question and of a passage are compared without so many letters at the end, but by four at least."""
_LONG_STEM = 6
"""Letters by which a matter is known again in a title, where it decides between two passages."""
_SHORTEST = 5
"""Letters of a word that tells one title from another."""
_MOST_ADDED = 5
"""Words of "und eine große Inspektion", which asks of another thing what was asked before."""

_ASPECTS = (
    (
        re.compile(
            r"\b(was\ (kost|mach|zahl|verlang|nehm)\w*|kost\w*|preis\w*|teuer|wie\ ?viel|zahl\w*)\b", re.VERBOSE
        ),
        re.compile(r"euro|cent|kostenlos|kosten|zuschuss|umsonst|bezahl|zahlt", re.IGNORECASE),
        "was kostet",
    ),
    (
        re.compile(r"\b(wie\ lange?|dauer\w*)\b", re.VERBOSE),
        re.compile(
            r"\b(dauer\w*|innerhalb|frist|vergehen|hält|läuft|stunden?|minuten?|wochen?|tage?n?|monate?n?)\b",
            re.IGNORECASE,
        ),
        "wie lange dauert",
    ),
)
"""What a question asks about its matter; what an answer to it must have; and how the same is asked of another."""
_OF_ASPECTS = re.compile(
    r"(kosten?|kostet|preise?n?|dauert?|dauern|lieferzeit|laufzeit|inhalt|ablauf|termine|zeiten|teuer|lange?|zahlen?|"
    r"zahlt?|macht?|verlang(en|t)|nehmen|viel|sowas|genau|insgesamt|ungefähr|circa|ca|etwa|eigentlich|dafür|davon|"
    r"dabei|dazu|dann|denn|damit|da|das|so|und|noch|auch|aber|gut|okay|aha|ah|hm|na|ja|super|danke|alles|klar)"
)
"""Words that say what is asked, or nothing, but never of which matter."""
_LEANING = re.compile(
    r"^(und|aber|also|okay|aha|ah|ach|hm|gut|ja|na|oh)\b|"
    r"\b(das|die|der|den|dem|dies\w*|davon|dafür|dabei|dazu|damit|da|dann|so|so ?was|es|solche?n?|eine[nmrs]?)\b"
)
_ADDED = re.compile(
    r"(?:und|oder)\ (?:auch\ |noch\ |dann\ |was\ ist\ mit\ |wie\ ist\ (?:das|es)\ (?:mit|bei)\ )*(.+)", re.VERBOSE
)
_MEANT = re.compile(
    r"(?:(?:ach|oh|äh|nein|nee|entschuldigung|entschuldigen\ sie|moment|halt|sorry|pardon|stopp|also|bitte)\ )*"
    r"(?:(?:ich|wir)\ (?:meinte?n?|meine)|gemeint\ (?:war|ist))\ (?:(?:eigentlich|natürlich|doch|aber|jetzt|ja)\ )*(.+)"
)
"""A correction of what was asked before: "entschuldigung, ich meinte für eine Katze"."""
_NAMELESS = re.compile(
    r"\b(das|die|der|den|dem|dies\w*|davon|dafür|dabei|dazu|damit|da|so ?was|es|solche?n?|eine[nmrs]?)\b"
)
_ARTICLES = frozenset(words("der die das den dem ein eine einen einem einer für bei mit zum zur von vom im am"))


@dataclass(frozen=True, slots=True)
class Reference:
    """What was spoken of last: the passage, and the caller's question that it answered."""

    passage: Passage
    question: str

    def wordings(self, text: str) -> Iterator[str]:
        """Give the question in full, the likeliest wording first; none where it says itself what it is about."""
        if len(text.split()) > _MOST_WORDS or not (is_question(text) or text.startswith("und ")):
            return
        if _LEANING.search(text) is None:
            return
        for topic in dict.fromkeys((self._topic(), " ".join(telling(self.question)))):
            if topic:
                yield f"{text} {topic}"

    def _topic(self) -> str:
        return " ".join(telling(self.passage.title.lower()))

    def leads_to(self, passage: Passage, text: str) -> bool:
        """Tell whether a passage answers the question: it has a word of it, or is about the same matter.

        The name of what was spoken of was only added, so that the passage on it is found whatever was asked.
        """
        if not can_answer(passage, text):
            return False
        told = telling(text)
        said = _plain(f"{passage.title} {passage.text}".lower())
        shared = any(_stem(word) in said for word in told)
        if passage.id == self.passage.id:
            return shared or not told
        return shared or any(_stem(word) in said for word in self._topic().split())

    def added(self, text: str) -> str:
        """Return what was asked before, asked of another matter: "und eine inspektion" is "was kostet …".

        A correction is asked along with it.
        """
        meant = _MEANT.fullmatch(text)
        if meant is not None and not is_question(meant[1]) and len(meant[1].split()) <= _MOST_ADDED:
            before, preposition, _ = self.question.rpartition(f" {meant[1].split()[0]} ")  # "für einen hund"
            return f"{before if preposition else self.question} {meant[1]}"
        found = _ADDED.fullmatch(text)
        if found is None or ASKING.search(found[1]) or len(found[1].split()) > _MOST_ADDED:
            return ""
        return next((f"{asked} {found[1]}" for wanted, _, asked in _ASPECTS if wanted.search(self.question)), "")


def leaves_out_its_matter(text: str) -> bool:
    """Tell whether no word of a question says what it is about: "und was kostet das dann"."""
    return ASKING.search(text) is not None and _NAMELESS.search(text) is not None and not telling(text)


def asks_an_aspect(text: str) -> bool:
    """Tell whether a question is for a price or a time."""
    return any(wanted.search(text) for wanted, _, _ in _ASPECTS)


def can_answer(passage: Passage, text: str) -> bool:
    """Tell whether a passage has what the question asks for: a price, a time."""
    said = f"{passage.title} {passage.text}"
    return all(told.search(said) for wanted, told, _ in _ASPECTS if wanted.search(text))


def only_one_fits(match: Match, text: str) -> Match | None:
    """Return the match as a sure one where, of two passages, one alone is meant.

    That is the one that has the price or time that is asked for, or whose title has all that the other's has of the
    caller's words, and more than one; it must name the matter in any case. None where neither or both will do.
    """
    if match.runner_up is None or not match.possible:
        return None
    passages = (match.passage, match.runner_up)
    fitting = [passage for passage in passages if can_answer(passage, text)]
    if len(fitting) == 2:
        one, other = (_named_by(passage, text) for passage in passages)
        fitting = [passages[one < other]] if (one < other or other < one) and len(one | other) > 1 else []
    if len(fitting) != 1 or not _named_by(fitting[0], text):
        return None
    return Match(fitting[0], match.confidence, None, sure=True, possible=True)


def _named_by(passage: Passage, text: str) -> frozenset[str]:
    """Return the stems of the caller's words that a passage's title has."""
    title = _plain(passage.title.lower())
    stems = (_plain(word)[:_LONG_STEM] for word in telling(text) if len(word) >= _SHORTEST)
    return frozenset(stem for stem in stems if stem in title)


def telling(text: str) -> list[str]:
    """Return the words that say what it is about."""
    return [
        word
        for word in text.split()
        if word not in STOPWORDS and word not in FILLERS and word not in _ARTICLES and not _OF_ASPECTS.fullmatch(word)
    ]


def _stem(word: str) -> str:
    """Return the beginning of a word that its other forms have too: "nachmiet" of "nachmieter"."""
    return _plain(word)[: max(_STEM, len(word) - _ENDING)]


def _plain(text: str) -> str:
    """Return the letters without their dots: "Schüler" has the stem of "Schule"."""
    return text.translate(_DOTS)
