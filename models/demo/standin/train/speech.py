"""How people say a wording on the telephone, and what a recogniser makes of it."""

from __future__ import annotations

import random

_LEADS = """
guten tag; hallo; ja hallo; moin; guten morgen; ja guten tag; hallo müller hier; guten tag mein name ist schmidt; ich
wollte mal fragen; ich wollte nur wissen; eine frage; ich habe eine frage; ich hätte mal eine frage; können sie mir
sagen; sagen sie mal; wissen sie; mich würde interessieren; entschuldigung; also; ähm; ja also; äh; und; noch eine
frage; ach ja; und dann noch; okay; gut; ja; ach so; ich rufe an weil; nur ganz kurz; hören sie mal; ich bin kunde bei
ihnen; wir sind neu hier; was ich noch wissen wollte; sagen sie; ja ähm; hallo guten tag
"""
_TAILS = """
bitte; eigentlich; danke; wissen sie das; oder; bei ihnen; so ungefähr; wenn ich fragen darf; vielen dank; denn;
können sie mir das sagen; das wollte ich wissen; ne; gell; überhaupt; jetzt; oder so; bei euch; für mich
"""
_COLLOQUIAL = {
    "habe": "hab", "haben sie": "hamse", "eine": "ne", "einen": "nen", "nichts": "nix", "gibt es": "gibts",
    "geht es": "gehts", "möchte": "möcht", "ist es": "ists", "würde": "würd", "hätte": "hätt", "heute": "heut",
    "haben sie auch": "habt ihr auch", "sie": "ihr", "bei ihnen": "bei euch",
}  # fmt: skip
_SOUNDS = """
d>t t>d b>p p>b g>k k>g ei>ai ie>i ss>s v>f ck>k mm>m nn>n ll>l tt>t ä>e eu>oi äu>eu ö>e ü>i h> z>s sch>s er>a en>n
rr>r ff>f s>z aa>a
"""
_FILLERS = ("äh", "ähm", "also", "ja", "halt", "eben", "mal", "nun", "hm", "so", "[unk]")
_SMALL = "der die das den dem ein eine einen bei für von zu im in am an auf mit und ich sie denn mal so da"
_ENDINGS = ("", "e", "en", "er", "es", "n", "s", "t")
_LEAD_LIST, _TAIL_LIST = (tuple(" ".join(each.split()) for each in text.split(";")) for text in (_LEADS, _TAILS))
_SOUND_PAIRS = tuple(pair.partition(">")[::2] for pair in _SOUNDS.split())
_SMALL_WORDS = frozenset(_SMALL.split())


def spoken(text: str, rng: random.Random) -> str:
    """Return one of very many ways in which a caller may say this and a recogniser hear it."""
    if rng.random() < 0.3:
        text = f"{rng.choice(_LEAD_LIST)} {text}"
    if rng.random() < 0.15:
        text = f"{text} {rng.choice(_TAIL_LIST)}"
    if rng.random() < 0.25:
        written, said = rng.choice(tuple(_COLLOQUIAL.items()))
        text = f" {text} ".replace(f" {written} ", f" {said} ").strip()
    return _heard(text, rng) if rng.random() < 0.4 else text


def _heard(text: str, rng: random.Random) -> str:
    """Return the text with recognition errors."""
    words: list[str] = []
    for word in text.split():
        chance = rng.random()
        if chance < 0.02 or (chance < 0.1 and word in _SMALL_WORDS):
            continue
        if chance > 0.96:
            words.append(rng.choice(_FILLERS))
        words += _misheard(word, rng).split()
    return " ".join(words) or text


def _misheard(word: str, rng: random.Random) -> str:
    chance = rng.random()
    if chance < 0.06 and len(word) > 7:
        at = rng.randrange(3, len(word) - 2)
        return f"{word[:at]} {word[at:]}"
    if chance < 0.14 and len(word) > 4:
        written, other = rng.choice(_SOUND_PAIRS)
        return word.replace(written, other, 1)
    if chance < 0.18 and len(word) > 4:
        for ending in ("en", "er", "es", "e", "n", "s", "t"):
            if word.endswith(ending):
                return word.removesuffix(ending) + rng.choice(_ENDINGS)
    if chance < 0.2 and len(word) > 5:
        at = rng.randrange(1, len(word) - 1)
        return word[:at] + word[at + 1 :]
    return word
