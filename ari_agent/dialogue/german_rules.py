"""German: what must always be understood, whatever search or a model thinks of it."""

from __future__ import annotations

import re

from ari_agent.dialogue.policy import Rule, Rules

_PERSON = r"""(mitarbeiter(in|s|innen)? | verwaltung | anmeldung | mensch(en)? | person | jemand(en|em)? |
    zentrale | kolleg(e|en|in) |
    berater(in)? | scheff | \w*meister | sachbearbeiter(in)? | ansprechpartner(in)? | kundendienst | empfang |
    chef(in)? |
    vertrieb | buch\ ?haltung)"""
_CONNECT = r"""(sprechen | reden | (weiter)?ver\ ?b[iu]nden | durchstellen | durchgestellt |
    gesprochen | (geben|stellen|holen)\ sie\ (mir|mich)(\ (mal|bitte|doch))*)"""
_MACHINE = r"(computer | roboter | automaten? | maschine)"
_FILLER = rf"""(… | ich | möchte | will | hätte | würde | gerne? | lieber | brauche | bitte | ein(en|e|em|er)? | den |
    der | die | zum | zur | mit | nein | ja | hallo | guten | tag | kein(en)? | nur | kann | könnte | ist | da |
    {_MACHINE})"""
_JOBS = r"(suchen | sucht | stellen\ sie | wie\ viele | bewerben | bewerbung | sind\ sie | bist\ du | spreche\ ich)"

_OPEN = r"(offen|sprechstunde|geöffnet|auf(?!\ wieder)|zu|geschlossen|da|erreichbar|besetzt)"
_DAY = r"""(heute | jetzt | gerade | momentan | (über)?morgen |
    (am\ )?(nächsten\ |kommenden\ )?((mon|diens|donners|frei|sams|sonn)tag | mittwoch) |
    am\ \w+(ten|sten)\ (\w+(ten|sten) | januar | februar | märz | april | mai | juni | juli | august | september |
        oktober | november | dezember) |
    heiligabend | weihnachten | weihnachtstag | silvester | neujahr | ostern | \w+montag | karfreitag | feiertag |
    allerheiligen | buß\ und\ bettag | himmelfahrt | dreikönig |
    rosenmontag | fasching | fronleichnam | pfingsten | zwischen\ den\ jahren |
    (diese|nächste|kommende|übernächste)\ woche | (am\ )?wochenende)"""

