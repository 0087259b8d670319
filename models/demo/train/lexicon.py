"""How espeak-ng pronounces each word of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable

from train.espeak import Espeak, Speaker
from train.speech import word_phones

Lexicon = dict[str, tuple[str, ...]]
"""Word → phones; the German voice has one pronunciation per word."""

_CARRIER = "bitte"  # a word alone is spoken with other stress, and neighbours such as "durch den" run together


class LexiconError(ValueError):
    """espeak-ng does not speak a word as one German word."""


def pronounce(words: Iterable[str]) -> Lexicon:
    """Return the phones of each word. Raises LexiconError for a word that comes out as none, several or foreign."""
    espeak = Espeak()
    lexicon: Lexicon = {}
    for word in words:
        _, events = espeak.speak(f"{_CARRIER} {word} {_CARRIER}", Speaker("de"))
        spoken = word_phones(events)
        if len(spoken) != 3:
            raise LexiconError(f"espeak-ng speaks {word!r} as {len(spoken) - 2} words")
        # "(en)" among the phones: the voice changed its language, and English phones are not trained.
        if foreign := [phone for phone in spoken[1] if phone.startswith("(")]:
            raise LexiconError(f"espeak-ng speaks {word!r} in another language: {' '.join(foreign)}")
        lexicon[word] = spoken[1]
    return lexicon
