"""What the wish for a message or a callback tells already: for whom, and when."""

from __future__ import annotations

import re

_WHOM = (
    r"(?:(?:herrn?|frau)(?:\ doktor|\ doktorin)?\ (?!bitte|etwas|was|doktor|doch|mal|ausrichten|eine)\w+|"
    r"frau\ doktor|herrn?\ doktor|chefin|chef)"
)
_RECIPIENT = re.compile(
    rf"""\bnachricht\ (?:hinterlassen\ )?(?:für|an)\ (?:den\ |die\ |das\ )?(?P<for>{_WHOM})\b |
    \b(?:dem|der)\ (?P<to>{_WHOM})\b.*\b(?:ausrichten|bestellen|sagen|mitteilen) |
    \b(?:richten|bestellen|sagen)\ sie\ (?:bitte\ |doch\ |mal\ )*(?:dem|der)\ (?P<say>{_WHOM})\b""",
    re.VERBOSE,
)
_CALL = r"(?:zurück\ ?ruf\w*|zurück\ ?gerufen|ruf\w*|anruf\w*|zurück|rückruf|meld\w*)"
_TIME = (
    r"(?:heute|(?:über)?morgen|am\ \w+tag|am\ mittwoch|ab\ \w+|nach\ \w+|vor\ \w+|um\ \w+|gegen\ \w+|"
    r"zwischen\ \w+|nächste\ woche|vormittags?|nachmittags?|abends?|früh)"
)
_NEAR = re.compile(rf"\b{_CALL}\b.*\b{_TIME}\b|\b{_TIME}\b.*\b{_CALL}\b")
_GREETING = re.compile(r"\b(?:guten|schönen) (?:morgen|abend|tag|mittag)\b")
_ABOUT = re.compile(r"\b(?:wegen|es\ geht|weil|termin|gestern|letzte\w*|seit|warte|schon|hatte|hab|habe|um\ rück\w+)\b")
"""Beside one of these a time may belong to the matter."""


def recipient_in(said: str) -> str:
    """Return for whom a message is, if the wish for it says so; else ""."""
    found = _RECIPIENT.search(said)
    return next(filter(None, found.groups()), "") if found else ""


def time_in(said: str) -> str:
    """Return the words if they say when to call, and nothing else that a time may belong to; else ""."""
    said = _GREETING.sub("", said)
    return said if _NEAR.search(said) and not _ABOUT.search(said) else ""