_PATTERNS: dict[Rule, str] = {
    "emergency": r"""\b(notfall | feuer(?!\ wehr) | (es|hier|das|haus|wohnung|küche|keller|dach)\ brennt |
        brennt\ (es|bei|das|hier|lichterloh) | flammen | in\ brand | (voll(er)?|dichter)\ (qualm|rauch) |
        gasgeruch | (riecht|riechen|stinkt|rieche)\b.*\bgas |
        gas\ (riechen|tritt\ aus|strömt) | gasleck | gasalarm | kohlenmonoxid | rauch\ (kommt|aus|im|in|überall) |
        raucht\ es | qualmt | (schwer\ )?verletzt | bewusstlos | ohnmächtig | umgekippt | zusammengebrochen |
        keine\ luft | kaum\ (noch\ )?luft | (krieg|bekomm)(e|t|en)?\ (\w+\ ){0,2}schlecht(er)?\ luft |
        blutung(en)?\ (\w+\ ){0,3}nicht | atmet\ (so\ )?(nicht|kaum|komisch) | herzinfarkt |
        (schmerzen|stechen|druck)\ in\ der\ brust | (ganz|schon)\ blau | schwarz\ vor\ (den\ )?augen |
        nicht\ (mehr\ )?ansprechbar | (er|sie|kind|es)\ reagiert\ nicht | (schwer|hat\ (es\ )?ein(en|e))\ verbrannt |
        zugeschwollen | schlaganfall | blutet | verblutet |
        zu\ bluten | lebensgefahr | krankenwagen | rettungswagen | notarzt | eingeklemmt | ein\ ?gesperrt |
        (brauch(e|en|t)?|ruf(en|t)?|hol(en|t)?|schick(en|t)?|alarmier(en|t)?)\b.*\bfeuer\ ?wehr | umbringen |
        nicht\ mehr\ leben | das\ leben\ nehmen | (hängt|hänge)\b.*\bam\ seil |
        kommt\ nicht\ mehr\ (hoch|runter|raus) |
        strom\ ?schlag |
        vergiftet | allergischer?\ schock | (steckt|stecken|stecke|sitze)\b.*\b(im|in)\ (aufzug|fahrstuhl))\b""",
    "accident": r"""\b(unfall\ (gehabt|gebaut|passiert) | (hatte|hatten)\b.*\bunfall | autounfall | arbeitsunfall |
        ins\ auto\ gefahren | reingefahren | zusammenstoß | gestürzt | ausgerutscht |
        (leiter|treppe|gerüst|dach)\b.*\b((he)?runter\ ?|hinunter\ ?)?gefallen |
        auf\ (den|die|meinen?|seinen?|ihren?)\ (fuß|hand|kopf|finger|zeh)\ gefallen)\b""",
    "bereavement": r"""\b(gestorben | verstorben(e|en|er)? | todesfall | trauerfall | ums\ leben |
        leider\ (tot|gestorben|verstorben) | beerdigung\ ist\ (am|heute|morgen) |
        (mutter|vater|mann|frau|oma|opa|bruder|schwester|sohn|tochter)\ ist\ tot)\b""",
    "lawyer": r"""\b((mein(en|em)?|unser(en|em)?|zum)\ (rechts)?anwalt | meiner?\ (rechts)?anwältin |
        anwalt\ einschalten | rechtliche\ schritte | verklagen? | klage\ (ein|gegen) | anzeige\ erstatten |
        zeige\ sie\ an | verbraucherzentrale | vor\ gericht | rechts\ ?beistand | klagt\b.*\bgegen\ (sie|euch) |
        (ihnen|sie)\b.*\beine\ frist\ (ge)?setzt?(en)? | rechts\ an\ ?wal[dt] |
        an\ (die|meine|unsere)\ rechts\ ?schutz)\b |
        ^(ein(en)?\ )?anwalt$""",
    "distress": r"""\b(weiß\ (einfach\ )?nicht\ (mehr\ )?(weiter|ein\ noch\ aus) | kann\ nicht\ mehr |
        halte\ (das|es)\ nicht\ mehr\ aus | mag\ nicht\ mehr | über\ den\ kopf |
        (völlig|total|komplett)\ (fertig|aufgelöst) |
        dreh(e)?\ (\w+\ ){0,3}durch | am\ ganzen\ (leib|körper) | bringt\ mich\ um | ver\ ?zweifelt |
        hab(e)?\ (richtig|solche|große|furchtbare|schreckliche|so)\ angst(?!\ vor))\b""",
    "fault": r"""\b((wasser)?rohrbruch | überschwemm(t|ung) | ausgefallen | kaputt | defekt | undicht | tropft |
        geht\ gar\ nichts\ mehr |
        (druckt|heizt|läuft|startet|springt|schließt|funktioniert|kühlt|spült|lädt|reagiert|greift|bremst|lenkt)
            \ (\w+\ )?nicht\ mehr |
        nichts\ (geht|funktioniert)\ mehr | heizung\ ist\ (kalt|aus) |
        kein(en)?\ (strom|warmes\ wasser) | unter\ wasser | gehackt | vor\ (lauter\ )?schmerzen | höllisch\ weh |
        (starke|unerträgliche|höllische|wahnsinnige|rasende|furchtbare|schlimme|heftige)n?\ \w*schmerzen |
        (eingebrochen|aufgebrochen)(\ worden)?$ | (habe|haben|hab)\ (uns\ |mir\ )?einen\ (\w+\ )?virus |
        (alle|unsere|meine)\ (\w+\ )?daten\ (sind\ )?(alle\ )?(weg|futsch|gelöscht|verschlüsselt|verschwunden) |
        liegen\ ?geblieben | (zahn|bauch|hals|ohren|kopf|rücken)(schmerzen|weh)$ |
        \b(mir|ihm|ihr)\ (tut|tun)\b.*\bweh |
        habe?\ (\w+\ ){0,3}(schmerzen|zahnweh) |
        (internet|server|netz|netzwerk|drucker|telefon|telefonanlage|computer|rechner|heizung|strom|wasser|licht |
            aufzug|fahrstuhl|mails?|programm|system|anlage|waschmaschine|klingel|tür|toilette|spülung|läutwerk|glocke)
            \ (\w+\ ){0,2}(geht|gehen|läuft|laufen|funktioniert|funktionieren)\ (\w+\ )?nicht |
        (internet|server|drucker|computer|rechner|heizung|aufzug|anlage|läutwerk)\ (\w+\ )?(spinnt|streikt) |
        wasser\b.*\b(durch|von)\ (die|der)\ decke | droht\ (\w+\ ){0,4}zu\ fallen? | hängt\ (ganz\ )?(los|schief) |
        (heraus|raus)\ ?gefallen | bremsen?\ (geht|gehen|funktioniert|funktionieren)\ nicht | steck(e)?\b.*\bfest |
        (ist|sind)\ tot | geplatzt | gerissen | keiner\ kann\ (mehr|hier)\ arbeiten | aus\ gefallen)\b""",
    "complaint": r"""\b(beschwerde | beschweren? | unverschämt(heit)? | frechheit | sauerei | schweinerei | abzocke |
        (un\ )?verschämt(e|er|es|en)? | schlamperei | unter\ aller\ (sau|kanone) | das\ allerletzte |
        (lass|lasse)\b.*\b(nicht\ bieten|nicht\ gefallen|nicht\b.*\bbehandeln) |
        (könnt|können)\ (\w+\ )?mich\ (alle\ )?mal |
        so\ (geht|springt)\b.*\bnicht\b.*\bum | auf\ (den|die)\ (keks|geist|nerven|wecker) | verarschen | veräppeln |
        abgewimmelt | verlange\ mein\ geld | nase\ voll | (stink|stock)\ ?sauer | wütend | empört | inkompetent |
        saftladen |
        (zum|das)\ (dritten?|vierten?|fünften?|zehnten?)\ mal)\b""",
    # The greeting promises that the word "Mitarbeiter" reaches one, so it does in any sentence but one about jobs.
    "wish-for-person": rf"""\b{_CONNECT}\b.*\b({_PERSON} | herrn? | frau)\b |
        \b({_PERSON} | herrn? | frau)\b.*\b{_CONNECT}\b |
        ^(ist|wäre|haben\ sie|hätten\ sie)\ (bitte\ |denn\ |mal\ |jetzt\ )*(der\ |die\ |den\ )?(herrn?|frau)\ \w+\b.*
            \b(da|im\ haus|erreichbar|zu\ sprechen|zu\ erreichen)\b |
        ^ich\ (brauche?|bräuchte|suche?|möchte|will|hätte?\ gern)\ (bitte\ |mal\ )*(die|den)\ (herrn?|frau)\ \w+\b |
        ^({_FILLER}\ )*({_PERSON} | (herrn?|frau)(\ \w+)?)(\ (bitte|haben|da|jetzt|sofort))*$ |
        ^(?!.*\b{_JOBS}\b).*\bmitarbeiter(in|s|innen)?\b |
        \b(verbinden\ sie\ mich | verbind(e|et)?\ mich | stellt?\ mich\ durch |
            mich\ (weiter)?verbinden | stellen\ sie\ mich\ durch |
            kein(en)?\ {_MACHINE} | nicht\ mit\ eine[mr]\ {_MACHINE} | echten?\ menschen)\b""",
    "message": r"""\b((?<!kein\ )(?<!keinen\ )rückruf | zurück\ ?ruf(en|t) | zurück\ ?zu\ ?rufen |
        ruf(en|t)?\ (sie\ |ihr\ |doch\ |mal\ |bitte\ )*(mich|uns)\b.*\b(an|zurück) | ums?\ (einen\ )?rückruf |
        (gerne?|möchte|bitte|soll|könnte|könnt|würde|wäre)\b.*\b(mich|uns)\b.*\b(an\ ?rufen|an\ ?ruft|anrufst) |
        nachricht\ (hinterlassen|ausrichten|dalassen) | richten\ sie\b.*\baus | sagen\ sie\ (ihm|ihr)\b)\b""",
    "ask-ai": rf"""\b(sind\ sie | bist\ du | ist\ das | (spreche?|rede?)\ ich\ (\w+\ ){{0,3}}mit)\b.*
        \b({_MACHINE} | mensch(en)? | mitarbeiter | echt)\b |
        \b(mit\ wem\ (spreche?|rede?|habe?)\ ich | wer\ (ist|spricht)\ (denn\ )?(da|dort|dran) | wer\ sind\ sie |
        wie\ heißen\ sie |
        bin\ ich\ (da\ |hier\ |jetzt\ |denn\ |doch\ |nicht\ |schon\ )*(richtig|falsch|verkehrt|beim?\b|mit\ (der|dem)) |
        ist\ (da|dort|das|hier)\ (denn\ |nicht\ |doch\ )*
            (die|der|das)\ (firma|praxis|werkstatt|hausverwaltung|halle|pizzeria))\b""",
    "privacy": r"\b(datenschutz | meinen?\ daten | aufgezeichnet)\b",
    "slower": r"""\b(langsamer | noch\ ?(ein\ ?)?mal\b.*\blangsam | langsam\ (bitte|sagen|sprechen|reden|wiederholen) |
        nicht\ so\ schnell | zu\ schnell |
        (reden|sprechen|redest|sprichst)\ (so|ziemlich)\ schnell)\b""",
    "english": r"""\b(auf|in|sprechen\ sie|können\ sie|do\ you\ speak|speak)\ (auch\ )?(englisch|english)\b |
        ^english\b | ^englisch(\ bitte)?$""",
    "german": r"\b(wieder|doch|auf|in)\ deutsch\b | ^deutsch(\ bitte)?$",
    "opening": rf"""^(hallo\ |ja\ )*ist\ (denn\ |da\ |bei\ (ihnen|euch)\ |noch\ |heute\ |jetzt\ )*(jemand|wer|einer)
            (\ noch|\ da|\ im\ (haus|büro)|\ in\ der\ \w+|\ heute|\ jetzt)*$ |
        ^(?!.*\btermin).*\b(ob\ (sie|ihr)\b.*\b{_DAY}\b.*\b{_OPEN}\b(?!\ w) |
            (haben|habt|hat|seid|sind|ist)\b(?!\ ich).*\b{_DAY}\b.*\b{_OPEN}\b(?!\ w) |
            {_DAY}\ {_OPEN}\b(?!\ w) | (haben|habt|seid|sind)\ (sie|ihr)\b.*\b{_OPEN}\b.*\b{_DAY}$) |
        \b(ab\ |von\ )?wann\b.*\bwieder\ (wer\ |jemand\ |einer\ )?{_OPEN}$ |
        ^(haben|habt|sind|seid)\ (sie|ihr)\ wieder\ {_OPEN}$ |
        ^(und\ )?(bis\ wann|wie\ lange)\ (haben|habt|sind|seid)\ (sie|ihr)\b.*\b{_OPEN}$""",
    "appointment": r"""^(?!.*\bohne\ termin).*\b(
        ich\b.*\b(möchte|will|brauche?|bräuchte?|hätte?|würde?|muss|müsste|kann|wollte?)\b.*\btermin\b |
        (möchte|will|brauche?|bräuchte?|hätte?|würde?|muss|müsste|kann|wollte?)\ ich\b.*
            \btermin\b.*\b(machen|ausmachen|vereinbaren|haben|bekommen|buchen|kriegen|absagen|verschieben|verlegen)\b |
        termin\w*\b.*\b(absagen|verschieben|verlegen|stornieren|umbuchen|ausmachen|vereinbaren|buchen|machen|frei)$ |
        (haben|hätten|gibt|habt)\ (sie|es|ihr)\b.*\btermine?\b.*\bfrei\b |
        termin\b.*\bnicht\ (wahrnehmen|einhalten|kommen))""",
    "own-matter": r"""^(?!.*\b(wie\ lange|was\ kostet)\b).*\b(mein(e|en)?|unser(e|en)?)\b.*
        \b(schon\ |endlich\ |wieder\ |bald\ )?(fertig|abholbereit|abzuholen|repariert)(\b.{0,60})?$ |
        ^(?!.*\b(wie\ lange|was\ kostet|wann)\b).*\b(frage|fragen|problem|fehler|stimmt|versteh\w*)\b.*
            \b(meine[rm]?|unsere[rm]?|der\ letzten)\ (letzten?\ )?(rechnung|mahnung|bestellung|lieferung|akte)\b""",
    "prelude": r"""^(…\ )?((guten\ tag|hallo|ja|also|äh|grüß\ gott|entschuldigung)\ )*(
        (ich\ )?(hätte?|habe?)\ (da\ |mal\ |noch\ |nur\ |bloß\ |kurz\ |bitte\ )*
            (eine?|ne|n|zwei|drei|ein\ paar|einige|mehrere)\ (kurze\ |kleine\ |allgemeine\ )*
            fragen?(\ an\ (sie|euch))? |
        (ich\ )?(hätte?|habe?)\ (da\ |mal\ |noch\ |nur\ )*ein\ (kleines\ |großes\ )?(anliegen|problem) |
        (kann|darf|dürfte|könnte)\ ich\ (sie\ |euch\ |dich\ |mal\ |kurz\ |ihnen\ |noch\ )*
            (was|etwas|eine?\ frage)\ (fragen|stellen) |
        ich\ (wollte?|möchte)\ (sie\ |mal\ |nur\ |kurz\ )*(was|etwas)\ (fragen|wissen))(\ bitte)?$""",
    "wait": r"""^(…\ )?(äh|ähm|öh|öhm|tja)(\ (äh|ähm|öh|öhm|tja|also|ja|na|hm|und|moment))*$ |
        ^(…\ )?(ja\ |okay\ |äh\ )*(einen\ |ein\ )?(kleinen\ |kurzen\ )?(moment|augenblick|sekunde|momentchen)\b
        (\ (bitte|mal|noch|ich|hole|suche|schaue?|gucke?|nach|nehme|kurz|was|etwas|einen|zu|zum|den|die|meine?n?|stift|
        zettel|schreiben|eben|schnell|gleich|ja))*$""",
    "repeat": r"""^(?!.*\b(rufe?|melde?|versuche?|probiere?|komme?|schaue?)\b).*
        \b(wie\ bitte | noch\ ?einmal | noch\ ?mal | wiederholen)\b |
        ^(wie\ war\ das | was\ haben\ sie\ gesagt)$""",
    "goodbye": r"""\b((auf\ wieder\ ?|wieder)(hören|sehen|schaun|schauen) | tschüss? | tschau | ciao | servus$ |
        pfia?\ ?gott | pfüa?\ ?(di|gott|ihnen|euch) | ade$ | adieu | mach(en\ sie)?'?s\ gut | bis\ (dann|bald|morgen)$ |
        verwählt | falsch\ verbunden | falsche\ nummer\ (gewählt|erwischt) |
        das\ war'?s | schönen\ (tag|abend)\ noch)\b |
        \bdas\ (war|ist)\ alles(\ (vielen|dank|danke|schön))*$ |
        ^((nein|okay|gut|super|prima|alles\ klar)\ )*((vielen|herzlichen|besten|schönen|recht|danke)\ )*
        (danke? | dankeschön)(\ (schön|sehr|ihnen|dir|euch|nein))*$ |
        ^(?!.*\b(und|aber|was|wie|wo|wann|noch|bitte|für|nicht|kein\w*|ob|ja)\b)(\w+\ ){0,3}
            (danke|dankeschön|dank|merci)(\ \w+){0,2}$ |
        \b(ich\ )?(rufe?|melde|meld)\b.*\b(später|morgen|nachher)\b.*\b(an|mich)\b(\ (vielen|danke))*$ |
        ^(?!.*\b(sie|ihr|wer|jemand|kann|was|wann|wie)\b).*\bich\b.*\b(versuch|probier|komm|meld|ruf|schau)e?\b.*
            \b(später|morgen|nachher|noch\ ?mal|noch\ einmal|wieder|selber|vorbei)\b""",
    "yes": r"^(…\ )?(ja | genau | richtig | stimmt | okay | gerne?)(\ (ja|bitte|genau|richtig|gerne?|danke|stimmt))*$",
    "no": r"^(…\ )?(nein | falsch)(\ (nein|falsch|das|nicht|leider))*$",
    "greeting": r"^(…\ )?(ja\ )?(guten?\ (tag|morgen|abend) | hallo | grüß\ gott | moin | servus)(\ (hallo|tag))*$",
}

