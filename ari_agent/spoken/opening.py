"""What a caller hears about the opening hours at this moment."""

from __future__ import annotations

from datetime import datetime

from ari_agent.hours import Hours
from ari_agent.spoken import dates, times
from ari_agent.spoken.calendar_words import WEEKDAYS

_CLOSED = {
    "vacation": "Wir haben gerade Betriebsferien.",
    "weekend": "Am Wochenende haben wir geschlossen.",
    "weekday": "Heute haben wir geschlossen.",
    "lunch": "Wir haben gerade Mittagspause.",
    "before": "Wir haben jetzt noch geschlossen.",
    "after": "Wir haben heute schon geschlossen.",
}
_NAMED_AS = {"Erster Weihnachtstag": "der erste Weihnachtstag", "Zweiter Weihnachtstag": "der zweite Weihnachtstag"} | {
    "Erster Mai": "der erste Mai",
    "Tag der Deutschen Einheit": "der Tag der Deutschen Einheit",
}


def say(hours: Hours, at: datetime) -> str:
    """Return whether the company is open, why not, and when it opens or closes next."""
    local = at.astimezone(hours.zone)
    why = hours.why_closed(at)
    if why is None:
        closing = hours.next_closing(at)
        if closing is None:
            return "Wir sind immer für Sie da."
        end = closing.astimezone(hours.zone)
        if end.date() > local.date():
            return f"Wir sind jetzt da, bis {_day(end, local)}um {_clock(end)}."
        return f"Wir sind heute bis {_clock(end)} da."
    opening = hours.next_opening(at)
    if opening is None:
        return _reason(why)
    moment = opening.astimezone(hours.zone)
    return f"{_reason(why)} Wir sind {_day(moment, local)}ab {_clock(moment)} wieder da."


def _reason(why: str) -> str:
    kind, _, name = why.partition(":")
    if kind == "special":
        return f"Heute haben wir geschlossen, Grund: {name}." if name else "Heute haben wir geschlossen."
    if kind == "holiday":
        return f"Heute ist {_NAMED_AS.get(name, name)}, da haben wir geschlossen."
    return _CLOSED[kind]


def _clock(moment: datetime) -> str:
    return times.say(moment.time())


def _day(moment: datetime, now: datetime) -> str:
    days = (moment.date() - now.date()).days
    if days == 0:
        return "heute "
    if days == 1:
        return "morgen "
    if days < 7:
        return f"am {WEEKDAYS[moment.weekday()]} "
    return f"am {dates.say_day(moment.date(), now.date(), 'm')}, "
