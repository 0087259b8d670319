"""Lines of Asterisk's records of calls (CDR and CEL as CSV): their fields and where these stand."""

from __future__ import annotations

import re
from datetime import UTC, datetime

CALLER_ID, SOURCE, START, COLUMNS = 4, 1, 9, 16
"""In Master.csv of cdr_csv: account, src, dst, context, clid, channel, dstchannel, lastapp, lastdata, start, …"""

_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,"\r\n]*)')


def fields(line: str) -> list[tuple[int, int]]:
    """Return where each field of a line of CSV begins and ends, without the quotes around it."""
    found, position = [], 0
    while position <= len(line.rstrip("\r\n")):
        match = _FIELD.match(line, position)
        if match is None:
            break
        found.append(match.span(1 if match.group(1) is not None else 2))
        position = match.end() + 1
        if line[match.end() : position] != ",":
            break
    return found


def begun(line: str) -> datetime | None:
    """Return when the call of a line of Master.csv began, in UTC; None when it is no such line."""
    spans = fields(line)
    if len(spans) < COLUMNS:
        return None
    first, end = spans[START]
    try:
        # cdr_csv writes UTC or local time (usegmtime); a day more or less is no matter for a rule of days.
        return datetime.strptime(line[first:end], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def of_the_caller(line: str) -> list[tuple[int, int]]:
    """Return the parts of a line of Master.csv that tell who called."""
    spans = fields(line)
    if len(spans) < COLUMNS:
        return []
    return [span for span in (spans[SOURCE], spans[CALLER_ID]) if span[1] > span[0]]
