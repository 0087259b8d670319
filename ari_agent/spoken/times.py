"""Times of day as people say them: "halb drei", "Viertel nach acht", "vierzehn Uhr dreißig", "abends um acht".

A time is counted in minutes since midnight, 0 to 1440, where 1440 is the end of the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from ari_agent.spoken.calendar_words import cardinal, cardinal_word, words

DAY = 24 * 60
Minutes = tuple[int, int]
"""From and to, minutes since midnight."""

WORKDAY: Minutes = (8 * 60, 18 * 60)
"""When most companies work; decides what "um drei" means if the company's own hours are not given."""

PARTS: dict[str, Minutes] = {
    "frueh": (6 * 60, 10 * 60),
    "vormittag": (8 * 60, 12 * 60),
    "mittag": (12 * 60, 14 * 60),
    "nachmittag": (13 * 60, 18 * 60),
    "abend": (17 * 60, 21 * 60),
    "nacht": (22 * 60, DAY),
}
"""What a part of the day means as a span for a callback."""

_HALVES: dict[str, Minutes] = {
    "frueh": (3 * 60, 12 * 60 - 1),
    "vormittag": (5 * 60, 12 * 60 - 1),
    "mittag": (11 * 60, 15 * 60),
    "nachmittag": (12 * 60, 19 * 60),
    "abend": (16 * 60, DAY),
    "nacht": (21 * 60, DAY + 6 * 60),
    "feierabend": (15 * 60, DAY),
}
"""Which hours may be meant when the part is said beside a time; the night reaches into the next day."""

_PART_WORDS = {"morgens": "frueh", "frueh": "frueh", "fruehs": "frueh", "spaetnachmittag": "nachmittag"}
_PART_WORDS |= {f"{part}{end}": part for part in PARTS if part != "frueh" for end in ("", "s")}

LEADS = frozenset(
    [
        "um",
        "gegen",
        "ab",
        "bis",
        "vor",
        "nach",
        "punkt",
        "schlag",
        "zwischen",
        "und",
        "oder",
        "von",
        "circa",
        "ca",
        "etwa",
        "ungefaehr",
        "genau",
        "exakt",
        "so",
        "kurz",
        "spaetestens",
        "fruehestens",
    ]
)
"""Words after which a bare number is an hour."""

_UNITS = frozenset(
    [
        "tag",
        "tage",
        "tagen",
        "woche",
        "wochen",
        "monat",
        "monate",
        "monaten",
        "jahr",
        "jahre",
        "jahren",
        "stunde",
        "stunden",
        "minute",
        "minuten",
        "euro",
        "prozent",
        "leute",
        "personen",
        "mal",
        "stueck",
    ]
)
SHORTLY_MIN = 5
"""What "kurz vor" and "kurz nach" are taken for; the read-back shows it."""

EARLY = 7 * 60
"""Without other hints, seven to twelve are in the morning and one to half past six in the afternoon."""


@dataclass(frozen=True)
class Clock:
    """A time as said; `exact` where the words leave only one half of the day, else minute is below 720."""

    minute: int
    exact: bool


Read = tuple[Clock, int]


def part_of(word: str) -> str | None:
    """Return the part of the day that the word names; "morgen" is none, it is mostly tomorrow."""
    return _PART_WORDS.get(word)


def read(said: list[str], at: int) -> Read | None:
    """Read the time that begins at this word; return it and the position after it."""
    word = said[at] if at < len(said) else ""
    following = said[at + 1] if at + 1 < len(said) else ""
    if word == "mitternacht":
        return Clock(0, exact=True), at + 1
    if word in {"viertel", "kurz"} and following in {"vor", "nach"}:
        return _shifted(said, at + 2, 15 if word == "viertel" else SHORTLY_MIN, following)
    if quarter := _quarter(said, at):
        return quarter
    number = cardinal(word)
    if number is None:
        return None
    step = at + 2 if following in {"minute", "minuten"} else at + 1
    if number < 60 and said[step : step + 1] in (["vor"], ["nach"]):
        return _shifted(said, step + 1, number, said[step])
    return _full(said, at)


def stands_alone(said: list[str], at: int, end: int) -> bool:
    """Say whether the words are a time by themselves: more than a bare number, or a number after "um" or a part."""
    if any(word in _TELLING for word in said[at:end]):
        return True
    before = said[at - 1] if at else ""
    after = said[end] if end < len(said) else ""
    if after == "bis" and cardinal("".join(said[end + 1 : end + 2])) is not None:
        return not _UNITS & set(said[end + 2 : end + 3])  # "acht bis zwölf", not "acht bis zwölf Tage"
    return (before in LEADS or part_of(before) is not None) and after not in _UNITS