GERMAN_RULES: Rules = {name: re.compile(pattern, re.VERBOSE) for name, pattern in _PATTERNS.items()}

UNKNOWN = "[unk]"
"""What recognition writes for a word it does not know; a "mhm" mostly is one."""

BACKCHANNELS = frozenset(
    {"ja", "jaja", "mhm", "hm", "aha", "ah", "oh", "ach", "so", "okay", "genau", "verstehe", "gut", "klar", UNKNOWN}
)
"""Words with which a listener says no more than that they listen."""

ONLY_A_DAY = re.compile(
    rf"""(?:(?:und|aber|also|ja|oder|wie\ (?:ist|sieht|schaut)\ (?:es|das)|was\ ist|dann|denn|auch|am|an|im|in|zu|vor|
        zwischen|mit|so|aus)\ )*
    (?:{_DAY} | weihnachten\ und\ neujahr | (?:vor|nach)mittags? | abends? | feiertagen | wochenende |
        samstags? | sonntags?)
    (?:\ (?:vormittag|nachmittag|abend|mittag|früh|morgen|auch|denn|dann|aus|so))*""",
    re.VERBOSE,
)
"""A day alone: what it means depends on what was spoken of."""
WAITS = re.compile(r"\b(ich warte|warten|(versuchen|probieren) sie (es|s)? ?(noch ?mal|weiter|bitte))\b")
"""After nobody took the call: the caller would rather have it tried once more."""
REMARK = re.compile(
    r"""(?:(?:oh|ach|aha|na|ja|so|hm|okay|gut|puh|ui|mei|mhm|ah|und|also)\ )*
    (?:(?:das|des)\ (?:ist|wär|wäre|klingt|find\ ich|geht)
        \ (?:(?:ja|aber|doch|schon|ganz|mir|zu|recht|sehr|echt|ziemlich)\ )*
        (?:teuer|viel|günstig|billig|gut|schön|schade|prima|super|interessant|praktisch|lang|lange|blöd|nett|toll|
        schnell|okay|in\ ordnung)(?:\ geld)? |
    (?:alles\ klar|gut\ zu\ wissen|so\ ist\ das|ach\ so|so\ so|ja\ ja|na\ gut|na\ dann|schade|interessant|toll|
        verstanden|hab\ ich\ verstanden))(?:\ (?:aha|okay|ja|gut|na\ gut))*""",
    re.VERBOSE,
)
"""A remark on what was said, which wants nothing."""

