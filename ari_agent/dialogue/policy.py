"""Rules that stand before any search or model: what must always be understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Rule = Literal[
    "emergency", "fault", "complaint", "wish-for-person", "ask-ai", "privacy", "repeat", "goodbye", "yes", "no"
]
Rules = Mapping[Rule, re.Pattern[str]]
"""In order of urgency: the first that fits decides."""


def rule(text: str, rules: Rules) -> Rule | None:
    """Return the first rule that the words fulfil; words the recogniser did not know count as pauses."""
    text = " ".join(text.replace("[unk]", " ").split())
    return next((name for name, pattern in rules.items() if pattern.search(text)), None)
