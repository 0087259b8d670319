"""One line of Asterisk's CDR: what one channel did, with one other channel or with none.

Columns are those of CDR() in Asterisk 18 to 23: https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ANSWERED = "ANSWERED"
_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]+)?")
_OFFERED = re.compile(r"(?:\binbound[:,]|/route,)([+0-9*#]{1,40})([:,]test)?$")
"""Arguments of StasisBroadcast(), Stasis() and AGI() in our dialplan."""
_MASKED = re.compile(r"x+")
"""What `ari-agent retention` and `subject erase` leave of a number in Asterisk's files."""
_NUMBER = re.compile(r"\+?[0-9*#]{1,40}")


@dataclass(frozen=True, slots=True)
class Leg:
    """One line; times are aware."""

    uniqueid: str
    linkedid: str
    """Of the first channel of the call, as far as the source has it; else empty."""
    channel: str
    """Name with technology, such as "PJSIP/trunk-0000001a"."""
    context: str
    extension: str
    """The last one in the dialplan, not what was dialled."""
    application: str
    dialled: str
    """What the dialplan told the AI or its route question; empty in other lines."""
    test: bool
    caller: str | None
    """Calling number; None when it is withheld or masked."""
    masked: bool
    """Whether a number stood here until its time was over."""
    start: datetime
    answer: datetime | None
    end: datetime


def leg(values: Mapping[str, object], *, utc: bool) -> Leg:
    """Return the line of these columns. Raises ValueError, without a value in its text, when it is none."""
    uniqueid, channel = _text(values, "uniqueid"), _text(values, "channel")
    if not uniqueid or not channel:
        raise ValueError("no uniqueid or no channel")
    start = known(values.get("start", values.get("calldate")), utc=utc)
    end = moment(values.get("end"), utc=utc) or start + _seconds(values, "duration")
    if end < start:
        raise ValueError("the end is before the start")
    caller = _text(values, "src")
    offered = _OFFERED.search(_text(values, "lastdata"))
    return Leg(
        uniqueid=uniqueid,
        linkedid=_text(values, "linkedid"),
        channel=channel,
        context=_text(values, "dcontext"),
        extension=_text(values, "dst"),
        application=_text(values, "lastapp"),
        dialled=offered.group(1) if offered else "",
        test=bool(offered and offered.group(2)),
        caller=caller if _NUMBER.fullmatch(caller) else None,
        masked=bool(_MASKED.fullmatch(caller)),
        start=start,
        answer=_answer(values, end, utc=utc),
        end=end,
    )


def moment(value: object, *, utc: bool) -> datetime | None:
    """Return a time as Asterisk writes it: seconds since 1970 or a clock; None for none. Raises ValueError."""
    if not isinstance(value, datetime):
        text = str(value or "").strip()
        if not text or text.startswith("0000"):
            return None
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("a time is none") from None
    if value.tzinfo is None:
        # Without a zone Python takes the machine's, as Asterisk does.
        return value.replace(tzinfo=UTC) if utc else value.astimezone(UTC)
    return value.astimezone(UTC)


def known(value: object, *, utc: bool) -> datetime:
    """Return a time that has to be there. Raises ValueError."""
    found = moment(value, utc=utc)
    if found is None:
        raise ValueError("no time")
    return found


def _answer(values: Mapping[str, object], end: datetime, *, utc: bool) -> datetime | None:
    if _text(values, "disposition").upper() != ANSWERED:
        return None
    return moment(values.get("answer"), utc=utc) or end - _seconds(values, "billsec")


def _seconds(values: Mapping[str, object], name: str) -> timedelta:
    try:
        seconds = float(_text(values, name) or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e7:
        raise ValueError(f"{name} is no number of seconds")
    return timedelta(seconds=seconds)


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value).strip()
