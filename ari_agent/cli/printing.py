"""How data is printed for people and for machines."""

from __future__ import annotations

import json
from datetime import datetime


def clock(at: datetime | None, form: str) -> str:
    """Return a moment in the machine's time zone; a dash for none."""
    return at.astimezone().strftime(form) if at is not None else "–"


def json_text(value: object, indent: int | None = 2) -> str:
    """Return JSON with times as ISO 8601 and anything else unknown to JSON as its text."""

    def plain(item: object) -> str:
        return item.isoformat() if isinstance(item, datetime) else str(item)

    return json.dumps(value, default=plain, ensure_ascii=False, indent=indent)
