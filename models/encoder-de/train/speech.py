"""Callers' speech from wordings: how they begin and end, and what a recogniser makes of it on a telephone line."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

_SLOT = re.compile(r"\{(\w+)\}")


def _listed(text: str, separator: str | None = None) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(separator))


LEADS = _listed(
    """
    guten tag; hallo; ja hallo; grüß gott; moin; servus; guten morgen; schönen guten tag; ja guten tag; hallo
    hier ist {name}; guten tag {name} mein name; ja {name} guten tag; hier spricht {name}; {name} hallo; ich
    wollte mal fragen; ich wollt nur mal wissen; ich hätte mal eine frage; eine frage; ich hab da mal ne
    frage; können sie mir sagen; könnten sie mir vielleicht sagen; sagen sie mal; wissen sie; mich würde
    interessieren; ich würd gern wissen; entschuldigung; entschuldigen sie die störung; also; ähm; ja also;
    äh; na ja; und; noch eine frage; ach ja und; jetzt noch was anderes; gut dann noch; okay und; ja und; nur
    ganz kurz; guten tag ich rufe an weil; ich rufe wegen folgendem an; es geht um folgendes; passen sie auf;
    hören sie mal; wir sind neu hier und; meine frau hat gesagt ich soll mal anrufen; ich bin zum ersten mal
    bei ihnen; ich war schon mal bei ihnen und; nicht erschrecken aber; vielleicht können sie mir helfen; ich
    bräuchte mal hilfe; ich hab auf ihrer seite nichts gefunden; im internet stand nichts dazu; ein bekannter
    hat sie empfohlen; ich hoffe ich bin da richtig bei ihnen; bin ich da bei ihnen richtig; nee warten sie;
    äh nein moment; was ich noch wissen wollte; ach so; ich frag mal ganz direkt; sagen sie; du sag mal; jetzt
    mal ehrlich
    """,
    ";",
)
TAILS = _listed(
    """
    bitte; eigentlich; danke; wissen sie das; oder; bei ihnen; so ungefähr; wenn ich fragen darf; vielen dank;
    können sie mir das sagen; denn; oder wie ist das; geht das; das wollte ich nur wissen; und so; oder so;
    bitte schön; ne; gell; wenn das geht; das wär gut zu wissen; weil ich das nicht weiß; für mich; bei euch;
    überhaupt; jetzt
    """,
    ";",
)
_SPOKEN = {
    "habe": "hab", "haben sie": "hamse", "eine": "ne", "einen": "nen", "ein": "n", "nicht": "net", "nichts": "nix",
    "ist es": "ists", "gibt es": "gibts", "geht es": "gehts", "wäre": "wär", "würde": "würd", "könnte": "könnt",
    "möchte": "möcht", "mal": "ma", "etwas": "was", "ich": "i", "kostet": "kost", "brauche": "brauch", "sie": "se",
    "muss": "müsst", "kann": "könnt", "wollte": "wollt", "hätte": "hätt", "heute": "heut", "gerade": "grad",
}  # fmt: skip
_SOUNDS = tuple(
    pair.split(">")
    for pair in _listed(
        """
        d>t t>d b>p p>b g>k k>g ei>ai ai>ei ie>i ss>s s>ss v>f f>v ck>k mm>m nn>n ll>l tt>t ä>e e>ä eu>oi
        äu>eu ö>e ü>i h> z>ts ts>z chs>x x>ks qu>kw ph>f th>t c>k y>i sch>s er>a en>n ng>n rr>r ff>f pf>f dt>t
        oo>o aa>a
        """
    )
)
"""What a recogniser writes for another spelling of nearly the same sound."""
_FILLERS = _listed("äh ähm also ja halt eben mal nun hm na so quasi irgendwie sozusagen gell [unk] [unk]")
_SMALL = frozenset(
    _listed(
        """
        am an auf bei bitte da das dem den denn der die ein eine einen für ich im in mal mit sie so und von zu
        """
    )
)
_ENDINGS = ("en", "er", "es", "e", "n", "s", "t", "st")


def fill(text: str, fillers: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """Put a filler into every {slot}."""
    return _SLOT.sub(lambda slot: rng.choice(fillers[slot[1]]), text)


def spoken(text: str, fillers: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """Return what a recogniser may make of a caller who says this, in one of very many ways."""
    text = fill(text, fillers, rng)
    if rng.random() < 0.35:
        text = f"{fill(rng.choice(LEADS), fillers, rng)} {text}"
        if rng.random() < 0.25:
            text = f"{fill(rng.choice(LEADS), fillers, rng)} {text}"
    if rng.random() < 0.2:
        text = f"{text} {rng.choice(TAILS)}"
    if rng.random() < 0.3:
        text = _colloquial(text, rng)
    return heard(text, rng) if rng.random() < 0.5 else text


def heard(text: str, rng: random.Random) -> str:
    """Return a text with recognition errors."""
    errors = []
    for word in text.split():
        x = rng.random()
        if x < 0.02 or (x < 0.12 and word in _SMALL):
            continue
        if x > 0.97:
            errors.append(rng.choice(_FILLERS))
        if 0.95 < x < 0.97:
            errors.append(word)
        errors.extend(_misheard(word, rng).split())
    if len(errors) > 2 and rng.random() < 0.12:
        at = rng.randrange(len(errors) - 1)
        errors[at : at + 2] = ["".join(errors[at : at + 2])]
    if len(errors) > 3 and rng.random() < 0.08:
        errors[rng.randrange(len(errors))] = "[unk]"
    return " ".join(errors) or text


def _misheard(word: str, rng: random.Random) -> str:
    x = rng.random()
    if x < 0.1 and len(word) > 7:
        at = rng.randrange(3, len(word) - 2)
        return f"{word[:at]} {word[at:]}"
    if x < 0.18 and len(word) > 4:
        written, other = rng.choice(_SOUNDS)
        return word.replace(written, other, 1)
    if x < 0.24 and len(word) > 4:
        for ending in _ENDINGS:
            if word.endswith(ending):
                return word[: -len(ending)] + rng.choice(("", *_ENDINGS))
    if x < 0.26 and len(word) > 5:
        at = rng.randrange(1, len(word) - 1)
        return word[:at] + word[at + 1 :]
    return word


def _colloquial(text: str, rng: random.Random) -> str:
    framed = f" {text} "
    for written, said in _SPOKEN.items():
        if f" {written} " in framed and rng.random() < 0.4:
            framed = framed.replace(f" {written} ", f" {said} ")
    return framed.strip()
