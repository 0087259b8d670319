"""Build a model's graph folder from lexicon and language model; the acoustic model is not touched.

HCLr.fst   transition ids → words; prepared for look-ahead, so that Vosk composes it with a grammar at run time
Gr.fst     the language model, with the word numbers that look-ahead wants
words.txt  words and these numbers
disambig_tid.int  marks in HCLr.fst that are no sound
"""

from __future__ import annotations

import math
import os
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import kaldifst

from train import bigram
from train.lexicon import Lexicon
from train.phones import SILENCE_ID, PhoneTable
from train.sentences import UNKNOWN

_LOOK_AHEAD_PLUGIN = "/usr/lib/x86_64-linux-gnu/fst/22"  # of Debian's libfst22-plugins-base
_HALF = math.log(2)  # cost of a pause behind a word, of none, of staying in a phone and of leaving it

UNKNOWN_PHONE_COST = 3.0
"""Cost of each phone of a word outside the vocabulary; less makes such words win against known ones, more lets
strange speech become known words."""

Arc = tuple[int, int, int, int, float]
"""Source, target, input label, output label, cost."""


class GraphError(RuntimeError):
    """An OpenFst program failed."""


class LexiconTransducer:
    """Phones → words, with an optional pause behind each word and marks that keep it determinisable."""

    _START, _LOOP, _PAUSE = 0, 1, 2

    def __init__(self, phones: PhoneTable) -> None:
        self._phones = phones
        self._states = 3
        self.marks = 0
        """Disambiguation marks in use; mark k has the label of the last phone plus k."""
        self.arcs: list[Arc] = [
            (self._START, self._LOOP, 0, 0, _HALF),
            (self._START, self._PAUSE, 0, 0, _HALF),
        ]

    def add_words(self, lexicon: Lexicon, numbers: dict[str, int]) -> None:
        """Add all words; words that sound alike or begin others get a mark at their end."""
        spoken = {word: self._phones.pronunciation(phones) for word, phones in lexicon.items()}
        alike = Counter(spoken.values())
        beginnings = {phones[:length] for phones in spoken.values() for length in range(1, len(phones))}
        used: Counter[tuple[int, ...]] = Counter()
        for word, phones in spoken.items():
            labels = list(phones)
            if alike[phones] > 1 or phones in beginnings:
                used[phones] += 1
                labels.append(self._mark(used[phones]))
            self._add_chain(labels, numbers[word])

    def add_pause(self) -> None:
        """Add the pause itself; its mark tells "word, pause" from "word"."""
        after = self._new_state()
        self.arcs.append((self._PAUSE, after, SILENCE_ID, 0, 0.0))
        self.arcs.append((after, self._LOOP, self._mark(self.marks + 1), 0, 0.0))

    def add_unknown(self, number: int, cost: float) -> None:
        """Add a word of three or more arbitrary phones, each at that cost."""
        begin, middle, loop = self._new_state(), self._new_state(), self._new_state()
        self.arcs.append((self._LOOP, begin, self._mark(self.marks + 1), number, 0.0))
        for name in self._phones.names[1:]:
            first, inner, last = (self._phones.placed(name, place) for place in "BIE")
            self.arcs.append((begin, middle, first, 0, cost))
            self.arcs += [(source, loop, inner, 0, cost) for source in (middle, loop)]
            self.arcs += [(loop, end, last, 0, cost + _HALF) for end in (self._LOOP, self._PAUSE)]

    def determinised(self) -> tuple[list[Arc], dict[int, float]]:
        """Return arcs and final states after determinisation; the first arc leaves the start."""
        text = "".join(f"{s} {t} {i} {o} {cost:.6f}\n" for s, t, i, o, cost in self.arcs) + f"{self._LOOP} 0\n"
        transducer = kaldifst.compile(text, acceptor=False)
        kaldifst.determinize_star(transducer)
        return _parse(transducer.to_str(show_weight_one=True))

    def _add_chain(self, labels: list[int], word: int) -> None:
        states = [self._LOOP] + [self._new_state() for _ in labels[1:]]
        for position, (source, target) in enumerate(pairwise(states)):
            self.arcs.append((source, target, labels[position], word if position == 0 else 0, 0.0))
        output = word if len(labels) == 1 else 0
        self.arcs += [(states[-1], end, labels[-1], output, _HALF) for end in (self._LOOP, self._PAUSE)]

    def _mark(self, number: int) -> int:
        self.marks = max(self.marks, number)
        return self._phones.ids()[-1] + number

    def _new_state(self) -> int:
        self._states += 1
        return self._states - 1


