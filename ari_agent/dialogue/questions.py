"""Several questions in one breath: "was kostet das und wann haben sie offen"."""

from __future__ import annotations

import re

MOST = 3
"""More answers in a row than this nobody remembers."""

_ASKING = r"""(?:was|wie|wieviel|wann|wo|woher|wohin|wer|wen|wem|welche[mnrs]?|warum|wieso|bis\ wann|ab\ wann|ob|
    kann|können|könnte|könnten|darf|dürfen|muss|müssen|
    hat|haben|habt|gibt|ist|sind|bieten|machen|nehmen|bekomme|brauche|geht|liefern|lagern|zahlt|übernimmt)\b"""
_LEAD = r"(?:(?:dann|noch|auch|außerdem|eine\ frage|zweitens|vielleicht|gleich|eben|mal)\s)*"
_BETWEEN = re.compile(
    rf"""\s(?:und|sowie|oder\ auch)\s{_LEAD}(?={_ASKING})|
    \s(?:und\s)?(?:außerdem|zweitens|noch\ eine\ frage)\s|
    (?<=\w)\s(?=(?:was|wie\ (?:viel|teuer|lange?))\s(?:kostet|kosten|dauert|ist|sind)\b)""",
    re.VERBOSE,
)
_FEWEST_WORDS = 2
_MOST_PARTS = 6
"""Of one turn, of which some only tell what the others are about."""

_ASKED_OF_SEVERAL = re.compile(
    r"""(?P<lead>.*?\b)
    (?P<asked>(?:(?:was|wie\ viel)\ kost(?:en?|et)|wie\ teuer\ (?:ist|sind)|was\ verlang(?:en\ sie|t\ ihr)\ für|
        preise?\ für|die\ preise?\ von|wie\ lange\ dauer(?:n|t))
        (?:\ (?:denn|eigentlich|bei\ ihnen|bei\ euch|so|jetzt|dann))*)
    \ (?P<things>.+)""",
    re.VERBOSE,
)
_AND = re.compile(r"\s(?:und|sowie)\s(?:auch\s|noch\s)?")
_MOST_OF_A_THING = 5
"""Words of one of several things that are asked for together."""


def split(text: str) -> list[str]:
    """Return the questions in their order; the text alone when it is one."""
    parts: list[str] = []
    for part in filter(None, map(str.strip, _BETWEEN.split(text))):
        if parts and len(parts[-1].split()) < _FEWEST_WORDS:
            part = f"{parts.pop()} {part}"  # "hallo" belongs to what follows
        parts.append(part)
    if not 1 < len(parts) <= _MOST_PARTS or any(len(part.split()) < _FEWEST_WORDS for part in parts):
        return [text]
    return parts


def distributed(text: str) -> list[str]:
    """Return a question that is asked of several things, once for each; the text alone when it is asked of one."""
    found = _ASKED_OF_SEVERAL.fullmatch(text)
    things = _AND.split(found["things"]) if found else []
    if found is None or not 1 < len(things) <= MOST or any(len(thing.split()) > _MOST_OF_A_THING for thing in things):
        return [text]
    asked = re.sub(r".*preise?\b.*", "was kostet", found["asked"])
    return [f"{asked} {thing}" for thing in things]
