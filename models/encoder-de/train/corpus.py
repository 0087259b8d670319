"""The training texts: topics that callers ask about, trade by trade, and phrases of every other kind of turn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ANY = "allgemein"
"""Name of the file whose topics every company may have."""
_CLASS = {
    "kassen": "krankenkasse",
    "marken": "marke",
    "mehrdeutig": (_ORDINARY := "gewöhnlich"),
    "nachnamen": "name",
    "vornamen": "name",
    "orte": "ort",
    "versicherer": "versicherer",
    "zahlungsarten": "zahlung",
}
"""Class of the names in a file of the gazetteer; marken.txt names the class of each itself."""
_LISTED = {"kasse": "krankenkasse", "ort": "ort"}
"""Slots that the gazetteer fills."""
_TRADE = "# trade:"
"""Begins a line that gives the topics after it to another trade than the file's."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Topic:
    """Something companies of a trade are asked."""

    trade: str
    name: str
    titles: tuple[str, ...]
    passages: tuple[str, ...]
    wordings: tuple[str, ...]
    alike: frozenset[str] = frozenset()
    """Names of topics of which a passage would answer as well, so that neither is ever a wrong answer."""

    @property
    def key(self) -> str:
        """Name that is unique among all topics."""
        return f"{self.trade}/{self.name}"

    def resembles(self, other: Topic) -> bool:
        """Tell whether a passage of either could answer the other's callers."""
        named = self.name in other.alike or other.name in self.alike or self.name == other.name
        return named or not self._spoken_titles.isdisjoint(other._spoken_titles)

    @property
    def _spoken_titles(self) -> frozenset[str]:
        return frozenset(title.casefold() for title in self.titles)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything that is learnt from."""

    topics: tuple[Topic, ...]
    phrases: Mapping[str, tuple[str, ...]]
    """Callers' words by kind of turn; "question" holds those that sound like another kind."""
    fillers: Mapping[str, tuple[str, ...]]
    """What stands for {slot} in a text."""
    classes: Mapping[str, str]
    """Words that stand for each other, with the name of their class: "kiel" is an "ort"."""


def load(folder: Path = HERE) -> Corpus:
    """Read all training texts. Raises OSError, or ValueError naming file and line of a mistake."""
    topics = tuple(topic for path in sorted((folder / "topics").glob("*.txt")) for topic in _topics(path))
    phrases = {
        path.stem: tuple(_lines(path)) for path in sorted((folder / "phrases").glob("*.txt")) if path.stem != "slots"
    }
    gazetteer = _gazetteer(folder / "gazetteer")
    fillers = dict(_SLOTS)
    for line in _lines(folder / "phrases" / "slots.txt"):
        name, _, values = line.partition(":")
        fillers[name.strip()] = tuple(value.strip() for value in values.split(";") if value.strip())
    for slot, name in _LISTED.items():
        fillers[slot] = tuple(words for words, owner in gazetteer.items() if owner == name)
    _check(topics, phrases, fillers)
    classes = {words: name for words, name in gazetteer.items() if " " not in words}
    return Corpus(topics, phrases, fillers, classes)


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def _topics(path: Path) -> Iterator[Topic]:
    trade = path.stem
    for number, block in _blocks(path):
        if (name := block[0].removeprefix(_TRADE)) != block[0]:
            trade = name.strip()
            continue
        parts = {mark: tuple(line[1:].strip() for line in block[1:] if line[0] == mark) for mark in "=>"}
        wordings = tuple(dict.fromkeys(line for line in block[1:] if line[0] not in "=>~"))
        alike = frozenset(name for line in block[1:] if line[0] == "~" for name in line[1:].split())
        if not (parts["="] and parts[">"] and wordings):
            raise ValueError(f"{path}:{number}: a topic lacks titles, passages or wordings")
        yield Topic(trade, block[0].removeprefix("##").strip(), parts["="], parts[">"], wordings, alike)


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Return the lines of each topic with the number of its first, and lines that name another trade by themselves."""
    block: list[str] = []
    begun = 0
    for number, line in enumerate([*map(str.strip, path.read_text("utf-8").splitlines()), "##"], 1):
        if line.startswith(("##", _TRADE)):
            if block:
                yield begun, block
            block, begun = [line], number
        elif block and line and not line.startswith("#"):
            block.append(line)


def _gazetteer(folder: Path) -> dict[str, str]:
    """Return the class of all names that have only one and are no ordinary words."""
    owners: dict[str, set[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        for line in _lines(path):
            words, _, name = line.casefold().replace("ß", "ss").partition(":")
            owners.setdefault(words, set()).add(name.strip() or _CLASS[path.stem])
    return {words: names.pop() for words, names in owners.items() if len(names) == 1 and names != {_ORDINARY}}


def _check(topics: tuple[Topic, ...], phrases: Mapping[str, tuple[str, ...]], fillers: Mapping[str, object]) -> None:
    texts = [text for t in topics for text in (*t.titles, *t.passages, *t.wordings)]
    texts += [text for lines in phrases.values() for text in lines]
    missing = {slot for text in texts for slot in _SLOT.findall(text)} - set(fillers)
    if missing:
        raise ValueError(f"no fillers for the slots {', '.join(sorted(missing))}")


_SLOTS = {
    name: tuple(value.strip() for value in values.split(","))
    for name, values in {
        "tag": "montag, dienstag, mittwoch, donnerstag, freitag, samstag, sonntag",
        "uhr": "sieben, acht, neun, zehn, elf, zwölf, dreizehn, vierzehn, fünfzehn, sechzehn, siebzehn, achtzehn",
        "n": "zwei, drei, vier, fünf, sechs, sieben, acht, zehn, zwölf, vierzehn, zwanzig, dreißig",
        "preis": "neun, fünfzehn, zwanzig, fünfunddreißig, fünfzig, achtzig, hundert, hundertzwanzig, zweihundert",
        "zahl": "dreizehn, siebzehn, zweiundzwanzig, vierzig, sechzig, hundertfünfzig, dreihundert, tausend",
        "strasse": "ahornweg, bahnhofstraße, am markt, lange reihe, mühlenweg, schulstraße, ringstraße, am hafen",
        "lage": "neben der kirche, gegenüber vom bahnhof, hinter dem rathaus, am stadtrand, direkt an der hauptstraße",
        "monat": "januar, februar, märz, april, mai, juni, juli, august, september, oktober, november, dezember",
        "kasse": "aok, barmer, techniker, dak, ikk, knappschaft, allianz, huk, debeka, axa, ergo",
        "marke": "bosch, siemens, miele, viessmann, vaillant, opel, ford, toyota, canon, samsung, philips",
    }.items()
}
