"""The words, figures and signs of what was heard."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 2000
"""Letters of a text that is looked at: without a limit the work would not be bounded; no caller speaks longer."""

_TOKEN = re.compile(r"[0-9]+|[^\W0-9_]+|[^\w\s]|_")


def tokens(text: str) -> list[str]:
    """Return words, figures and single signs in lower case; none for a text that is longer than LONGEST."""
    if len(text) > LONGEST:
        return []
    return _TOKEN.findall(unicodedata.normalize("NFC", text).lower())


def words(text: str) -> list[str]:
    """Return only the words and figures of the text, in lower case."""
    return [token for token in tokens(text) if token[0].isalnum()]