CALLBACK = re.compile(
    r"rück ?ruf|zurück ?(zu ?)?ruf|zurück ?gerufen|ruf(en|t)? (sie |er |ihr )?mich|anruf(en)?\b|meldet? (sie |er )?sich"
)
"""In words that ask for a callback or message: it is a callback that is wanted."""

CALL_ME = re.compile(
    r"""^(?!.*\b(?:niemand|keiner|nie|warte|gewartet)\b).*\b(?:
    ruf(?:en|t)?\ (?:sie\ |ihr\ )?(?:mich|uns)\b |
    (?:möchten?|will|wollen|verlange|erwarte|hätte?|brauche?|bitte\ um|wünsche)\b.*
        \b(?:rückruf|zurück\ ?gerufen) |
    soll(?:en)?\b.*\b(?:mich|uns)\b.*\b(?:zurück\ ?rufen|anrufen|melden) |
    (?:mich|uns)\b.*\b(?:zurück\ ?ruf(?:en|t)|zurückzurufen) )\b""",
    re.VERBOSE,
)
"""A wish for a callback that is no tale of one that never came: beside anger both are honoured."""

ALSO_FAREWELL = frozenset({"servus"})
"""Greetings that are a farewell once something was said."""

THANKED = re.compile(r"\b(danke|dank|dankeschön|dankschön)( schön| sehr| ihnen| dir| euch| recht schön)*$")
"""A turn that ends with thanks: after an answer, and if it asks nothing, it ends the call."""
FAREWELL = re.compile(
    r"\b(auf ?wieder ?(hören|sehen|schauen)|wiederhören|wiederschau(en|n)|tschüss?i?|tschau|ciao|vergelt'?s gott|"
    r"(?<=\w )servus|pfiat? ?(di|euch|gott|ihnen)|pfüa? ?gott|(?<=\w )ade|bis (dann|bald)|schönes wochenende|"
    r"schönen (tag|abend|feierabend)( noch)?)( danke| dann| ihnen| schönen tag( noch)?)*$"
)
"""An ending that ends the call, whatever else was said before it, unless it was a need."""

NIGHT_SERVICE = "haben sie einen notdienst außerhalb der öffnungszeiten"
"""Asked of the company's document once: what it answers is told to urgent callers while the company is closed."""
OPENING_HOURS = "wann haben sie geöffnet"
"""Asked of the company's document once: what it answers are the weekly hours."""
URGENT_MATTERS = re.compile(r"not(dienst|fall|ruf)|bereitschaft|störung", re.IGNORECASE)
"""Words of such an answer, one of which it must have."""