def build(graph: Path, lexicon: Lexicon, phones: PhoneTable, text: Iterable[str], unknown_cost: float) -> None:
    """Write the graph folder. Raises GraphError, and KeyError for a word with a phone that was not trained."""
    phones.write(graph)
    vocabulary = [*sorted(lexicon), UNKNOWN]
    numbers = {word: number for number, word in enumerate(vocabulary, 1)}
    transducer = LexiconTransducer(phones)
    transducer.add_words(lexicon, numbers)
    transducer.add_pause()
    transducer.add_unknown(numbers[UNKNOWN], unknown_cost)
    arcs, final = transducer.determinised()
    last_phone = phones.ids()[-1]
    renumbered = _write_look_ahead(graph, _with_self_loops(arcs, last_phone), final)
    numbers = {word: renumbered[number] for word, number in numbers.items()}
    _write_language_model(graph, bigram.estimate(text, vocabulary), numbers)
    marks = (f"{2 * last_phone + mark}\n" for mark in range(1, transducer.marks + 1))
    (graph / "disambig_tid.int").write_text("".join(marks), encoding="utf-8")
    rows = sorted(numbers.items(), key=lambda row: row[1])
    (graph / "words.txt").write_text("<eps> 0\n" + "".join(f"{w} {n}\n" for w, n in rows), encoding="utf-8")


def _with_self_loops(arcs: list[Arc], last_phone: int) -> list[Arc]:
    """Turn phones into transition ids: forward on the arc, a self-loop on the state it leads to.

    A state that can be entered by different phones is split, one copy per phone with the loop of that phone.
    """
    start = arcs[0][0]
    entered: defaultdict[int, set[int]] = defaultdict(set)
    entered[start].add(0)
    for _, target, phone, _, _ in arcs:
        entered[target].add(phone if 0 < phone <= last_phone else 0)
    copies: dict[tuple[int, int], int] = {}
    states = 1 + max(max(source, target) for source, target, *_ in arcs)
    result: list[Arc] = []
    for source, target, phone, word, cost in arcs:
        if phone == 0 or phone > last_phone:
            mark = phone and last_phone + phone
            result.append((source, target, mark, word, cost))
            continue
        if (target, phone) not in copies:
            copy = target
            if entered[target] != {phone}:
                copy, states = states, states + 1
                result.append((copy, target, 0, 0, 0.0))
            copies[target, phone] = copy
            result.append((copy, copy, 2 * phone - 1, 0, _HALF))
        result.append((source, copies[target, phone], 2 * phone, word, cost + _HALF))
    return sorted(result, key=lambda arc: arc[0] != start)


def _write_look_ahead(graph: Path, arcs: list[Arc], final: dict[int, float]) -> dict[int, int]:
    """Write HCLr.fst and return the new number of each word number."""
    pairs = graph / "relabel"
    convert = ["fstconvert", "--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}"]
    text = "".join(f"{s} {t} {i} {o} {cost:.6f}\n" for s, t, i, o, cost in arcs) + _finals(final)
    compiled = _run(["fstarcsort", "--sort_type=olabel"], _run(["fstcompile"], text.encode()))
    (graph / "HCLr.fst").write_bytes(_run(convert, compiled))
    rows = [line.split() for line in pairs.read_text(encoding="ascii").splitlines()]
    pairs.unlink()
    return {int(old): int(new) for old, new in rows}


def _write_language_model(graph: Path, acceptor: bigram.Acceptor, numbers: dict[str, int]) -> None:
    labels = {bigram.BACK_OFF: 0} | numbers
    lines = (
        f"{arc.source} {arc.target} {labels[arc.word]} {labels[arc.word]} {arc.cost:.6f}\n" for arc in acceptor.arcs
    )
    compiled = _run(["fstcompile"], ("".join(lines) + _finals(acceptor.final)).encode())
    ordered = _run(["fstarcsort", "--sort_type=ilabel"], compiled)
    (graph / "Gr.fst").write_bytes(_run(["fstconvert", "--fst_type=const"], ordered))


def _finals(final: dict[int, float]) -> str:
    return "".join(f"{state} {cost:.6f}\n" for state, cost in final.items())


def _parse(text: str) -> tuple[list[Arc], dict[int, float]]:
    """Read OpenFst's text form: four or five fields are an arc, one or two a final state."""
    arcs: list[Arc] = []
    final: dict[int, float] = {}
    for fields in map(str.split, text.splitlines()):
        if len(fields) >= 4:
            source, target, phone, word = map(int, fields[:4])
            arcs.append((source, target, phone, word, float(fields[4]) if len(fields) > 4 else 0.0))
        elif fields:
            final[int(fields[0])] = float(fields[1]) if len(fields) > 1 else 0.0
    return arcs, final


def _run(command: list[str], data: bytes) -> bytes:
    environment = os.environ | {"LD_LIBRARY_PATH": _LOOK_AHEAD_PLUGIN}
    result = subprocess.run(command, input=data, capture_output=True, env=environment, timeout=120, check=False)
    if result.returncode:
        raise GraphError(f"{command[0]} failed: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout
