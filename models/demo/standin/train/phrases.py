"""The wordings to learn from: our own for the demo company's passages, the encoder's for every other kind of turn."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
HELD_OUT = HERE.parent / "held_out.jsonl"
ENCODER = HERE.parents[2] / "encoder-de" / "train"
"""Folder of the encoder's training texts, of which phrases and topics are read."""

KINDS = (
    "accident", "anger", "askai", "bereavement", "distress", "emergency", "fault", "goodbye", "injection", "lawyer",
    "message", "outside", "person", "privacy", "repeat", "smalltalk", "unclear",
)  # fmt: skip
"""Kinds of turns that no passage answers, as the encoder's phrase files are named."""

_TOPICS = {
    "allgemein/oeffnungszeiten": "oeffnungszeiten",
    "allgemein/samstag": "oeffnungszeiten",
    "allgemein/adresse": "adresse",
    "allgemein/parken": "parkplaetze",
    "allgemein/zahlungsarten": "bezahlung",
    "allgemein/garantie": "garantie",
    "allgemein/bewerbung": "bewerbung",
    "allgemein/ausbildung": "bewerbung",
    "heizung_sanitaer/garantie_anlage": "garantie",
    "heizung_sanitaer/bad_sanierung": "bad",
    "heizung_sanitaer/heizungswartung_preis": "wartung",
    "heizung_sanitaer/heizung_stoerung": "fault",
    "heizung_sanitaer/warmwasser_ausfall": "fault",
    "heizung_sanitaer/rohrbruch_wasser": "fault",
    "heizung_sanitaer/gasgeruch": "emergency",
}
"""What the encoder's topics are for this company; nearly all others are questions that it does not answer."""
_NEAR_TOPICS = re.compile(
    r"notdienst|notfall|schmerz|stoerung|ausfall|unfall|panne|bruch|verlust|oeffnung|sprechzeit|adresse|anfahrt|park|"
    r"zahl|bewerb|ausbild|praktik|garantie|wartung|reparatur|vor_ort|mittag|feiertag|heizung_neu$|dusche|heizkoerper|"
    r"wasserhahn|spuel|verstopf|rueckruf|beschwerde|ansprech|datenschutz|sterbe|trauer|todes|tod$|waermepumpe$"
)
"""Topics left out, because a passage or a person may well be the right answer."""
_NEAR_WORDS = re.compile(
    r"offen|geöffnet|öffnung|sprechzeit|adresse|anschrift|straße|park|karte|\bbar\b|rechnung|bewerb|ausbild|lehrstelle|"
    r"azubi|\bjob|garantie|gewähr|wartung|warten|wärmepumpe|\bbad|bäder|notdienst|bereitschaft|wochenende|samstag|"
    r"sonntag|stunde|reparatur|reparier|anfahrt|bezahl|zahlen|stellen sie|kaputt|sofort|notfall|schmerz"
)
_TUNING_SHARE = 16
"""One line in so many is kept for choosing the recipe."""
_SLOT = re.compile(r"\{(\w+)\}")
_ALTERNATIVES = re.compile(r"\(([^()]*)\)")
_MORE_SLOTS = (
    "tag: montag; dienstag; mittwoch; donnerstag; freitag; samstag; sonntag",
    "uhr: sieben; acht; neun; zehn; elf; zwölf; dreizehn; vierzehn; fünfzehn; sechzehn; siebzehn; achtzehn",
    "zahl: zwei; drei; vier; sieben; zehn; zwölf; zwanzig; dreißig; fünfzig; hundert; zweihundert; tausend",
    "monat: januar; februar; märz; april; mai; juni; juli; august; september; oktober; november; dezember",
    "strasse: bahnhofstraße; gartenweg; lindenallee; schulstraße; ringstraße; am markt; mühlenweg",
    "marke: bosch; siemens; miele; viessmann; vaillant; buderus; wolf; samsung",
    "kasse: aok; barmer; techniker; dak; ikk; knappschaft",
)


