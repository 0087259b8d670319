"""What a caller's words mean for a recording: whether they agree to it, and whether they want it stopped.

Whoever is not sure is not recorded: only words that say yes and nothing else are a consent (Art. 4 Nr. 11 DSGVO: an
unambiguous, affirmative act), and any wish that sounds like one ends a recording.
"""

from __future__ import annotations

import re

from ari_agent.dialogue.form_replies import verdict
from ari_agent.spoken.tokens import words

_YES = frozenset({"ja", "jawohl", "jawoll", "einverstanden"})
_BESIDE = frozenset(
    words(
        "gerne gern bitte danke natürlich klar sicher okay ok in ordnung das dürfen sie dürft ihr darfst du machen "
        "mach ist damit ich bin wir sind von mir aus selbstverständlich genau äh ähm also hm ach na doch"
    )
)
"""Words that may stand beside a yes without changing it."""

_IT = r"(?:auf\ ?(?:nahme|name|zeichnung|nehmen|zeichnen)|mit\ ?(?:schnitt|schrift|schneiden|schreiben))"
"""With a blank where a recogniser takes a word that it does not know apart."""
_STOPS = re.compile(
    rf"""\b(?:
    {_IT}\b.{{0,40}}\b(?:stopp?(?:en|t)?|beenden?|ende|abbrechen|abschalten|ausschalten|aus|löschen?|weg)\b |
    (?:stopp?(?:en|e)?|beenden?|brechen|lösch(?:en|e)?)\b.{{0,40}}\b{_IT}\b |
    (?:nicht|nichts|kein(?:e|en)?|nie)\s(?:\w+\s){{0,3}}{_IT}\b |
    (?:nicht|nichts)\s(?:mehr\s)?(?:aufgenommen|aufgezeichnet|mitgeschnitten|mitgeschrieben)\b |
    (?:widerrufe|widerruf|nehme)\b.{{0,40}}\b(?:einwilligung|zustimmung|erlaubnis)\b |
    hör(?:en\ sie)?\b.{{0,20}}\b{_IT}\b.{{0,10}}\bauf\b |
    hör(?:en\ sie)?\ auf\b.{{0,20}}\b(?:aufzunehmen|aufzuzeichnen|mitzuschneiden|mitzuschreiben)\b
    )
    | ^(?:(?:bitte|halt|\[unk\])\s)*(?:stopp?|löschen(?:\ sie(?:\ (?:die|das))?\ \[unk\])?)(?:\s(?:bitte|\[unk\]))*$""",
    re.VERBOSE,
)
_ASIDE = re.compile(
    r"\b(?:bitte|ich|möchte|will|wir|sie|die|das|dass|doch|jetzt|sofort|meine|zurück|wird|wieder|alles)\b"
)
_A_MATTER = 2
"""More words beside the wish to stop are a matter of their own."""


def agrees(text: str) -> bool:
    """Tell whether the words are a consent and nothing else."""
    spoken = text.split()
    return any(word in _YES for word in spoken) and all(word in _YES or word in _BESIDE for word in spoken)


def declines(text: str) -> bool:
    """Tell whether the words are a no and nothing else."""
    said, rest = verdict(text)
    return said == "no" and not rest


def stops(text: str) -> bool:
    """Tell whether the caller wants not to be recorded any more; "[unk]" stands for a word that is not known."""
    return _STOPS.search(text) is not None


def wants_more(text: str) -> bool:
    """Tell whether words that stop a recording say something else too."""
    rest = _ASIDE.sub(" ", _STOPS.sub(" ", text)).replace("[unk]", " ")
    return len(rest.split()) > _A_MATTER