_TELLING = frozenset({"uhr", "halb", "viertel", "dreiviertel", "mitternacht", "kurz", "vor", "nach"})


def resolve(clock: Clock, part: str | None = None, opened: Minutes = WORKDAY) -> int:
    """Return the minute of the day that is meant, by the part of the day, else by the opening hours."""
    if clock.exact:
        return clock.minute
    both = (clock.minute, clock.minute + DAY // 2)
    if part is not None:
        first, last = _HALVES[part]
        # 24 hours on as well: twelve at night and three at night are the night's end
        shifted = [(max(first - m, m - last, 0), m % DAY) for m in (*both, *(m + DAY for m in both))]
        return min(shifted)[1]
    inside = [minute for minute in both if opened[0] <= minute < opened[1]]
    if len(inside) == 1:
        return inside[0]
    return both[0] if clock.minute >= EARLY else both[1]


def parse(text: str, opened: Minutes = WORKDAY) -> time | None:
    """Return the first time of day in the text; None when there is none or it is not clear that it is one."""
    said = words(text)
    part = next((p for p in map(part_of, said) if p), None)
    for at in range(len(said)):
        found = read(said, at)
        if found is None:
            continue
        clock, end = found
        if stands_alone(said, at, end) or (at == 0 and all(part_of(word) for word in said[end:])):
            return clock_time(resolve(clock, part, opened))
    return time(12) if part == "mittag" and len(said) == 1 else None


def say(moment: time, opened: Minutes = WORKDAY) -> str:
    """Return the time in German, so that `parse` with the same opening hours gives it back."""
    minute = moment.hour * 60 + moment.minute
    hour = "ein" if moment.hour == 1 else cardinal_word(moment.hour)
    said = f"{hour} Uhr" + (f" {cardinal_word(moment.minute)}" if moment.minute else "")
    heard = resolve(Clock(minute % (DAY // 2), exact=False), None, opened)
    if 60 <= minute < 12 * 60 and (minute < EARLY or heard != minute):
        said += " nachts" if minute < 4 * 60 else " morgens"
    elif minute >= 12 * 60 and moment.hour == 12 and heard != minute:
        said += " mittags"
    return said


def clock_time(minute: int) -> time:
    """Return the time of day; the end of the day is midnight."""
    return time(minute % DAY // 60, minute % 60)


def _quarter(said: list[str], at: int) -> Read | None:
    """Read "halb acht", "viertel acht" (7:15) and "dreiviertel acht" (7:45)."""
    before = {"halb": 30, "viertel": 45, "dreiviertel": 15}.get(said[at] if at < len(said) else "")
    hour = _hour(said, at + 1)
    return _clock(hour[0] * 60 - before, hour[0], hour[1]) if before is not None and hour else None


def _shifted(said: list[str], at: int, minutes: int, way: str) -> Read | None:
    base = _quarter(said, at)
    if base is None and (hour := _hour(said, at)):
        base = _clock(hour[0] * 60, *hour)
    if base is None:
        return None
    clock, end = base
    day = DAY if clock.exact else DAY // 2
    return Clock((clock.minute + (minutes if way == "nach" else -minutes)) % day, clock.exact), end


def _full(said: list[str], at: int) -> Read | None:
    """Read "acht", "acht uhr", "acht uhr dreißig" and "vierzehn dreißig"."""
    found = _hour(said, at)
    if found is None:
        return None
    hour, end = found
    with_uhr = said[end - 1] == "uhr"
    minutes = cardinal(said[end]) if end < len(said) else None
    if minutes is None or (not with_uhr and minutes < 10):  # "vierzehn fünf" is no time that people say
        return _clock(hour * 60, hour, end)
    if minutes > 59 or (hour == 24 and minutes):
        return None
    end += 1
    if said[end : end + 1] in (["minuten"], ["uhr"]):
        end += 1
    return _clock(hour * 60 + minutes, hour, end)


def _hour(said: list[str], at: int) -> tuple[int, int] | None:
    hour = cardinal(said[at]) if at < len(said) else None
    if hour is None or hour > 24:
        return None
    return hour, at + 2 if said[at + 1 : at + 2] == ["uhr"] else at + 1


def _clock(minute: int, hour: int, end: int) -> Read:
    exact = hour == 0 or hour > 12
    return Clock(minute % DAY if minute != DAY else DAY, exact=True) if exact else Clock(minute % 720, exact=False), end
