"""What a caller hears about the opening hours at this moment."""

from __future__ import annotations

from datetime import date, datetime

from ari_agent.hours import DAY, Hours
from ari_agent.spoken import dates, times
from ari_agent.spoken.calendar_words import WEEKDAYS

_NEAR = ("Heute", "Morgen", "Übermorgen")
_WEEK = 7
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
        later = [span for span in hours.spans_on(local.date()) if span[0] >= end.hour * 60 + end.minute]
        return f"Wir sind heute {' und '.join([f'bis {_clock(end)}', *map(_span, later)])} da."
    opening = hours.next_opening(at)
    if opening is None:
        return _reason(why)
    moment = opening.astimezone(hours.zone)
    return f"{_reason(why)} Wir sind {_day(moment, local)}ab {_clock(moment)} wieder da."


def say_on(hours: Hours, day: date, at: datetime) -> str:
    """Return when the company is open on a day from now on, or why not and when it opens again."""
    local = at.astimezone(hours.zone)
    name = _day_name(day, local.date())
    if spans := hours.spans_on(day):
        return f"{name} haben wir {' und '.join(map(_span, spans))} geöffnet."
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=hours.zone)
    kind, _, reason = (hours.why_closed(noon) or "").partition(":")
    if kind == "holiday":
        said = f"{name} ist {_NAMED_AS.get(reason, reason)}, da haben wir geschlossen."
    else:
        why = {"vacation": "wegen Betriebsferien", "special": f"Grund: {reason}" if reason else ""}.get(kind, "")
        said = f"{name} haben wir geschlossen{f', {why}' if why else ''}."
    opening = hours.next_opening(noon)
    if opening is None:
        return said
    moment = opening.astimezone(hours.zone)
    return f"{said} Danach sind wir {_day(moment, local)}ab {_clock(moment)} wieder da."


def _day_name(day: date, today: date) -> str:
    ahead = (day - today).days
    if ahead < len(_NEAR):
        return _NEAR[ahead]
    weekday = f"Am {WEEKDAYS[day.weekday()]}"
    return weekday if ahead < _WEEK else f"{weekday}, de{dates.say_day(day, today, 'm').split(', de')[-1]},"


def _span(span: tuple[int, int]) -> str:
    first, last = (times.say(times.clock_time(minute % DAY)) for minute in span)
    return f"von {first.removesuffix(' Uhr') if last.endswith(' Uhr') else first} bis {last}"


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
