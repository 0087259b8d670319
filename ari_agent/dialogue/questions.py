"""Several questions in one breath: "was kostet das und wann haben sie offen"."""

from __future__ import annotations

import re

MOST = 3
"""More answers in a row than this nobody remembers."""

_ASKING = r"""(?:was|wie|wieviel|wann|wo|woher|wohin|wer|wen|wem|welche[mnrs]?|warum|wieso|bis\ wann|ab\ wann|ob|
    kann|können|könnte|könnten|darf|dürfen|muss|müssen|
    hat|haben|habt|gibt|ist|sind|bieten|machen|nehmen|bekomme|brauche|geht|liefern)\b"""
_BETWEEN = re.compile(
    rf"""\s(?:und|sowie|oder\ auch)\s(?:(?:dann|noch|auch|außerdem|eine\ frage|zweitens)\s)*(?={_ASKING})|
    \s(?:außerdem|zweitens|noch\ eine\ frage)\s""",
    re.VERBOSE,
)
_FEWEST_WORDS = 2


def split(text: str) -> list[str]:
    """Return the questions in their order; the text alone when it is one."""
    parts = [part.strip() for part in _BETWEEN.split(text)]
    if not 1 < len(parts) <= MOST or any(len(part.split()) < _FEWEST_WORDS for part in parts):
        return [text]
    return parts
