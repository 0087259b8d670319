"""CDR as CSV: Master.csv of cdr_csv, or a file of cdr_custom with columns named in the settings."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from ari_agent.cdr.files import Report, lines
from ari_agent.cdr.leg import Leg, leg
from ari_agent.cdr.settings import CdrSettings

_BASE = [
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags",
]  # fmt: skip
_LATER = ["peeraccount", "linkedid", "sequence"]
CDR_CSV = {
    # loguniqueid, loguserfield and newcdrcolumns of cdr.conf add columns, in this order (cdr/cdr_csv.c)
    len(_BASE) + 1: [*_BASE, "uniqueid"],
    len(_BASE) + 2: [*_BASE, "uniqueid", "userfield"],
    len(_BASE) + 4: [*_BASE, "uniqueid", *_LATER],
    len(_BASE) + 5: [*_BASE, "uniqueid", "userfield", *_LATER],
}
"""Columns by their number."""
_WITHOUT = {len(_BASE), len(_BASE) + 3}
"""So many columns there are without loguniqueid."""


def legs(settings: CdrSettings, since: datetime, report: Report) -> Iterator[Leg]:
    """Yield the calls' lines that ended after a time; what is none is reported. Raises OSError."""
    for line in lines(settings.file, since, report):
        try:
            found = _read(line.text, settings)
        except ValueError as e:
            report.doubt(line, str(e))
            rest = _rest(line.text, settings)
            if rest is None:
                continue
            found = rest
        report.settle(recent=found.end >= since)
        if found.end >= since:
            yield found
    report.settle(recent=True)


def _read(text: str, settings: CdrSettings) -> Leg:
    try:
        (fields,) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        raise ValueError("not CSV") from None
    columns: Sequence[str] | None = settings.columns or CDR_CSV.get(len(fields))
    if columns is None and len(fields) in _WITHOUT:
        raise ValueError("no uniqueid: set loguniqueid = yes in [csv] of cdr.conf")
    if columns is None or len(columns) != len(fields):
        raise ValueError(f"{len(fields)} columns")
    return leg(dict(zip(columns, fields, strict=True)), utc=settings.utc)


def _rest(text: str, settings: CdrSettings) -> Leg | None:
    """Return the whole line that follows on a broken one, when Asterisk was killed while it wrote it."""
    for position in range(1, len(text)):
        if text[position] == '"':
            with suppress(ValueError):
                return _read(text[position:], settings)
    return None
