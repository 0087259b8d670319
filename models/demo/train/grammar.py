"""A small sentence grammar: sections of sentences, slots and alternatives, read from one text file."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(r"<\w+>|[()|]|[^\s<>()|]+")

_UNITS = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"]
_TEENS = ["dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"]
_TENS = ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
_IRREGULAR_ORDINALS = {1: "ersten", 3: "dritten", 7: "siebten", 8: "achten"}


class GrammarError(ValueError):
    """A sentence file cannot be understood; the message names the line."""


@dataclass(frozen=True)
class Word:
    """One word as it is spoken."""

    text: str


@dataclass(frozen=True)
class Slot:
    """A place that another rule fills."""

    name: str


@dataclass(frozen=True)
class Choice:
    """Alternatives of equal weight; each is a sequence, which may be empty."""

    options: tuple[tuple[Node, ...], ...]


Node = Word | Slot | Choice


@dataclass
class Grammar:
    """Sections of sentences with weights, and the slots they use."""

    slots: dict[str, Choice]
    sections: dict[str, list[tuple[Node, ...]]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)

    def sample(self, rng: random.Random) -> str:
        """Return one random sentence of a random section."""
        section = rng.choices(list(self.sections), weights=list(self.weights.values()))[0]
        return " ".join(self._expand(rng.choice(self.sections[section]), rng))

    def words(self) -> set[str]:
        """Return every word that any sentence can contain."""
        found: set[str] = set()
        pending: list[Node] = [node for lines in self.sections.values() for line in lines for node in line]
        seen: set[str] = set()
        while pending:
            match pending.pop():
                case Word(text):
                    found.add(text)
                case Slot(name):
                    if name not in seen:
                        seen.add(name)
                        pending.append(self.slots[name])
                case Choice(options):
                    pending += [node for option in options for node in option]
        return found

    def _expand(self, nodes: tuple[Node, ...], rng: random.Random) -> Iterator[str]:
        for node in nodes:
            match node:
                case Word(text):
                    yield text
                case Slot(name):
                    yield from self._expand(rng.choice(self.slots[name].options), rng)
                case Choice(options):
                    yield from self._expand(rng.choice(options), rng)


def number(value: int) -> str:
    """Return 0 to 99 in German words."""
    if value <= 12:
        return _UNITS[value]
    if value <= 19:
        return _TEENS[value - 13]
    tens, unit = divmod(value, 10)
    name = _TENS[tens - 2]
    return name if unit == 0 else ("ein" if unit == 1 else _UNITS[unit]) + "und" + name


def ordinal(value: int) -> str:
    """Return 1 to 31 as German speakers say a day of the month: "am ersten", "am zwanzigsten"."""
    if value in _IRREGULAR_ORDINALS:
        return _IRREGULAR_ORDINALS[value]
    return number(value) + ("ten" if value < 20 else "sten")


def read(path: Path) -> Grammar:
    """Read a sentence file.

    Raises GrammarError for a line that is no rule, an unbalanced bracket and a slot that nobody defines.
    """
    grammar = Grammar({"zahl": _words(number(n) for n in range(100)), "ordnung": _words(map(ordinal, range(1, 32)))})
    section: list[tuple[Node, ...]] | None = None
    for count, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if slot := re.fullmatch(r"<(\w+)>:(.*)", line):
            grammar.slots[slot[1]] = _choice(slot[2], count)
        elif header := re.fullmatch(r"\[(\w+) ([\d.]+)\]", line):
            section = grammar.sections.setdefault(header[1], [])
            grammar.weights[header[1]] = float(header[2])
        elif section is not None:
            section.append((_choice(line, count),))
        else:
            raise GrammarError(f"line {count}: a sentence before the first [section]")
    _check_slots(grammar)
    return grammar


def _words(texts: Iterator[str]) -> Choice:
    return Choice(tuple((Word(text),) for text in texts))


def _choice(text: str, line: int) -> Choice:
    """Parse "a | b (c|d)"; brackets nest."""
    stack: list[list[list[Node]]] = [[[]]]
    for token in _TOKEN.findall(text):
        match token:
            case "(":
                stack.append([[]])
            case "|":
                stack[-1].append([])
            case ")":
                if len(stack) == 1:
                    raise GrammarError(f"line {line}: a bracket is closed that was not opened")
                options = stack.pop()
                stack[-1][-1].append(_frozen(options))
            case _:
                stack[-1][-1].append(Slot(token[1:-1]) if token.startswith("<") else Word(token))
    if len(stack) != 1:
        raise GrammarError(f"line {line}: a bracket is not closed")
    return _frozen(stack[0])


def _frozen(options: list[list[Node]]) -> Choice:
    return Choice(tuple(tuple(option) for option in options))


def _check_slots(grammar: Grammar) -> None:
    rules: list[Node] = [*grammar.slots.values(), *(n for lines in grammar.sections.values() for s in lines for n in s)]
    while rules:
        match rules.pop():
            case Slot(name) if name not in grammar.slots:
                raise GrammarError(f"nobody defines the slot <{name}>")
            case Choice(options):
                rules += [node for option in options for node in option]
            case _:
                pass
