"""Rules that stand before any search or model: what must always be understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Rule = Literal[
    "emergency",
    "fault",
    "complaint",
    "wish-for-person",
    "ask-ai",
    "privacy",
    "repeat",
    "goodbye",
    "yes",
    "no",
    "greeting",
]
Rules = Mapping[Rule, re.Pattern[str]]
"""In order of urgency: the first that fits decides."""


def rule(text: str, rules: Rules) -> Rule | None:
    """Return the first rule that the words fulfil.

    Words the recogniser did not know ("[unk]") count as pauses between the others. A rule for a whole utterance sees
    that there were some by a "…" at its beginning: thanks alone may end a call, thanks after who knows what may not.
    """
    known = " ".join(text.replace("[unk]", " ").split())
    if "[unk]" in text:
        known = f"… {known}"
    return next((name for name, pattern in rules.items() if pattern.search(known)), None)
