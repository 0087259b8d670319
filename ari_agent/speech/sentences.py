"""German sentences: where a text may be cut for speaking, and how much of it a caller heard."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ABBREVIATION = re.compile(
    r"""abs|adr|allg|art|bd|bzgl|bzw|ca|dipl|dr|einschl|etc|evtl|exkl|fa|ff|fr|geb|gegr|ggf|gez|hbf|hr|hrsg|inh|ing|inkl
    |jh|kfz|max|med|min|mind|mio|mr|mrd|mwst|nr|o\.ä|op|pl|prof|rd|sog|st|std|\w*str|tägl|tel|telef|u\.a|usf|usw|vgl|vorm
    |wg|wwe|z\.b|zb|zi|zzgl|mo|di|mi|do|sa|so|jan|feb|mär|apr|jun|jul|aug|sep|sept|okt|nov|dez""",
    re.VERBOSE,
)
"""Without the last full stop. One that ends a sentence joins it to the next: heard as one breath, never as nonsense."""

_END = re.compile(
    r"""(?P<mark>[.!?…]+)        # what ends a sentence
        (?P<close>["'»“”)\]]*)   # quotes and brackets that close behind it
        \s+
        (?=["'„»«(\[]*[0-9A-ZÄÖÜ])  # a sentence begins with a capital or a number
    """,
    re.VERBOSE,
)
_PARAGRAPH = re.compile(r"\n\s*\n")
_LAST_WORD = re.compile(r"[^\s(„\"»«]*$")
_ONE_LETTER = re.compile(r"(^|\.)[^\W\d]$")
_ORDINAL = re.compile(r"(^|[.\-/–])\d{1,2}$")

PAUSE_MS = 250
"""Between two sentences; the voices render none around a sentence."""


def split(text: str) -> list[str]:
    """Return the sentences of the text, blanks normalised; joined with blanks they are the text again.

    A full stop after one or two digits is taken for an ordinal ("am 3. Mai") and does not end a sentence.
    """
    return [sentence for paragraph in _PARAGRAPH.split(text) for sentence in _split(" ".join(paragraph.split()))]


def heard(parts: Sequence[tuple[str, float]], played_ms: float) -> str:
    """Return the words a caller heard when playback stopped after `played_ms`.

    `parts` are the sentences with their durations in milliseconds. The sentence that was cut contributes the words
    whose share of it was played, followed by " …"; the result is "" when not a single word was heard.
    """
    words: list[str] = []
    left = played_ms
    for sentence, ms in parts:
        if left < ms:
            words += _begun(sentence, max(0.0, left) / ms)
            return " ".join([*words, "…"]) if words else ""
        words += sentence.split()
        left -= ms
    return " ".join(words)


def _split(paragraph: str) -> list[str]:
    sentences: list[str] = []
    start = 0
    for end in _END.finditer(paragraph):
        if end["mark"] == "." and not end["close"] and _goes_on(paragraph[start : end.start()]):
            continue
        sentences.append(paragraph[start : end.end()].rstrip())
        start = end.end()
    return [*sentences, paragraph[start:]] if paragraph[start:] else sentences


def _goes_on(before: str) -> bool:
    """Whether a full stop after these words belongs to an abbreviation or an ordinal."""
    match = _LAST_WORD.search(before)
    word = match[0].lower() if match else ""
    return bool(_ABBREVIATION.fullmatch(word) or _ONE_LETTER.search(word) or _ORDINAL.search(word))


def _begun(sentence: str, share: float) -> list[str]:
    """Return the words that end within this share (0..1) of the sentence's letters; long words take longer."""
    words = sentence.split()
    total = sum(len(word) for word in words)
    spoken: list[str] = []
    letters = 0
    for word in words:
        letters += len(word)
        if letters > share * total:
            break
        spoken.append(word)
    return spoken