@dataclass(frozen=True, slots=True)
class Wordings:
    """Lines by what they mean; each can be said in many ways."""

    passages: Mapping[str, Sequence[str]]
    """Lines by the id of the passage that answers them."""
    kinds: Mapping[str, Sequence[str]]
    """Lines by the kind of turn; "outside" are questions that no passage answers."""
    far: Sequence[str]
    """Questions put to companies of other trades, which no passage answers either."""
    vague: Mapping[tuple[str, ...], Sequence[str]]
    """Lines by the ids of the passages of which one is probably meant."""
    follow_ups: Mapping[str, Sequence[tuple[str, str]]]
    """What is said after a passage was heard, by its id, with what it means: a passage's id or a kind."""
    frames: Sequence[str]
    """Ways to ask about anything, which stands for {x}."""
    words: Mapping[str, Sequence[str]]
    """What is asked about, by what it means: a passage's id or "outside"."""
    fillers: Mapping[str, Sequence[str]]

    def about(self, meant: str, rng: random.Random) -> str:
        """Return a line that asks for what is meant in a way in which anything can be asked for."""
        return rng.choice(self.frames).replace("{x}", rng.choice(self.words[meant]))

    def say(self, line: str, rng: random.Random) -> str:
        """Return one way to say a line."""
        said = _ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), line)
        said = _SLOT.sub(lambda found: rng.choice(self.fillers[found[1]]), said)
        return " ".join(said.split())


def read(*, tuning: bool) -> Wordings:
    """Return the lines for tuning, or all others. Raises OSError, or ValueError naming a line without filler."""
    fillers = _fillers()
    sections, follow_ups = _own(HERE / "phrases.txt")
    lines = {name: [line for line in found if _kept(line) == tuning] for name, found in sections.items()}
    for name in KINDS:
        lines.setdefault(name, []).extend(_usable(ENCODER / "phrases" / f"{name}.txt", fillers, tuning))
    lines["outside"] += [
        line for line in _usable(ENCODER / "phrases" / "question.txt", fillers, tuning) if not _NEAR_WORDS.search(line)
    ]
    far: list[str] = []
    for topic, line in _topics():
        if _kept(line) != tuning or not _fillable(line, fillers):
            continue
        if topic in _TOPICS:
            lines[_TOPICS[topic]].append(line)
        elif not (_NEAR_TOPICS.search(topic) or _NEAR_WORDS.search(line)):
            far.append(line)
    others = {*KINDS, "frames"}
    passages = {name: found for name, found in lines.items() if name not in others and " " not in name}
    words = {name.removeprefix("words "): sections[name] for name in sections if name.startswith("words ")}
    vague = {tuple(name.split()[1:]): found for name, found in lines.items() if name.startswith("ask ") and found}
    kinds = {kind: lines[kind] for kind in KINDS}
    return Wordings(passages, kinds, far, vague, follow_ups, sections["frames"], words, fillers)


def _own(path: Path) -> tuple[dict[str, list[str]], dict[str, list[tuple[str, str]]]]:
    sections: dict[str, list[str]] = {}
    follow_ups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    name = ""
    for line in _lines(path):
        if line.startswith("## "):
            name = line.removeprefix("## ")
            sections[name] = []
        elif line.startswith("=> "):
            before, _, words = line.removeprefix("=> ").partition(" | ")
            follow_ups[before].append((words, name))
        else:
            sections[name].append(line)
    return sections, follow_ups


def _usable(path: Path, fillers: Mapping[str, object], tuning: bool) -> list[str]:
    return [line for line in _lines(path) if _kept(line) == tuning and _fillable(line, fillers)]


def _topics() -> Iterator[tuple[str, str]]:
    """Yield the encoder's topics with a wording each."""
    for path in sorted((ENCODER / "topics").glob("*.txt")):
        name = ""
        for line in _lines(path):
            if line.startswith("## "):
                name = f"{path.stem}/{line.removeprefix('## ')}"
            elif line[0] not in "=>":
                yield name, line


def _fillers() -> dict[str, list[str]]:
    found = {}
    for line in (*_MORE_SLOTS, *_lines(ENCODER / "phrases" / "slots.txt")):
        name, _, values = line.partition(":")
        found[name.strip()] = [value.strip() for value in values.split(";")]
    return found


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and (not line.startswith("#") or line.startswith("## ")):
            yield line.strip()


def _fillable(line: str, fillers: Mapping[str, object]) -> bool:
    return all(slot in fillers for slot in _SLOT.findall(line))


def _kept(line: str) -> bool:
    """Whether the line is kept for tuning."""
    return int.from_bytes(hashlib.md5(line.encode(), usedforsecurity=False).digest()[:4], "big") % _TUNING_SHARE == 0
