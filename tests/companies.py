"""A small company for deciders, and turns of its callers."""

from __future__ import annotations

from ari_agent.decision import ACTS, Brief, Decision, Exchange, Intent, Situation, Topic

TITLES = (
    "Öffnungszeiten",
    "Adresse",
    "Parkplätze",
    "Wartung",
    "Reparatur",
    "Wärmepumpe",
    "Bad",
    "Notdienst",
    "Garantie",
)
BRIEF = Brief(
    "Lindner Heizungsbau",
    tuple(Topic(title.lower(), title, "Wir sind montags bis freitags für Sie da.") for title in TITLES),
    (Intent("termin", ("ich brauche einen termin",)), Intent("rechnung", ("ich habe eine frage zur rechnung",))),
    ("empfang", "buchhaltung"),
)
QUESTIONS = (
    "wann haben sie geöffnet",
    "wo kann ich parken",
    "was kostet eine wartung",
    "meine heizung ist kaputt",
    "ich möchte mit jemandem sprechen",
    "bauen sie auch wärmepumpen ein",
    "guten tag",
    "auf wiederhören",
    "ich habe eine rechnung bekommen die ich nicht verstehe",
    "kommen sie auch am wochenende wenn die heizung ausfällt",
    "rufen sie mich bitte zurück",
    "wie lange habe ich garantie",
)


def turn(text: str, *history: Exchange) -> Situation:
    """Return a turn in which everything is allowed."""
    return Situation(text, history, ACTS, Decision("message"))
