"""Whole sentences of companies' documents, as a voice says them."""

from __future__ import annotations

import re

import pytest

from ari_agent.knowledge.saying import say
from ari_agent.speech.sentences import split

SENTENCES = [
    ("Wir haben Mo–Fr von 8–17 Uhr geöffnet.", "Wir haben Montag bis Freitag von acht bis siebzehn Uhr geöffnet."),
    (
        "Mo–Fr 8:00–12:00 und 13:00–17:00 Uhr, Sa 9–13 Uhr.",
        "Montag bis Freitag acht bis zwölf Uhr und dreizehn bis siebzehn Uhr, Samstag neun bis dreizehn Uhr.",
    ),
    ("Geöffnet Mo.-Fr.: 10–12 Uhr.", "Geöffnet Montag bis Freitag: zehn bis zwölf Uhr."),
    (
        "Di + Do: 14–18 Uhr und nach Vereinbarung.",
        "Dienstag und Donnerstag: vierzehn bis achtzehn Uhr und nach Vereinbarung.",
    ),
    ("Sprechzeiten: Mo/Mi/Fr 9–12 Uhr.", "Sprechzeiten: Montag, Mittwoch und Freitag neun bis zwölf Uhr."),
    ("Sa., So. und feiertags geschlossen.", "Samstag, Sonntag und feiertags geschlossen."),
    (
        "Öffnungszeiten: Mo-Do 8-17h, Fr 8-14h.",
        "Öffnungszeiten: Montag bis Donnerstag acht bis siebzehn Uhr, Freitag acht bis vierzehn Uhr.",
    ),
    ("Mo.: 8–12 Uhr, Mi.: 14–18 Uhr.", "Montag: acht bis zwölf Uhr, Mittwoch: vierzehn bis achtzehn Uhr."),
    ("Von 12.00 bis 12.45 Uhr ist Mittagspause.", "Von zwölf bis zwölf Uhr fünfundvierzig ist Mittagspause."),
    ("Wir sind 24/7 für Sie da.", "Wir sind rund um die Uhr für Sie da."),
    ("Der Notdienst ist 24 h erreichbar.", "Der Notdienst ist vierundzwanzig Stunden erreichbar."),
    ("Unser 24-Stunden-Notdienst kommt immer.", "Unser vierundzwanzig-Stunden-Notdienst kommt immer."),
    ("Heute bis 22:30 Uhr geöffnet.", "Heute bis zweiundzwanzig Uhr dreißig geöffnet."),
    ("Die Praxis öffnet um 7.30 Uhr.", "Die Praxis öffnet um sieben Uhr dreißig."),
    ("Der Laden schließt um 0:30 Uhr.", "Der Laden schließt um null Uhr dreißig."),
    ("Kommen Sie zwischen 8 und 10 Uhr.", "Kommen Sie zwischen acht und zehn Uhr."),
    ("Kommen Sie zw. 8 und 10 Uhr.", "Kommen Sie zwischen acht und zehn Uhr."),
    ("Bitte 10 Min. vorher da sein.", "Bitte zehn Minuten vorher da sein."),
    (
        "Werktags 7–19 Uhr, Sonn- u. Feiertage geschl.",
        "Werktags sieben bis neunzehn Uhr, Sonn- und Feiertage geschlossen.",
    ),
    ("Im Winter (Okt.–März) öffnen wir um 9 Uhr.", "Im Winter (Oktober bis März) öffnen wir um neun Uhr."),
    (
        "Am 24.12. und 31.12. schließen wir um 12 Uhr.",
        "Am vierundzwanzigsten Dezember und einunddreißigsten Dezember schließen wir um zwölf Uhr.",
    ),
    (
        "Vom 23.12. bis 06.01.2027 ist zu.",
        "Vom dreiundzwanzigsten Dezember bis sechsten Januar zweitausendsiebenundzwanzig ist zu.",
    ),
    (
        "Ihr Termin ist am Do., 14.05.2026, um 9:15 Uhr.",
        "Ihr Termin ist am Donnerstag, dem vierzehnten Mai zweitausendsechsundzwanzig, um neun Uhr fünfzehn.",
    ),
    (
        "Am 14. Mai 2026 ist Christi Himmelfahrt.",
        "Am vierzehnten Mai zweitausendsechsundzwanzig ist Christi Himmelfahrt.",
    ),
    ("Am 1., 2. und 3. Mai haben wir zu.", "Am ersten, zweiten und dritten Mai haben wir zu."),
    ("Vom 15. bis 20. Mai sind wir auf der Messe.", "Vom fünfzehnten bis zwanzigsten Mai sind wir auf der Messe."),
    ("Messe: 15.–20. Mai 2026.", "Messe: fünfzehnter bis zwanzigster Mai zweitausendsechsundzwanzig."),
    ("Ab dem 1. Januar gelten neue Preise.", "Ab dem ersten Januar gelten neue Preise."),
    ("Der 1. Mai ist ein Feiertag.", "Der erste Mai ist ein Feiertag."),
    ("Zahlen Sie bis zum 15. des Monats.", "Zahlen Sie bis zum fünfzehnten des Monats."),
    (
        "Die Miete ist am 1. und 15. jedes Monats fällig.",
        "Die Miete ist am ersten und fünfzehnten jedes Monats fällig.",
    ),
    ("Bis Fr., 15. Mai, sind wir da.", "Bis Freitag, den fünfzehnten Mai, sind wir da."),
    ("Die Preise haben den Stand 03/2026.", "Die Preise haben den Stand März zweitausendsechsundzwanzig."),
    ("Wir liefern in KW 42.", "Wir liefern in Kalenderwoche zweiundvierzig."),
    ("Im 2. Quartal 2026 ziehen wir um.", "Im zweiten Quartal zweitausendsechsundzwanzig ziehen wir um."),
    ("Jeden 1. Montag im Monat ist Schulung.", "Jeden ersten Montag im Monat ist Schulung."),
    ("Uns gibt es seit 1987.", "Uns gibt es seit neunzehnhundertsiebenundachtzig."),
    ("Die Firma wurde 1987 gegründet.", "Die Firma wurde neunzehnhundertsiebenundachtzig gegründet."),
    ("In den 90er Jahren zogen wir um.", "In den neunziger Jahren zogen wir um."),
    (
        "Am 15. Sept. 2026 ist Tag der offenen Tür.",
        "Am fünfzehnten September zweitausendsechsundzwanzig ist Tag der offenen Tür.",
    ),
    ("Die Wartung kostet 49,90 €.", "Die Wartung kostet neunundvierzig Euro neunzig."),
    ("Ein Ölwechsel kostet ab 89 €.", "Ein Ölwechsel kostet ab neunundachtzig Euro."),
    ("Das Rad kostet 1.299 €.", "Das Rad kostet eintausendzweihundertneunundneunzig Euro."),
    ("Das Rad kostet 1.299,00 EUR.", "Das Rad kostet eintausendzweihundertneunundneunzig Euro."),
    ("Rechnen Sie mit 20 bis 35 €.", "Rechnen Sie mit zwanzig bis fünfunddreißig Euro."),
    ("Das kostet ca. 1.500–2.000 €.", "Das kostet circa eintausendfünfhundert bis zweitausend Euro."),
    ("Die Anfahrt kostet 0,80 €/km.", "Die Anfahrt kostet achtzig Cent pro Kilometer."),
    (
        "Der Stundensatz beträgt 65,00 €/h zzgl. MwSt.",
        "Der Stundensatz beträgt fünfundsechzig Euro pro Stunde zuzüglich Mehrwertsteuer.",
    ),
    (
        "Wir berechnen 35 €/Std. Die Anfahrt ist frei.",
        "Wir berechnen fünfunddreißig Euro pro Stunde. Die Anfahrt ist frei.",
    ),
    ("Die Flatrate kostet 29,99 €/Monat.", "Die Flatrate kostet neunundzwanzig Euro neunundneunzig pro Monat."),
    ("Das Buffet kostet 15 € p. P.", "Das Buffet kostet fünfzehn Euro pro Person."),
    ("Der Eintritt kostet 5,- €.", "Der Eintritt kostet fünf Euro."),
    ("Ein Brief kostet 95 ct.", "Ein Brief kostet fünfundneunzig Cent."),
    ("Wir machen 1 Mio. € Umsatz.", "Wir machen eine Million Euro Umsatz."),
    ("Im Jahr sind es 2,5 Mio. Euro.", "Im Jahr sind es zwei Komma fünf Millionen Euro."),
    ("Sie erhalten 3,5 % Rabatt.", "Sie erhalten drei Komma fünf Prozent Rabatt."),
    ("Bei Zahlung in 10 Tagen gibt es 2% Skonto.", "Bei Zahlung in zehn Tagen gibt es zwei Prozent Skonto."),
    ("Im Preis sind 19 % MwSt. enthalten.", "Im Preis sind neunzehn Prozent Mehrwertsteuer enthalten."),
    ("Kinder bis 14 J. zahlen 5 €.", "Kinder bis vierzehn Jahre zahlen fünf Euro."),
    ("Das kostet 12 €/Person.", "Das kostet zwölf Euro pro Person."),
    (
        "Rufen Sie uns an: Tel. 089/123456.",
        "Rufen Sie uns an: Telefon null acht neun, eins zwei, drei vier, fünf sechs.",
    ),
    (
        "Unser Fax hat die Nummer 0911-987654.",
        "Unser Fax hat die Nummer null neun eins eins, neun acht, sieben sechs, fünf vier.",
    ),
    (
        "Mobil erreichen Sie uns unter 0171 1234567.",
        "Mobil erreichen Sie uns unter null eins sieben eins, eins zwei, drei vier, fünf sechs sieben.",
    ),
    (
        "Aus dem Ausland: +49 (0)89 123456.",
        "Aus dem Ausland: plus vier neun, acht neun, eins zwei, drei vier, fünf sechs.",
    ),
    ("Wählen Sie 0800 123 456 7.", "Wählen Sie null acht null null, eins zwei, drei vier, fünf sechs sieben."),
    ("Wählen Sie im Notfall die 112.", "Wählen Sie im Notfall die eins eins zwei."),
    ("Rufen Sie 110 an.", "Rufen Sie eins eins null an."),
    (
        "Unter 116 117 erreichen Sie den Bereitschaftsdienst.",
        "Unter eins eins sechs, eins eins sieben erreichen Sie den Bereitschaftsdienst.",
    ),
    (
        "Ihre Kundennummer 123456 steht auf der Rechnung.",
        "Ihre Kundennummer eins zwei, drei vier, fünf sechs steht auf der Rechnung.",
    ),
    ("Meine Durchwahl -12 ist besetzt.", "Meine Durchwahl zwölf ist besetzt."),
    ("Schreiben Sie an info@lindner-bau.de.", "Schreiben Sie an info ät lindner Minus bau Punkt De E."),
    (
        "Schreiben Sie an max.mustermann@firma.com, bitte.",
        "Schreiben Sie an max Punkt mustermann ät firma Punkt com, bitte.",
    ),
    (
        "Infos finden Sie unter www.lindner-bau.de/termine.",
        "Infos finden Sie unter We We We Punkt lindner Minus bau Punkt De E Schrägstrich termine.",
    ),
    ("Besuchen Sie lindner.de!", "Besuchen Sie lindner Punkt De E!"),
    ("Bringen Sie z. B. Ihren Ausweis mit.", "Bringen Sie zum Beispiel Ihren Ausweis mit."),
    ("Wir machen u. a. Bäder, Küchen usw.", "Wir machen unter anderem Bäder, Küchen und so weiter."),
    ("Das ist gratis, d.h. Sie zahlen nichts.", "Das ist gratis, das heißt Sie zahlen nichts."),
    ("I. d. R. dauert es 2–3 Wochen.", "In der Regel dauert es zwei bis drei Wochen."),
    ("Das dauert ca. 30 Min.", "Das dauert circa dreißig Minuten."),
    ("Das dauert 30 Min. Danach fahren Sie weiter.", "Das dauert dreißig Minuten. Danach fahren Sie weiter."),
    ("Die Dauer beträgt 1,5 h.", "Die Dauer beträgt eins Komma fünf Stunden."),
    ("Das dauert 1 ½ Stunden.", "Das dauert eineinhalb Stunden."),
    ("Das dauert 1/2 Stunde.", "Das dauert eine halbe Stunde."),
    ("Wir brauchen max. 2 Std. dafür.", "Wir brauchen maximal zwei Stunden dafür."),
    ("Wir kommen evtl. auch samstags.", "Wir kommen eventuell auch samstags."),
    ("Sie bekommen bzw. Ihr Mann bekommt Post.", "Sie bekommen beziehungsweise Ihr Mann bekommt Post."),
    ("Lt. Vertrag ist das frei.", "Laut Vertrag ist das frei."),
    ("Wir haben z. Zt. geschlossen.", "Wir haben zurzeit geschlossen."),
    ("Das ist ggf. inkl. Material.", "Das ist gegebenenfalls inklusive Material."),
    ("Die Wartung ist mind. 1x pro Jahr nötig.", "Die Wartung ist mindestens einmal pro Jahr nötig."),
    ("Die Prüfung ist 1–2 x jährlich.", "Die Prüfung ist ein bis zweimal jährlich."),
    ("Das ist eine 14-tägige Tour.", "Das ist eine vierzehntägige Tour."),
    ("Melden Sie sich in Raum Nr. 5 im 2. OG.", "Melden Sie sich in Raum Nummer fünf im zweiten Obergeschoss."),
    ("Wir sind im EG, 3. Stock ist das Lager.", "Wir sind im Erdgeschoss, dritter Stock ist das Lager."),
    ("Das Büro ist in der 3. Etage.", "Das Büro ist in der dritten Etage."),
    (
        "Wir sind in der Hauptstr. 12a, 80331 München.",
        "Wir sind in der Hauptstraße zwölf a, acht null drei drei eins München.",
    ),
    (
        "Die Adresse ist Lange Str. 5, D-80331 München.",
        "Die Adresse ist Lange Straße fünf, acht null drei drei eins München.",
    ),
    ("Parken Sie auf P1–P3.", "Parken Sie auf P eins bis P drei."),
    ("Vom Hbf. sind es 10 Min. mit Bus 57.", "Vom Hauptbahnhof sind es zehn Minuten mit Bus siebenundfünfzig."),
    ("Fahren Sie die A9 bis Ausfahrt 62.", "Fahren Sie die A neun bis Ausfahrt zweiundsechzig."),
    ("Das regelt § 5 Abs. 2 der AGB.", "Das regelt Paragraf fünf Absatz zwei der A Ge Be."),
    ("Das regeln die §§ 5 und 6.", "Das regeln die Paragrafen fünf und sechs."),
    ("Der Lagerraum hat 20 °C.", "Der Lagerraum hat zwanzig Grad Celsius."),
    ("Erlaubt sind -5 bis 20 °C.", "Erlaubt sind minus fünf bis zwanzig Grad Celsius."),
    ("Das Paket wiegt 31,5 kg.", "Das Paket wiegt einunddreißig Komma fünf Kilogramm."),
    ("Der Wagen fährt 130 km/h.", "Der Wagen fährt einhundertdreißig Kilometer pro Stunde."),
    ("Die Halle hat 80 m² Fläche.", "Die Halle hat achtzig Quadratmeter Fläche."),
    ("Wir verlegen 80 qm Parkett.", "Wir verlegen achtzig Quadratmeter Parkett."),
    ("Das Tor misst 2x4 m.", "Das Tor misst zwei mal vier Meter."),
    ("Der Anschluss hat 230 V und 16 A.", "Der Anschluss hat zweihundertdreißig Volt und sechzehn Ampere."),
    ("Die Pumpe schafft 60 l/min.", "Die Pumpe schafft sechzig Liter pro Minute."),
    ("Der Anhänger darf max. 3,5 t wiegen.", "Der Anhänger darf maximal drei Komma fünf Tonnen wiegen."),
    ("Die Anlage hat 11 kW.", "Die Anlage hat elf Kilowatt."),
    ("Der Rand ist 2 cm breit.", "Der Rand ist zwei Zentimeter breit."),
    ("Sie bekommen 100 Mbit/s.", "Sie bekommen einhundert Megabit pro Sekunde."),
    ("Hier ist die Lindner GmbH & Co. KG.", "Hier ist die Lindner Ge Em Be Ha und Ko Ka Ge."),
    ("Hier ist die Muster AG, guten Tag.", "Hier ist die Muster A Ge, guten Tag."),
    ("Zuständig ist Dr. Koch.", "Zuständig ist Doktor Koch."),
    ("Zuständig ist Prof. Dr. Anna Koch.", "Zuständig ist Professor Doktor Anna Koch."),
    ("Zuständig ist Dr. med. Koch.", "Zuständig ist Doktor med Koch."),
    ("Fragen Sie Hrn. Weber oder Fr. Koch.", "Fragen Sie Herrn Weber oder Frau Koch."),
    ("Unser Meister ist Dipl.-Ing. Weber.", "Unser Meister ist Diplom-Ingenieur Weber."),
    ("Wir haben 1.000 Kunden und 12 Mitarbeiter:innen.", "Wir haben eintausend Kunden und zwölf Mitarbeiter innen."),
    ("Das gilt für 3–5 Tage.", "Das gilt für drei bis fünf Tage."),
    ("Das ist das 2. Angebot.", "Das ist das zweite Angebot."),
    ("Wir feiern unser 50. Jubiläum.", "Wir feiern unser fünfzigstes Jubiläum."),
    ("Die Datei hat DIN A4.", "Die Datei hat Din A vier."),
    ("Die Art.-Nr. 4711 ist aus.", "Die Artikelnummer viertausendsiebenhundertelf ist aus."),
    ("Das Hemd gibt es in Größe XL.", "Das Hemd gibt es in Größe Ix El."),
    ("Der Maßstab ist 1:100.", "Der Maßstab ist eins zu einhundert."),
    ("Sie brauchen ½ Liter Öl.", "Sie brauchen einen halben Liter Öl."),
    ("Das dauert ½ Tag.", "Das dauert einen halben Tag."),
    ("Im Jahr 1850 war hier ein Feld.", "Im Jahr achtzehnhundertfünfzig war hier ein Feld."),
    ("Der Umbau dauert 12.5 h.", "Der Umbau dauert zwölf Komma fünf Stunden."),
    ("Siehe S. 5 im Katalog.", "Siehe Seite fünf im Katalog."),
    ("Wir nehmen EC-Karte, Bargeld, PayPal und Rechnung.", "Wir nehmen EC-Karte, Bargeld; PayPal und Rechnung."),
]


def test_the_table_is_large_enough_and_says_nothing_twice() -> None:
    assert len({text for text, _ in SENTENCES}) == len(SENTENCES) >= 120


@pytest.mark.parametrize(("text", "spoken"), SENTENCES)
def test_a_sentence_is_said_as_people_say_it(text: str, spoken: str) -> None:
    assert say(text) == spoken
    assert say(spoken) == spoken


@pytest.mark.parametrize(("text", "spoken"), SENTENCES)
def test_nothing_is_left_to_the_voice_to_guess(text: str, spoken: str) -> None:
    assert not re.search(r"[\d€%&§/@°²½–]", spoken), text
    assert len(split(spoken)) == spoken.count(". ") + 1  # no dot of an abbreviation is left


def test_all_sentences_after_each_other_are_said_as_each_alone() -> None:
    whole = say(" ".join(text for text, _ in SENTENCES))
    assert whole == " ".join(spoken for _, spoken in SENTENCES)
