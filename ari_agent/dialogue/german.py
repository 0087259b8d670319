"""German: what the agent says and what it must always understand."""

from __future__ import annotations

import re

from ari_agent.dialogue.policy import Rule, Rules
from ari_agent.dialogue.wording import Wording

GERMAN = Wording(
    notice="Guten Tag, hier ist der KI-Assistent der Firma {company}, ein Computer, kein Mensch.",
    not_recorded="Das Gespräch wird nicht aufgezeichnet.",
    wording_stored="Das Gespräch wird zum Testen mitgeschrieben.",
    offer="Einen Menschen erreichen Sie mit dem Wort Mitarbeiter oder der Taste Null. Was kann ich für Sie tun?",
    more="Kann ich sonst noch etwas für Sie tun?",
    moment="Einen Moment bitte, ich verbinde Sie.",
    connecting="Gerne, ich rufe jemanden für Sie an. Bitte bleiben Sie in der Leitung.",
    still_connecting="Ich versuche noch, jemanden zu erreichen.",
    emergency="Im Notfall wählen Sie bitte eins eins zwei.",
    back_again="Hier ist wieder der KI-Assistent der Firma {company}.",
    refusals={
        "nobody-free": "Leider ist gerade niemand frei.",
        "no-answer": "Leider geht gerade niemand ans Telefon.",
        "declined": "Leider kann gerade niemand mit Ihnen sprechen.",
        "no-key": "Leider kann gerade niemand mit Ihnen sprechen.",
        "unavailable": "Leider kann ich gerade niemanden anrufen.",
    },
    what_else="Was kann ich sonst für Sie tun?",
    which_of_two="Geht es um {topic} oder um {other}?",
    is_it_about="Geht es um {topic}?",
    not_understood="Das habe ich leider nicht verstanden. Bitte sagen Sie es noch einmal mit anderen Worten.",
    then_what="Worum geht es dann?",
    are_you_there="Sind Sie noch da? Was kann ich für Sie tun?",
    goodbye="Vielen Dank für Ihren Anruf. Auf Wiederhören.",
    am_ai="Ich bin ein Computer, der KI-Assistent der Firma {company}, kein Mensch.",
    privacy="Ihre Worte werden nur auf dem Rechner der Firma {company} verarbeitet und verlassen ihn nicht.",
    whisper=(
        "Hier ist der KI-Assistent mit einem Anruf. KI-Zusammenfassung: {topic}. "
        "Drücken Sie die Eins zum Annehmen, die Zwei zum Ablehnen."
    ),
    topics={
        "wish-for-person": "Der Anrufer möchte mit einem Menschen sprechen",
        "key-0": "Der Anrufer hat die Null gedrückt",
        "emergency": "Dringend, der Anrufer hat ein Notfallwort genannt",
        "fault": "Dringend, der Anrufer meldet eine Störung",
        "complaint": "Der Anrufer möchte sich beschweren",
        "not-understood": "Der Assistent hat den Anrufer zweimal nicht verstanden",
        "silence": "Der Anrufer sagt nichts",
    },
    displays={
        "wish-for-person": "KI: Person gewuenscht",
        "key-0": "KI: Taste 0",
        "emergency": "KI: DRINGEND Notfall",
        "fault": "KI: DRINGEND Stoerung",
        "complaint": "KI: Beschwerde",
        "not-understood": "KI: nicht verstanden",
        "silence": "KI: Anrufer schweigt",
    },
)

_PERSON = r"""(mitarbeiter(in|s|innen)? | mensch(en)? | person | jemand(en|em)? | zentrale | kolleg(e|en|in) |
    berater(in)? | sachbearbeiter(in)? | ansprechpartner(in)? | kundendienst | empfang | chef(in)? | meister |
    vertrieb | buchhaltung)"""
_CONNECT = r"""(sprechen | reden | (weiter)?verb[iu]nden | durchstellen | durchgestellt |
    (geben|stellen)\ sie\ (mir|mich))"""
_MACHINE = r"(computer | roboter | automaten? | maschine)"
_FILLER = rf"""(… | ich | möchte | will | hätte | würde | gerne? | lieber | brauche | bitte | ein(en|e|em|er)? | den |
    der | die | zum | zur | mit | nein | ja | hallo | guten | tag | kein(en)? | nur | kann | könnte | ist | da |
    {_MACHINE})"""
_JOBS = r"(suchen | sucht | stellen\ sie | wie\ viele | bewerben | bewerbung | sind\ sie | bist\ du | spreche\ ich)"

_PATTERNS: dict[Rule, str] = {
    "emergency": r"""\b(notfall | feuer | brennt | gasgeruch | nach\ gas | gasleck | (schwer\ )?verletzt | bewusstlos |
        krankenwagen | feuerwehr | lebensgefahr)\b""",
    "fault": r"""\b((wasser)?rohrbruch | überschwemm(t|ung) | ausgefallen | kaputt | defekt | tropft | undicht |
        heizung\ ist\ kalt | kein(en)?\ (strom|warmes\ wasser))\b""",
    "complaint": r"\b(beschwerde | beschweren | anwalt | unverschämt | frechheit)\b",
    # The greeting promises that the word "Mitarbeiter" reaches one, so it does in any sentence but one about jobs.
    "wish-for-person": rf"""\b{_CONNECT}\b.*\b({_PERSON} | herrn? | frau)\b |
        \b({_PERSON} | herrn? | frau)\b.*\b{_CONNECT}\b |
        ^({_FILLER}\ )*({_PERSON} | (herrn?|frau)(\ \w+)?)(\ (bitte|haben|da|jetzt|sofort))*$ |
        ^(?!.*\b{_JOBS}\b).*\bmitarbeiter(in|s|innen)?\b |
        \b(verbinden\ sie\ mich | mich\ (weiter)?verbinden | stellen\ sie\ mich\ durch |
            kein(en)?\ {_MACHINE} | nicht\ mit\ eine[mr]\ {_MACHINE} | echten?\ menschen)\b""",
    "ask-ai": rf"""\b(sind\ sie | bist\ du | ist\ das | spreche\ ich\ mit)\b.*
        \b({_MACHINE} | mensch(en)? | mitarbeiter | echt)\b""",
    "privacy": r"\b(datenschutz | meinen?\ daten | aufgezeichnet)\b",
    "repeat": r"""\b(wie\ bitte | noch\ ?einmal | noch\ ?mal | wiederholen)\b |
        ^(wie\ war\ das | was\ haben\ sie\ gesagt)$""",
    "goodbye": r"""\b((auf\ wieder\ ?|wieder)(hören|sehen) | tschüss? | das\ war'?s | schönen\ (tag|abend)\ noch)\b |
        \bdas\ (war|ist)\ alles(\ (vielen|dank|danke|schön))*$ |
        ^((nein|okay|gut|super|prima|alles\ klar)\ )*((vielen|herzlichen|besten|schönen|recht|danke)\ )*
        (danke? | dankeschön)(\ (schön|sehr|ihnen|nein))*$""",
    "yes": r"^(…\ )?(ja | genau | richtig | stimmt | okay | gerne?)(\ (ja|bitte|genau|richtig|gerne?|danke|stimmt))*$",
    "no": r"^(…\ )?(nein | falsch)(\ (nein|falsch|das|nicht|leider))*$",
    "greeting": r"^(…\ )?(ja\ )?(guten?\ (tag|morgen|abend) | hallo | grüß\ gott | moin | servus)(\ (hallo|tag))*$",
}

GERMAN_RULES: Rules = {name: re.compile(pattern, re.VERBOSE) for name, pattern in _PATTERNS.items()}
