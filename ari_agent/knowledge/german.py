"""German words that tell nothing about a caller's matter, and pairs that do."""

from __future__ import annotations

from collections.abc import Iterable

STOPWORDS = frozenset(
    word
    for line in (
        "abend aber ach äh ähm als also am an anrufe auch auf aus bei beim bin bis bitte bräuchte da danke das dass",
        "dem den denn der des die dies diese doch du eigentlich ein eine einem einen einer eines einmal",
        "entschuldigen entschuldigung er es etwa etwas euch eure firma frage fragen für gern gerne gewusst gibt gott",
        "grüß guten hab habe haben hallo hat hätte hätten hier ich ihnen ihr ihre ihrem ihren ihrer im in ist ja",
        "kann können könnte könnten mal man mein meine meinem meinen meiner mich mir mit möchte möchten morgen muss",
        "nach nein noch nochmal nun nur oder rufe sag sagen schon sein sich sie sind so soll tag über um und",
        "ungefähr uns unser unsere viel vom von vor wann war was wegen weiß welche welcher welches wer werden wie",
        "will wir wird wissen wo wollen wollte würde zu zum zur",
    )
    for word in line.split()
)

FILLERS = frozenset(
    word
    for line in (
        "allein alle allen alles ander andere anderen anderer anderes anders anfangen ans aufs bekam bekomm bekomme",
        "bekommen bekommt bevor bisschen bleib bleiben bleibt brauch brauche brauchen brauchst braucht bringen bringt",
        "dabei dafür daheim damit danach dann daran darauf darf darfs dauernd dazu denk denke doppelt dort dran drauf",
        "draußen drin dringend durch dürfen dürfte einfach eins ehrlich erst erste ersten extra fänd find finde finden",
        "findet fragt früher fürs ganz ganze ganzen gar geb gebe geben gebt geh gehe gehen gehts geht gell genau",
        "gemacht gerade gesagt geworden gib gibts gilt glaub glaube gleich grad gucken gut habt halt halten hält hatte",
        "hätt hätts heut heute hier hilfe hin hinten ihm ihn ihnen immer ins irgendwann irgendwas irgendwer irgendwie",
        "irgendwo jede jeden jeder jedes jemand jemanden jetzt kein keine keinem keinen keiner komm komme kommen kommt",
        "krieg kriege kriegen kriegt kurz lang lass lassen lässt läuft lieber liegen liegt los mach mache machen macht",
        "mehr möcht möglich müssen müsst müsste müssten nämlich nehm nehme nehmen nehmt nicht nichts nie nimmt nix",
        "ob oben obwohl oft okay ohne passiert per pro ran raus rein reicht richtig ruf rum runter rüber sagt sagte",
        "sache sachen schau schauen schon seh sehen sehr seid seine seiner seit selber selbst servus sicher sofort",
        "sogar sollen sollt sollte sonst später ständig steh stehen steht such suche suchen tun tut trotzdem",
        "überall überhaupt unbedingt unsre unten unter unserem unseren unserer verdammt vielleicht viele vielen",
        "vorher vorne während warten warum weg weil weit weiter welchem welchen wem wen wenig weniger wenn wieder",
        "wirklich wohin wohl wollt worden wurd wurde würd würden wär wäre würds zeug ziemlich zusammen zwar zwischen",
    )
    for word in line.split()
)
"""Words that callers use whatever they ask: they tell something only where the company's answers have them too."""

PARTICLES = frozenset(
    word
    for line in (
        "isch ische ischen nische nischen rinnen rung rungen ander außen aussen binnen",
        "dabei daran darauf daher dahin durch eben einander eine einem einen einer eines entlang",
        "entgegen fort gegen gegenüber haft halb heit heraus herein herum hinaus hinein hinter hinweg innen innere",
        "innern keit lich nach neben nieder oben ober rück rückwärts schaft selbst sonders statt tum über umher unten",
        "unter vorher vorbei voran voraus vorüber vorwärts weis weise weiter wieder zurück zusammen zwischen",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag sonnabend vormittag nachmittag mittag abend",
    )
    for word in line.split()
)
"""Beginnings and endings of words that are no part of a compound by themselves, and days, which are taken whole."""

PAIRS = {
    # Question words are in every sentence; together with their neighbour they name the matter.
    "wie lange": "dauer",
    "bis wann": "öffnungszeiten",
    "ab wann": "öffnungszeiten",
    "wie teuer": "kostet",
    "wie viel": "kostet",
    "wo finde": "adresse",
    "wo sind": "adresse",
}

UNFINISHED = frozenset(
    word
    for line in (
        "der die das dem den des ein eine einen einem einer eines mein meine meinen meinem meiner ihr ihre ihren ihrem",
        "ihrer unser unsere unseren und oder aber dass ob wenn weil als denn von vom bei beim zum zur zu mit für ohne",
        "in im am an nach bis ab seit über um durch so sehr wie was wer wo wann warum welche welcher welches ich mir",
        "mich er es man wir hab habe haben hat ist bin sind war wird kann können könnte könnt muss müssen möchte würde",
        "will wollte auch noch nicht kein keine mal da gern gerne lange viel",
    )
    for word in line.split()
)
"""Words after which people mostly go on; alone they tell nothing of a caller's matter either."""


def tells(words: Iterable[str]) -> bool:
    """Tell whether any of the words tells something of a caller's matter."""
    return any(len(word) > 2 and word not in STOPWORDS and word not in UNFINISHED for word in words)
