"""German: what must always be understood, whatever search or a model thinks of it."""

from __future__ import annotations

import re

from ari_agent.dialogue.policy import Rule, Rules

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
    "emergency": r"""\b(notfall | feuer | (es|hier|das|haus|wohnung|küche|keller|dach)\ brennt |
        brennt\ (es|bei|das|hier) | gasgeruch | (riecht|riechen|stinkt|rieche)\b.*\bgas |
        gas\ (riechen|tritt\ aus|strömt) | gasleck | gasalarm | kohlenmonoxid | rauch\ (kommt|aus|im|in|überall) |
        raucht\ es | qualmt | (schwer\ )?verletzt | bewusstlos | ohnmächtig | umgekippt | zusammengebrochen |
        keine\ luft | atmet\ (nicht|kaum) | herzinfarkt | schlaganfall | stromschlag | blutet | verblutet |
        lebensgefahr | krankenwagen | rettungswagen | notarzt | feuerwehr | eingeklemmt | eingesperrt | umbringen |
        vergiftet | allergischer?\ schock | (steckt|stecken|stecke|sitze)\b.*\b(im|in)\ (aufzug|fahrstuhl))\b""",
    "accident": r"""\b(unfall\ (gehabt|gebaut|passiert) | (hatte|hatten)\b.*\bunfall | autounfall | arbeitsunfall |
        ins\ auto\ gefahren | reingefahren)\b""",
    "bereavement": r"""\b(gestorben | verstorben(e|en|er)? | todesfall | trauerfall | ums\ leben |
        (mutter|vater|mann|frau|oma|opa|bruder|schwester|sohn|tochter)\ ist\ tot)\b""",
    "lawyer": r"""\b((mein(en|em)?|unser(en|em)?|zum)\ (rechts)?anwalt | meiner?\ (rechts)?anwältin |
        anwalt\ einschalten | rechtliche\ schritte | verklagen? | klage\ (ein|gegen) | anzeige\ erstatten |
        zeige\ sie\ an | verbraucherzentrale | vor\ gericht)\b | ^(ein(en)?\ )?anwalt$""",
    "distress": r"""\b(verzweifelt | weiß\ (einfach\ )?nicht\ (mehr\ )?(weiter|ein\ noch\ aus) | kann\ nicht\ mehr |
        halte\ (das|es)\ nicht\ mehr\ aus | habe\ (solche|große|furchtbare)\ angst)\b""",
    "fault": r"""\b((wasser)?rohrbruch | überschwemm(t|ung) | ausgefallen | kaputt | defekt | undicht | tropft |
        geht\ gar\ nichts\ mehr | nichts\ (geht|funktioniert)\ mehr | heizung\ ist\ (kalt|aus) |
        kein(en)?\ (strom|warmes\ wasser) | unter\ wasser | starke\ schmerzen | gehackt)\b""",
    "complaint": r"""\b(beschwerde | beschweren? | unverschämt(heit)? | frechheit | sauerei | schweinerei | abzocke |
        nase\ voll | stinksauer | stocksauer | wütend | empört | inkompetent | saftladen |
        zum\ (dritten|vierten|fünften|zehnten)\ mal)\b""",
    # The greeting promises that the word "Mitarbeiter" reaches one, so it does in any sentence but one about jobs.
    "wish-for-person": rf"""\b{_CONNECT}\b.*\b({_PERSON} | herrn? | frau)\b |
        \b({_PERSON} | herrn? | frau)\b.*\b{_CONNECT}\b |
        ^({_FILLER}\ )*({_PERSON} | (herrn?|frau)(\ \w+)?)(\ (bitte|haben|da|jetzt|sofort))*$ |
        ^(?!.*\b{_JOBS}\b).*\bmitarbeiter(in|s|innen)?\b |
        \b(verbinden\ sie\ mich | mich\ (weiter)?verbinden | stellen\ sie\ mich\ durch |
            kein(en)?\ {_MACHINE} | nicht\ mit\ eine[mr]\ {_MACHINE} | echten?\ menschen)\b""",
    "message": r"""\b(rückruf | zurück\ ?ruf(en|t) | zurück\ ?zu\ ?rufen | rufen\ sie\ mich\b.*\b(an|zurück) |
        nachricht\ (hinterlassen|ausrichten|dalassen) | richten\ sie\b.*\baus | sagen\ sie\ (ihm|ihr)\b)\b""",
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
