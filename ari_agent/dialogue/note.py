"""The note on a call: who, about what, what was agreed, what stays open; from acts and forms, never from free words.

Of a caller's own words only the matter of a form is taken, and the name and company they gave for it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, tzinfo

from ari_agent.decision import URGENCIES, Decision, Urgency
from ari_agent.dialogue.acts import Act, Answer, Escalate, Noted
from ari_agent.hours import BERLIN
from ari_agent.spoken.calendar_words import MONTHS, WEEKDAYS
from ari_agent.task import Contact, Note, Task

_LONGEST = 300
"""Characters of one line; a receptionist reads the whole matter in the callback itself."""
_MOST = 20
"""Lines under one heading: more than a call can fill, and a page at most."""

REASONS = {
    "wish-for-person": "Wunsch nach einem Menschen",
    "key-0": "Wunsch nach einem Menschen",
    "emergency": "Notfallwort genannt",
    "fault": "Störung gemeldet",
    "accident": "Unfall oder Schaden gemeldet",
    "lawyer": "Rechtliche Schritte erwähnt",
    "distress": "Not geäußert",
    "bereavement": "Trauerfall",
    "complaint": "Beschwerde",
    "message": "Nachricht oder Rückruf gewünscht",
    "judgement": "Gespräch mit einem Menschen nötig",
    "silence": "Anrufer sagte nichts",
    "english": "Anrufer spricht Englisch",
    "outside-hours": "Anruf außerhalb der Öffnungszeiten",
    "vip": "Bevorzugter Kontakt",
}
"""What the call was about, by the code for which a person is wanted."""
GAPS = {
    "unknown": "Frage ohne Antwort im Dokument",
    "not-understood": "Anliegen nicht verstanden",
    "form": "Rückruf nicht vollständig aufgenommen",
}
"""What stays open, by the code for which a person is wanted."""

_INTENTS = {"stoerung": "Störung"}
"""Names of the catalogue whose spelling as a code is not the German one; any other is its own label."""
_INTENT_OF = {"fault": "stoerung", "complaint": "beschwerde"}
"""Intents that say the same as a reason: one of them is enough."""
_NO_TOPICS = {"person", "rueckruf"}
"""Intents that say what is to be done, which stands in the note already."""
_MATTERS = {"answer", "message", "escalate"}
"""Decisions that say how urgent a call is also where no intent was recognised."""
_OUTCOMES = {"to-queue": "An die Warteschlange übergeben"}


class NoteBuilder:
    """Gathers what happens in one call.

    `zone`: the company's time zone, in which the note tells dates.
    """

    def __init__(self, zone: tzinfo = BERLIN) -> None:
        self._zone = zone
        self._topics: list[str] = []
        self._gaps: list[str] = []
        self._tasks: list[Task] = []
        self._promised: list[Task] = []
        self._urgencies: list[Urgency] = []
        self._ringing: Escalate | None = None

    def act(self, act: Act, decision: Decision | None, title: str = "") -> None:
        """Take the act of a turn with the decision of this turn, None if no words were decided on.

        `title`: the title of the passage that was spoken, joined with ", " when there were several.
        """
        if self._ringing is not None:  # the talk goes on, so nobody took the call
            self._gaps.append(_unreached(self._ringing))
            self._ringing = None
        if isinstance(act, Answer) and title:
            self._topics.append(title)
        self._gather_topics(act, decision)
        self._gather_urgency(act, decision)
        self._gather_gap(act, decision)
        if isinstance(act, Noted):
            self.task(act.task)
            self._promised.append(act.task)
        if isinstance(act, Escalate):
            self._ringing = act

    def task(self, task: Task) -> None:
        """Take a callback or message; the same one a second time changes nothing."""
        if task not in self._tasks:
            self._tasks.append(task)

    def build(self, outcome: str, made_by: str, contact: Contact | None) -> Note | None:
        """Return the note, None when nothing happened; `outcome` is that of the call log, such as "handed-over"."""
        ringing, reached = self._ringing, outcome == "handed-over"
        gaps = [*self._gaps, *([_unreached(ringing)] if ringing and not reached else [])]
        if not (self._topics or gaps or self._tasks or ringing):
            return None
        agreed = [line for task in self._tasks for line in self._agreed(task)]
        if reached:
            agreed.append(_handed_over(ringing))
        elif outcome in _OUTCOMES:
            agreed.append(_OUTCOMES[outcome])
        asked = [_asked(task) for task in self._tasks if self._is_promised(task) or task.matter]
        missing = [self._missing(task) for task in self._tasks if not task.complete]
        urgencies = [*self._urgencies, *(task.urgency for task in self._tasks)] or ["normal"]
        return Note(
            _who(self._tasks, contact),
            _lines([*(line for line in self._topics if not (asked and line == REASONS["message"])), *asked]),
            _lines(agreed),
            _lines([*_counted(gaps), *missing]),
            max(urgencies, key=URGENCIES.index),
            made_by,
        )

    def _gather_topics(self, act: Act, decision: Decision | None) -> None:
        """Note what the caller wants, and why a person is needed unless that says the same."""
        if decision is None:
            if isinstance(act, Escalate | Noted) and act.reason in REASONS:
                self._topics.append(REASONS[act.reason])
            return
        if decision.intent and decision.intent not in _NO_TOPICS:
            self._topics.append(f"Anliegen: {_label(decision.intent)}")
        if decision.reason in REASONS and _INTENT_OF.get(decision.reason) != decision.intent:
            self._topics.append(REASONS[decision.reason])

    def _gather_urgency(self, act: Act, decision: Decision | None) -> None:
        """Note how urgent the matter is; small talk and questions back are none, whatever is said of them."""
        if decision is not None and (decision.intent or decision.act in _MATTERS or decision.urgency == "high"):
            self._urgencies.append(decision.urgency)
        elif decision is None and isinstance(act, Escalate):
            self._urgencies.append(act.urgency)

    def _gather_gap(self, act: Act, decision: Decision | None) -> None:
        """Note a question that stays open: each once, not again when the caller agrees to talk to a person about it."""
        if decision is not None and decision.reason == "unknown":
            if decision.by != "rules":  # rules know no questions: the caller said yes to a person
                self._gaps.append(GAPS["unknown"])
        elif isinstance(act, Escalate) and act.reason in GAPS and act.reason != "unknown":
            self._gaps.append(GAPS[act.reason])

    def _is_promised(self, task: Task) -> bool:
        """Tell whether the caller heard that it was taken down, doubtful or not."""
        return task.complete or task in self._promised

    def _agreed(self, task: Task) -> list[str]:
        """Return what the caller was told: from when to when the company calls."""
        if not self._is_promised(task):
            return []
        if task.kind == "message":
            return ["Nachricht wird weitergegeben"]
        first, last = self._local(task.due or task.earliest), self._local(task.latest)
        if first is not None and last is not None and last <= first:
            last = None
        return [f"Rückruf {_span(first, last)}".strip()]

    def _missing(self, task: Task) -> str:
        what = "Rückruf" if task.kind == "callback" else "Nachricht"
        wanted = {"Name": task.name, "Rufnummer": task.number, "Anliegen": task.matter}
        missing = ", ".join(name for name, given in wanted.items() if not given)
        state = "mit unsicheren Angaben" if self._is_promised(task) else "unvollständig aufgenommen"
        return f"{what} {state}" + (f", es fehlt: {missing}" if missing else "")

    def _local(self, at: datetime | None) -> datetime | None:
        return at.astimezone(self._zone) if at is not None else None


def _who(tasks: list[Task], contact: Contact | None) -> str:
    """Return name and company as the caller gave them last, else as the number is known."""
    for task in reversed(tasks):
        if said := ", ".join(filter(None, (task.name, task.company))):
            return _cut(said)
    if contact is not None and (known := ", ".join(filter(None, (contact.name, contact.company)))):
        return f"{_cut(known)} (laut Rufnummer)"
    return "unbekannt"


def _asked(task: Task) -> str:
    what = "Rückruf erbeten" if task.kind == "callback" else "Nachricht hinterlassen"
    return f"{what}: {task.matter}" if task.matter else what


def _handed_over(to: Escalate | None) -> str:
    return f"An {_rung(to)} übergeben" if to is not None else "An Mitarbeiter übergeben"


def _unreached(escalation: Escalate) -> str:
    return f"{_rung(escalation)} nicht erreicht"


def _rung(escalation: Escalate) -> str:
    """Return who was rung; of several it is not known here which of them took the call."""
    names = escalation.stations or ((escalation.target,) if escalation.target else ("empfang",))
    return _label(names[0]) if len(names) == 1 else "Mitarbeiter"


def _label(code: str) -> str:
    """Return a name of the settings as it is read."""
    label = _INTENTS.get(code, code).replace("_", " ")
    return label[:1].upper() + label[1:]


def _moment(at: datetime) -> str:
    """Return such as "Freitag, 2. November, 8 Uhr": absolute, because a note is read on another day."""
    return f"{_day(at)}, {_clock(at)} Uhr"


def _span(first: datetime | None, last: datetime | None) -> str:
    """Return such as "Freitag, 2. November, 14 bis 16 Uhr"; "" when nothing was wished."""
    match first, last:
        case datetime(), datetime() if first.date() == last.date():
            return f"{_day(first)}, {_clock(first)} bis {_clock(last)} Uhr"
        case datetime(), datetime():
            return f"{_moment(first)}, bis {_moment(last)}"
        case datetime(), None:
            return f"ab {_moment(first)}"
        case None, datetime():
            return f"bis {_moment(last)}"
        case _:
            return ""


def _day(at: datetime) -> str:
    return f"{WEEKDAYS[at.weekday()]}, {at.day}. {MONTHS[at.month - 1]}"


def _clock(at: datetime) -> str:
    return f"{at.hour}:{at.minute:02}" if at.minute else str(at.hour)


def _counted(lines: list[str]) -> list[str]:
    """Return each line once, in order, with how often it happened."""
    return [line if times == 1 else f"{line} (×{times})" for line, times in Counter(lines).items()]


def _lines(lines: list[str]) -> tuple[str, ...]:
    return tuple(_cut(line) for line in dict.fromkeys(lines))[:_MOST]


def _cut(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
